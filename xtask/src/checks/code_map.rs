//! The code map of docs/architecture.md names every crate, and none that is gone.

use std::collections::BTreeSet;

use crate::markdown::{code_spans, heading, prose};
use crate::violation::Violation;

const PAGE: &str = "docs/architecture.md";

/// Crates without a heading of their own in the page, and headings that name no crate.
pub(crate) fn check(page: &str, crates: &[String]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut named = BTreeSet::new();
    for line in prose(page) {
        let Some(title) = heading(line.text).filter(|title| title.starts_with('`')) else {
            continue;
        };
        let Some(&name) = code_spans(title).first() else {
            continue;
        };
        named.insert(name);
        if !crates.iter().any(|it| it == name) {
            violations.push(Violation::new(
                format!("{PAGE}:{}", line.number),
                format!("the heading names `{name}`, which is no crate"),
                "a heading of the code map names a crate of the workspace",
            ));
        }
    }
    for name in crates.iter().filter(|name| !named.contains(name.as_str())) {
        violations.push(Violation::new(
            PAGE,
            format!("no heading names `{name}`"),
            "every crate has a heading in the code map that says what it is for and what it never does",
        ));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_gone_crates_are_named() {
        let crates = ["orket-a".to_owned(), "orket-b".to_owned()];
        assert_eq!(check("### `orket-a`: one\n### `orket-b`\n", &crates), []);
        let violations = check("### `orket-a`\n### `orket-c`\nsays `orket-b`\n", &crates);
        let found: Vec<&str> = violations.iter().map(|it| it.found.as_str()).collect();
        assert_eq!(
            found,
            [
                "the heading names `orket-c`, which is no crate",
                "no heading names `orket-b`"
            ]
        );
        assert_eq!(violations[0].place, "docs/architecture.md:2");
    }
}
