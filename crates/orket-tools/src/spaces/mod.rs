//! The filesystem spaces: which place a path of a tool call names, and whether it may be touched.
//!
//! `docs/spaces.md` says it for people. A path is one of the work domain (`src/main.rs`), of what agents write
//! (`agent_output/notes.md`), of a reference space (`docs:guide.md`) or of the directory that Orket was launched from
//! (`launch:notes.txt`). What a path names depends on its text alone, and what may be read on the policy that the run
//! began with, so that a replay decides the same.

mod control;
mod ground;
mod place;

use std::collections::{BTreeMap, BTreeSet};

use orket_ports::Refusal;

use crate::path::{Directory, Kind, PathError, RelativePath};
pub(crate) use control::is_control_name;
use control::is_within;
pub use ground::{Ground, SpaceError};
pub use place::{InvalidSpaceName, SpaceName};
pub(crate) use place::{Location, Place};
use place::{Space, is_left_out_of_launch, parse};

/// The directory below which agents write.
pub const OUTPUT: &str = "agent_output";

/// What runs leave behind for people: it names runs, and it holds what other roles were asked.
const OBSERVED: &str = "workspace";

/// The spaces of one project.
pub struct Spaces {
    project: Directory,
    home: Option<RelativePath>,
    references: BTreeMap<SpaceName, Directory>,
    launch: Option<Directory>,
}

impl Spaces {
    /// Makes the spaces of a project. `home` is where the database lies, if that is inside the project.
    pub fn new(project: Directory, home: Option<RelativePath>) -> Spaces {
        Spaces {
            project,
            home,
            references: BTreeMap::new(),
            launch: None,
        }
    }

    /// Adds a reference space; [`Ground::reference`] opens one.
    #[must_use]
    pub fn with_reference(mut self, name: SpaceName, directory: Directory) -> Spaces {
        self.references.insert(name, directory);
        self
    }

    /// Sets the directory that Orket was launched from; [`Ground::launch`] opens it.
    #[must_use]
    pub fn with_launch(mut self, directory: Directory) -> Spaces {
        self.launch = Some(directory);
        self
    }

    /// Says which place `path` names.
    pub(crate) fn readable(&self, path: &str) -> Result<Place, Refusal> {
        let place = parse(path)?;
        if let Place::Disk(Location {
            space: Space::Domain,
            below: Some(below),
        }) = &place
            && self.is_private(below)
        {
            let message = format!("{below} cannot be read: it belongs to Orket itself");
            return Err(Refusal::forbidden("protected_path", message));
        }
        Ok(place)
    }

    fn is_private(&self, path: &RelativePath) -> bool {
        let observed = OBSERVED.parse().ok();
        let private = self.home.iter().chain(&observed);
        private
            .into_iter()
            .any(|directory| is_within(path, directory))
    }

    /// Reads a file; `None` if there is none.
    pub(crate) fn read(
        &self,
        at: &Location,
        limit_bytes: u64,
    ) -> Result<Option<Vec<u8>>, PathError> {
        let Some(directory) = self.directory(at) else {
            return Ok(None);
        };
        let Some(below) = &at.below else {
            return Err(PathError::WrongKind {
                path: at.to_string().into(),
                tried: "read",
                found: Kind::Directory,
            });
        };
        found(directory.read(below, limit_bytes))
    }

    /// Lists a directory; `None` if there is none. Control files are left out.
    pub(crate) fn list(&self, at: &Location) -> Result<Option<BTreeSet<String>>, PathError> {
        // Nothing below the launch directory is readable, its directories included.
        let Some(directory) = self
            .directory(at)
            .filter(|_| at.space != Space::Launch || at.below.is_none())
        else {
            return Ok(None);
        };
        let is_left_out = |name: &str| {
            is_control_name(name) || (at.space == Space::Launch && is_left_out_of_launch(name))
        };
        let listed = found(directory.list(at.below.as_ref()))?;
        Ok(listed.map(|entries| {
            entries
                .into_iter()
                .filter(|entry| !is_left_out(&entry.name))
                .map(|entry| match entry.kind {
                    Kind::Directory => format!("{}/", entry.name),
                    _ => entry.name,
                })
                .collect()
        }))
    }

    fn directory(&self, at: &Location) -> Option<&Directory> {
        match &at.space {
            Space::Domain => Some(&self.project),
            Space::Reference(name) => self.references.get(name),
            Space::Launch => self.launch.as_ref(),
        }
    }
}

fn found<T>(result: Result<T, PathError>) -> Result<Option<T>, PathError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says in a few words why a file could not be read. The words name no place of this machine: they are told to the model
/// and are part of the record.
pub(crate) fn why(error: &PathError) -> &'static str {
    match error {
        PathError::NotFound { .. } => "it does not exist",
        PathError::Link { .. } => "it is a symbolic link or leads through one",
        PathError::Elsewhere { .. } => "it leads elsewhere",
        PathError::WrongKind { .. } => "it is not of the kind that is asked for",
        PathError::HardLink { .. } => "it has more than one hard link",
        PathError::NotADirectory { .. } => "a part of it is not a directory",
        PathError::TooLarge { .. } => "it is too large",
        PathError::TooMany { .. } => "it holds too many entries",
        _ => "the system refuses",
    }
}

/// Says which artefact may be written at `path`.
pub(crate) fn writable(path: &str) -> Result<RelativePath, Refusal> {
    let refused = match parse(path)? {
        Place::Artifact(below) => return Ok(below),
        Place::Output => OUTPUT.to_owned(),
        Place::Disk(location) => location.to_string(),
    };
    let message = format!("{refused} cannot be written: agents write below agent_output/ only");
    Err(Refusal::forbidden("outside_write_scope", message))
}

fn below_output(path: &RelativePath) -> Option<RelativePath> {
    path.as_str()
        .strip_prefix(OUTPUT)?
        .strip_prefix('/')?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spaces(home: &str) -> (tempfile::TempDir, Spaces) {
        let project = tempfile::tempdir().unwrap();
        let spaces = Spaces::new(Directory::open(project.path()).unwrap(), home.parse().ok());
        (project, spaces)
    }

    #[test]
    fn agents_write_below_agent_output_and_nowhere_else() {
        assert_eq!(
            writable("agent_output/lib/a.sh").unwrap().as_str(),
            "lib/a.sh"
        );
        for (path, reason) in [
            ("verification/fix.sh", "outside_write_scope"),
            ("agent_output", "outside_write_scope"),
            ("agent_output_2/a", "outside_write_scope"),
            ("agent_outputa", "outside_write_scope"),
            ("orket.toml", "outside_write_scope"),
            ("docs:a.md", "outside_write_scope"),
            ("launch:a.md", "outside_write_scope"),
            ("agent_output/../verification/fix.sh", "path"),
            ("/etc/passwd", "path"),
            ("agent_output/.git/hooks/pre-commit", "protected_path"),
            ("agent_output/.ORKET/x", "protected_path"),
            (".env", "protected_path"),
        ] {
            assert_eq!(writable(path).unwrap_err().reason, reason, "{path}");
        }
    }

    #[test]
    fn secrets_and_the_store_are_never_readable() {
        let (_project, spaces) = spaces("state");
        for (path, reason) in [
            (".env", "protected_path"),
            ("a/.git/config", "protected_path"),
            ("docs:a/.env", "protected_path"),
            ("launch:.env", "protected_path"),
            ("state/durable/db/x", "protected_path"),
            ("State", "protected_path"),
            ("workspace/default/orket.log", "protected_path"),
            ("WORKSPACE/default/orket.log", "protected_path"),
            ("../x", "path"),
            ("docs:../x", "path"),
            ("docs:/etc/passwd", "path"),
            ("C:/x", "path"),
            ("launch:.netrc", "outside_read_scope"),
            ("launch:src/main.rs", "outside_read_scope"),
        ] {
            assert_eq!(spaces.readable(path).unwrap_err().reason, reason, "{path}");
        }
    }

    #[test]
    fn a_path_names_one_place() {
        let (_project, spaces) = spaces("state");
        assert_eq!(spaces.readable("agent_output"), Ok(Place::Output));
        assert_eq!(
            spaces.readable("agent_output/a"),
            Ok(Place::Artifact("a".parse().unwrap()))
        );
        for (path, space) in [
            ("stateful/a", Space::Domain),
            ("src/main.rs", Space::Domain),
            ("docs:guide/a.md", Space::Reference("docs".parse().unwrap())),
            ("docs:", Space::Reference("docs".parse().unwrap())),
            ("launch:a.md", Space::Launch),
            ("launch:", Space::Launch),
        ] {
            let Ok(Place::Disk(location)) = spaces.readable(path) else {
                panic!("{path}");
            };
            assert_eq!(
                (&location.space, location.to_string().as_str()),
                (&space, path)
            );
        }
    }
}
