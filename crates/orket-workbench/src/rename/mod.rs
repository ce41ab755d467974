//! `rename OLD to NEW`: every identifier of that name in a scope, and nothing else unless it is asked for.

mod instruction;
mod source;

use crate::error::Error;
use crate::files::Files;
use crate::path::TouchPath;
use crate::plan::{Before, Change, Limits, Plan};
use crate::scope::Scope;
use crate::syntax::Language;
use crate::transaction::Workbench;

pub use instruction::Rename;
use source::{Place, Renamed};

/// Where else than in identifiers a name is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Also {
    /// In comments.
    pub comments: bool,
    /// In strings.
    pub strings: bool,
    /// As a key of JSON files.
    pub json_keys: bool,
}

/// What a refactoring would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refactoring {
    /// The touch set.
    pub plan: Plan,
    /// How many places change.
    pub places: usize,
    /// What was seen and left alone, for the person to know.
    pub advisories: Vec<String>,
}

/// How many places of a collision are named.
const SHOWN_PLACES: usize = 5;

/// Plans a renaming.
///
/// # Errors
///
/// When a name is no identifier of a language of the files, the old one is nowhere, the new one is there already, or a
/// file that would change cannot be parsed.
///
/// # Limitations
///
/// A name is its letters: the grammar tells names from text, it does not tell two things of the same name apart. Names
/// that are put together at run time, names in Rust's format strings (`"{name}"`) and in files of other languages are
/// not seen.
pub fn plan(
    workbench: &Workbench<'_>,
    files: &dyn Files,
    scope: &Scope,
    rename: &Rename,
    also: Also,
    limits: Limits,
) -> Result<Refactoring, Error> {
    let found = scope.find(workbench.root(), files)?;
    let snapshot = workbench.snapshot(limits);
    let mut changes = Vec::new();
    let mut collisions: Vec<Place> = Vec::new();
    let mut places = 0;
    let mut left = source::Left::default();
    for path in found.files {
        let Some(language) = language(&path, also) else {
            continue;
        };
        let full = path.under(workbench.root());
        let bytes = files.read(&full, limits.file_bytes);
        let bytes = bytes.map_err(|error| match error.kind() {
            std::io::ErrorKind::FileTooLarge => Error::LimitExceeded {
                what: format!("{path}: {error}"),
            },
            _ => Error::unreadable(path.as_str(), &error),
        })?;
        let Renamed {
            after,
            count,
            collisions: here,
            left: left_here,
        } = source::rename(&path, language, &bytes, rename, also)?;
        collisions.extend(here);
        left.add(&left_here);
        if count > 0 {
            // Only what has to change has to be a plain file with one name.
            let before = snapshot.read(&path)?;
            if before != Before::File(bytes) {
                return Err(Error::ChangedSincePlan {
                    path: path.to_string(),
                });
            }
            places += count;
            changes.push(Change {
                path,
                before,
                after,
            });
        }
    }
    if changes.is_empty() {
        return Err(Error::TouchsetEmpty {
            name: rename.old_name().to_owned(),
            hint: left.hint(),
        });
    }
    if !collisions.is_empty() {
        let shown: Vec<String> = collisions
            .iter()
            .take(SHOWN_PLACES)
            .map(Place::to_string)
            .collect();
        let more = collisions.len().saturating_sub(SHOWN_PLACES);
        let end = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        return Err(Error::NameCollision {
            name: rename.new_name().to_owned(),
            places: shown.join(", ") + &end,
        });
    }
    let mut advisories = left.advisories(rename.old_name());
    if !found.passed_over.is_empty() {
        advisories.push(format!(
            "{} links and special files were passed over",
            found.passed_over.len()
        ));
    }
    Ok(Refactoring {
        plan: Plan::new(changes, limits)?,
        places,
        advisories,
    })
}

fn language(path: &TouchPath, also: Also) -> Option<Language> {
    Language::of(path).filter(|language| *language != Language::Json || also.json_keys)
}
