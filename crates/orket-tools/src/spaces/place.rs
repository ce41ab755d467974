//! What the path of a tool call names: a pure function of its text.

use std::fmt;
use std::str::FromStr;

use orket_ports::{ReadSpace, Refusal, TurnScope};

use super::control::control_name;
use super::{OUTPUT, below_output};
use crate::path::RelativePath;

/// The name of the directory that Orket was launched from.
const LAUNCH: &str = "launch";

/// The longest name of a space.
const NAME_MAX_BYTES: usize = 32;

/// A place that a tool may be asked to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `agent_output/` itself.
    Output,
    /// An artefact, by its path below `agent_output/`; it is read from the index, never from the directory.
    Artifact(RelativePath),
    /// A place outside of `agent_output/`, which is read from the disk.
    Disk(Location),
}

/// A place in a space that is read from the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(super) space: Space,
    /// The path in the space; `None` is the space itself.
    pub(super) below: Option<RelativePath>,
}

/// A space that is read from the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Domain,
    Reference(SpaceName),
    Launch,
}

/// The name of a reference space: 2 to 32 of the characters `a` to `z`, `0` to `9`, `_` and `-`, beginning with a letter.
/// A path in the space is written `NAME:PATH`; no file of the project can have such a path, and no drive of Windows has
/// such a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpaceName(String);

/// Says that a text is no [`SpaceName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a reference space cannot be named {name:?}: 2 to {NAME_MAX_BYTES} of a-z, 0-9, _ and -, beginning with a letter, and not launch"
)]
pub struct InvalidSpaceName {
    name: String,
}

impl FromStr for SpaceName {
    type Err = InvalidSpaceName;

    fn from_str(text: &str) -> Result<SpaceName, InvalidSpaceName> {
        if is_name(text) && text != LAUNCH {
            return Ok(SpaceName(text.to_owned()));
        }
        Err(InvalidSpaceName {
            name: text.to_owned(),
        })
    }
}

impl SpaceName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Location {
    /// Refuses what the policy of the run does not let agents read. What lies directly in the launch directory always is.
    pub(crate) fn check(&self, scope: &dyn TurnScope) -> Result<(), Refusal> {
        let needed = match self.space {
            Space::Domain => ReadSpace::Domain,
            Space::Reference(_) => ReadSpace::Reference,
            Space::Launch => return Ok(()),
        };
        if scope.space_policy().reads(needed) {
            return Ok(());
        }
        let place = match needed {
            ReadSpace::Reference => "reference spaces",
            _ => "the project outside of agent_output/",
        };
        let message = format!("{self} cannot be read: the policy does not let agents read {place}");
        Err(Refusal::forbidden("outside_read_scope", message))
    }
}

impl Location {
    /// Returns the path of an entry of this directory, as a tool call names it.
    pub(crate) fn entry(&self, name: &str) -> String {
        match self.below {
            Some(_) => format!("{self}/{name}"),
            None => format!("{self}{name}"),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.space {
            Space::Domain => {}
            Space::Reference(name) => write!(formatter, "{}:", name.0)?,
            Space::Launch => write!(formatter, "{LAUNCH}:")?,
        }
        self.below.iter().try_for_each(|below| below.fmt(formatter))
    }
}

/// Says what a path of a tool call names.
pub(super) fn parse(text: &str) -> Result<Place, Refusal> {
    if let Some((name, below)) = text.split_once(':').filter(|(name, _)| is_name(name)) {
        let below = match below {
            "" => None,
            below => Some(relative(below)?),
        };
        let space = match name {
            LAUNCH => Space::Launch,
            name => Space::Reference(SpaceName(name.to_owned())),
        };
        let location = Location { space, below };
        check_launch(&location)?;
        return Ok(Place::Disk(location));
    }
    let path = relative(text)?;
    if path.as_str() == OUTPUT {
        return Ok(Place::Output);
    }
    Ok(match below_output(&path) {
        Some(below) => Place::Artifact(below),
        None => Place::Disk(Location {
            space: Space::Domain,
            below: Some(path),
        }),
    })
}

/// Of the launch directory, only what lies directly in it is read, and nothing whose name begins with a dot: it may be
/// a home directory, whose dot files hold what programs keep for themselves.
fn check_launch(location: &Location) -> Result<(), Refusal> {
    let Some(below) = location
        .below
        .as_ref()
        .filter(|_| location.space == Space::Launch)
    else {
        return Ok(());
    };
    let rule = if below.components().nth(1).is_some() {
        "only what lies directly in the launch directory is readable"
    } else if is_left_out_of_launch(below.as_str()) {
        "names that begin with a dot are not readable in the launch directory"
    } else {
        return Ok(());
    };
    let message = format!("{location} cannot be read: {rule}");
    Err(Refusal::forbidden("outside_read_scope", message))
}

pub(super) fn is_left_out_of_launch(name: &str) -> bool {
    name.starts_with('.')
}

fn relative(text: &str) -> Result<RelativePath, Refusal> {
    let parsed: RelativePath = text
        .parse()
        .map_err(|error: crate::path::RelativePathError| {
            Refusal::forbidden("path", error.to_string())
        })?;
    if let Some(component) = control_name(&parsed) {
        let message =
            format!("{parsed} cannot be used: {component} belongs to the project's owner");
        return Err(Refusal::forbidden("protected_path", message));
    }
    Ok(parsed)
}

fn is_name(text: &str) -> bool {
    (2..=NAME_MAX_BYTES).contains(&text.len())
        && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_has_a_name_that_is_no_drive_and_no_path() {
        for name in ["docs", "ab", "a1", "my_docs-2", &"x".repeat(32)] {
            assert!(name.parse::<SpaceName>().is_ok(), "{name}");
        }
        for name in [
            "",
            "c",
            "C",
            "Docs",
            "1a",
            "-a",
            "_a",
            "a b",
            "a/b",
            "a.b",
            "launch",
            "é1",
            &"x".repeat(33),
        ] {
            assert!(name.parse::<SpaceName>().is_err(), "{name}");
        }
    }
}
