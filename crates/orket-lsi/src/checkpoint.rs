//! Bringing the log into the database, where its failure is seen.
//!
//! SQLite would do it by itself after a commit, and say nothing when a sync fails; the next commit would then sync the same
//! file again, and could be told that all is well although pages are lost.

use rusqlite::{Connection, ErrorCode};

use crate::StoreError;
use crate::access::Access;

/// How many pages the log may have: about 4 MiB.
const LOG_LENGTH_MAX_PAGES: i64 = 1_000;

/// Takes the work from SQLite.
pub(crate) fn by_hand(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "wal_autocheckpoint", 0)
}

/// Brings a long log into the database, as far as readers let it. Only an I/O error is an error: a disk that is full, or a
/// database that is busy, leaves the log as it was, and the next commit comes here again.
pub(crate) fn if_due(access: Access<'_>) -> Result<(), StoreError> {
    let mut statement = access
        .connection
        .prepare_cached("PRAGMA wal_checkpoint(NOOP)")
        .map_err(access.failed("examined"))?;
    let length: i64 = statement
        .query_row([], |row| row.get(1))
        .map_err(access.failed("examined"))?;
    if length <= LOG_LENGTH_MAX_PAGES {
        return Ok(());
    }
    let mut statement = access
        .connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
        .map_err(access.failed("written"))?;
    match statement.query_row([], |_| Ok(())) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
            Err(access.failed("synced")(error))
        }
        _ => Ok(()),
    }
}
