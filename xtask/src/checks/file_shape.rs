//! Names and lengths of source files.

use crate::violation::Violation;

/// Beyond this a file has a second noun.
const MAX_LINES: usize = 600;

/// Names that say nothing about what is inside.
const REFUSED: &[&str] = &[
    "common", "helper", "helpers", "manager", "misc", "types", "util", "utils",
];

/// What is wrong with the name and the length of one source file; `file` is its path from the root.
pub(crate) fn check(file: &str, text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    for part in file.trim_end_matches(".rs").split('/') {
        if REFUSED.contains(&part) {
            violations.push(Violation::new(
                file,
                format!("is named `{part}`"),
                "a file is named for its noun or verb; if it has no name, it has no home yet",
            ));
        }
    }
    let lines = text.lines().count();
    if lines > MAX_LINES && file.split('/').any(|part| part == "src") {
        violations.push(Violation::new(
            file,
            format!("has {lines} lines"),
            format!("a source file has at most {MAX_LINES} lines: look for the second noun"),
        ));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_names_are_named_for_files_and_directories() {
        for name in REFUSED {
            assert_eq!(
                check(&format!("crates/a/src/{name}.rs"), "").len(),
                1,
                "{name}"
            );
            assert_eq!(
                check(&format!("crates/a/tests/{name}/mod.rs"), "").len(),
                1,
                "{name}"
            );
        }
        assert_eq!(check("crates/a/src/common_prefix.rs", ""), []);
    }

    #[test]
    fn a_source_file_ends_at_six_hundred_lines() {
        assert_eq!(check("crates/a/src/b.rs", &"x\n".repeat(600)), []);
        assert_eq!(
            check("crates/a/src/b.rs", &"x\n".repeat(601))[0].found,
            "has 601 lines"
        );
        assert_eq!(check("crates/a/tests/b.rs", &"x\n".repeat(601)), []);
    }
}
