//! Connections: how they are opened and set up.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::{StoreError, checkpoint};

/// The first version without the race in the write-ahead log that corrupted real databases.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How much of the database the writer holds in memory. A promotion changes pages all over the trees and their indexes; with the
/// default of 2 MiB a turn of a hundred stems writes pages to the log, reads them back and writes them again.
const PAGE_CACHE_KIB: i64 = 8192;
/// How many prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 96;

/// Refuses a library that is too old.
pub(crate) fn check_library() -> Result<(), StoreError> {
    let found = rusqlite::version_number();
    if found < SQLITE_VERSION_MIN {
        return Err(StoreError::SqliteTooOld {
            found,
            needed: SQLITE_VERSION_MIN,
        });
    }
    Ok(())
}

/// Opens the connection that writes.
pub(crate) fn open_writer(path: &Path, busy_timeout: Duration) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = open(path, flags, busy_timeout)?;
    let failed = |error| StoreError::sqlite(path, "set up", error);
    let mode: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .map_err(failed)?;
    if mode != "wal" {
        to_write_ahead_log(&connection, path)?;
    }
    connection
        .pragma_update(None, "synchronous", "full")
        .map_err(failed)?;
    connection
        .pragma_update(None, "cache_size", -PAGE_CACHE_KIB)
        .map_err(failed)?;
    // The log stays when the last connection goes: who opens the database read-only next finds all files and makes
    // none, and a short command does not pay for a checkpoint.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(failed)?;
    checkpoint::by_hand(&connection).map_err(failed)?;
    Ok(connection)
}

/// Opens the connection that makes a new database.
///
/// It syncs nothing and keeps no journal on the disk: a draft that is cut short is thrown away. SQLite keeps quiet about
/// some syncs that fail, so the one that counts is the creation's own, and it must be the first.
pub(crate) fn open_draft(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, Duration::ZERO)?;
    let failed = |error| StoreError::sqlite(path, "set up", error);
    // Vacuum only before the first table: `orket gc` then gives pages back step by step. A VACUUM would lock writers out for
    // as long as it copies the whole database, and need that much space when there is least of it.
    for (name, value) in [
        ("journal_mode", "memory"),
        ("synchronous", "off"),
        ("auto_vacuum", "incremental"),
    ] {
        connection
            .pragma_update(None, name, value)
            .map_err(failed)?;
    }
    Ok(connection)
}

/// Turns a database to the write-ahead log, for good.
pub(crate) fn to_write_ahead_log(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    connection
        .pragma_update(None, "journal_mode", "wal")
        .map_err(|error| StoreError::sqlite(path, "set up", error))
}

/// Opens a connection that cannot write to the database and may copy it to another file.
pub(crate) fn open_copier(path: &Path, busy_timeout: Duration) -> Result<Connection, StoreError> {
    open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, busy_timeout)
}

/// Makes a database that was copied one that Orket works with: with a write-ahead log, durable, nothing beside it.
pub(crate) fn make_live(path: &Path) -> Result<(), StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, Duration::ZERO)?;
    to_write_ahead_log(&connection, path)?;
    connection
        .close()
        .map_err(|(_, error)| StoreError::sqlite(path, "closed", error))?;
    std::fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::file(path, "synced", error))
}

/// Opens a connection that cannot write.
pub(crate) fn open_reader(path: &Path, busy_timeout: Duration) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, busy_timeout)?;
    let failed = |error| StoreError::sqlite(path, "set up", error);
    connection
        .pragma_update(None, "query_only", true)
        .map_err(failed)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags, busy_timeout: Duration) -> Result<Connection, StoreError> {
    let failed = |error| StoreError::sqlite(path, "opened", error);
    // Each connection is used by one thread at a time, so SQLite need not lock it.
    let is_name = path.as_os_str().as_encoded_bytes().starts_with(b"file:");
    let flags = flags
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | if is_name {
            OpenFlags::SQLITE_OPEN_URI
        } else {
            OpenFlags::empty()
        };
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(busy_timeout).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    for (name, value) in [("trusted_schema", 0), ("foreign_keys", 1), ("mmap_size", 0)] {
        connection
            .pragma_update(None, name, value)
            .map_err(failed)?;
    }
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)
        .map_err(failed)?;
    // Otherwise SQLite compiles a prepared statement anew whenever other values are bound to it, to plan by what they are.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(failed)?;
    Ok(connection)
}
