//! Canonical JSON: one text, and so one digest, for every JSON value (Law 4).
//!
//! The canonical text is byte for byte what CPython 3.11 prints for
//! `json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)`, in UTF-8, without a
//! newline at the end. In short:
//!
//! - keys are sorted by code point, `,` and `:` stand alone, nothing but `"`, `\` and characters below U+0020 is
//!   escaped, and nothing is normalised;
//! - an integer keeps all its digits, `-0` is `0`;
//! - a number with a point or an exponent is a double and prints as its shortest text: `1.0`, `1e+16`, `1e-05`.
//!
//! Where Python would guess or where a text has no canonical form, [`parse`] refuses and says why, at which RFC 6901
//! pointer and at which byte: see [`ParseErrorKind`].
//!
//! Whoever wants only the text or the digest of a text takes [`canonicalize`] or [`digest_bytes`], which build no value;
//! for a Rust type, [`serialize`] and [`digest_of`] build none either.
//!
//! Nothing here recurses while it reads, writes or digests, so no document can exhaust the stack. Reading and writing
//! take time linear in the length of the text, except that the members of an object are sorted.
//!
//! ```
//! use orket_kernel::canonical;
//!
//! let value = canonical::parse(r#"{"é": "\u00e9", "a": [1E2, -0, 10000000000000000000000]}"#.as_bytes())?;
//! assert_eq!(canonical::to_string(&value), r#"{"a":[100.0,0,10000000000000000000000],"é":"é"}"#);
//!
//! let refused = canonical::parse(br#"{"a": {"b/c": 1, "b\/c": 2}}"#).unwrap_err();
//! assert_eq!(
//!     refused.to_string(),
//!     r#"the object names the key "b/c" twice, at pointer "/a/b~1c", byte 17"#
//! );
//! # Ok::<(), canonical::ParseError>(())
//! ```

mod access;
mod canonicalize;
mod collector;
mod deserializer;
mod digits;
mod direct_parts;
mod direct_serializer;
mod double_writer;
mod error;
mod hash_writer;
mod limits;
mod members;
mod nearest;
mod number;
mod number_reader;
mod object;
mod order;
mod plain_number;
mod powers_of_ten;
mod reader;
mod rewriter;
mod scan;
mod serializer;
mod short_text;
mod shortest;
mod sink;
mod small_copy;
mod string_reader;
mod text_serializer;
mod unordered_text;
mod utf8;
mod value;
mod value_serde;
mod writer;

pub use canonicalize::{canonicalize, canonicalize_with, digest_bytes, digest_bytes_with};
pub use deserializer::{from_bytes, from_value};
pub use error::{DeserializeError, ParseError, ParseErrorKind, SerializeError};
pub use limits::Limits;
pub use number::Number;
pub use reader::{parse, parse_with};
pub use serializer::{digest_of, serialize, to_value};
pub use value::Value;
pub use writer::{digest, to_bytes, to_string};
