//! Giving free pages back to the file system.

use rusqlite::Connection;

use crate::access::Access;
use crate::{Store, StoreError, row};

/// How many pages go back in one step, which is a transaction of its own.
const PAGES: u32 = 1000;

/// Gives back what is free and empties the log; returns by how many bytes the database became smaller.
pub(super) fn give_back(store: &Store) -> Result<u64, StoreError> {
    let before = pages(store, "page_count")?;
    let mut free = pages(store, "freelist_count")?;
    while free > 0 {
        store.with_writer(|access| {
            let sql = format!("PRAGMA incremental_vacuum({PAGES})");
            run(access.connection, &sql).map_err(access.failed("written"))
        })?;
        let left = pages(store, "freelist_count")?;
        if left >= free {
            // A database without incremental vacuum, or others free as fast as this gives back.
            break;
        }
        free = left;
    }
    store.with_writer(|access| {
        // A reader may keep it from being emptied; the next writer does it then.
        run(access.connection, "PRAGMA wal_checkpoint(TRUNCATE)").map_err(access.failed("written"))
    })?;
    let size = store.with_writer(|access| pragma(access, "page_size"))?;
    Ok(before.saturating_sub(pages(store, "page_count")?) * size)
}

/// Steps a statement to its end, whatever rows it returns.
fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

fn pages(store: &Store, name: &'static str) -> Result<u64, StoreError> {
    store.with_writer(|access| pragma(access, name))
}

fn pragma(access: Access<'_>, name: &'static str) -> Result<u64, StoreError> {
    let found: i64 = access
        .connection
        .pragma_query_value(None, name, |row| row.get(0))
        .map_err(access.failed("read"))?;
    row::count(found, name)
}
