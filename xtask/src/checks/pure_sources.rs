//! Sources that are given facts and return values: no file, network, clock, environment, process, thread or hash order.

use crate::rust_tokens::{Token, tokens};
use crate::violation::Violation;

/// The crates whose `src` must be pure. Items under `#[cfg(test)]` are passed over: they do not ship.
pub(crate) const PURE: &[&str] = &["orket-kernel", "orket-cards"];

/// Modules of `std` through which the world would come in.
const WORLD: &[&str] = &["env", "fs", "net", "os", "process", "thread", "time"];

/// Handles of the process that need no module of their own.
const HANDLES: &[&str] = &["stderr", "stdin", "stdout"];

/// Collections whose order is drawn at random.
const UNORDERED: &[&str] = &["HashMap", "HashSet", "RandomState", "hash_map", "hash_set"];

const WORLD_RULE: &str =
    "a pure crate takes facts as arguments: no std::{env, fs, net, os, process, thread, time}";
const HANDLE_RULE: &str = "a pure crate returns values: it uses no stdin, stdout or stderr";
const ORDER_RULE: &str = "a pure crate orders by a rule with a name: use BTreeMap or BTreeSet";
const NAME_RULE: &str = "a pure crate names what it takes from std, so that it can be checked";

/// Every forbidden name in a source text, outside comments and literals.
pub(crate) fn check(file: &str, source: &str) -> Vec<Violation> {
    let tokens = shipped(tokens(source));
    let mut violations = Vec::new();
    let mut report = |token: &Token<'_>, found: String, rule: &str| {
        violations.push(Violation::new(
            format!("{file}:{}", token.line),
            found,
            rule,
        ));
    };
    for (at, token) in tokens.iter().enumerate() {
        let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
        if UNORDERED.contains(&token.text) {
            report(token, format!("uses {}", token.text), ORDER_RULE);
        }
        if token.text == "io" && text(1) == "::" && HANDLES.contains(&text(2)) {
            report(token, format!("uses io::{}", text(2)), HANDLE_RULE);
        }
        if token.text != "std" {
            continue;
        }
        if text(1) == "as" || (text(1) == "::" && text(2) == "*") {
            report(token, "hides what it takes from std".to_owned(), NAME_RULE);
        }
        if text(1) == "::" {
            for module in first_segments(tokens.get(at + 2..).unwrap_or_default()) {
                if WORLD.contains(&module.text) {
                    report(module, format!("uses std::{}", module.text), WORLD_RULE);
                } else if module.text == "self" {
                    report(module, "hides what it takes from std".to_owned(), NAME_RULE);
                }
            }
        }
    }
    violations
}

/// The tokens without the items under `#[cfg(test)]`.
fn shipped(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    const FOR_TESTS: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut shipped = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let texts = rest.iter().map(|token| token.text);
        if texts.take(FOR_TESTS.len()).eq(FOR_TESTS) {
            rest = after_item(rest.get(FOR_TESTS.len()..).unwrap_or_default());
        } else {
            shipped.push(*first);
            rest = after;
        }
    }
    shipped
}

/// What follows an item: it ends with its outermost `}`, or with a `;` outside braces.
fn after_item<'a, 'b>(tokens: &'b [Token<'a>]) -> &'b [Token<'a>] {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && ["}", ";"].contains(&token.text) {
            return tokens.get(at + 1..).unwrap_or_default();
        }
    }
    &[]
}

/// The first segments of what follows `std::`: one for a path, several for `{fs, io::{self, Read}}`.
fn first_segments<'a>(tokens: &'a [Token<'a>]) -> Vec<&'a Token<'a>> {
    let Some(first) = tokens.first() else {
        return Vec::new();
    };
    if first.text != "{" {
        return vec![first];
    }
    let mut segments = Vec::new();
    let mut depth = 0_usize;
    let mut at_start = false;
    for token in tokens {
        match token.text {
            "{" => {
                depth += 1;
                at_start = depth == 1;
            }
            "}" => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            "," => at_start = depth == 1,
            _ if at_start => {
                segments.push(token);
                at_start = false;
            }
            _ => {}
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<(String, String)> {
        check("a.rs", source)
            .into_iter()
            .map(|it| (it.place, it.found))
            .collect()
    }

    #[test]
    fn every_module_of_the_world_is_refused() {
        for module in WORLD {
            let expected = [("a.rs:2".to_owned(), format!("uses std::{module}"))];
            assert_eq!(found(&format!("\nuse std::{module}::x;")), expected);
            assert_eq!(found(&format!("\nlet a = ::std::{module}::x();")), expected);
            assert_eq!(
                found(&format!("use std::{{fmt,\n{module}::{{self, io}}, io}};")),
                expected
            );
        }
    }

    #[test]
    fn hash_order_is_refused_wherever_it_stands() {
        for name in UNORDERED {
            assert_eq!(
                found(&format!("x::{name}::y()")),
                [("a.rs:1".to_owned(), format!("uses {name}"))]
            );
        }
    }

    #[test]
    fn process_handles_are_refused() {
        assert_eq!(
            found("io::stdin()"),
            [("a.rs:1".to_owned(), "uses io::stdin".to_owned())]
        );
    }

    #[test]
    fn hiding_std_is_refused() {
        for source in [
            "use std::*;",
            "use std as s;",
            "extern crate std as s;",
            "use std::{self as s};",
        ] {
            assert_eq!(found(source).len(), 1, "{source}");
        }
    }

    #[test]
    fn items_for_tests_are_passed_over_and_what_follows_is_not() {
        let source = "#[cfg(test)]\nmod tests { fn a() { std::thread::b(); } }\nuse std::fs;\n#[cfg(test)]\nuse std::env;\nuse std::net;";
        let expected = [("a.rs:3", "uses std::fs"), ("a.rs:6", "uses std::net")];
        assert_eq!(
            found(source),
            expected.map(|(place, found)| (place.to_owned(), found.to_owned()))
        );
    }

    #[test]
    fn comments_literals_and_other_paths_pass() {
        let source = "//! std::fs\n/* HashMap */ let a = \"std::env\";\nuse std::{fmt::{self, time}, collections::BTreeMap};\nuse crate::time;";
        assert_eq!(found(source), []);
    }
}
