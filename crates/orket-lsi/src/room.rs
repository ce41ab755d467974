//! The room that a home may take: checked before a commit, so that the refusal is early and clear.

use std::path::Path;

use crate::access::Access;
use crate::{StoreError, row};

/// What a home may take. What is `None` is not bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes database and large contents may take. Free pages and the log do not count, for they are used again;
    /// nor do projections and staging.
    pub quota_bytes: Option<u64>,
    /// How many bytes must stay free on the file system.
    pub reserve_bytes: Option<u64>,
}

/// Refuses to add `incoming_bytes` of contents where there is no room for them.
pub(crate) fn check(
    access: Access<'_>,
    limits: &Limits,
    incoming_bytes: u64,
) -> Result<(), StoreError> {
    let path = access.home.durable();
    if let Some(quota_bytes) = limits.quota_bytes {
        let used_bytes = used_bytes(access)?;
        if used_bytes.saturating_add(incoming_bytes) > quota_bytes {
            return Err(StoreError::OverQuota {
                path,
                quota_bytes,
                used_bytes,
                incoming_bytes,
            });
        }
    }
    if let Some(reserve_bytes) = limits.reserve_bytes {
        let free_bytes = free_bytes(&path)?;
        if free_bytes < reserve_bytes.saturating_add(incoming_bytes) {
            return Err(StoreError::OverReserve {
                path,
                reserve_bytes,
                free_bytes,
                incoming_bytes,
            });
        }
    }
    Ok(())
}

/// Returns how many bytes are free on the file system of a path, for whoever asks.
///
/// # Errors
/// Fails if the path is not there or cannot be looked at.
pub fn free_bytes(path: &Path) -> Result<u64, StoreError> {
    let found = rustix::fs::statvfs(path)
        .map_err(|errno| StoreError::file(path, "examined", errno.into()))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Returns the bytes of the pages in use and of the contents beside the database.
fn used_bytes(access: Access<'_>) -> Result<u64, StoreError> {
    let failed = access.failed("read");
    let pragma = |name: &'static str| -> Result<u64, StoreError> {
        let found: i64 = access
            .connection
            .pragma_query_value(None, name, |row| row.get(0))
            .map_err(&failed)?;
        row::count(found, name)
    };
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    let sql = "SELECT (SELECT ifnull(sum(length_bytes), 0) FROM objects WHERE bytes IS NULL) + \
        (SELECT ifnull(sum(length_bytes), 0) FROM records WHERE bytes IS NULL)";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let beside: i64 = statement.query_row([], |row| row.get(0)).map_err(&failed)?;
    Ok(pages * pragma("page_size")? + row::count(beside, "objects")?)
}
