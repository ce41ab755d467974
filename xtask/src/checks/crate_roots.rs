//! Each crate says what it is, and forbids unsafe code unless it has some.

use crate::rust_tokens::tokens;
use crate::violation::Violation;

/// A source file and its text.
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

/// What is wrong with the roots (`lib.rs`, `main.rs`) of one crate, given all files of its `src`.
pub(crate) fn check(sources: &[Source]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let has_unsafe = sources.iter().any(|source| {
        tokens(&source.text)
            .iter()
            .any(|token| token.text == "unsafe")
    });
    let is_root = |source: &&Source| {
        source.file.ends_with("src/lib.rs") || source.file.ends_with("src/main.rs")
    };
    for root in sources.iter().filter(is_root) {
        if !root.text.starts_with("//!") {
            violations.push(Violation::new(
                format!("{}:1", root.file),
                "does not begin with //!",
                "a crate says in its first paragraph what it is for, then what it never does",
            ));
        }
        if !has_unsafe && !forbids_unsafe(&root.text) {
            violations.push(Violation::new(
                &root.file,
                "has no #![forbid(unsafe_code)]",
                "a crate without unsafe code forbids it",
            ));
        }
    }
    violations
}

fn forbids_unsafe(text: &str) -> bool {
    let words: Vec<&str> = tokens(text).iter().map(|token| token.text).collect();
    words
        .windows(7)
        .any(|it| it == ["#", "!", "[", "forbid", "(", "unsafe_code", ")"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let source = |&(file, text): &(&str, &str)| Source {
            file: file.to_owned(),
            text: text.to_owned(),
        };
        check(&files.iter().map(source).collect::<Vec<_>>())
            .into_iter()
            .map(|it| it.found)
            .collect()
    }

    #[test]
    fn a_root_without_doc_or_without_forbid_is_named() {
        assert_eq!(
            found(&[("src/lib.rs", "//! It is.\n#![forbid(unsafe_code)]\n")]),
            Vec::<String>::new()
        );
        assert_eq!(
            found(&[("src/lib.rs", "#![forbid(unsafe_code)]\n")]),
            ["does not begin with //!"]
        );
        assert_eq!(
            found(&[("src/main.rs", "//! It is.\n// #![forbid(unsafe_code)]\n")]),
            ["has no #![forbid(unsafe_code)]"]
        );
    }

    #[test]
    fn a_crate_with_unsafe_code_need_not_forbid_it() {
        let root = ("src/lib.rs", "//! It is.\n");
        assert_eq!(
            found(&[root, ("src/a.rs", "fn f() { unsafe { g() } }")]),
            Vec::<String>::new()
        );
        assert_eq!(found(&[root, ("src/a.rs", "// unsafe\n")]).len(), 1);
    }
}
