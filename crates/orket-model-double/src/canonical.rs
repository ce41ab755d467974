//! The digest of a JSON value, by the same rules as Orket's kernel but written a second time.

use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};

/// Returns the SHA-256 digest of the canonical text of `value` as 64 hexadecimal characters.
///
/// The canonical text has sorted keys, no spaces and Python's float texts. It is the same as the kernel's for every
/// value that `serde_json` keeps exactly; integers beyond 64 bits are not among them.
///
/// ```
/// let value = serde_json::json!({"b": [1.0, 1e16, "é\n"], "a": null});
/// assert_eq!(
///     orket_model_double::digest(&value),
///     "429d5dc10c0096cb81a3614a5ba7320093e58f4a2a5b7c14c14fbc064e858581"
/// );
/// ```
pub fn digest(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => write_number(number, text),
        Value::Array(elements) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(element, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(member, text);
            }
            text.push('}');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

fn write_number(number: &Number, text: &mut String) {
    let float = match number.as_f64() {
        Some(float) if number.is_f64() => float,
        _ => return text.push_str(&number.to_string()),
    };
    let size = float.abs();
    if size == 0.0 || (1e-4..1e16).contains(&size) {
        return text.push_str(&format!("{float:?}"));
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    text.push_str(&format!("{digits}e{sign}{:02}", exponent.unsigned_abs()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_text_is_pythons() {
        let value: Value = serde_json::from_str(
            r#"{"é": "\u00e9\"\\\u001f\b", "a": [1E2, -7, 1e16, 1.5e-5, 0.0001, -0.0, true, null], "A": {}}"#,
        )
        .unwrap();
        let mut text = String::new();
        write(&value, &mut text);
        assert_eq!(
            text,
            "{\"A\":{},\"a\":[100.0,-7,1e+16,1.5e-05,0.0001,-0.0,true,null],\"é\":\"é\\\"\\\\\\u001f\\b\"}"
        );
    }
}
