//! Every invariant of docs/architecture.md names a check, and the check exists.
//!
//! The form is `(checked by: X)` at the end of the item, X being one or more of, joined by commas and in code marks:
//! `cargo xtask NAME`, `clippy.toml: PATH` for a banned path, `crates/…/FILE.rs::TEST` for a test.

use crate::markdown::{code_spans, items, section};
use crate::rust_tokens::tokens;
use crate::violation::Violation;

const PAGE: &str = "docs/architecture.md";
const RULE: &str = "each item of `Invariants` ends with (checked by: …), naming a command, a ban in clippy.toml or a test that exists";

/// Where checks are looked up.
pub(crate) trait Checks {
    /// Whether `cargo xtask NAME` is a command.
    fn has_command(&self, name: &str) -> bool;
    /// The text of a file at this path from the root.
    fn text(&self, path: &str) -> Option<String>;
}

/// Invariants without a check, and checks that do not exist.
pub(crate) fn check(page: &str, checks: &dyn Checks) -> Vec<Violation> {
    let items = items(&section(page, "Invariants").unwrap_or_default());
    if items.is_empty() {
        return vec![Violation::new(
            PAGE,
            "has no list under a heading `Invariants`",
            RULE,
        )];
    }
    let mut violations = Vec::new();
    for (line, item) in items {
        let named = item
            .rsplit_once("(checked by: ")
            .and_then(|(_, named)| named.strip_suffix(')'));
        let spans = code_spans(named.unwrap_or_default());
        if spans.is_empty() {
            violations.push(Violation::new(
                format!("{PAGE}:{line}"),
                "names no check",
                RULE,
            ));
        }
        for span in spans {
            if let Err(found) = look_up(span, checks) {
                violations.push(Violation::new(
                    format!("{PAGE}:{line}"),
                    format!("`{span}` {found}"),
                    RULE,
                ));
            }
        }
    }
    violations
}

fn look_up(span: &str, checks: &dyn Checks) -> Result<(), &'static str> {
    if let Some(name) = span.strip_prefix("cargo xtask ") {
        return if checks.has_command(name) {
            Ok(())
        } else {
            Err("is no command")
        };
    }
    if let Some(path) = span.strip_prefix("clippy.toml: ") {
        let banned = checks
            .text("clippy.toml")
            .is_some_and(|text| text.contains(&format!("path = \"{path}\"")));
        return if banned {
            Ok(())
        } else {
            Err("is not banned there")
        };
    }
    let Some((file, test)) = span.split_once(".rs::") else {
        return Err("is none of: a command, a ban, a test");
    };
    let text = checks
        .text(&format!("{file}.rs"))
        .ok_or("is in a file that does not exist")?;
    if has_test(&text, test) {
        Ok(())
    } else {
        Err("is not a test of that file")
    }
}

/// Whether the source has `fn NAME` with a test attribute; `NAME` may be given with the modules around it.
fn has_test(source: &str, name: &str) -> bool {
    let name = name.rsplit("::").next().unwrap_or(name);
    let words: Vec<&str> = tokens(source).iter().map(|token| token.text).collect();
    words.windows(2).enumerate().any(|(at, pair)| {
        let before = words.get(..at).unwrap_or_default();
        let attributes = before
            .iter()
            .rev()
            .take_while(|word| !["}", "{", ";"].contains(word));
        pair == ["fn", name] && attributes.into_iter().any(|word| word.starts_with("test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake;

    impl Checks for Fake {
        fn has_command(&self, name: &str) -> bool {
            name == "layers"
        }
        fn text(&self, path: &str) -> Option<String> {
            match path {
                "clippy.toml" => Some("{ path = \"std::a\", reason = \"\" }".to_owned()),
                "crates/x/tests/y.rs" => Some(
                    "#[test]\n#[cfg(unix)]\nfn real() {}\nfn helper() {}\n// #[test] fn old() {}\n"
                        .to_owned(),
                ),
                _ => None,
            }
        }
    }

    fn found(item: &str) -> Vec<String> {
        check(&format!("## Invariants\n\n- {item}\n"), &Fake)
            .into_iter()
            .map(|it| it.found)
            .collect()
    }

    #[test]
    fn checks_that_exist_pass() {
        for named in [
            "`cargo xtask layers`",
            "`clippy.toml: std::a`",
            "`crates/x/tests/y.rs::real`, `cargo xtask layers`",
        ] {
            assert_eq!(
                found(&format!("It never does (checked by: {named})")),
                Vec::<String>::new()
            );
        }
    }

    #[test]
    fn each_missing_check_is_named() {
        let cases = [
            ("`cargo xtask sing`", "`cargo xtask sing` is no command"),
            (
                "`clippy.toml: std::b`",
                "`clippy.toml: std::b` is not banned there",
            ),
            (
                "`crates/x/tests/z.rs::real`",
                "`crates/x/tests/z.rs::real` is in a file that does not exist",
            ),
            (
                "`crates/x/tests/y.rs::helper`",
                "`crates/x/tests/y.rs::helper` is not a test of that file",
            ),
            (
                "`crates/x/tests/y.rs::old`",
                "`crates/x/tests/y.rs::old` is not a test of that file",
            ),
            ("`review`", "`review` is none of: a command, a ban, a test"),
        ];
        for (named, expected) in cases {
            assert_eq!(
                found(&format!("It never does (checked by: {named})")),
                [expected]
            );
        }
        assert_eq!(found("It never does"), ["names no check"]);
        assert_eq!(found("It never does (checked by: us)"), ["names no check"]);
    }

    #[test]
    fn a_page_without_the_list_fails() {
        assert_eq!(check("# Architecture\n", &Fake).len(), 1);
    }
}
