//! Where two JSON values differ first.

use serde_json::Value;

/// How much of a value is shown.
const SHOWN_CHARACTERS: usize = 120;

/// Returns the pointer of the first difference and both values in words, or nothing if the values are equal.
pub(crate) fn first_difference(scripted: &Value, asked: &Value) -> Option<String> {
    at(String::new(), Some(scripted), Some(asked))
}

fn at(pointer: String, scripted: Option<&Value>, asked: Option<&Value>) -> Option<String> {
    match (scripted, asked) {
        (scripted, asked) if scripted == asked => None,
        (Some(Value::Object(scripted)), Some(Value::Object(asked))) => {
            let mut keys: Vec<&String> = scripted.keys().chain(asked.keys()).collect();
            keys.sort();
            keys.into_iter().find_map(|key| {
                let token = key.replace('~', "~0").replace('/', "~1");
                let inside = format!("{pointer}/{token}");
                at(inside, scripted.get(key), asked.get(key))
            })
        }
        (Some(Value::Array(scripted)), Some(Value::Array(asked))) => {
            let length = scripted.len().max(asked.len());
            (0..length).find_map(|index| {
                let inside = format!("{pointer}/{index}");
                at(inside, scripted.get(index), asked.get(index))
            })
        }
        (scripted, asked) => Some(format!(
            "at {pointer:?} the script has {} and the request has {}",
            show(scripted),
            show(asked)
        )),
    }
}

fn show(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let scripted = json!({"model": "m", "messages": [{"role": "user", "content": "a"}]});
        let asked = json!({"model": "n", "messages": [{"role": "user", "content": "b"}, 1]});
        assert_eq!(
            first_difference(&scripted, &asked).unwrap(),
            r#"at "/messages/0/content" the script has "a" and the request has "b""#
        );
        assert_eq!(
            first_difference(&json!({"a/~": 1}), &json!({})).unwrap(),
            r#"at "/a~1~0" the script has 1 and the request has nothing"#
        );
        assert_eq!(first_difference(&asked, &asked), None);
    }
}
