//! The filesystem spaces: which place of the project a path of a tool call names, and whether it may be touched.

use std::collections::BTreeSet;

use orket_ports::{Refusal, TurnScope};

use crate::path::{Directory, Kind, PathError, RelativePath};

/// The directory below which agents write.
pub const OUTPUT: &str = "agent_output";

/// Names that no agent reads or writes, at any depth, whether they exist or not.
const PROTECTED: &[&str] = &[".env", ".git", ".orket"];

/// What runs leave behind for people: it names runs, and it holds what other roles were asked.
const OBSERVED: &str = "workspace";

/// A readable place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `agent_output/` itself.
    Output,
    /// An artefact, by its path below `agent_output/`; it is read from the index, never from the directory.
    Artifact(RelativePath),
    /// A file of the work domain.
    Domain(RelativePath),
}

/// The spaces of one project.
pub struct Spaces {
    project: Directory,
    home: Option<RelativePath>,
}

impl Spaces {
    /// Makes the spaces of a project. `home` is where the database lies, if that is inside the project.
    pub fn new(project: Directory, home: Option<RelativePath>) -> Spaces {
        Spaces { project, home }
    }

    /// Says which place `path` names.
    pub(crate) fn readable(&self, path: &str) -> Result<Place, Refusal> {
        let path = parse(path)?;
        if path.as_str() == OUTPUT {
            return Ok(Place::Output);
        }
        if let Some(below) = below_output(&path) {
            return Ok(Place::Artifact(below));
        }
        let is_home = self
            .home
            .as_ref()
            .is_some_and(|home| path.starts_with(home));
        if is_home || path.components().next() == Some(OBSERVED) {
            let message = format!("{path} cannot be read: it belongs to Orket itself");
            return Err(Refusal::forbidden("protected_path", message));
        }
        Ok(Place::Domain(path))
    }

    /// Reads a file of the work domain; `None` if there is none.
    pub(crate) fn read(
        &self,
        path: &RelativePath,
        limit_bytes: u64,
    ) -> Result<Option<Vec<u8>>, PathError> {
        match self.project.read(path, limit_bytes) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists a directory of the work domain; `None` if there is none.
    pub(crate) fn list(&self, path: &RelativePath) -> Result<Option<BTreeSet<String>>, PathError> {
        match self.project.list(Some(path)) {
            Ok(entries) => Ok(Some(
                entries
                    .into_iter()
                    .filter(|entry| !is_protected(&entry.name))
                    .map(|entry| match entry.kind {
                        Kind::Directory => format!("{}/", entry.name),
                        _ => entry.name,
                    })
                    .collect(),
            )),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Refuses what the policy of the run does not let agents read.
pub(crate) fn check_domain(scope: &dyn TurnScope, path: &RelativePath) -> Result<(), Refusal> {
    if scope.domain_is_readable() {
        return Ok(());
    }
    let message = format!("{path} cannot be read: the policy lets agents read agent_output/ only");
    Err(Refusal::forbidden("outside_read_scope", message))
}

/// Says in a few words why a file of the domain could not be read. The words name no place of this machine: they are
/// told to the model and are part of the record.
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
    let parsed = parse(path)?;
    below_output(&parsed).ok_or_else(|| {
        let message = format!("{parsed} cannot be written: agents write below agent_output/ only");
        Refusal::forbidden("outside_write_scope", message)
    })
}

fn parse(path: &str) -> Result<RelativePath, Refusal> {
    let parsed: RelativePath = path
        .parse()
        .map_err(|error: crate::path::RelativePathError| {
            Refusal::forbidden("path", error.to_string())
        })?;
    if let Some(component) = parsed
        .components()
        .find(|component| is_protected(component))
    {
        let message =
            format!("{parsed} cannot be used: {component} belongs to the project's owner");
        return Err(Refusal::forbidden("protected_path", message));
    }
    Ok(parsed)
}

pub(crate) fn is_protected(component: &str) -> bool {
    PROTECTED
        .iter()
        .any(|name| name.eq_ignore_ascii_case(component))
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
        let project = tempfile::tempdir().unwrap();
        let spaces = Spaces::new(Directory::open(project.path()).unwrap(), None);
        for path in [
            ".env",
            ".orket/durable/db/orket_persistence.db",
            "a/.git/config",
            "../x",
        ] {
            assert!(spaces.readable(path).is_err(), "{path}");
        }
        assert!(matches!(
            spaces.readable("src/main.rs"),
            Ok(Place::Domain(_))
        ));
        let home = Some("state".parse().unwrap());
        let moved = Spaces::new(Directory::open(project.path()).unwrap(), home);
        for path in ["state/durable/db/x", "state", "workspace/default/orket.log"] {
            assert_eq!(
                moved.readable(path).unwrap_err().reason,
                "protected_path",
                "{path}"
            );
        }
        assert!(matches!(moved.readable("stateful/a"), Ok(Place::Domain(_))));
        assert!(matches!(
            moved.readable("agent_output/a"),
            Ok(Place::Artifact(_))
        ));
    }
}
