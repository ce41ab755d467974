//! Any bytes to the canonical reader: its four ways in agree, and what comes out is a fixed point.

use std::borrow::Cow;

use orket_kernel::Digest;
use orket_kernel::canonical::{self, DeserializeError, Limits, ParseError, Value};

/// Limits so narrow that small inputs reach them.
const NARROW: Limits = Limits {
    max_depth: 3,
    max_bytes: 64,
    max_integer_digits: 5,
};

/// Panics if the reader breaks a promise on `bytes`.
pub(crate) fn check(bytes: &[u8]) {
    let parsed = canonical::parse(bytes);
    let text = canonical::canonicalize(bytes);
    let digest = canonical::digest_bytes(bytes);
    let typed = canonical::from_bytes::<Value>(bytes);
    match &parsed {
        Ok(value) => {
            let written = canonical::to_bytes(value);
            assert_eq!(text.as_deref(), Ok(written.as_slice()), "canonicalize");
            assert_eq!(digest, Ok(Digest::of_bytes(&written)), "digest_bytes");
            assert_eq!(digest, Ok(canonical::digest(value)), "digest");
            assert_eq!(typed.as_ref(), Ok(value), "from_bytes");
            assert_eq!(canonical::serialize(value).as_ref(), Ok(&written));
            assert_eq!(canonical::parse(&written).as_ref(), Ok(value), "read back");
            let again = canonical::canonicalize(&written);
            assert_eq!(again.as_deref(), Ok(written.as_slice()), "a fixed point");
        }
        Err(error) => {
            check_error(error, bytes);
            assert_eq!(text.as_ref(), Err(error), "canonicalize");
            assert_eq!(digest.as_ref(), Err(error), "digest_bytes");
            assert_eq!(typed, Err(DeserializeError::Parse(error.clone())));
        }
    }
    check_narrow(bytes, &parsed);
}

fn check_error(error: &ParseError, bytes: &[u8]) {
    assert!(error.byte_offset <= bytes.len(), "{error:?} lies outside");
    let message = error.to_string();
    assert!(!message.contains(['\n', '\r']), "{message:?} has two lines");
    assert!(message.len() < 4000, "{} bytes of message", message.len());
}

/// Narrower limits refuse more and change nothing else.
fn check_narrow(bytes: &[u8], wide: &Result<Value, ParseError>) {
    let parsed = canonical::parse_with(bytes, &NARROW);
    let text = canonical::canonicalize_with(bytes, &NARROW).map(Cow::into_owned);
    let digest = canonical::digest_bytes_with(bytes, &NARROW);
    match &parsed {
        Ok(value) => assert_eq!(wide.as_ref(), Ok(value), "limits changed the value"),
        Err(error) => check_error(error, bytes),
    }
    assert_eq!(
        text,
        parsed
            .as_ref()
            .map(canonical::to_bytes)
            .map_err(ParseError::clone)
    );
    assert_eq!(
        digest,
        parsed
            .as_ref()
            .map(canonical::digest)
            .map_err(ParseError::clone)
    );
}
