//! A file that gathers the routes gets the lines that it lacks, where its grammar says that they belong.

use std::collections::BTreeMap;
use std::ops::Range;

use super::adapter::{Adapter, Insertion};
use crate::error::Error;
use crate::path::TouchPath;
use crate::syntax::{Language, Parsed, RegionKind};

/// Returns the file with every text of the adapter in it.
pub(super) fn insert(
    adapter: &Adapter,
    path: &TouchPath,
    source: &[u8],
    names: &BTreeMap<String, String>,
) -> Result<Vec<u8>, Error> {
    let mut bytes = source.to_vec();
    for insertion in adapter.insert.iter().filter(|it| it.file == path.as_str()) {
        let parsed = parse(path, &bytes)?;
        let text = adapter.fill(&insertion.text, names)?;
        let mut present = vec![text.clone()];
        for other in &insertion.also_present {
            present.push(adapter.fill(other, names)?);
        }
        if is_present(&present, insertion, &parsed, &bytes) {
            continue;
        }
        let (at, text) = place(insertion, &parsed, &bytes, &text).ok_or_else(|| {
            adapter.unsupported(format!(
                "{path} has no place for `{}`: {}",
                text.trim(),
                wanted(insertion)
            ))
        })?;
        bytes.splice(at..at, text.into_bytes());
    }
    // What does not fit shows in the grammar.
    parse(path, &bytes)?;
    Ok(bytes)
}

fn parse(path: &TouchPath, bytes: &[u8]) -> Result<Parsed, Error> {
    let language = Language::of(path).unwrap_or(Language::JavaScript);
    let unreadable = |line| Error::SourceUnreadable {
        path: path.to_string(),
        line,
        language: language.to_string(),
    };
    if std::str::from_utf8(bytes).is_err() {
        return Err(unreadable(1));
    }
    let parsed = Parsed::new(language, bytes).ok_or_else(|| unreadable(1))?;
    match parsed.fault() {
        None => Ok(parsed),
        Some(line) => Err(unreadable(line)),
    }
}

fn is_present(texts: &[String], insertion: &Insertion, parsed: &Parsed, source: &[u8]) -> bool {
    let trimmed = texts.iter().map(|text| text.trim());
    if insertion.after_node.is_some() {
        return trimmed
            .into_iter()
            .any(|text| stands_in_code(text, parsed, source));
    }
    let statements: Vec<&[u8]> = parsed
        .statements()
        .into_iter()
        .filter_map(|range| source.get(range))
        .collect();
    trimmed.into_iter().any(|text| {
        statements
            .iter()
            .any(|it| it.trim_ascii() == text.as_bytes())
    })
}

/// Tells whether a text stands somewhere besides in comments and strings.
fn stands_in_code(text: &str, parsed: &Parsed, source: &[u8]) -> bool {
    let regions = parsed.regions();
    let is_code = |at: usize| {
        !regions.iter().any(|region| {
            region.bytes.contains(&at)
                && matches!(region.kind, RegionKind::Comment | RegionKind::Text)
        })
    };
    let mut places = source
        .windows(text.len().max(1))
        .enumerate()
        .filter(|(_, it)| *it == text.as_bytes());
    places.any(|(at, _)| is_code(at))
}

/// Returns where a text goes, and the text as it goes there.
fn place(
    insertion: &Insertion,
    parsed: &Parsed,
    source: &[u8],
    text: &str,
) -> Option<(usize, String)> {
    let end = line_end(source);
    if let Some(node) = &insertion.after_node {
        let found = parsed.node(&node.kind, &node.text, source)?;
        return Some((found.end, text.replace('\n', end)));
    }
    let statements = parsed.statements();
    let begins = |range: &Range<usize>, patterns: &[String]| {
        let statement = source.get(range.clone()).unwrap_or_default();
        let statement = String::from_utf8_lossy(statement);
        patterns.iter().any(|pattern| matches(&statement, pattern))
    };
    if !insertion.before_first.is_empty() {
        let first = statements
            .iter()
            .find(|it| begins(it, &insertion.before_first))?;
        let before = source.get(..first.start)?;
        let line = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        // What stands before it on its line stays before it.
        let is_alone = source.get(line..first.start)?.trim_ascii().is_empty();
        let at = if is_alone { line } else { first.start };
        return Some((at, format!("{text}{end}")));
    }
    let last = statements
        .iter()
        .rev()
        .find(|it| begins(it, &insertion.after_last))?;
    let rest = source.get(last.end..)?;
    match rest.iter().position(|byte| *byte == b'\n') {
        Some(at) => Some((last.end + at + 1, format!("{text}{end}"))),
        None => Some((source.len(), format!("{end}{text}{end}"))),
    }
}

fn wanted(insertion: &Insertion) -> String {
    let quoted = |patterns: &[String]| {
        let quoted: Vec<String> = patterns.iter().map(|it| format!("`{it}`")).collect();
        quoted.join(" or ")
    };
    match &insertion.after_node {
        Some(node) => format!("it goes behind `{}`", node.text),
        None if insertion.before_first.is_empty() => {
            format!(
                "it goes behind a statement that begins with {}",
                quoted(&insertion.after_last)
            )
        }
        None => format!(
            "it goes before a statement that begins with {}",
            quoted(&insertion.before_first)
        ),
    }
}

/// Tells whether a statement begins as a pattern says, on its first line; `*` stands for anything.
fn matches(statement: &str, pattern: &str) -> bool {
    let line = statement.lines().next().unwrap_or_default();
    match pattern.split_once('*') {
        None => line.starts_with(pattern),
        Some((begin, rest)) => line
            .strip_prefix(begin)
            .is_some_and(|after| after.contains(rest)),
    }
}

/// Returns the line end that a file uses most.
pub(super) fn line_end(bytes: &[u8]) -> &'static str {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    let returns = bytes.windows(2).filter(|it| *it == b"\r\n").count();
    if returns * 2 > lines { "\r\n" } else { "\n" }
}
