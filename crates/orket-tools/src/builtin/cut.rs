//! Cutting what is too long for a result, and saying so in the same words everywhere.

/// Returns the beginning of a text that has at most `most_bytes` bytes and ends between two characters.
pub(super) fn head(text: &str, most_bytes: usize) -> &str {
    let mut end = most_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Says how much of something is shown: `the first 1000 of 2345 entries are shown`.
pub(super) fn statement(shown: usize, total: usize, unit: &str) -> String {
    format!("the first {shown} of {total} {unit} are shown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_two_characters() {
        for (text, most_bytes, expected) in [
            ("", 0, ""),
            ("abc", 3, "abc"),
            ("abc", 9, "abc"),
            ("abc", 2, "ab"),
            ("é", 1, ""),
            ("aé", 2, "a"),
            ("a\u{1f600}b", 4, "a"),
            ("a\u{1f600}b", 5, "a\u{1f600}"),
        ] {
            assert_eq!(head(text, most_bytes), expected, "{text:?} {most_bytes}");
        }
    }
}
