//! Pins, and the marks of runs whose records retention dropped. Each row has a digest: a mark that becomes that of another
//! run would hide what is missing, and let go what is to stay.

use std::collections::BTreeSet;

use orket_kernel::{Digest, LSI_VERSION, RunId, canonical, object};
use rusqlite::{OptionalExtension, Row};

use crate::access::Access;
use crate::{StoreError, row};

/// All pins.
pub(crate) const PINS: &str = "SELECT run_id, NULL, digest FROM pins";
/// All marks of runs whose records were dropped.
pub(crate) const DROPPED: &str = "SELECT run_id, generation, digest FROM dropped_runs";

/// Returns the pinned runs.
pub(crate) fn pinned(access: Access<'_>) -> Result<BTreeSet<RunId>, StoreError> {
    runs(access, "pins", PINS)
}

/// Returns the runs whose records were dropped.
pub(crate) fn dropped(access: Access<'_>) -> Result<BTreeSet<RunId>, StoreError> {
    runs(access, "dropped_runs", DROPPED)
}

/// Tells whether the records of a run were dropped.
pub(crate) fn is_dropped(access: Access<'_>, run_id: &RunId) -> Result<bool, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT run_id, generation, digest FROM dropped_runs WHERE run_id = ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let found = statement
        .query_row([run_id.as_str()], columns)
        .optional()
        .map_err(&failed)?;
    found
        .map(|found| checked("dropped_runs", found))
        .transpose()
        .map(|found| found.is_some())
}

/// Pins a run; tells whether it was not pinned before.
pub(crate) fn pin(access: Access<'_>, run_id: &RunId) -> Result<bool, StoreError> {
    let sql = "INSERT OR IGNORE INTO pins (run_id, digest) VALUES (?1, ?2)";
    let digest = digest(run_id.as_str(), None);
    change(access, sql, (run_id.as_str(), digest.as_bytes()))
}

/// Takes the pin of a run away; tells whether there was one.
pub(crate) fn unpin(access: Access<'_>, run_id: &RunId) -> Result<bool, StoreError> {
    let sql = "DELETE FROM pins WHERE run_id = ?1";
    change(access, sql, [run_id.as_str()])
}

/// Marks a run as one whose records are not retained.
pub(super) fn drop_run(
    access: Access<'_>,
    run_id: &RunId,
    generation: u64,
) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO dropped_runs (run_id, generation, digest) VALUES (?1, ?2, ?3)";
    let digest = digest(run_id.as_str(), Some(generation));
    let generation = row::integer(generation, "generation")?;
    change(
        access,
        sql,
        (run_id.as_str(), generation, digest.as_bytes()),
    )
    .map(drop)
}

fn change(
    access: Access<'_>,
    sql: &'static str,
    parameters: impl rusqlite::Params,
) -> Result<bool, StoreError> {
    let failed = access.failed("written");
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let changed = statement.execute(parameters).map_err(&failed)?;
    Ok(changed > 0)
}

fn runs(access: Access<'_>, table: &str, sql: &'static str) -> Result<BTreeSet<RunId>, StoreError> {
    let failed = access.failed("read");
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement.query_map([], columns).map_err(&failed)?;
    rows.map(|found| checked(table, found.map_err(&failed)?))
        .collect()
}

/// A row as it lies in the table: run, generation if there is one, digest.
pub(crate) type Columns = (String, Option<i64>, [u8; 32]);

/// Takes the columns of a row as they are.
pub(crate) fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

/// Takes the columns as the run that they mark, checked against the digest of the row.
pub(crate) fn checked(
    table: &str,
    (run_id, generation, kept): Columns,
) -> Result<RunId, StoreError> {
    let place = format!("{table} {run_id}");
    let generation = generation.map(|number| row::count(number, &place));
    if digest(&run_id, generation.transpose()?).as_bytes() != &kept {
        return Err(StoreError::corrupt(place, row::CHANGED));
    }
    row::run_id(&run_id)
}

fn digest(run_id: &str, generation: Option<u64>) -> Digest {
    canonical::digest(&object! {
        "run_id" => run_id,
        "generation" => generation,
        "lsi_version" => LSI_VERSION,
    })
}
