//! Where the spaces of a project lie on this machine: what is declared in `orket.toml` is checked before it is opened.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::control::{is_control_name, is_within};
use super::{OBSERVED, OUTPUT, SpaceName};
use crate::path::{Directory, PathError, RelativePath};

/// A project and the directory of its database, by their real places: no part of them is a link.
#[derive(Clone, Debug)]
pub struct Ground {
    project: PathBuf,
    home: PathBuf,
    home_below: Option<RelativePath>,
}

/// Says why a space cannot lie where it is declared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceError {
    /// It cannot be opened.
    #[error("{what}: {} cannot be opened", path.display())]
    Unreachable {
        /// Which space.
        what: String,
        /// The place.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot be used as a directory.
    #[error("{what}: {source}")]
    Directory {
        /// Which space.
        what: String,
        /// Why not.
        source: PathError,
    },
    /// It lies where agents would reach what is not theirs.
    #[error("{what} cannot be {}: {rule}", path.display())]
    Misplaced {
        /// Which space.
        what: String,
        /// The place.
        path: PathBuf,
        /// The rule that it breaks.
        rule: &'static str,
    },
}

impl Ground {
    /// Finds the real places of a project and of its home, which need not exist yet.
    ///
    /// # Errors
    ///
    /// When the project cannot be found, or its home lies where agents would read or write the database.
    pub fn new(project: &Path, home: &Path) -> Result<Ground, SpaceError> {
        let what = || "the project".to_owned();
        let project = real(project).map_err(|source| unreachable(what(), project, source))?;
        let what = || "ORKET_HOME".to_owned();
        let home = planned(home).map_err(|source| unreachable(what(), home, source))?;
        let home_below = match home.strip_prefix(&project) {
            Err(_) => None,
            Ok(below) => Some(home_below(below).map_err(|rule| SpaceError::Misplaced {
                what: what(),
                path: home.clone(),
                rule,
            })?),
        };
        Ok(Ground {
            project,
            home,
            home_below,
        })
    }

    /// Returns where the home lies below the project, if it does.
    pub fn home_below(&self) -> Option<&RelativePath> {
        self.home_below.as_ref()
    }

    /// Opens a reference space. A path that is not absolute begins at the project.
    ///
    /// # Errors
    ///
    /// When there is no such directory, or agents would reach through it what they may not read by its own name: the
    /// project as a whole, what they wrote, what runs leave behind, the database, a control file.
    pub fn reference(&self, name: &SpaceName, path: &Path) -> Result<Directory, SpaceError> {
        let what = format!("the reference space {}", name.as_str());
        let given = self.project.join(path);
        let place = real(&given).map_err(|source| unreachable(what.clone(), &given, source))?;
        if let Some(rule) = self.trespass(&place) {
            return Err(SpaceError::Misplaced {
                what,
                path: place,
                rule,
            });
        }
        if self.project.starts_with(&place) || self.home.starts_with(&place) {
            let rule =
                "it holds the project or its database; name a directory beside or below them";
            return Err(SpaceError::Misplaced {
                what,
                path: place,
                rule,
            });
        }
        Directory::open(&place).map_err(|source| SpaceError::Directory { what, source })
    }

    /// Opens the directory that Orket was launched from; `None` if it is one of those that agents may not read, or cannot
    /// be opened.
    pub fn launch(&self, path: &Path) -> Option<Directory> {
        let place = real(path).ok()?;
        match self.trespass(&place) {
            Some(_) => None,
            None => Directory::open(&place).ok(),
        }
    }

    /// Returns the rule that a place breaks which lies in what agents may not read from the disk.
    fn trespass(&self, place: &Path) -> Option<&'static str> {
        if place.starts_with(&self.home) {
            return Some("it lies in the directory of the database");
        }
        let is_control =
            |part: Component<'_>| part.as_os_str().to_str().is_some_and(is_control_name);
        if place.components().any(is_control) {
            return Some("it lies in a control directory, which agents never read");
        }
        let below: RelativePath = place
            .strip_prefix(&self.project)
            .ok()?
            .to_str()?
            .parse()
            .ok()?;
        let is_in = |directory: &str| directory.parse().is_ok_and(|it| is_within(&below, &it));
        if is_in(OUTPUT) {
            return Some("it lies in agent_output/, which agents read as their runs wrote it");
        }
        is_in(OBSERVED).then_some("it lies in workspace/, which agents never read")
    }
}

/// Checks the place of a home below its project.
fn home_below(below: &Path) -> Result<RelativePath, &'static str> {
    if below.as_os_str().is_empty() {
        return Err("it is the project itself; name a directory of its own");
    }
    // How a file system compares other letters is not known here, and what cannot be compared cannot be guarded.
    let below: RelativePath = below
        .to_str()
        .filter(|text| text.is_ascii())
        .and_then(|text| text.parse().ok())
        .ok_or("below the project its name must be a portable one in ASCII")?;
    let output = OUTPUT.parse().map_err(|_| "there is no output")?;
    if is_within(&below, &output) {
        return Err("agents write below agent_output/; name a directory elsewhere");
    }
    Ok(below)
}

fn real(path: &Path) -> std::io::Result<PathBuf> {
    path.canonicalize()
}

/// Returns the real place of what may not exist yet: that of its nearest parent that does, and the rest.
fn planned(path: &Path) -> std::io::Result<PathBuf> {
    let mut rest: Vec<OsString> = Vec::new();
    let mut existing = path.to_path_buf();
    loop {
        match real(&existing) {
            Ok(place) => {
                return Ok(rest
                    .iter()
                    .rev()
                    .fold(place, |place, name| place.join(name)));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // `..` has no name: behind what is not there it leads who knows where.
                let (Some(name), Some(parent)) = (existing.file_name(), existing.parent()) else {
                    return Err(error);
                };
                rest.push(name.to_owned());
                existing = parent.to_path_buf();
            }
            Err(error) => return Err(error),
        }
    }
}

fn unreachable(what: String, path: &Path, source: std::io::Error) -> SpaceError {
    SpaceError::Unreachable {
        what,
        path: path.to_path_buf(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A project with its home in `.orket`, beside a directory with inputs.
    fn ground() -> (tempfile::TempDir, Ground) {
        let scratch = tempfile::tempdir().unwrap();
        for directory in [
            "project/specs",
            "project/agent_output/a",
            "project/.orket",
            "project/workspace",
            "project/.git/x",
            "docs/.git",
        ] {
            fs::create_dir_all(scratch.path().join(directory)).unwrap();
        }
        let project = scratch.path().join("project");
        let ground = Ground::new(&project, &project.join(".orket")).unwrap();
        (scratch, ground)
    }

    #[test]
    fn a_reference_space_lies_beside_the_project_or_in_a_part_of_it() {
        let (scratch, ground) = ground();
        let name = "docs".parse().unwrap();
        symlink("../docs", scratch.path().join("project/to-docs")).unwrap();
        symlink(".orket", scratch.path().join("project/to-home")).unwrap();
        for path in [
            "../docs",
            "specs",
            "to-docs",
            scratch.path().join("docs").to_str().unwrap(),
        ] {
            ground
                .reference(&name, Path::new(path))
                .unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        for (path, rule) in [
            (".", "it holds the project"),
            ("..", "it holds the project"),
            ("/", "it holds the project"),
            (".orket", "it lies in the directory of the database"),
            ("to-home", "it lies in the directory of the database"),
            (".git/x", "it lies in a control directory"),
            ("../docs/.git", "it lies in a control directory"),
            ("agent_output/a", "it lies in agent_output/"),
            ("workspace", "it lies in workspace/"),
            ("../nosuch", "cannot be opened"),
        ] {
            let error = ground
                .reference(&name, Path::new(path))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("the reference space docs"), "{error}");
            assert!(error.contains(rule), "{path}: {error}");
        }
    }

    #[test]
    fn a_reference_space_does_not_hold_a_home_elsewhere() {
        let (scratch, _) = ground();
        let ground = Ground::new(
            &scratch.path().join("project"),
            &scratch.path().join("docs/state"),
        )
        .unwrap();
        assert_eq!(ground.home_below(), None);
        let name = "docs".parse().unwrap();
        assert!(ground.reference(&name, Path::new("../docs")).is_err());
    }

    #[test]
    fn the_launch_directory_is_none_that_agents_may_not_read() {
        let (scratch, ground) = ground();
        let launch = |path: &str| ground.launch(&scratch.path().join(path)).is_some();
        assert!(launch("project") && launch("project/specs") && launch("docs") && launch("."));
        for path in [
            "project/.orket",
            "project/agent_output/a",
            "project/workspace",
            "docs/.git",
            "nosuch",
        ] {
            assert!(!launch(path), "{path}");
        }
    }

    #[test]
    fn a_home_is_found_wherever_its_name_leads() {
        let (scratch, _) = ground();
        let project = scratch.path().join("project");
        symlink("project", scratch.path().join("to-project")).unwrap();
        fs::create_dir(project.join("x")).unwrap();
        for (home, below) in [
            ("project/.orket", Some(".orket")),
            ("project/new/state", Some("new/state")),
            ("project/x/../state", Some("state")),
            ("to-project/state", Some("state")),
            ("elsewhere/state", None),
        ] {
            let ground = Ground::new(&project, &scratch.path().join(home)).unwrap();
            assert_eq!(
                ground.home_below().map(RelativePath::as_str),
                below,
                "{home}"
            );
        }
        for home in [
            "project",
            "project/x/..",
            "project/agent_output/db",
            "project/Agent_Output/db",
            "project/st\u{e4}te",
            "project/a:b",
            "project/nosuch/../state",
        ] {
            assert!(
                Ground::new(&project, &scratch.path().join(home)).is_err(),
                "{home}"
            );
        }
    }
}
