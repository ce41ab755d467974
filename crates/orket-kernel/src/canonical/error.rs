//! Why a text, a Rust value or a JSON value was refused.

use std::fmt;

use super::Limits;
use crate::Pointer;

/// Says why a text has no canonical form, and where.
///
/// The pointer names the value that was being read (for a duplicate key, the second member of that name); the byte
/// offset counts from 0. The first fault in the text is the one that is reported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at pointer {pointer}, byte {byte_offset}", pointer = Excerpt(pointer.as_str()))]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// The value in which it was found, as an RFC 6901 pointer.
    pub pointer: Pointer,
    /// Where in the text it was found.
    pub byte_offset: usize,
}

impl ParseError {
    /// Returns the stable name of the kind of fault.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

/// The ways in which a text can lack a canonical form (the kernel's decision 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// The text is longer than the limit.
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The bytes are not UTF-8; surrogates and overlong forms are not either.
    InvalidUtf8,
    /// The text begins with U+FEFF.
    ByteOrderMark,
    /// The text ends before its value does.
    UnexpectedEnd {
        /// What should have come.
        expected: &'static str,
    },
    /// A character stands where the grammar does not allow it.
    UnexpectedCharacter {
        /// What should have come.
        expected: &'static str,
        /// What came.
        found: char,
    },
    /// Something other than whitespace follows the value.
    TrailingData,
    /// A string holds a raw character below U+0020.
    ControlCharacter {
        /// The character.
        found: char,
    },
    /// A backslash is not followed by one of the escapes of RFC 8259.
    InvalidEscape,
    /// A `\u` escape names half of a surrogate pair.
    LoneSurrogate {
        /// The code unit.
        unit: u16,
    },
    /// A number has a leading zero or lacks a digit.
    InvalidNumber {
        /// The rule it breaks.
        reason: &'static str,
    },
    /// A literal that Python reads but JSON does not have: `NaN`, `Infinity` or `-Infinity`.
    NonFiniteLiteral {
        /// The literal.
        literal: &'static str,
    },
    /// A number with a point or an exponent is too large for a double.
    NumberOverflow,
    /// An integer has more digits than the limit.
    IntegerTooLong {
        /// The number of digits found, without the sign.
        digits: usize,
    },
    /// An object names a key twice, after escapes are decoded.
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// More arrays and objects lie inside each other than the limit.
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

impl ParseErrorKind {
    /// Returns the stable name of the kind.
    pub const fn code(&self) -> &'static str {
        match self {
            ParseErrorKind::TooLarge { .. } => "too_large",
            ParseErrorKind::InvalidUtf8 => "invalid_utf8",
            ParseErrorKind::ByteOrderMark => "byte_order_mark",
            ParseErrorKind::UnexpectedEnd { .. } => "unexpected_end",
            ParseErrorKind::UnexpectedCharacter { .. } => "unexpected_character",
            ParseErrorKind::TrailingData => "trailing_data",
            ParseErrorKind::ControlCharacter { .. } => "control_character",
            ParseErrorKind::InvalidEscape => "invalid_escape",
            ParseErrorKind::LoneSurrogate { .. } => "lone_surrogate",
            ParseErrorKind::InvalidNumber { .. } => "invalid_number",
            ParseErrorKind::NonFiniteLiteral { .. } => "non_finite_literal",
            ParseErrorKind::NumberOverflow => "number_overflow",
            ParseErrorKind::IntegerTooLong { .. } => "integer_too_long",
            ParseErrorKind::DuplicateKey { .. } => "duplicate_key",
            ParseErrorKind::TooDeep { .. } => "too_deep",
        }
    }
}

impl fmt::Display for ParseErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseErrorKind::TooLarge { limit_bytes } => {
                write!(f, "the text is longer than {limit_bytes} bytes")
            }
            ParseErrorKind::InvalidUtf8 => f.write_str("the text is not valid UTF-8"),
            ParseErrorKind::ByteOrderMark => f.write_str("the text begins with a byte order mark"),
            ParseErrorKind::UnexpectedEnd { expected } => {
                write!(f, "the text ends where {expected} should come")
            }
            ParseErrorKind::UnexpectedCharacter { expected, found } => {
                write!(f, "{found:?} stands where {expected} should come")
            }
            ParseErrorKind::TrailingData => f.write_str("more text follows the value"),
            ParseErrorKind::ControlCharacter { found } => {
                write!(
                    f,
                    "the string holds the control character {found:?} without an escape"
                )
            }
            ParseErrorKind::InvalidEscape => f.write_str("the escape is none that JSON has"),
            ParseErrorKind::LoneSurrogate { unit } => {
                write!(f, "the escape \\u{unit:04x} is half of a surrogate pair")
            }
            ParseErrorKind::InvalidNumber { reason } => write!(f, "the number {reason}"),
            ParseErrorKind::NonFiniteLiteral { literal } => {
                write!(f, "{literal} is no JSON value")
            }
            ParseErrorKind::NumberOverflow => f.write_str("the number is too large for a double"),
            ParseErrorKind::IntegerTooLong { digits } => {
                write!(f, "the integer has {digits} digits, which is too many")
            }
            ParseErrorKind::DuplicateKey { key } => {
                write!(f, "the object names the key {} twice", Excerpt(key))
            }
            ParseErrorKind::TooDeep { limit } => {
                write!(
                    f,
                    "more than {limit} arrays and objects lie inside each other"
                )
            }
        }
    }
}

/// Says why a Rust value has no canonical text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SerializeError {
    /// A float is NaN or infinite.
    #[error("the float {text} has no canonical text")]
    NonFiniteFloat {
        /// The float as Rust prints it.
        text: String,
    },
    /// A map key is neither text nor a character, a boolean, an integer or a unit variant.
    #[error("a map key is {found}, which has no text")]
    KeyWithoutText {
        /// What the key is.
        found: &'static str,
    },
    /// A map or a struct names a key twice.
    #[error("the key {} is given twice", Excerpt(key))]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// More arrays and objects lie inside each other than Law 4 allows.
    #[error("more than {} arrays and objects lie inside each other", Limits::DEPTH)]
    TooDeep,
    /// The value's own `Serialize` implementation refused.
    #[error("{0}")]
    Custom(String),
}

impl serde::ser::Error for SerializeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        SerializeError::Custom(message.to_string())
    }
}

/// Says why a JSON value or text does not fit a Rust type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeserializeError {
    /// The text has no canonical form.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The value does not fit the type.
    #[error("{message}, at pointer {pointer}", pointer = Excerpt(pointer.as_str()))]
    Shape {
        /// What the type expected and what came.
        message: String,
        /// The value that does not fit.
        pointer: Pointer,
    },
}

impl DeserializeError {
    /// Returns the error with its pointer seen from one level further out.
    pub(super) fn inside(self, outer: &Pointer) -> DeserializeError {
        match self {
            DeserializeError::Shape { message, pointer } => {
                let joined = format!("{outer}{pointer}");
                let pointer = Pointer::parse(&joined).unwrap_or(pointer);
                DeserializeError::Shape { message, pointer }
            }
            parse => parse,
        }
    }
}

impl serde::de::Error for DeserializeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        DeserializeError::Shape {
            message: message.to_string(),
            pointer: Pointer::root(),
        }
    }
}

/// Prints a text in quotation marks on one line; of a long one only the beginning, so that a message stays readable.
struct Excerpt<'a>(&'a str);

const EXCERPT_CHARACTERS: usize = 160;

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(EXCERPT_CHARACTERS) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}...", &self.0[..end]),
        }
    }
}
