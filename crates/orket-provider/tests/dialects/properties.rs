//! Laws for any calls and any text.

use std::collections::BTreeMap;

use orket_kernel::canonical::{Number, Value};
use orket_ports::model::ToolCall;
use orket_provider::dialect;
use proptest::prelude::*;

use crate::answers;
use crate::corpus::{plain, tools};

/// What models write and what hostile text is made of.
const PIECES: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    ":",
    ",",
    "\\",
    "\n",
    " ",
    "`",
    "```",
    "```json\n",
    "~~~",
    "<",
    ">",
    "</",
    "<tool_call>",
    "</tool_call>",
    "<function=f>",
    "</function>",
    "<parameter=a>",
    "</parameter>",
    "<think>",
    "</think>",
    "[TOOL_CALLS]",
    "\"name\"",
    "\"tool\"",
    "\"arguments\"",
    "\"args\"",
    "\"f\"",
    "\"read\"",
    "{\"name\": \"f\", \"arguments\": {",
    "}}",
    "{\"name\": \"read\", \"arguments\": {\"a\": \"x\"}}",
    "tool_calls",
    "f(",
    "é",
    "\u{2028}",
    "\r\n",
    "\t",
    "1",
    "null",
];

const NAMES: [&str; 4] = [
    "read_file",
    "write_file",
    "list_directory",
    "update_issue_status",
];

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|number| {
            Number::from_integer_text(&number.to_string()).map_or(Value::Null, Value::Number)
        }),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(text(), inner, 0..4).prop_map(Value::Object),
        ]
    })
}

/// Texts full of what could end a call too early.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12)
            .prop_map(|pieces| pieces.concat()),
    ]
}

fn calls() -> impl Strategy<Value = Vec<ToolCall>> {
    let keys = prop_oneof![
        prop::sample::select(&["path", "content", "status"][..]).prop_map(str::to_owned),
        text(),
    ];
    let members = prop::collection::btree_map(
        keys,
        prop_oneof![text().prop_map(Value::String), json()],
        0..4,
    );
    let call = (prop::sample::select(&NAMES[..]), members).prop_map(
        |(name, members): (&str, BTreeMap<String, Value>)| ToolCall {
            name: name.to_owned(),
            arguments: Value::Object(members),
        },
    );
    prop::collection::vec(call, 0..5)
}

proptest! {
    #[test]
    fn any_calls_are_read_as_they_were_written(calls in calls()) {
        let tools = tools();
        for name in dialect::built_in_names() {
            let dialect = dialect::built_in(name).unwrap();
            let reading = dialect::read(&dialect, &tools, &dialect::write(&dialect, &calls));
            prop_assert_eq!(&reading.refusals, &[], "{}", name);
            let read: Vec<ToolCall> = reading.calls.iter().map(plain).collect();
            let mut repairs = reading.repairs.iter().map(|repair| repair.kind);
            if repairs.any(|kind| kind == orket_ports::dialect::RepairKind::RepeatedCall) {
                // What is left is the beginning of what was written, in its order.
                let mut rest = calls.iter();
                prop_assert!(read.iter().all(|call| rest.any(|written| written == call)));
            } else {
                prop_assert_eq!(&read, &calls, "{}", name);
            }
        }
    }

    #[test]
    fn calls_among_words_keep_their_order(calls in calls(), words in "[A-Za-z.,;:!?() \n]{0,60}") {
        let tools = tools();
        let json = dialect::built_in("json").unwrap();
        let mut text = String::new();
        for call in &calls {
            text.push_str(&format!("{words}\n{}\n{words}\n", dialect::write(&json, std::slice::from_ref(call))));
        }
        let reading = dialect::read(&json, &tools, &text);
        prop_assert_eq!(&reading.refusals, &[]);
        let mut rest = calls.iter();
        for call in reading.calls.iter().map(plain) {
            prop_assert!(rest.any(|written| *written == call));
        }
        for call in &calls {
            prop_assert!(reading.calls.iter().any(|read| plain(read) == *call));
        }
    }

    #[test]
    fn any_text_keeps_the_promises(choice in any::<u8>(), text in text(), more in text()) {
        let mut bytes = vec![choice];
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(more.as_bytes());
        answers::check(&bytes);
    }
}
