//! Writes a value as its canonical text.

use std::collections::btree_map;
use std::slice;

use super::hash_writer::HashWriter;
use super::sink::Sink;
use super::{Value, scan};
use crate::Digest;

/// Returns the canonical text of `value` (the kernel's Law 4), without a newline at the end.
///
/// ```
/// use orket_kernel::canonical;
/// use orket_kernel::object;
///
/// let value = object! { "b" => "\u{7f}/\n", "a" => true };
/// assert_eq!(canonical::to_string(&value), "{\"a\":true,\"b\":\"\u{7f}/\\n\"}");
/// ```
pub fn to_string(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// Returns the canonical text of `value` as UTF-8 bytes.
pub fn to_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    bytes
}

/// Returns the SHA-256 digest of the canonical text of `value`, without holding that text in memory.
///
/// ```
/// use orket_kernel::Digest;
/// use orket_kernel::canonical;
///
/// let value = canonical::parse(br#" {"b": 1, "a": [] } "#)?;
/// assert_eq!(canonical::digest(&value), Digest::of_bytes(br#"{"a":[],"b":1}"#));
/// # Ok::<(), canonical::ParseError>(())
/// ```
pub fn digest(value: &Value) -> Digest {
    let mut hash = HashWriter::new();
    write(value, &mut hash);
    hash.finish()
}

/// What remains to be written of an array or an object.
enum Rest<'a> {
    Array(slice::Iter<'a, Value>),
    Object(btree_map::Iter<'a, String, Value>),
}

fn write<'a>(mut value: &'a Value, out: &mut impl Sink) {
    let mut open: Vec<Rest<'a>> = Vec::new();
    loop {
        match value {
            Value::Null => out.ascii(b"null"),
            Value::Bool(true) => out.ascii(b"true"),
            Value::Bool(false) => out.ascii(b"false"),
            Value::Number(number) => number.with_text(|text| out.ascii(text)),
            Value::String(text) => write_text(text, out),
            Value::Array(elements) => {
                let mut rest = elements.iter();
                if let Some(first) = rest.next() {
                    out.ascii(b"[");
                    open.push(Rest::Array(rest));
                    value = first;
                    continue;
                }
                out.ascii(b"[]");
            }
            Value::Object(members) => {
                let mut rest = members.iter();
                if let Some((key, first)) = rest.next() {
                    out.ascii(b"{");
                    write_key(key, out);
                    open.push(Rest::Object(rest));
                    value = first;
                    continue;
                }
                out.ascii(b"{}");
            }
        }
        match write_up_to_next(&mut open, out) {
            Some(next) => value = next,
            None => return,
        }
    }
}

/// Closes what ends here and returns the value to be written next.
fn write_up_to_next<'a>(open: &mut Vec<Rest<'a>>, out: &mut impl Sink) -> Option<&'a Value> {
    while let Some(innermost) = open.last_mut() {
        match innermost {
            Rest::Array(rest) => {
                if let Some(next) = rest.next() {
                    out.ascii(b",");
                    return Some(next);
                }
                out.ascii(b"]");
            }
            Rest::Object(rest) => {
                if let Some((key, next)) = rest.next() {
                    out.ascii(b",");
                    write_key(key, out);
                    return Some(next);
                }
                out.ascii(b"}");
            }
        }
        open.pop();
    }
    None
}

pub(super) fn write_key(key: &str, out: &mut impl Sink) {
    write_text(key, out);
    out.ascii(b":")
}

pub(super) fn write_text(text: &str, out: &mut impl Sink) {
    out.ascii(b"\"");
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(scan::plain_length(rest.as_bytes()));
        out.text(plain);
        let Some(byte) = special.bytes().next() else {
            break;
        };
        if let Some(escape) = escape(char::from(byte)) {
            out.ascii(escape.as_bytes());
        }
        // What `plain_length` stops at is a single byte.
        rest = &special[1..];
    }
    out.ascii(b"\"")
}

/// Returns how a character is written in a string, if not as itself.
pub(super) fn escape(character: char) -> Option<&'static str> {
    /// Those below U+0020.
    const CONTROLS: [&str; 32] = [
        "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007",
        "\\b", "\\t", "\\n", "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f", "\\u0010", "\\u0011",
        "\\u0012", "\\u0013", "\\u0014", "\\u0015", "\\u0016", "\\u0017", "\\u0018", "\\u0019",
        "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
    ];
    match character {
        '"' => Some("\\\""),
        '\\' => Some("\\\\"),
        _ => CONTROLS.get(character as usize).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_do_not_depend_on_where_the_buffer_ends() {
        for length in [0, 1, 4090, 4094, 4095, 4096, 4097, 8192, 20_000] {
            let value = Value::Array(vec![Value::from("x".repeat(length)), Value::from("\n\"é")]);
            assert_eq!(
                digest(&value),
                Digest::of_bytes(&to_bytes(&value)),
                "{length}"
            );
        }
    }

    #[test]
    fn depth_does_not_cost_stack() {
        let mut value = Value::Null;
        for _ in 0..5_000 {
            value = Value::Array(vec![value]);
        }
        let text = std::thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(move || {
                let text = to_string(&value);
                std::mem::forget(value);
                text
            })
            .unwrap()
            .join()
            .unwrap();
        assert_eq!(
            text,
            format!("{}null{}", "[".repeat(5_000), "]".repeat(5_000))
        );
    }
}
