//! Relative paths as a policy compares them: by their text alone.

use crate::stem::is_unsafe_character;

const PATH_LENGTH_MAX_BYTES: usize = 4096;

/// The prefix that covers every portable relative path.
const ANYTHING: &str = ".";

/// Tells whether a text can stand in a list of prefixes.
pub(super) fn is_prefix(text: &str) -> bool {
    text == ANYTHING || is_portable(text)
}

/// Tells whether a text is a relative path that means the same on every system.
pub(super) fn is_portable(text: &str) -> bool {
    text.len() <= PATH_LENGTH_MAX_BYTES
        && !text.starts_with('~')
        && text.split('/').all(is_plain_segment)
}

fn is_plain_segment(segment: &str) -> bool {
    // `.` and `..` end with a dot.
    !segment.is_empty()
        && !segment.ends_with(['.', ' '])
        && !segment.chars().any(|it| {
            is_unsafe_character(it) || matches!(it, ':' | '*' | '?' | '"' | '<' | '>' | '|')
        })
}

/// Tells whether a portable path is `prefix` or lies below it.
pub(super) fn covers(prefix: &str, path: &str) -> bool {
    prefix == ANYTHING
        || path
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_under(prefix: &str, path: &str) -> bool {
        is_prefix(prefix) && is_portable(path) && covers(prefix, path)
    }

    #[test]
    fn a_path_is_below_a_prefix_on_a_segment_border() {
        for (prefix, path) in [
            ("src", "src"),
            ("src", "src/main.rs"),
            ("src", "src/a/b/c"),
            ("src/a", "src/a"),
            ("src/a", "src/a/.hidden"),
            ("src", "src/a..b"),
            ("src", "src/ leading"),
            ("src", "src/größe"),
            (".", "anything/at all"),
            (".", "x"),
            ("a b", "a b/c"),
        ] {
            assert!(is_under(prefix, path), "{path:?} is under {prefix:?}");
        }
    }

    #[test]
    fn law_8_a_hostile_path_is_under_no_prefix() {
        let long = format!("src/{}", "x".repeat(PATH_LENGTH_MAX_BYTES));
        for path in [
            "",
            "srcx",
            "src.rs",
            "sr",
            "SRC/main.rs",
            "Src",
            " src/a",
            "xsrc/a",
            "x/src/a",
            "/src",
            "/src/a",
            "//src/a",
            "src/",
            "src//a",
            "src/.",
            "src/./a",
            "./src/a",
            ".",
            "..",
            "../src/a",
            "src/..",
            "src/../a",
            "src/../../etc/passwd",
            "src/a/..",
            "src/...",
            "src/.. ",
            "src/.. /a",
            "src/a.",
            "src/a./b",
            "src/a ",
            "src/a /b",
            "src\\a",
            "src/a\\..\\b",
            "src/..\\a",
            "\\src\\a",
            "C:/src/a",
            "C:src/a",
            "src/C:/a",
            "src/a:stream",
            "\\\\server\\src",
            "src/a\0",
            "src\0/a",
            "src/a\0/../../b",
            "src/a\n",
            "src/\ta",
            "src/a\r",
            "src/\u{7f}",
            "src/\u{85}",
            "src/\u{202e}sr.nim",
            "src/*",
            "src/a?",
            "src/a|b",
            "src/<a>",
            "src/\"a\"",
            "~/src/a",
            "~root",
            "~",
            "file:///src/a",
            "ｓrc/a",
            "src\u{2215}a",
            "src\u{301}/a",
            &long,
        ] {
            assert!(!is_under("src", path), "{path:?} was taken to be under src");
        }
        for path in [
            "/etc/passwd",
            "..",
            "a/../../b",
            "C:/a",
            "~/a",
            "",
            ".",
            "a\\b",
        ] {
            assert!(!is_under(".", path), "{path:?} was taken to be relative");
        }
    }

    #[test]
    fn a_prefix_is_a_portable_path_or_a_dot() {
        for prefix in [
            "", "/", "src/", "./src", "..", "a/../b", "a\\b", "C:", "*", "src/*", "~", " .",
        ] {
            assert!(!is_prefix(prefix), "{prefix:?} was accepted");
        }
    }
}
