//! Every law, invariant and registry rule of the kernel is shown by tests that exist, and every test named for one is listed.
//!
//! The form is a list item of its own below the heading: ``- Shown by: [TEST](PATH)``, the path relative to the page.

use crate::markdown::{heading, prose};
use crate::rust_tokens::test_functions;
use crate::violation::Violation;

pub(crate) const PAGE: &str = "docs/kernel/kernel-v1-law.md";
/// From the folder of the page to the root.
const UP: &str = "../../";
const RULE: &str = "each law, invariant and registry rule lists the tests that show it";
const NAMED_FOR: [&str; 3] = ["law_", "invariant_", "registry_"];

/// A Rust file of the workspace, as its path from the root and its text.
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

/// A law, an invariant or a registry rule, with the tests it lists: line, test, file from the root.
struct Section {
    title: String,
    line: usize,
    shown_by: Vec<(usize, String, String)>,
}

/// The headings that the page must have.
fn titles() -> Vec<String> {
    let numbered =
        |word: &'static str, last| (1..=last).map(move |number| format!("{word} {number}"));
    numbered("Law", 8)
        .chain(numbered("Invariant", 7))
        .chain(numbered("Registry rule", 3))
        .collect()
}

/// Headings that are missing or show nothing, listed tests that do not exist, and tests that are not listed.
pub(crate) fn check(page: &str, sources: &[Source]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut say =
        |place: String, found: String| violations.push(Violation::new(place, found, RULE));
    let sections = sections(page, &mut say);
    for title in titles() {
        let of_title: Vec<&Section> = sections.iter().filter(|it| it.title == title).collect();
        match of_title.as_slice() {
            [] => say(PAGE.to_owned(), format!("has no heading `{title}: …`")),
            [section] => {
                if section.shown_by.is_empty() {
                    let place = format!("{PAGE}:{}", section.line);
                    say(place, format!("`{title}` is shown by no test"));
                }
            }
            [_, second, ..] => say(
                format!("{PAGE}:{}", second.line),
                format!("`{title}` has two headings"),
            ),
        }
    }
    for (line, test, file) in sections.iter().flat_map(|it| &it.shown_by) {
        let source = sources.iter().find(|it| it.file == *file);
        if !source.is_some_and(|it| test_functions(&it.text).contains(&test.as_str())) {
            say(
                format!("{PAGE}:{line}"),
                format!("`{test}` is not a test of {file}"),
            );
        }
    }
    for source in sources {
        for test in test_functions(&source.text) {
            let is_listed = sections
                .iter()
                .flat_map(|it| &it.shown_by)
                .any(|(_, name, file)| name == test && *file == source.file);
            if NAMED_FOR.iter().any(|name| test.starts_with(name)) && !is_listed {
                let section = section_of(test);
                let line = format!("- Shown by: [{test}]({UP}{})", source.file);
                say(
                    source.file.clone(),
                    format!(
                        "`{test}` is not listed; add to {section} of {PAGE} the line\n    {line}"
                    ),
                );
            }
        }
    }
    violations
}

/// The section that a test is named for: that of `Law 3` for `law_3_…`.
fn section_of(test: &str) -> String {
    let mut words = test.split('_');
    let word = match words.next() {
        Some("law") => "Law",
        Some("invariant") => "Invariant",
        _ => "Registry rule",
    };
    match words.next().and_then(|number| number.parse::<u8>().ok()) {
        Some(number) => format!("`{word} {number}`"),
        None => format!("the `{word} …` it shows"),
    }
}

fn sections(page: &str, say: &mut impl FnMut(String, String)) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut inside = false;
    for line in prose(page) {
        if let Some(text) = heading(line.text) {
            let title = text.split(':').next().unwrap_or_default().to_owned();
            inside = titles().contains(&title);
            if inside {
                sections.push(Section {
                    title,
                    line: line.number,
                    shown_by: Vec::new(),
                });
            }
        } else if line
            .text
            .trim_start_matches([' ', '-'])
            .starts_with("Shown by:")
        {
            let place = || format!("{PAGE}:{}", line.number);
            match (shown_by(line.text), sections.last_mut()) {
                (Some((test, file)), Some(section)) if inside => {
                    section.shown_by.push((line.number, test, file));
                }
                (None, _) => say(
                    place(),
                    format!("is not of the form `- Shown by: [TEST]({UP}FILE)`"),
                ),
                _ => say(place(), "stands below no law, invariant or rule".to_owned()),
            }
        }
    }
    sections
}

/// The test and its file from the root.
fn shown_by(line: &str) -> Option<(String, String)> {
    let link = line.strip_prefix("- Shown by: [")?.strip_suffix(')')?;
    let (test, target) = link.split_once("](")?;
    let file = target.strip_prefix(UP)?;
    Some((test.to_owned(), file.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "crates/x/src/y.rs";

    /// A page on which everything is shown by the test `plain`, changed as a case wants it.
    fn page(change: impl Fn(&str) -> String) -> String {
        titles()
            .iter()
            .map(|title| {
                let shown = format!("- Shown by: [plain]({UP}{FILE})\n");
                change(&format!("### {title}: words\n\nMore words.\n\n{shown}"))
            })
            .collect()
    }

    fn found(page: &str, source: &str) -> Vec<String> {
        let sources = [Source {
            file: FILE.to_owned(),
            text: source.to_owned(),
        }];
        let violations = check(page, &sources);
        violations.into_iter().map(|it| it.found).collect()
    }

    const PLAIN: &str = "#[test]\nfn plain() {}\n";

    #[test]
    fn a_page_that_shows_everything_passes() {
        assert_eq!(found(&page(str::to_owned), PLAIN), Vec::<String>::new());
    }

    #[test]
    fn a_missing_law_and_one_without_a_test_are_named() {
        let without = |title: &str| {
            page(|section| {
                if section.contains(title) {
                    String::new()
                } else {
                    section.to_owned()
                }
            })
        };
        assert_eq!(
            found(&without("Law 3:"), PLAIN),
            ["has no heading `Law 3: …`"]
        );
        assert_eq!(
            found(&without("Invariant 6:"), PLAIN),
            ["has no heading `Invariant 6: …`"]
        );
        let silent = page(|section| match section.contains("Registry rule 2:") {
            true => section.replace("- Shown by:", "- By:"),
            false => section.to_owned(),
        });
        assert_eq!(
            found(&silent, PLAIN),
            ["`Registry rule 2` is shown by no test"]
        );
        let twice = page(str::to_owned) + "### Law 1: again\n";
        assert_eq!(found(&twice, PLAIN), ["`Law 1` has two headings"]);
    }

    #[test]
    fn a_listed_test_that_does_not_exist_is_named() {
        let helper = found(
            &page(str::to_owned),
            "fn plain() {}\n// #[test] fn plain() {}\n",
        );
        assert_eq!(helper.len(), titles().len());
        assert_eq!(helper[0], format!("`plain` is not a test of {FILE}"));
    }

    #[test]
    fn a_test_named_for_a_law_must_be_listed_and_the_line_is_told() {
        let source = format!("{PLAIN}proptest! {{ #[test]\n fn law_3_x(a in 0..3) {{}} }}\n");
        assert_eq!(
            found(&page(str::to_owned), &source),
            [format!(
                "`law_3_x` is not listed; add to `Law 3` of {PAGE} the line\n    - Shown by: [law_3_x]({UP}{FILE})"
            )]
        );
        assert_eq!(section_of("invariant_x"), "the `Invariant …` it shows");
        assert_eq!(section_of("registry_2_x"), "`Registry rule 2`");
    }

    #[test]
    fn a_line_of_another_form_is_named() {
        for line in [
            "Shown by: [plain](../../crates/x/src/y.rs)",
            "- Shown by: plain",
            "- Shown by: [plain](crates/x/src/y.rs)",
        ] {
            let text = page(str::to_owned) + line + "\n";
            assert_eq!(
                found(&text, PLAIN),
                ["is not of the form `- Shown by: [TEST](../../FILE)`"]
            );
        }
        let stray = format!(
            "{}## Other\n\n- Shown by: [plain]({UP}{FILE})\n",
            page(str::to_owned)
        );
        assert_eq!(
            found(&stray, PLAIN),
            ["stands below no law, invariant or rule"]
        );
    }
}
