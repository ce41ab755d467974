//! Fencing numbers: who took the lease of a run last.

use orket_cards::StoreFault;
use orket_kernel::canonical;
use orket_kernel::{Digest, RunId, object};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{CHANGED, digest, number};
use crate::fault::{corrupt, from_sqlite};

/// Takes the next fencing number of a run.
pub(crate) fn take_fence(connection: &Connection, run_id: &RunId) -> Result<u64, StoreFault> {
    let fence = newest(connection, run_id)?.unwrap_or(0) + 1;
    connection
        .execute(
            "INSERT INTO fences (run_id, fence, digest) VALUES (?1, ?2, ?3)
             ON CONFLICT (run_id) DO UPDATE SET fence = excluded.fence, digest = excluded.digest",
            params![
                run_id.as_str(),
                fence as i64,
                fence_digest(run_id.as_str(), fence).as_bytes(),
            ],
        )
        .map_err(from_sqlite)?;
    Ok(fence)
}

/// Refuses a writer whose lease was taken over.
pub(crate) fn check_fence(
    connection: &Connection,
    run_id: &RunId,
    fence: u64,
) -> Result<(), StoreFault> {
    if newest(connection, run_id)? == Some(fence) {
        Ok(())
    } else {
        Err(StoreFault::Fenced {
            run: run_id.clone(),
        })
    }
}

/// A row as it lies in the table.
pub(crate) struct FenceColumns {
    pub(crate) run_id: String,
    fence: u64,
    pub(crate) digest: Digest,
}

impl FenceColumns {
    /// Returns what the digest of the row must be.
    pub(crate) fn expected(&self) -> Digest {
        fence_digest(&self.run_id, self.fence)
    }
}

/// Takes the columns run, fence and digest as they are.
pub(crate) fn fence_columns(row: &Row<'_>) -> rusqlite::Result<FenceColumns> {
    Ok(FenceColumns {
        run_id: row.get(0)?,
        fence: number(row, 1)?,
        digest: digest(row, 2)?,
    })
}

fn fence_digest(run_id: &str, fence: u64) -> Digest {
    canonical::digest(&object! { "run_id" => run_id, "fence" => fence })
}

fn newest(connection: &Connection, run_id: &RunId) -> Result<Option<u64>, StoreFault> {
    let mut statement = connection
        .prepare_cached("SELECT run_id, fence, digest FROM fences WHERE run_id = ?1")
        .map_err(from_sqlite)?;
    let found = statement
        .query_row([run_id.as_str()], fence_columns)
        .optional()
        .map_err(from_sqlite)?;
    match found {
        None => Ok(None),
        Some(row) if row.expected() == row.digest => Ok(Some(row.fence)),
        Some(_) => Err(corrupt(&format!("fences {run_id}"), CHANGED)),
    }
}
