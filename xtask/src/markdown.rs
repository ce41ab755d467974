//! The little of Markdown that the document checks ask about: links, headings, table rows, list items.

/// A line with its number, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
}

/// A link and the line it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) target: String,
    pub(crate) line: usize,
}

/// The lines outside fenced code blocks.
pub(crate) fn prose(text: &str) -> Vec<Line<'_>> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => lines.push(Line {
                number: index + 1,
                text: line,
            }),
            (Some(_), _) => {}
        }
    }
    lines
}

/// Every link: `[text](target)`, `![text](target)` and `[name]: target`; those inside code are none.
pub(crate) fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for line in prose(text) {
        let visible = without_code(line.text);
        if let Some(target) = definition(&visible) {
            links.push(Link {
                target,
                line: line.number,
            });
        }
        let mut rest = visible.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let target = after.split(')').next().unwrap_or_default();
            // A title may follow the target: `(page.md "title")`.
            let target = target.split_whitespace().next().unwrap_or_default();
            links.push(Link {
                target: target.trim_matches(['<', '>']).to_owned(),
                line: line.number,
            });
            rest = after;
        }
    }
    links
}

/// The anchors of the headings, as forges make them: lower case, punctuation dropped, blanks as hyphens, repeats numbered.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut slugs: Vec<String> = Vec::new();
    let mut anchors = Vec::new();
    for line in prose(text) {
        let Some(heading) = heading(line.text) else {
            continue;
        };
        let slug: String = heading
            .chars()
            .filter(|&c| c == ' ' || c == '-' || c == '_' || c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let earlier = slugs.iter().filter(|&it| *it == slug).count();
        anchors.push(if earlier == 0 {
            slug.clone()
        } else {
            format!("{slug}-{earlier}")
        });
        slugs.push(slug);
    }
    anchors
}

/// The text of a heading line.
pub(crate) fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    (text.len() < line.len())
        .then(|| text.strip_prefix(' '))
        .flatten()
        .map(str::trim)
}

/// The lines below the heading `title`, down to the next heading of any level.
pub(crate) fn section<'a>(text: &'a str, title: &str) -> Option<Vec<Line<'a>>> {
    let mut lines = prose(text)
        .into_iter()
        .skip_while(|line| heading(line.text) != Some(title));
    lines.next()?;
    Some(
        lines
            .take_while(|line| heading(line.text).is_none())
            .collect(),
    )
}

/// The list items of a section, each with its continuation lines joined.
pub(crate) fn items(lines: &[Line<'_>]) -> Vec<(usize, String)> {
    let mut items: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for line in lines {
        if let Some(start) = line.text.strip_prefix("- ") {
            items.push((line.number, start.trim().to_owned()));
            inside = true;
        } else if line.text.trim().is_empty() {
            inside = false;
        } else if let (true, Some((_, item))) = (inside, items.last_mut()) {
            item.push(' ');
            item.push_str(line.text.trim());
        }
    }
    items
}

/// The rows of all tables whose first cell is a name in code marks: line number and cells.
pub(crate) fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let rows = prose(text)
        .into_iter()
        .filter(|line| line.text.starts_with("| `"));
    rows.map(|line| {
        let cells = line.text.trim().trim_matches('|').split('|');
        (
            line.number,
            cells.map(|cell| cell.trim().to_owned()).collect(),
        )
    })
    .collect()
}

/// What stands in code marks, in order.
pub(crate) fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn definition(line: &str) -> Option<String> {
    let (name, target) = line.strip_prefix('[')?.split_once("]: ")?;
    let target = target.split_whitespace().next()?;
    (!name.starts_with('^')).then(|| target.to_owned())
}

fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("code")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_outside_code_are_found_with_their_line() {
        let text = "[a](b.md) ![c](d.png \"t\")\n```\n[no](no.md)\n```\n`[no](no.md)` and [e]: no\n[f]: g.md\n[^1]: note\n";
        let found: Vec<(String, usize)> = links(text)
            .into_iter()
            .map(|it| (it.target, it.line))
            .collect();
        let expected = [("b.md", 1), ("d.png", 1), ("g.md", 6)];
        assert_eq!(
            found,
            expected.map(|(target, line)| (target.to_owned(), line))
        );
    }

    #[test]
    fn anchors_are_those_of_forges() {
        let text = "# One `turn`, end to end\n## Why?\n## Why?\n```\n# no\n```\n";
        assert_eq!(anchors(text), ["one-turn-end-to-end", "why", "why-1"]);
    }

    #[test]
    fn a_section_ends_at_the_next_heading_and_items_join_their_lines() {
        let text = "# A\n- no\n## B\nIntro.\n\n- one\n  more\n- two\n\nOutro.\n## C\n- no\n";
        let lines = section(text, "B").unwrap();
        assert_eq!(
            items(&lines),
            [(6, "one more".to_owned()), (8, "two".to_owned())]
        );
        assert_eq!(section(text, "D"), None);
    }

    #[test]
    fn rows_are_those_that_begin_with_a_name() {
        let text = "| Name | Why |\n|---|---|\n| `serde` | wire |\n";
        assert_eq!(
            rows(text),
            [(3, vec!["`serde`".to_owned(), "wire".to_owned()])]
        );
        assert_eq!(code_spans("`a`, `b` (tests)"), ["a", "b"]);
    }
}
