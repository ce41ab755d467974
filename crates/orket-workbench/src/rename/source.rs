//! One file is renamed in, byte by byte: what is no name of the instruction stays what it is.

use std::fmt;

use super::{Also, Rename};
use crate::error::Error;
use crate::path::TouchPath;
use crate::syntax::{Language, Parsed, RegionKind};

/// What a renaming makes of one file.
pub(super) struct Renamed {
    pub(super) after: Vec<u8>,
    pub(super) count: usize,
    pub(super) collisions: Vec<Place>,
    pub(super) left: Left,
}

/// A place in a file.
pub(super) struct Place {
    path: String,
    line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.path, self.line)
    }
}

/// How often the old name stands where it is left alone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Left {
    comments: usize,
    strings: usize,
}

impl Left {
    pub(super) fn add(&mut self, other: &Left) {
        self.comments += other.comments;
        self.strings += other.strings;
    }

    pub(super) fn advisories(&self, name: &str) -> Vec<String> {
        let of = |count: usize, what: &str, flag: &str| {
            (count > 0).then(|| {
                format!("{name} stays in {count} places in {what} ({flag} changes them too)")
            })
        };
        let comments = of(self.comments, "comments", "--comments");
        comments
            .into_iter()
            .chain(of(self.strings, "strings", "--strings"))
            .collect()
    }

    pub(super) fn hint(&self) -> String {
        match (self.comments, self.strings) {
            (0, 0) => String::new(),
            (comments, strings) => format!(
                "; it stands in {comments} places in comments and {strings} in strings (--comments, --strings)"
            ),
        }
    }
}

/// Renames in one file.
pub(super) fn rename(
    path: &TouchPath,
    language: Language,
    source: &[u8],
    rename: &Rename,
    also: Also,
) -> Result<Renamed, Error> {
    let mut renamed = Renamed {
        after: Vec::new(),
        count: 0,
        collisions: Vec::new(),
        left: Left::default(),
    };
    let (old, new) = (rename.old_name().as_bytes(), rename.new_name().as_bytes());
    // Most files hold neither name and need no grammar.
    if find(source, old, 0).is_none() && find(source, new, 0).is_none() {
        return Ok(renamed);
    }
    let unreadable = |line: usize| Error::SourceUnreadable {
        path: path.to_string(),
        line,
        language: language.to_string(),
    };
    if std::str::from_utf8(source).is_err() {
        return Err(unreadable(1));
    }
    let parsed = Parsed::new(language, source).ok_or_else(|| unreadable(1))?;
    if let Some(line) = parsed.fault() {
        return Err(unreadable(line));
    }
    let mut at = 0;
    let mut identifiers = 0;
    for region in parsed.regions() {
        let text = source.get(region.bytes.clone()).unwrap_or_default();
        let (is_wanted, is_whole) = match region.kind {
            RegionKind::Identifier | RegionKind::Key => (true, true),
            RegionKind::Comment => (also.comments, false),
            RegionKind::Text => (also.strings, false),
        };
        let olds = occurrences(text, old, is_whole);
        if !is_wanted {
            match region.kind {
                RegionKind::Comment => renamed.left.comments += olds.len(),
                _ => renamed.left.strings += olds.len(),
            }
            continue;
        }
        let start = region.bytes.start;
        for offset in occurrences(text, new, is_whole) {
            renamed.collisions.push(Place {
                path: path.to_string(),
                line: line(source, start + offset),
            });
        }
        for offset in olds {
            let begin = start + offset;
            renamed
                .after
                .extend_from_slice(source.get(at..begin).unwrap_or_default());
            renamed.after.extend_from_slice(new);
            at = begin + old.len();
            renamed.count += 1;
            identifiers += usize::from(is_whole);
        }
    }
    renamed
        .after
        .extend_from_slice(source.get(at..).unwrap_or_default());
    if renamed.count > 0 && renamed.collisions.is_empty() {
        for name in [rename.old_name(), rename.new_name()] {
            if let Some(reason) = language.objection(name) {
                return Err(Error::IdentifierInvalid {
                    name: name.to_owned(),
                    language: language.to_string(),
                    reason,
                });
            }
        }
        // A word of the language that the list does not know would show here.
        let again = Parsed::new(language, &renamed.after).ok_or_else(|| unreadable(1))?;
        let names = |name: &[u8]| {
            let regions = again
                .regions()
                .into_iter()
                .filter(|region| matches!(region.kind, RegionKind::Identifier | RegionKind::Key));
            let texts = regions.filter(|it| renamed.after.get(it.bytes.clone()) == Some(name));
            texts.count()
        };
        if again.fault().is_some() || names(new) != identifiers || names(old) != 0 {
            return Err(Error::IdentifierInvalid {
                name: rename.new_name().to_owned(),
                language: language.to_string(),
                reason: format!("{path} would no longer be understood"),
            });
        }
    }
    Ok(renamed)
}

/// Finds a name in a region: the region itself, or whole words in it.
fn occurrences(text: &[u8], name: &[u8], is_whole: bool) -> Vec<usize> {
    if is_whole {
        return if text == name { vec![0] } else { Vec::new() };
    }
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find(text, name, from) {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + name.len()..).unwrap_or_default();
        let is_word = !last_character(before).is_some_and(continues)
            && !first_character(after).is_some_and(continues);
        if is_word {
            found.push(at);
            from = at + name.len();
        } else {
            from = at + 1;
        }
    }
    found
}

fn find(text: &[u8], name: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let at = rest.windows(name.len().max(1)).position(|it| it == name)?;
    Some(from + at)
}

fn continues(character: char) -> bool {
    character == '_' || character == '$' || character.is_alphanumeric()
}

/// Sources are UTF-8, which was checked; a region begins and ends between characters.
fn last_character(bytes: &[u8]) -> Option<char> {
    std::str::from_utf8(bytes).ok()?.chars().next_back()
}

fn first_character(bytes: &[u8]) -> Option<char> {
    std::str::from_utf8(bytes).ok()?.chars().next()
}

fn line(source: &[u8], at: usize) -> usize {
    let before = source.get(..at).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
