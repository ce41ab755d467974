//! Reads a text into a value, strictly and without recursion.

use std::collections::BTreeMap;

use super::{Limits, ParseError, ParseErrorKind, Value, number_reader, string_reader};
use crate::Pointer;

/// Reads the JSON text `bytes` within the default [`Limits`].
///
/// # Limitations
/// A value takes more memory than its text: at most 110 times as much (many objects of one short member), and
/// usually three times. Whoever takes texts from strangers sets [`Limits::max_bytes`] accordingly.
///
/// # Errors
/// Refuses whatever has no canonical form (the kernel's decision 2); [`ParseErrorKind`] lists the cases.
///
/// ```
/// use orket_kernel::canonical;
///
/// let value = canonical::parse(br#"{"size": 1e2}"#)?;
/// assert_eq!(value.to_string(), r#"{"size":100.0}"#);
/// assert_eq!(canonical::parse(b"[NaN]").unwrap_err().code(), "non_finite_literal");
/// # Ok::<(), canonical::ParseError>(())
/// ```
pub fn parse(bytes: &[u8]) -> Result<Value, ParseError> {
    parse_with(bytes, &Limits::default())
}

/// Reads the JSON text `bytes` within `limits`.
///
/// # Errors
/// As [`parse`].
pub fn parse_with(bytes: &[u8], limits: &Limits) -> Result<Value, ParseError> {
    let limits = limits.bounded();
    let refuse_at_root = |kind, byte_offset| {
        Err(ParseError {
            kind,
            pointer: Pointer::root(),
            byte_offset,
        })
    };
    if bytes.len() > limits.max_bytes {
        let limit_bytes = limits.max_bytes;
        return refuse_at_root(ParseErrorKind::TooLarge { limit_bytes }, limit_bytes);
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return refuse_at_root(ParseErrorKind::ByteOrderMark, 0);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let mut reader = Reader::new(text, limits);
            reader.read_document().map_err(|fault| reader.error(fault))
        }
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            Err(first_fault_before(
                std::str::from_utf8(valid).unwrap_or_default(),
                limits,
            ))
        }
    }
}

/// Returns the error for a text that is `valid` as far as it is UTF-8.
///
/// Reading the valid part finds out at which pointer it ends, and whether there was a fault before that.
fn first_fault_before(valid: &str, limits: Limits) -> ParseError {
    let mut reader = Reader::new(valid, limits);
    match reader.read_document() {
        Err(fault) if fault.at < valid.len() => reader.error(fault),
        _ => reader.error(Fault {
            kind: ParseErrorKind::InvalidUtf8,
            at: valid.len(),
        }),
    }
}

/// A fault and its byte offset; the reader knows the pointer.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: ParseErrorKind,
    pub(super) at: usize,
}

/// An array or an object that is not closed yet.
enum Open {
    Array(Vec<Value>),
    Object {
        members: BTreeMap<String, Value>,
        /// The key whose value is being read.
        key: Option<String>,
    },
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    limits: Limits,
    at: usize,
    open: Vec<Open>,
    /// Whether an element of the innermost array is being read, and not what stands between two of them.
    in_element: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, limits: Limits) -> Reader<'a> {
        let bytes = text.as_bytes();
        Reader {
            text,
            bytes,
            limits,
            at: 0,
            open: Vec::new(),
            in_element: false,
        }
    }

    fn read_document(&mut self) -> Result<Value, Fault> {
        loop {
            self.skip_whitespace();
            if let Some(value) = self.read_scalar_or_open()?
                && let Some(document) = self.place(value)?
            {
                self.skip_whitespace();
                return match self.bytes.get(self.at) {
                    None => Ok(document),
                    Some(_) => Err(self.fault(ParseErrorKind::TrailingData)),
                };
            }
        }
    }

    /// Reads a scalar or an empty array or object; of any other only the beginning, up to its first value.
    fn read_scalar_or_open(&mut self) -> Result<Option<Value>, Fault> {
        self.in_element = true;
        let value = match self.bytes.get(self.at) {
            Some(b'"') => Value::String(self.read_string()?),
            Some(b'-' | b'0'..=b'9') => self.read_number()?,
            Some(b'[') => {
                self.enter(Open::Array(Vec::new()))?;
                if self.bytes.get(self.at) != Some(&b']') {
                    return Ok(None);
                }
                self.at += 1;
                self.open.pop();
                Value::Array(Vec::new())
            }
            Some(b'{') => {
                self.enter(Open::Object {
                    members: BTreeMap::new(),
                    key: None,
                })?;
                if self.bytes.get(self.at) != Some(&b'}') {
                    self.read_key("a key or '}'")?;
                    return Ok(None);
                }
                self.at += 1;
                self.open.pop();
                Value::Object(BTreeMap::new())
            }
            Some(b't') => self.read_literal("true", Value::Bool(true))?,
            Some(b'f') => self.read_literal("false", Value::Bool(false))?,
            Some(b'n') => self.read_literal("null", Value::Null)?,
            _ => return Err(self.no_value_here()),
        };
        Ok(Some(value))
    }

    /// Puts `value` where it belongs and closes what ends after it; returns the document if that was all of it.
    fn place(&mut self, mut value: Value) -> Result<Option<Value>, Fault> {
        loop {
            self.in_element = false;
            let Some(innermost) = self.open.last_mut() else {
                return Ok(Some(value));
            };
            let (close, expected) = match innermost {
                Open::Array(elements) => {
                    elements.push(value);
                    (b']', "',' or ']'")
                }
                Open::Object { members, key } => {
                    if let Some(key) = key.take() {
                        members.insert(key, value);
                    }
                    (b'}', "',' or '}'")
                }
            };
            self.skip_whitespace();
            match self.bytes.get(self.at) {
                Some(b',') => {
                    self.at += 1;
                    if close == b'}' {
                        self.skip_whitespace();
                        self.read_key("a key")?;
                    }
                    return Ok(None);
                }
                Some(byte) if *byte == close => self.at += 1,
                _ => return Err(self.unexpected(expected)),
            }
            value = match self.open.pop() {
                Some(Open::Array(elements)) => Value::Array(elements),
                Some(Open::Object { members, .. }) => Value::Object(members),
                None => return Ok(None),
            };
        }
    }

    fn enter(&mut self, open: Open) -> Result<(), Fault> {
        let limit = self.limits.max_depth;
        if self.open.len() >= limit {
            return Err(self.fault(ParseErrorKind::TooDeep { limit }));
        }
        self.open.push(open);
        self.in_element = false;
        self.at += 1;
        self.skip_whitespace();
        Ok(())
    }

    /// Reads a key and the colon after it.
    fn read_key(&mut self, expected: &'static str) -> Result<(), Fault> {
        let start = self.at;
        if self.bytes.get(start) != Some(&b'"') {
            return Err(self.unexpected(expected));
        }
        let text = self.read_string()?;
        if let Some(Open::Object { members, key }) = self.open.last_mut() {
            // Keys mostly come sorted, and then no search is needed.
            let is_duplicate = members
                .last_key_value()
                .is_some_and(|(last, _)| *last >= text)
                && members.contains_key(&text);
            let key = key.insert(text);
            if is_duplicate {
                let kind = ParseErrorKind::DuplicateKey { key: key.clone() };
                return Err(Fault { kind, at: start });
            }
        }
        self.skip_whitespace();
        if self.bytes.get(self.at) != Some(&b':') {
            return Err(self.unexpected("':'"));
        }
        self.at += 1;
        Ok(())
    }

    fn read_string(&mut self) -> Result<String, Fault> {
        let (string, next) = string_reader::read(self.text, self.at + 1)?;
        self.at = next;
        Ok(string)
    }

    fn read_number(&mut self) -> Result<Value, Fault> {
        if self.text[self.at..].starts_with("-I") {
            return Err(self.no_value_here());
        }
        let digits = self.limits.max_integer_digits;
        let (number, next) = number_reader::read(self.bytes, self.at, digits)?;
        self.at = next;
        Ok(Value::Number(number))
    }

    fn read_literal(&mut self, literal: &'static str, value: Value) -> Result<Value, Fault> {
        for expected in literal.bytes() {
            if self.bytes.get(self.at) != Some(&expected) {
                return Err(self.unexpected(literal));
            }
            self.at += 1;
        }
        Ok(value)
    }

    #[inline]
    fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn no_value_here(&self) -> Fault {
        let rest = &self.text[self.at..];
        match ["NaN", "Infinity", "-Infinity"]
            .into_iter()
            .find(|known| rest.starts_with(known))
        {
            Some(literal) => self.fault(ParseErrorKind::NonFiniteLiteral { literal }),
            None => self.unexpected("a value"),
        }
    }

    fn unexpected(&self, expected: &'static str) -> Fault {
        self.fault(match self.text[self.at..].chars().next() {
            Some(found) => ParseErrorKind::UnexpectedCharacter { expected, found },
            None => ParseErrorKind::UnexpectedEnd { expected },
        })
    }

    fn fault(&self, kind: ParseErrorKind) -> Fault {
        Fault { kind, at: self.at }
    }

    /// Completes a fault with the pointer to what is being read.
    fn error(&self, fault: Fault) -> ParseError {
        let mut pointer = Pointer::root();
        for (depth, open) in self.open.iter().enumerate() {
            let is_innermost = depth + 1 == self.open.len();
            match open {
                Open::Array(elements) if self.in_element || !is_innermost => {
                    pointer = pointer.index(elements.len());
                }
                Open::Object { key: Some(key), .. } => pointer = pointer.key(key),
                Open::Array(_) | Open::Object { key: None, .. } => {}
            }
        }
        ParseError {
            kind: fault.kind,
            pointer,
            byte_offset: fault.at,
        }
    }
}
