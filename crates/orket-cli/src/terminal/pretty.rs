//! JSON for people to edit: one member per line, short lists on one.

use orket_kernel::canonical::{self, Value};

/// The most bytes of a value that stays on one line.
const LINE_MAX: usize = 100;

/// Returns a value on as many lines as it needs, with a line end.
pub(crate) fn print(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text.push('\n');
    text
}

fn write(value: &Value, depth: usize, text: &mut String) {
    let line = canonical::to_string(value);
    let is_short = depth > 1 && line.len() <= LINE_MAX && !holds_objects(value);
    match value {
        Value::Array(elements) if !elements.is_empty() && !is_short => {
            let elements = elements.iter().map(|element| (String::new(), element));
            write_lines(['[', ']'], elements, depth, text);
        }
        Value::Object(members) if !members.is_empty() && !is_short => {
            let members = members.iter().map(|(key, member)| {
                let key = canonical::to_string(&Value::from(key.as_str()));
                (format!("{key}: "), member)
            });
            write_lines(['{', '}'], members, depth, text);
        }
        _ => text.push_str(&line),
    }
}

fn write_lines<'a>(
    [open, close]: [char; 2],
    lines: impl Iterator<Item = (String, &'a Value)>,
    depth: usize,
    text: &mut String,
) {
    text.push(open);
    for (index, (head, value)) in lines.enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        text.push_str(&head);
        write(value, depth + 1, text);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

fn holds_objects(value: &Value) -> bool {
    let is_object = |value: &Value| matches!(value, Value::Object(_));
    match value {
        Value::Array(elements) => elements.iter().any(is_object),
        Value::Object(members) => members.values().any(is_object) || members.len() > 2,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_printed_for_people_and_reads_back() {
        let text = r#"{"a":[],"b":{"c":{"d":["x","y"]},"e":1.0},"f":[{"g":{}},[1]]}"#;
        let value = canonical::parse(text.as_bytes()).unwrap();
        let printed = print(&value);
        let expected = r#"{
  "a": [],
  "b": {
    "c": {"d":["x","y"]},
    "e": 1.0
  },
  "f": [
    {"g":{}},
    [1]
  ]
}
"#;
        // An object that holds an object is spread out, also if that is empty.
        let expected = expected.replace("    {\"g\":{}},\n", "    {\n      \"g\": {}\n    },\n");
        assert_eq!(printed, expected);
        assert_eq!(canonical::parse(printed.as_bytes()).unwrap(), value);
    }
}
