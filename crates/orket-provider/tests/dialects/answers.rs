//! Any bytes as an answer in any dialect: nothing is called that was not offered, and what is read is read again.
//!
//! The first byte chooses the dialect; the others are the answer.

use orket_kernel::object;
use orket_ports::model::{ToolCall, ToolOffer};
use orket_provider::dialect;

/// Panics if the reader breaks a promise on `bytes`.
pub(crate) fn check(bytes: &[u8]) {
    let Some((choice, text)) = bytes.split_first() else {
        return;
    };
    let names: Vec<&str> = dialect::built_in_names().collect();
    let name = names[usize::from(*choice) % names.len()];
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let dialect = dialect::built_in(name).unwrap();
    let tools = tools();
    let reading = dialect::read(&dialect, &tools, text);
    assert_eq!(dialect::read(&dialect, &tools, text), reading);

    let mut last = 0;
    for call in &reading.calls {
        assert!(tools.iter().any(|tool| tool.name == call.name));
        assert!(call.arguments.as_object().is_some());
        assert!(call.place.byte >= last && call.place.byte <= text.len() as u64);
        last = call.place.byte;
        // A tool can only be called by its name, unless JSON or a tag spells it with an escape.
        assert!(text.contains(&call.name) || text.contains('\\'));
    }
    for refusal in &reading.refusals {
        let before = &text.as_bytes()[..usize::try_from(refusal.place.byte).unwrap()];
        let lines = before.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(refusal.place.line, lines + 1);
        assert!(refusal.message.len() < 2000 && !refusal.instead.is_empty());
    }
    assert!(reading.prose.len() <= text.len());

    let calls: Vec<ToolCall> = reading
        .calls
        .iter()
        .map(|call| ToolCall {
            name: call.name.clone(),
            arguments: call.arguments.clone(),
        })
        .collect();
    let again = dialect::read(&dialect, &tools, &dialect::write(&dialect, &calls));
    let read: Vec<(&str, _)> = again
        .calls
        .iter()
        .map(|call| (call.name.as_str(), &call.arguments))
        .collect();
    let expected: Vec<(&str, _)> = calls
        .iter()
        .map(|call| (call.name.as_str(), &call.arguments))
        .collect();
    assert_eq!(read, expected);
    assert_eq!(again.refusals, []);
    assert!(
        name == "native" || again.repairs.is_empty(),
        "{:?}",
        again.repairs
    );
}

/// Short names, so that a fuzzer finds them.
fn tools() -> Vec<ToolOffer> {
    ["f", "read", "write_file"]
        .iter()
        .map(|name| ToolOffer {
            name: (*name).to_owned(),
            description: String::new(),
            parameters: object! {
                "type" => "object",
                "properties" => object! {
                    "a" => object! { "type" => "string" },
                    "n" => object! { "type" => "integer" },
                },
            },
        })
        .collect()
}
