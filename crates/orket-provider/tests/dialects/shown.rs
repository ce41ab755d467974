//! What a model is told.

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::model::{ToolCall, ToolOffer};
use orket_provider::dialect;

use crate::corpus::{plain, tools};

fn odd_tool() -> ToolOffer {
    ToolOffer {
        name: "resize".into(),
        description: "Resizes {example} and {tools}.".into(),
        parameters: object! {
            "type" => "object",
            "properties" => object! {
                "width" => object! { "type" => "integer" },
                "mode" => object! { "type" => "string", "enum" => vec![Value::from("fit"), "fill".into()] },
                "deep" => object! { "type" => "object" },
                "sure" => object! { "type" => "boolean" },
                "note" => object! { "type" => "string" },
            },
            "required" => vec![Value::from("width"), "mode".into(), "deep".into(), "sure".into()],
        },
    }
}

#[test]
fn the_example_of_every_dialect_is_read_as_it_was_meant() {
    for name in dialect::built_in_names() {
        let dialect = dialect::built_in(name).unwrap();
        for tools in [tools(), vec![odd_tool()]] {
            let shown = dialect::show(&dialect, &tools);
            if name == "native" {
                assert_eq!(shown, "");
                continue;
            }
            let example = dialect::example(&dialect, &tools);
            let text = dialect::write(&dialect, &example);
            assert!(shown.contains(&text), "{name}: {shown}");
            let reading = dialect::read(&dialect, &tools, &text);
            let calls: Vec<ToolCall> = reading.calls.iter().map(plain).collect();
            assert_eq!(calls, example, "{name}");
            assert_eq!(reading.repairs, [], "{name}");
            assert_eq!(reading.refusals, [], "{name}");
            for tool in &tools {
                let offer = canonical::to_string(&tool.name.as_str().into());
                assert!(shown.contains(&format!("\"name\":{offer}")), "{name}");
            }
        }
    }
}

#[test]
fn the_example_is_of_tools_that_are_offered() {
    let json = dialect::built_in("json").unwrap();
    let names = |tools: &[ToolOffer]| -> Vec<String> {
        let calls = dialect::example(&json, tools);
        calls.into_iter().map(|call| call.name).collect()
    };
    assert_eq!(names(&tools()), ["write_file", "read_file"]);
    assert_eq!(names(&[odd_tool()]), ["resize"]);
    let filled = dialect::example(&json, &[odd_tool()]);
    assert_eq!(
        filled[0].arguments,
        object! { "width" => 1_u64, "mode" => "fit", "deep" => object! {}, "sure" => true }
    );
    assert!(dialect::example(&json, &[]).is_empty());
    assert_eq!(dialect::show(&json, &[]), "");
}

#[test]
fn a_description_is_not_taken_for_a_place_to_fill() {
    let json = dialect::built_in("json").unwrap();
    let shown = dialect::show(&json, &[odd_tool()]);
    assert!(shown.contains("Resizes {example} and {tools}."));
}

#[test]
fn a_dialect_that_cannot_be_used_says_where_and_what_to_write() {
    let good = r#"{"name": "x", "description": "", "form": {"kind": "fenced_json"}, "instructions": ["{tools} {example}"]}"#;
    assert!(dialect::parse(good.as_bytes()).is_ok());
    let told = |from: &str, to: &str| {
        let text = good.replace(from, to);
        assert_ne!(text, good);
        dialect::parse(text.as_bytes()).unwrap_err().to_string()
    };
    for (from, to, says) in [
        ("\"x\"", "\"../x\"", "/name: write"),
        ("\"x\"", "\"\"", "/name: write"),
        ("{tools}", "", "write {tools} exactly once"),
        (
            "{example}",
            "{example}{example}",
            "write {example} exactly once",
        ),
        ("fenced_json", "native", "/instructions: leave them out"),
        ("fenced_json", "smoke_signals", "smoke_signals"),
        (
            "{\"kind\": \"fenced_json\"}",
            "{\"kind\": \"tagged_json\", \"opening\": \"call:\", \"closing\": \"\"}",
            "/form/opening: write a mark",
        ),
        (
            "{\"kind\": \"fenced_json\"}",
            "{\"kind\": \"tagged_json\", \"opening\": \"<a>\", \"closing\": \"< /a>\"}",
            "/form/closing: write a mark",
        ),
        (
            "\"instructions\"",
            "\"thinking\": [{\"opening\": \"<t>\", \"closing\": \"\"}], \"instructions\"",
            "/thinking/0/closing: write a mark",
        ),
        (
            "\"description\"",
            "\"colour\": 1, \"description\"",
            "colour",
        ),
    ] {
        let error = told(from, to);
        assert!(error.contains(says), "{to}: {error}");
    }
    let long = format!("{good}{}", " ".repeat(64 * 1024));
    assert!(dialect::parse(long.as_bytes()).is_err());
}
