//! File names for stems, ids, runs and turns.

use orket_kernel::Digest;

/// The longest token; a suffix of up to 55 bytes still fits a file name of 255 bytes.
const LENGTH_MAX_BYTES: usize = 200;
/// Stands before the digest of a text that is too long. `%` is else followed by two hexadecimal digits or nothing.
const DIGEST_MARK: &str = "%h";
const DIGEST_LENGTH_BYTES: usize = 64;

/// Names that Windows keeps for devices, whatever stands after the first point.
const RESERVED: &[&str] = &["con", "prn", "aux", "nul"];
const RESERVED_NUMBERED: &[&str] = &["com", "lpt"];

/// Returns the file name that stands for `text`: injective, at most 200 bytes, and the same on every file system.
///
/// It holds only `a-z 0-9 . _ - + = %`, hence survives systems that fold case or normalise Unicode; it is no name that
/// a system reserves, and begins with neither a point nor a hyphen. `+x` is the capital `X`, `=` is a slash, and every
/// other byte is `%` and two hexadecimal digits. A text whose token would be longer keeps its beginning and ends in
/// its digest; such tokens are injective as far as SHA-256 has no collisions.
///
/// ```
/// use orket_lsi::token;
///
/// assert_eq!(token("card/FL-1"), "card=+f+l-1");
/// assert_eq!(token("turn-0001"), "turn-0001");
/// assert_eq!(token("con"), "%63on");
/// ```
pub fn token(text: &str) -> String {
    let mut token = String::with_capacity(text.len() + 8);
    // The empty text must not be the empty file name.
    if text.is_empty() {
        return "%".to_owned();
    }
    // The last place at which the token can be cut without parting an escape.
    let mut cut = 0;
    let last = text.len() - 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'.' if at == 0 || at == last => escape(&mut token, byte),
            b'-' if at == 0 => escape(&mut token, byte),
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => token.push(char::from(byte)),
            b'A'..=b'Z' => token.extend(['+', char::from(byte.to_ascii_lowercase())]),
            b'/' => token.push('='),
            other => escape(&mut token, other),
        }
        if token.len() <= LENGTH_MAX_BYTES - DIGEST_MARK.len() - DIGEST_LENGTH_BYTES - 2 {
            cut = token.len();
        }
    }
    if is_reserved(&token) {
        let rest = token.split_off(1);
        let first = std::mem::take(&mut token);
        first.bytes().for_each(|byte| escape(&mut token, byte));
        token.push_str(&rest);
        cut += 2;
    }
    if token.len() > LENGTH_MAX_BYTES {
        token.truncate(cut);
        token.push_str(DIGEST_MARK);
        token.push_str(&Digest::of_bytes(text.as_bytes()).to_hex());
    }
    token
}

fn escape(token: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    token.push('%');
    token.push(char::from(DIGITS[usize::from(byte >> 4)]));
    token.push(char::from(DIGITS[usize::from(byte & 15)]));
}

fn is_reserved(token: &str) -> bool {
    let name = token.split('.').next().unwrap_or_default();
    RESERVED.contains(&name)
        || RESERVED_NUMBERED.iter().any(|device| {
            name.strip_prefix(device).is_some_and(|rest| {
                rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit())
            })
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hostile_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            "[a-cA-C./%+=-]{0,6}",
            "(con|CON|nul|aux|com1|LPT9)(\\.[a-z]{0,3})?",
            "[aA]{60,300}",
            Just("é".to_owned()),
            Just("e\u{301}".to_owned()),
        ];
        proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    /// Reads a token back; `None` for one that ends in a digest.
    fn text_of(token: &str) -> Option<String> {
        if token == "%" {
            return Some(String::new());
        }
        let mut bytes = Vec::new();
        let mut rest = token.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => rest.next().unwrap().to_ascii_uppercase(),
                b'=' => b'/',
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).ok()?
                }
                other => other,
            });
        }
        Some(String::from_utf8(bytes).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn a_token_is_portable_and_reads_back(text in hostile_text()) {
            let token = token(&text);
            prop_assert!(!token.is_empty() && token.len() <= LENGTH_MAX_BYTES);
            prop_assert!(token.bytes().all(|byte| matches!(
                byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'+' | b'=' | b'%')));
            prop_assert!(!token.starts_with(['.', '-']) && !token.ends_with('.'));
            prop_assert!(!is_reserved(&token), "{token}");
            match text_of(&token) {
                Some(back) => prop_assert_eq!(back, text),
                None => prop_assert!(token.ends_with(&Digest::of_bytes(text.as_bytes()).to_hex())),
            }
        }

        #[test]
        fn different_texts_have_different_tokens(one in hostile_text(), other in hostile_text()) {
            prop_assert_eq!(one == other, token(&one) == token(&other));
        }
    }

    #[test]
    fn hostile_names_become_plain_ones() {
        for (text, expected) in [
            ("", "%"),
            (".", "%2e"),
            ("..", "%2e%2e"),
            ("a.", "a%2e"),
            ("-rf", "%2drf"),
            ("CON", "+c+o+n"),
            ("com1.txt", "%63om1.txt"),
            ("com10", "com10"),
            ("a/../b", "a=..=b"),
            ("a\0b", "a%00b"),
            ("%h", "%25h"),
        ] {
            assert_eq!(token(text), expected, "{text:?}");
        }
        let long = token(&"X".repeat(1000));
        assert_eq!(long.len(), 198);
        assert_ne!(long, token(&"X".repeat(1001)));
    }
}
