//! Where a JSON value ends: a grammar that looks at each byte once, respects strings and builds nothing.
//!
//! It takes the faults that can be mended without a guess, and notes them; anything else ends it.

use super::offered::Offered;

/// The most arrays and objects inside each other.
pub(super) const DEPTH_MAX: u32 = 64;

/// Which members an object has that make it look like a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Members {
    /// One that names a tool.
    pub(super) names: bool,
    /// One that names a tool that is offered.
    pub(super) offered: bool,
    /// One that holds arguments.
    pub(super) arguments: bool,
}

/// What was seen of a value on the way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// The members of the value, or of the elements of an array.
    pub(super) top: Members,
    /// The members of what lies deeper.
    pub(super) nested: Members,
    /// A key was read to its end.
    pub(super) keyed: bool,
    /// A member whose value wraps calls.
    pub(super) wrapper: bool,
    /// The first key is a tool that is offered.
    pub(super) keyed_by_tool: bool,
    /// The first raw line feed in a string: from there the text may mean something else.
    pub(super) raw_line: Option<usize>,
    /// Raw control characters stand in strings.
    pub(super) control: bool,
    /// A comma stands before a closing bracket.
    pub(super) trailing_comma: bool,
    /// `\'` stands in a string.
    pub(super) apostrophe: bool,
}

impl Seen {
    /// Tells whether the whole value has to be read to know whether it is a call.
    pub(super) fn may_be_call(&self) -> bool {
        let whole = |members: Members| members.names && members.arguments;
        whole(self.top)
            || whole(self.nested)
            || self.top.offered
            || self.keyed_by_tool
            || self.wrapper
    }

    /// Tells whether a value without an end, or with a fault, was meant as a call.
    pub(super) fn was_meant_as_call(&self) -> bool {
        self.top.offered
            || (self.top.names && self.top.arguments)
            || (self.nested.offered && self.nested.arguments)
            || (self.wrapper && self.nested.names)
    }

    /// Tells whether a value that ends with the answer may have become a call.
    ///
    /// Behind a raw line feed in a string it may be prose whose quotation marks were misread.
    pub(super) fn might_have_become_call(&self) -> bool {
        self.was_meant_as_call()
            || (self.raw_line.is_none() && (self.top.names || self.wrapper || !self.keyed))
    }

    /// Tells whether the text must be mended before it is JSON.
    pub(super) fn needs_mending(&self) -> bool {
        self.control || self.trailing_comma || self.apostrophe
    }
}

/// How a value ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extent {
    /// With its closing bracket, before this byte.
    Whole { end: usize },
    /// Against the grammar, at this byte.
    Broken { at: usize, expected: &'static str },
    /// With the text.
    Cut,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

/// Reads the value that begins at `start` with `{` or `[`.
pub(super) fn extent(bytes: &[u8], start: usize, offered: &Offered<'_>) -> (Extent, Seen) {
    let mut seen = Seen::default();
    // One bit for each open bracket: 1 is an object.
    let mut objects: u64 = 0;
    let mut depth: u32 = 0;
    let top_depth = if bytes.get(start) == Some(&b'[') {
        2
    } else {
        1
    };
    let mut expect = Expect::Value;
    let mut after_comma = false;
    let mut is_first = true;
    let mut key = Key::Other;
    let mut at = start;
    loop {
        let Some(&byte) = bytes.get(at) else {
            return (Extent::Cut, seen);
        };
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            at += 1;
            continue;
        }
        let in_object = objects & 1 == 1;
        match (expect, byte) {
            (Expect::Value | Expect::ValueOrEnd, b'{' | b'[') => {
                if depth == DEPTH_MAX {
                    let expected = "at most 64 values inside each other";
                    return (Extent::Broken { at, expected }, seen);
                }
                depth += 1;
                objects = objects << 1 | u64::from(byte == b'{');
                seen.wrapper |= key == Key::Wrapper;
                key = Key::Other;
                expect = if byte == b'{' {
                    Expect::KeyOrEnd
                } else {
                    Expect::ValueOrEnd
                };
                after_comma = false;
                at += 1;
            }
            (Expect::ValueOrEnd, b']')
            | (Expect::KeyOrEnd, b'}')
            | (Expect::CommaOrEnd, b'}' | b']') => {
                if (byte == b'}') != in_object {
                    let expected = if in_object { "} or ," } else { "] or ," };
                    return (Extent::Broken { at, expected }, seen);
                }
                seen.trailing_comma |= after_comma;
                after_comma = false;
                depth -= 1;
                objects >>= 1;
                at += 1;
                if depth == 0 {
                    return (Extent::Whole { end: at }, seen);
                }
                expect = Expect::CommaOrEnd;
            }
            (Expect::CommaOrEnd, b',') => {
                after_comma = true;
                expect = if in_object {
                    Expect::KeyOrEnd
                } else {
                    Expect::ValueOrEnd
                };
                at += 1;
            }
            (Expect::KeyOrEnd, b'"') => {
                let Some(end) = string(bytes, at, &mut seen) else {
                    return (Extent::Cut, seen);
                };
                let text = bytes.get(at + 1..end - 1).unwrap_or_default();
                key = Key::of(text);
                seen.keyed = true;
                if is_first {
                    seen.keyed_by_tool = offered.has_bytes(text);
                    is_first = false;
                }
                let members = if depth == top_depth {
                    &mut seen.top
                } else {
                    &mut seen.nested
                };
                members.names |= key == Key::Name;
                members.arguments |= key == Key::Arguments;
                expect = Expect::Colon;
                after_comma = false;
                at = end;
            }
            (Expect::Colon, b':') => {
                expect = Expect::Value;
                at += 1;
            }
            (Expect::Value | Expect::ValueOrEnd, b'"') => {
                let Some(end) = string(bytes, at, &mut seen) else {
                    return (Extent::Cut, seen);
                };
                if key == Key::Name
                    && offered.has_bytes(bytes.get(at + 1..end - 1).unwrap_or_default())
                {
                    if depth == top_depth {
                        seen.top.offered = true;
                    } else {
                        seen.nested.offered = true;
                    }
                }
                key = Key::Other;
                expect = Expect::CommaOrEnd;
                after_comma = false;
                at = end;
            }
            (Expect::Value | Expect::ValueOrEnd, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                // What it says is judged when the value is read.
                let length = bytes.get(at..).unwrap_or_default().iter();
                at += length.take_while(|byte| is_word(**byte)).count();
                key = Key::Other;
                expect = Expect::CommaOrEnd;
                after_comma = false;
            }
            _ => {
                let expected = match expect {
                    Expect::Value => "a value",
                    Expect::ValueOrEnd => "a value or ]",
                    Expect::KeyOrEnd => "a key in quotation marks or }",
                    Expect::Colon => ":",
                    Expect::CommaOrEnd if in_object => "} or ,",
                    Expect::CommaOrEnd => "] or ,",
                };
                return (Extent::Broken { at, expected }, seen);
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

/// Returns the byte after the closing quotation mark.
fn string(bytes: &[u8], start: usize, seen: &mut Seen) -> Option<usize> {
    let mut at = start + 1;
    loop {
        let rest = bytes.get(at..)?;
        at += rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => {
                let escaped = bytes.get(at + 1)?;
                seen.apostrophe |= *escaped == b'\'';
                // A raw line feed behind a backslash is looked at by itself.
                at += if *escaped < 0x20 { 1 } else { 2 };
            }
            control => {
                seen.control = true;
                if *control == b'\n' && seen.raw_line.is_none() {
                    seen.raw_line = Some(at);
                }
                at += 1;
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Name,
    Arguments,
    Wrapper,
    Other,
}

impl Key {
    fn of(key: &[u8]) -> Key {
        match key {
            b"name" | b"tool" | b"tool_name" | b"action" => Key::Name,
            // `function` is a name or a wrapper; both make the value look like a call.
            b"function" => Key::Name,
            b"arguments" | b"args" | b"parameters" | b"input" | b"action_input" => Key::Arguments,
            b"tool_calls" | b"calls" | b"tool_call" | b"function_call" => Key::Wrapper,
            _ => Key::Other,
        }
    }
}
