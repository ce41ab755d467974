//! A generation as the files of Spec-002, in a directory of its own.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::access::Access;
use crate::content::{self, Content};
use crate::home;
use crate::past::Past;
use crate::view::{MARKER, marker_bytes};
use crate::whole_file::{self, Durability};
use crate::{StoreError, history, reach, record_file};

/// Writes a generation into `directory`, which must be missing or empty; it is there whole or not at all. Returns how many
/// files it has.
pub(crate) fn write(
    access: Access<'_>,
    past: &Past<'_>,
    directory: &Path,
) -> Result<u64, StoreError> {
    past.check()?;
    refuse_used(directory)?;
    let draft = draft_path(directory)?;
    let written = create(&draft)
        .and_then(|()| write_files(access, past, &draft))
        .and_then(|files| {
            // A directory may be renamed over an empty one, and over nothing else.
            fs::rename(&draft, directory).map_err(|error| occupied(directory, error))?;
            home::sync_parent(directory)?;
            Ok(files)
        });
    if written.is_err() {
        // The first error tells why; what cannot be removed has a name that says what it is.
        let _ = whole_file::remove(&draft);
    }
    written
}

fn refuse_used(directory: &Path) -> Result<(), StoreError> {
    let listed = match fs::symlink_metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {
            fs::read_dir(directory).map(|mut entries| entries.next().is_none())
        }
        Ok(_) => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    };
    match listed {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::NotEmpty {
            path: directory.to_path_buf(),
        }),
        Err(error) => Err(StoreError::file(directory, "opened", error)),
    }
}

fn occupied(directory: &Path, error: std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            StoreError::NotEmpty {
                path: directory.to_path_buf(),
            }
        }
        _ => StoreError::file(directory, "created", error),
    }
}

/// The draft lies beside the directory, so that it can be renamed to it.
fn draft_path(directory: &Path) -> Result<PathBuf, StoreError> {
    let mut name = directory
        .file_name()
        .ok_or_else(|| StoreError::NotEmpty {
            path: directory.to_path_buf(),
        })?
        .to_owned();
    name.push(format!(".new-{}", std::process::id()));
    Ok(directory.with_file_name(name))
}

fn create(draft: &Path) -> Result<(), StoreError> {
    whole_file::remove(draft)
        .and_then(|_| DirBuilder::new().mode(0o700).create(draft))
        .map_err(|error| StoreError::file(draft, "created", error))
}

fn write_files(access: Access<'_>, past: &Past<'_>, draft: &Path) -> Result<u64, StoreError> {
    let mut files = 0;
    for digest in reach::objects(access, past)? {
        let payload = content::payload(access, Content::Object, &digest)?.ok_or_else(|| {
            StoreError::corrupt(format!("objects {digest}"), "it is not kept any more")
        })?;
        let path = draft.join(record_file::object_path(&digest));
        content::write_payload(&path, &digest, &payload, Durability::Synced)?;
        files += 1;
    }
    let mut put = |relative: PathBuf, bytes: &[u8]| {
        files += 1;
        let path = draft.join(relative);
        whole_file::write(&path, bytes, Durability::Synced)
            .map_err(|error| StoreError::file(&path, "written", error))
    };
    for stem in history::stems(access, "", past.head().generation)? {
        if let Some(record) = past.record(&stem)? {
            put(
                record_file::triplet_path(&stem),
                &record_file::triplet_bytes(&record),
            )?;
        }
    }
    for id in past.ids()? {
        let (defined_by, sources) = past.id(&id)?;
        put(
            record_file::ref_path(&id),
            &record_file::ref_bytes(&id, defined_by.as_ref(), &sources),
        )?;
    }
    put(PathBuf::from(MARKER), &marker_bytes(&past.head()))?;
    Ok(files)
}
