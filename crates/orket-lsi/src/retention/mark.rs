//! Pins, and the marks of runs whose records retention dropped.

use std::collections::BTreeSet;

use orket_kernel::RunId;

use crate::access::Access;
use crate::{StoreError, row};

/// Returns the pinned runs.
pub(crate) fn pinned(access: Access<'_>) -> Result<BTreeSet<RunId>, StoreError> {
    runs(access, "SELECT run_id FROM pins")
}

/// Returns the runs whose records were dropped.
pub(crate) fn dropped(access: Access<'_>) -> Result<BTreeSet<RunId>, StoreError> {
    runs(access, "SELECT run_id FROM dropped_runs")
}

/// Tells whether the records of a run were dropped.
pub(crate) fn is_dropped(access: Access<'_>, run_id: &RunId) -> Result<bool, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT 1 FROM dropped_runs WHERE run_id = ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement.exists([run_id.as_str()]).map_err(&failed)
}

/// Pins a run; tells whether it was not pinned before.
pub(crate) fn pin(access: Access<'_>, run_id: &RunId) -> Result<bool, StoreError> {
    let sql = "INSERT OR IGNORE INTO pins (run_id) VALUES (?1)";
    change(access, sql, run_id)
}

/// Takes the pin of a run away; tells whether there was one.
pub(crate) fn unpin(access: Access<'_>, run_id: &RunId) -> Result<bool, StoreError> {
    change(access, "DELETE FROM pins WHERE run_id = ?1", run_id)
}

/// Marks a run as one whose records are not retained.
pub(super) fn drop_run(
    access: Access<'_>,
    run_id: &RunId,
    generation: u64,
) -> Result<(), StoreError> {
    let failed = access.failed("written");
    let sql = "INSERT OR IGNORE INTO dropped_runs (run_id, generation) VALUES (?1, ?2)";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let generation = row::integer(generation, "generation")?;
    statement
        .execute((run_id.as_str(), generation))
        .map_err(&failed)?;
    Ok(())
}

fn change(access: Access<'_>, sql: &'static str, run_id: &RunId) -> Result<bool, StoreError> {
    let failed = access.failed("written");
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let changed = statement.execute([run_id.as_str()]).map_err(&failed)?;
    Ok(changed > 0)
}

fn runs(access: Access<'_>, sql: &'static str) -> Result<BTreeSet<RunId>, StoreError> {
    let failed = access.failed("read");
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(&failed)?;
    rows.map(|found| row::run_id(&found.map_err(&failed)?))
        .collect()
}
