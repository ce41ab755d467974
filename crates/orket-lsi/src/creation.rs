//! Making the database: complete under another name, and then given its own.
//!
//! A database that is being set up step by step has moments in which a killed process leaves something that a reader
//! cannot open: a journal that must be rolled back first, or a schema that lacks its last steps. So no reader ever sees one.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::home::{Home, create_database_file, sync_parent};
use crate::migration::{self, Migration};
use crate::{StoreError, database, view};

/// Makes the database of a home unless it is there. Several processes may do so at once; one of them does it.
pub(crate) fn create(home: &Home, steps: &[Migration]) -> Result<(), StoreError> {
    let path = home.database();
    refuse_lost(home)?;
    if exists(&path)? {
        return Ok(());
    }
    let lock_path = beside(&path, "lock");
    let lock = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock_path)
        .map_err(|error| StoreError::file(&lock_path, "opened", error))?;
    // Held for one creation only, and lost by a holder that dies.
    lock.lock()
        .map_err(|error| StoreError::file(&lock_path, "locked", error))?;
    if exists(&path)? {
        return Ok(());
    }
    let draft = beside(&path, "new");
    for left in drafts(&path) {
        remove(&left)?;
    }
    create_database_file(&draft)?;
    let mut connection = database::open_draft(&draft)?;
    migration::apply(&mut connection, steps, &draft)?;
    database::to_write_ahead_log(&connection, &draft)?;
    connection
        .close()
        .map_err(|(_, error)| StoreError::sqlite(&draft, "closed", error))?;
    for suffix in ["-wal", "-shm"] {
        remove(&with_suffix(&draft, suffix))?;
    }
    File::open(&draft)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::file(&draft, "synced", error))?;
    fs::rename(&draft, &path).map_err(|error| StoreError::file(&path, "created", error))?;
    sync_parent(&path)
}

/// Refuses a home whose database is gone or empty while something bears witness that it held commits: a lost database is no
/// new beginning, and its log would be taken for that of the next one.
pub(crate) fn refuse_lost(home: &Home) -> Result<(), StoreError> {
    let path = home.database();
    let is_there = || -> Result<bool, StoreError> {
        Ok(length(&path)?.is_some_and(|length_bytes| length_bytes > 0))
    };
    if is_there()? {
        return Ok(());
    }
    let log = with_suffix(&path, "-wal");
    let witness = if length(&log)?.is_some_and(|length_bytes| length_bytes > 0) {
        format!("its log {} is there", log.display())
    } else if let Some(generation @ 1..) = view::generation_shown(home)? {
        format!("the view shows generation {generation}")
    } else if fs::read_dir(home.blobs()).is_ok_and(|mut entries| entries.next().is_some()) {
        format!("{} holds contents of it", home.blobs().display())
    } else {
        return Ok(());
    };
    // Another process may have made it between the looks.
    if is_there()? {
        return Ok(());
    }
    let reason = format!("the database is missing or empty, and {witness}");
    Err(StoreError::corrupt(path.display().to_string(), reason))
}

fn length(path: &Path) -> Result<Option<u64>, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::file(path, "opened", error)),
    }
}

/// The files that an interrupted creation leaves.
pub(crate) fn drafts(path: &Path) -> Vec<PathBuf> {
    let draft = beside(path, "new");
    let suffixes = ["", "-journal", "-wal", "-shm"];
    suffixes.map(|suffix| with_suffix(&draft, suffix)).into()
}

fn exists(path: &Path) -> Result<bool, StoreError> {
    path.try_exists()
        .map_err(|error| StoreError::file(path, "opened", error))
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    with_suffix(path, &format!(".{extension}"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::file(path, "removed", error))
        }
        _ => Ok(()),
    }
}
