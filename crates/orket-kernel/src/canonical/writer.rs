//! Writes a value as its canonical text.

use std::collections::btree_map;
use std::fmt::{self, Write};
use std::slice;

use sha2::{Digest as _, Sha256};

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
    // A `String` takes everything, so there is nothing to report.
    let _ = write(value, &mut text);
    text
}

/// Returns the canonical text of `value` as UTF-8 bytes.
pub fn to_bytes(value: &Value) -> Vec<u8> {
    to_string(value).into_bytes()
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
    // A hash takes everything, so there is nothing to report.
    let _ = write(value, &mut hash);
    hash.finish()
}

/// What remains to be written of an array or an object.
enum Rest<'a> {
    Array(slice::Iter<'a, Value>),
    Object(btree_map::Iter<'a, String, Value>),
}

fn write<'a>(mut value: &'a Value, out: &mut impl Write) -> fmt::Result {
    let mut open: Vec<Rest<'a>> = Vec::new();
    loop {
        match value {
            Value::Null => out.write_str("null")?,
            Value::Bool(true) => out.write_str("true")?,
            Value::Bool(false) => out.write_str("false")?,
            Value::Number(number) => number.write(out)?,
            Value::String(text) => write_text(text, out)?,
            Value::Array(elements) => {
                let mut rest = elements.iter();
                if let Some(first) = rest.next() {
                    out.write_str("[")?;
                    open.push(Rest::Array(rest));
                    value = first;
                    continue;
                }
                out.write_str("[]")?;
            }
            Value::Object(members) => {
                let mut rest = members.iter();
                if let Some((key, first)) = rest.next() {
                    out.write_str("{")?;
                    write_key(key, out)?;
                    open.push(Rest::Object(rest));
                    value = first;
                    continue;
                }
                out.write_str("{}")?;
            }
        }
        match write_up_to_next(&mut open, out)? {
            Some(next) => value = next,
            None => return Ok(()),
        }
    }
}

/// Closes what ends here and returns the value to be written next.
fn write_up_to_next<'a>(
    open: &mut Vec<Rest<'a>>,
    out: &mut impl Write,
) -> Result<Option<&'a Value>, fmt::Error> {
    while let Some(innermost) = open.last_mut() {
        match innermost {
            Rest::Array(rest) => {
                if let Some(next) = rest.next() {
                    out.write_str(",")?;
                    return Ok(Some(next));
                }
                out.write_str("]")?;
            }
            Rest::Object(rest) => {
                if let Some((key, next)) = rest.next() {
                    out.write_str(",")?;
                    write_key(key, out)?;
                    return Ok(Some(next));
                }
                out.write_str("}")?;
            }
        }
        open.pop();
    }
    Ok(None)
}

fn write_key(key: &str, out: &mut impl Write) -> fmt::Result {
    write_text(key, out)?;
    out.write_str(":")
}

fn write_text(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_str("\"")?;
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(scan::plain_length(rest.as_bytes()));
        out.write_str(plain)?;
        let Some(byte) = special.bytes().next() else {
            break;
        };
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            0x08 => out.write_str("\\b")?,
            0x09 => out.write_str("\\t")?,
            0x0a => out.write_str("\\n")?,
            0x0c => out.write_str("\\f")?,
            0x0d => out.write_str("\\r")?,
            control => write!(out, "\\u{control:04x}")?,
        }
        // What `plain_length` stops at is a single byte.
        rest = &special[1..];
    }
    out.write_str("\"")
}

const BUFFER_BYTES: usize = 4096;

/// Feeds a text to SHA-256 in pieces that are worth a call.
struct HashWriter {
    hasher: Sha256,
    buffer: [u8; BUFFER_BYTES],
    filled_bytes: usize,
}

impl HashWriter {
    fn new() -> HashWriter {
        HashWriter {
            hasher: Sha256::new(),
            buffer: [0; BUFFER_BYTES],
            filled_bytes: 0,
        }
    }

    fn finish(mut self) -> Digest {
        self.flush();
        Digest::from_bytes(self.hasher.finalize().into())
    }

    fn flush(&mut self) {
        self.hasher.update(&self.buffer[..self.filled_bytes]);
        self.filled_bytes = 0;
    }
}

impl Write for HashWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() > BUFFER_BYTES - self.filled_bytes {
            self.flush();
        }
        if text.len() > BUFFER_BYTES {
            self.hasher.update(text);
        } else {
            let end = self.filled_bytes + text.len();
            self.buffer[self.filled_bytes..end].copy_from_slice(text.as_bytes());
            self.filled_bytes = end;
        }
        Ok(())
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
