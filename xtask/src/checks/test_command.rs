//! CI runs the command that the documents tell people to run.

use crate::violation::Violation;

/// The one test command.
const COMMAND: &str = "cargo xtask test";

/// Which of these files (name, and text if there is such a file) does not name the test command.
pub(crate) fn check(files: &[(&str, Option<String>)]) -> Vec<Violation> {
    let silent = files
        .iter()
        .filter(|(_, text)| !text.as_ref().is_some_and(|text| text.contains(COMMAND)));
    silent
        .map(|(file, text)| {
            let found = if text.is_some() {
                format!("does not name `{COMMAND}`")
            } else {
                "is missing".to_owned()
            };
            Violation::new(
                *file,
                found,
                "CI, README and CONTRIBUTING name the same test command",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_another_command_is_named() {
        let text = |text: &str| Some(text.to_owned());
        let files = [
            (".ci/run", text("exec cargo xtask test")),
            ("README.md", text("cargo test")),
            ("C.md", None),
        ];
        let found: Vec<String> = check(&files)
            .into_iter()
            .map(|it| format!("{} {}", it.place, it.found))
            .collect();
        assert_eq!(
            found,
            [
                "README.md does not name `cargo xtask test`",
                "C.md is missing"
            ]
        );
    }
}
