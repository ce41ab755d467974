//! Files that nothing names any more: large contents without a row, stale staging, objects of the view.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use orket_kernel::{Digest, RunId};

use crate::access::Access;
use crate::content::{self, Content};
use crate::staging::Staging;
use crate::view;
use crate::{StoreError, ledger, record_file, run, token, whole_file};

/// Files that are to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) paths: Vec<PathBuf>,
    pub(super) bytes: u64,
}

impl Files {
    fn add(&mut self, path: PathBuf) -> Result<(), StoreError> {
        self.bytes += length(&path)?;
        self.paths.push(path);
        Ok(())
    }

    /// Removes them; one that is gone already is no failure.
    pub(super) fn remove(&self) -> Result<(), StoreError> {
        for path in &self.paths {
            whole_file::remove(path).map_err(|error| StoreError::file(path, "removed", error))?;
            if let Some(parent) = path.parent() {
                // Fails while other files share the directory, which is right.
                let _ = fs::remove_dir(parent);
            }
        }
        Ok(())
    }
}

/// Finds large contents that no row names, the digests in `doomed` counted as named by none.
///
/// A writer writes such a file inside its transaction and before the row, so for a removal this must be called inside one.
pub(super) fn blobs(
    access: Access<'_>,
    doomed: &BTreeSet<Digest>,
    max: usize,
) -> Result<Files, StoreError> {
    let mut found = Files::default();
    for directory in entries(&access.home.blobs())? {
        for path in entries(&directory)? {
            let digest = name(&path).parse::<Digest>().ok();
            let is_named = match digest {
                Some(digest) if !doomed.contains(&digest) => {
                    content::exists(access, Content::Object, &digest)?
                        || content::exists(access, Content::Record, &digest)?
                }
                _ => false,
            };
            if !is_named {
                found.add(path)?;
                if found.paths.len() >= max {
                    return Ok(found);
                }
            }
        }
    }
    Ok(found)
}

/// Lists what lies in the staging area. To be called before the runs are looked at: a run is known before it stages anything.
pub(super) fn staging_entries(root: &Path) -> Result<Vec<PathBuf>, StoreError> {
    entries(root)
}

/// Finds staging of turns that are promoted, of runs that are closed, and of runs that are not known.
pub(super) fn staging(
    access: Access<'_>,
    listed: &[PathBuf],
    closed: &BTreeSet<RunId>,
) -> Result<Files, StoreError> {
    let staging = Staging::of(access.home);
    let mut found = Files::default();
    let runs = run::all(access)?;
    for directory in listed {
        let run_id = runs
            .iter()
            .find(|run_id| token(run_id.as_str()) == name(directory));
        match run_id.filter(|run_id| !closed.contains(*run_id)) {
            None => found.add(directory.clone())?,
            Some(run_id) => {
                let promoted = ledger::last_turn(access, run_id)?;
                for turn_id in staging.turns(run_id)? {
                    if promoted.is_some_and(|promoted| turn_id <= promoted) {
                        found.add(directory.join(token(&turn_id.to_string())))?;
                    }
                }
            }
        }
    }
    Ok(found)
}

/// Finds objects of the browsable view that are not kept any more.
pub(super) fn view_objects(
    access: Access<'_>,
    doomed: &BTreeSet<Digest>,
) -> Result<Files, StoreError> {
    let root = access.home.index().join(view::DIRECTORY);
    let mut found = Files::default();
    for directory in entries(&root.join(record_file::OBJECTS))? {
        for path in entries(&directory)? {
            let Ok(digest) = name(&path).parse::<Digest>() else {
                continue;
            };
            if doomed.contains(&digest) || !content::exists(access, Content::Object, &digest)? {
                found.add(path)?;
            }
        }
    }
    Ok(found)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    whole_file::entries(directory).map_err(|error| StoreError::file(directory, "listed", error))
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The bytes of a file, or of all files below a directory; what is gone meanwhile counts nothing.
fn length(path: &Path) -> Result<u64, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let mut sum = 0;
            for inner in entries(path)? {
                sum += length(&inner)?;
            }
            Ok(sum)
        }
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(StoreError::file(path, "read", error)),
    }
}
