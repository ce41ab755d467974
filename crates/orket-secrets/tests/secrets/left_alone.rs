//! What must come through as it is.

use std::fmt::Write;

use proptest::prelude::*;

use crate::knows;

/// What Orket itself writes everywhere, and what code is made of.
const LOOK_ALIKES: &[&str] = &[
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "{\"request_digest\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}",
    "result_digest=E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "123e4567-e89b-12d3-a456-426614174000",
    "first_light-1:FL-2:9",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "let token = lexer.next_token(2);",
    "fn check_password(password: &str) -> Result<bool, Error2>",
    "if password == confirmation1 { return Err(\"password 1\") }",
    "The secret: keep it simple, stupid2.",
    "https://example.org/a:b/c@d?e=%2F%20#f",
    "100%25 of \\u0041 and \\n and \\\\",
    "",
];

#[test]
fn digests_and_ordinary_text_stay() {
    let scrubber = knows(&[("A_KEY", "correct horse"), ("B_TOKEN", "0123456789abcdef")]);
    for text in LOOK_ALIKES {
        assert_eq!(scrubber.text(text), *text);
    }
}

proptest! {
    #[test]
    fn digests_stay_wherever_they_stand(bytes: [u8; 32], before in "[ -~]{0,12}", capitals: bool) {
        let mut digest = String::new();
        for byte in bytes {
            write!(digest, "{byte:02x}").unwrap();
        }
        if capitals {
            digest.make_ascii_uppercase();
        }
        // A keyword or a token's beginning right before it would make something else of it.
        prop_assume!(!before.contains(['=', ':', '-', '_']));
        let text = format!("{before} {digest} {before}");
        let scrubber = knows(&[("A_KEY", "correct horse")]);
        prop_assert_eq!(scrubber.text(&text), text.as_str());
    }

    #[test]
    fn bytes_without_a_secret_stay(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let scrubber = knows(&[("A_KEY", "correct horse")]);
        prop_assert_eq!(scrubber.bytes(&bytes).into_owned(), bytes);
    }
}
