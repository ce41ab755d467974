//! Who may work in a home at the same time. The system takes a lock back when its holder ends, however it ends.
//!
//! | File | Shared | Alone |
//! |---|---|---|
//! | `lock` | every store that can write, while it is open | a restore, which puts another database in its place |
//! | `blobs.lock` | a backup, while it copies large contents | a collection, while it removes them |

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::StoreError;
use crate::home::Home;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct HomeLock {
    /// Locked for as long as it is open; `None` in a home that nobody can write.
    _file: Option<File>,
}

/// Enters a home as one of its writers.
pub(crate) fn as_writer(home: &Home) -> Result<HomeLock, StoreError> {
    let (file, path) = open(home, "lock")?;
    taken(file.try_lock_shared(), file, path)
}

/// Enters a home alone.
pub(crate) fn alone(home: &Home) -> Result<HomeLock, StoreError> {
    let (file, path) = open(home, "lock")?;
    taken(file.try_lock(), file, path)
}

/// Keeps large contents from being removed. Where the file cannot be made nothing can be removed either.
pub(crate) fn keep_blobs(home: &Home) -> Result<HomeLock, StoreError> {
    match open(home, "blobs.lock") {
        Ok((file, path)) => taken(file.try_lock_shared(), file, path),
        Err(StoreError::Denied { .. }) => Ok(HomeLock { _file: None }),
        Err(error) => Err(error),
    }
}

/// Takes the right to remove large contents; busy while a backup copies them.
pub(crate) fn remove_blobs(home: &Home) -> Result<HomeLock, StoreError> {
    let (file, path) = open(home, "blobs.lock")?;
    taken(file.try_lock(), file, path)
}

fn open(home: &Home, name: &str) -> Result<(File, PathBuf), StoreError> {
    let path = home.root().join(name);
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    match opened {
        Ok(file) => Ok((file, path)),
        Err(error) if error.kind() == ErrorKind::IsADirectory => Err(StoreError::Unsafe {
            path,
            reason: "a directory stands where a lock file belongs".to_owned(),
        }),
        Err(error) => Err(StoreError::file(&path, "locked", error)),
    }
}

fn taken(
    locked: Result<(), TryLockError>,
    file: File,
    path: PathBuf,
) -> Result<HomeLock, StoreError> {
    match locked {
        Ok(()) => Ok(HomeLock { _file: Some(file) }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { path, waited_ms: 0 }),
        Err(TryLockError::Error(error)) => Err(StoreError::file(&path, "locked", error)),
    }
}
