//! docs/dependencies.md against the root Cargo.toml: a row for each dependency, with those who really use it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::markdown::{code_spans, rows};
use crate::violation::Violation;
use crate::workspace::{Kind, Member};

const PAGE: &str = "docs/dependencies.md";

/// The external names of `[workspace.dependencies]` in the root manifest.
pub(crate) fn declared(manifest: &str) -> Result<BTreeSet<String>> {
    let manifest: toml::Table = manifest
        .parse()
        .context("failed to read the root Cargo.toml")?;
    let dependencies = manifest
        .get("workspace")
        .and_then(|it| it.get("dependencies"))
        .and_then(toml::Value::as_table)
        .context("failed to find [workspace.dependencies] in the root Cargo.toml")?;
    Ok(dependencies
        .iter()
        .filter(|(_, it)| it.get("path").is_none())
        .map(|(name, _)| name.clone())
        .collect())
}

/// Rows too many, rows too few, and rows whose second cell names the wrong users.
pub(crate) fn check(page: &str, declared: &BTreeSet<String>, members: &[Member]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut told = BTreeMap::new();
    for (line, cells) in rows(page) {
        let place = format!("{PAGE}:{line}");
        let name = cells
            .first()
            .and_then(|cell| code_spans(cell).first().map(|&name| name.to_owned()))
            .unwrap_or_default();
        if !declared.contains(&name) {
            violations.push(Violation::new(
                &place,
                format!("`{name}` is not in [workspace.dependencies]"),
                "the page lists what the workspace depends on and nothing else",
            ));
        }
        let users = cells.get(1).cloned().unwrap_or_default();
        let actual = users_of(&name, members);
        if declared.contains(&name) && users != actual {
            violations.push(Violation::new(
                &place,
                format!("`{name}` is used by: {actual}; the row says: {users}"),
                "the second cell names the crates that use it; cargo xtask docs --write fills it in",
            ));
        }
        if told.insert(name.clone(), line).is_some() {
            violations.push(Violation::new(
                &place,
                format!("a second row for `{name}`"),
                "one row for each dependency",
            ));
        }
    }
    for name in declared.iter().filter(|name| !told.contains_key(*name)) {
        violations.push(Violation::new(
            PAGE,
            format!("no row for `{name}`"),
            "every dependency has a row that says who uses it, why, and what we would do without it",
        ));
    }
    violations
}

/// The page with the second cell of every row as it should be.
pub(crate) fn written(page: &str, members: &[Member]) -> String {
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    for (number, mut cells) in rows(page) {
        let name = cells
            .first()
            .and_then(|cell| code_spans(cell).first().map(|&name| name.to_owned()))
            .unwrap_or_default();
        if let (Some(line), Some(users)) = (lines.get_mut(number - 1), cells.get_mut(1)) {
            *users = users_of(&name, members);
            *line = format!("| {} |", cells.join(" | "));
        }
    }
    lines.join("\n") + "\n"
}

/// The users of a dependency as the page writes them: `board, cli (tests)`.
fn users_of(name: &str, members: &[Member]) -> String {
    let users = members.iter().filter_map(|member| {
        let mut kinds = member
            .dependencies
            .iter()
            .filter(|it| it.name == name)
            .map(|it| it.kind)
            .peekable();
        kinds.peek()?;
        let tests = if kinds.all(|kind| kind == Kind::Dev) {
            " (tests)"
        } else {
            ""
        };
        Some(format!(
            "{}{tests}",
            member.name.trim_start_matches("orket-")
        ))
    });
    let users: Vec<String> = users.collect();
    if users.is_empty() {
        "none yet".to_owned()
    } else {
        users.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn members() -> [Member; 2] {
        let edge = |name: &str, kind| Dependency {
            name: name.to_owned(),
            kind,
            optional: false,
            features: Vec::new(),
        };
        let member = |name: &str, dependencies| Member {
            name: name.to_owned(),
            dir: name.into(),
            dependencies,
            features: BTreeMap::new(),
        };
        [
            member(
                "orket-a",
                vec![
                    edge("serde", Kind::Normal),
                    edge("serde", Kind::Dev),
                    edge("hex", Kind::Dev),
                ],
            ),
            member("xtask", vec![edge("serde", Kind::Build)]),
        ]
    }

    fn found(page: &str) -> Vec<String> {
        let manifest = "[workspace.dependencies]\nours = { path = \"x\" }\nserde = \"1\"\nhex = { version = \"1\" }\n";
        check(page, &declared(manifest).unwrap(), &members())
            .into_iter()
            .map(|it| it.found)
            .collect()
    }

    #[test]
    fn the_page_agrees() {
        assert_eq!(
            found("| `serde` | a, xtask | why |\n| `hex` | a (tests) | why |\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_way_to_drift_is_named() {
        let page = "| `serde` | a | why |\n| `hex` | a (tests) | why |\n| `hex` | a (tests) | why |\n| `gone` | a | why |\n";
        assert_eq!(
            found(page),
            [
                "`serde` is used by: a, xtask; the row says: a",
                "a second row for `hex`",
                "`gone` is not in [workspace.dependencies]",
            ]
        );
        assert_eq!(
            found("| `hex` | a (tests) | why |\n"),
            ["no row for `serde`"]
        );
    }

    #[test]
    fn writing_the_page_makes_it_agree_and_keeps_the_rest() {
        let page = "# Dependencies\n\n| `serde` | x | why |\n| `hex` | | why |\n";
        let expected =
            "# Dependencies\n\n| `serde` | a, xtask | why |\n| `hex` | a (tests) | why |\n";
        assert_eq!(written(page, &members()), expected);
        assert_eq!(found(expected), Vec::<String>::new());
    }

    #[test]
    fn a_manifest_without_the_table_is_an_error() {
        assert!(declared("[workspace]\n").is_err());
        assert!(declared("[").is_err());
    }
}
