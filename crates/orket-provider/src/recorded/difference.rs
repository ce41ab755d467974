//! Where two JSON values differ first, in words.

use orket_kernel::Pointer;
use orket_kernel::canonical::Value;

/// How much of a value is shown.
const SHOWN_CHARACTERS: usize = 120;

/// How much of two long texts is shown before they part.
const BEFORE_CHARACTERS: usize = 30;

/// The first place where two values differ, in canonical order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) pointer: Pointer,
    /// The recorded value as canonical text, cut to what fits a line.
    pub(super) recorded: String,
    /// The same of the value that was asked for.
    pub(super) asked: String,
}

/// Returns the first difference, or nothing if the values are equal.
pub(super) fn first_difference(recorded: &Value, asked: &Value) -> Option<Difference> {
    at(Pointer::root(), Some(recorded), Some(asked))
}

fn at(pointer: Pointer, recorded: Option<&Value>, asked: Option<&Value>) -> Option<Difference> {
    match (recorded, asked) {
        (recorded, asked) if recorded == asked => None,
        (Some(Value::Object(recorded)), Some(Value::Object(asked))) => {
            let mut keys: Vec<&String> = recorded.keys().chain(asked.keys()).collect();
            keys.sort();
            keys.iter()
                .find_map(|key| at(pointer.key(key), recorded.get(*key), asked.get(*key)))
        }
        (Some(Value::Array(recorded)), Some(Value::Array(asked))) => {
            let length = recorded.len().max(asked.len());
            (0..length)
                .find_map(|index| at(pointer.index(index), recorded.get(index), asked.get(index)))
        }
        (recorded, asked) => {
            let show = |value: Option<&Value>| value.map(Value::to_string);
            let (recorded, asked) = (show(recorded), show(asked));
            let parted = match (&recorded, &asked) {
                (Some(recorded), Some(asked)) => common_characters(recorded, asked),
                _ => 0,
            };
            Some(Difference {
                pointer,
                recorded: excerpt(recorded, parted),
                asked: excerpt(asked, parted),
            })
        }
    }
}

fn common_characters(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// Shows a text around the place where it parts from the other one, so that the difference is always in sight.
fn excerpt(text: Option<String>, parted: usize) -> String {
    let Some(text) = text else {
        return "nothing".to_owned();
    };
    let length = text.chars().count();
    if length <= SHOWN_CHARACTERS {
        return text;
    }
    let last_start = length - SHOWN_CHARACTERS;
    let start = parted.saturating_sub(BEFORE_CHARACTERS).min(last_start);
    let shown: String = text.chars().skip(start).take(SHOWN_CHARACTERS).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if start < last_start { "…" } else { "" };
    format!("{before}{shown}{after}")
}

#[cfg(test)]
mod tests {
    use orket_kernel::canonical::parse;

    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let cases = [
            (
                r#"{"a":1,"b":[1,2]}"#,
                r#"{"a":1,"b":[1,3]}"#,
                r#"/b/1 2 3"#,
            ),
            (r#"{"a":1}"#, r#"{"a":1,"b~/":2}"#, "/b~0~1 nothing 2"),
            (r#"[1]"#, "[]", "/0 1 nothing"),
            (r#"{"b":1,"a":1}"#, r#"{"b":2,"a":{}}"#, "/a 1 {}"),
            ("1", "1.0", " 1 1.0"),
        ];
        for (recorded, asked, expected) in cases {
            let value = |text: &str| parse(text.as_bytes()).unwrap();
            let found = first_difference(&value(recorded), &value(asked)).unwrap();
            let shown = format!("{} {} {}", found.pointer, found.recorded, found.asked);
            assert_eq!(shown, expected);
            assert_eq!(first_difference(&value(asked), &value(asked)), None);
        }
    }

    #[test]
    fn long_texts_are_shown_where_they_part() {
        let recorded = format!("{}old{}", "é".repeat(500), "z".repeat(500));
        let asked = recorded.replace("old", "new");
        let found = first_difference(&recorded.as_str().into(), &asked.as_str().into()).unwrap();
        assert!(found.recorded.contains("éold") && found.asked.contains("énew"));
        assert_eq!(found.asked.chars().count(), SHOWN_CHARACTERS + 2);
        let shorter: Value = "é".repeat(400).as_str().into();
        let found = first_difference(&recorded.as_str().into(), &shorter).unwrap();
        assert!(found.asked.ends_with("é\"") && found.asked.starts_with('…'));
    }
}
