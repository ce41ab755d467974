//! Control files: names that belong to the project's owner, however a file system may write them.

use crate::path::RelativePath;

/// Names that no agent reads or writes, at any depth, whether they exist or not.
const CONTROL_NAMES: &[&str] = &[".env", ".git", ".orket"];

/// Returns the first component that names a control file.
pub(super) fn control_name(path: &RelativePath) -> Option<&str> {
    path.components()
        .find(|component| is_control_name(component))
}

/// Tells whether a name is that of a control file on some file system: letters of another case, characters that the
/// system leaves out, and the short names that Windows makes.
pub(crate) fn is_control_name(name: &str) -> bool {
    let folded = folded(name);
    CONTROL_NAMES.iter().any(|control| {
        folded == *control
            || folded
                .strip_prefix(&control[1..])
                .is_some_and(is_short_ending)
    })
}

/// Tells whether `path` is `directory` or lies below it on a system that does not tell the case of letters.
pub(super) fn is_within(path: &RelativePath, directory: &RelativePath) -> bool {
    let mut components = path.components();
    directory.components().all(|expected| {
        components
            .next()
            .is_some_and(|found| folded(found) == folded(expected))
    })
}

/// `~1` and so on, as in `GIT~1`.
fn is_short_ending(rest: &str) -> bool {
    rest.strip_prefix('~').is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Makes one text of all those that a case-folding file system may take for the same name.
fn folded(name: &str) -> String {
    // Upper case first: it brings together letters such as `ſ` and `s`, and lower case then `K` (U+212A) and `k`.
    name.chars()
        .filter(|character| !is_left_out(*character))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// The characters that Unicode calls default ignorable: file systems that fold case may leave them out of a name.
fn is_left_out(character: char) -> bool {
    matches!(
        character,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_file_is_known_however_a_file_system_writes_it() {
        for name in [
            ".env",
            ".ENV",
            ".git",
            ".Git",
            ".orket",
            ".or\u{212a}et",
            ".g\u{200c}it",
            ".git\u{fe0f}",
            ".e\u{34f}nv",
            "GIT~1",
            "orket~12",
            "env~1",
        ] {
            assert!(is_control_name(name), "{name:?}");
        }
        for name in [
            ".env.example",
            ".gitignore",
            "env",
            "git",
            "orket",
            "git~",
            "git~a",
            ".github",
            "orket.toml",
            ".environment",
        ] {
            assert!(!is_control_name(name), "{name:?}");
        }
    }

    #[test]
    fn whole_components_are_compared_without_their_case() {
        let within = |path: &str, directory: &str| {
            is_within(&path.parse().unwrap(), &directory.parse().unwrap())
        };
        assert!(within("state", "state") && within("State/db", "state") && within("a/B/c", "A/b"));
        assert!(
            !within("stateful/db", "state") && !within("a", "a/b") && !within("b/state", "state")
        );
    }
}
