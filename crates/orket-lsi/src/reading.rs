//! How a database is opened by those who only read it.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::{StoreError, database};

/// How connections that read are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Together with writers.
    Shared,
    /// As a file that nobody changes: without locks, log and shared memory.
    Immutable,
}

impl Reading {
    /// Returns how a database is read that could not be opened because nothing beside it can be made.
    pub(crate) fn of_unwritable(path: &Path) -> Result<Reading, StoreError> {
        let log = with_suffix(path, b"-wal");
        match std::fs::metadata(&log) {
            Ok(metadata) if metadata.len() > 0 => Err(StoreError::LogNotReadable { path: log }),
            Ok(_) => Ok(Reading::Immutable),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Reading::Immutable),
            Err(error) => Err(StoreError::file(&log, "opened", error)),
        }
    }

    pub(crate) fn open(
        self,
        path: &Path,
        busy_timeout: Duration,
    ) -> Result<Connection, StoreError> {
        match self {
            Reading::Shared => database::open_reader(path, busy_timeout),
            Reading::Immutable => database::open_reader(&immutable(path), busy_timeout),
        }
    }

    pub(crate) fn open_copier(
        self,
        path: &Path,
        busy_timeout: Duration,
    ) -> Result<Connection, StoreError> {
        match self {
            Reading::Shared => database::open_copier(path, busy_timeout),
            Reading::Immutable => database::open_copier(&immutable(path), busy_timeout),
        }
    }
}

/// Tells whether SQLite could not open a database for want of the right to write beside it.
pub(crate) fn needs_writing(error: &StoreError) -> bool {
    match error {
        StoreError::Denied { .. } => true,
        StoreError::Database { source, .. } => {
            source.sqlite_error_code() == Some(ErrorCode::CannotOpen)
        }
        _ => false,
    }
}

/// Returns the name by which SQLite opens a database as one that nobody changes.
fn immutable(path: &Path) -> PathBuf {
    let mut name = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => name.push(*byte),
            byte if byte.is_ascii_alphanumeric() => name.push(*byte),
            byte => name.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
    name.extend(b"?immutable=1");
    PathBuf::from(OsString::from_vec(name))
}

fn with_suffix(path: &Path, suffix: &[u8]) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(std::ffi::OsStr::from_bytes(suffix));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_so_that_no_byte_steers_the_name() {
        let name = immutable(Path::new("/a b/c?mode=rw#x%41"));
        assert_eq!(
            name.to_str(),
            Some("file:/a%20b/c%3Fmode%3Drw%23x%2541?immutable=1")
        );
    }
}
