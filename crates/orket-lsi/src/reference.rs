//! Reference rows: which stem references which id, and where.

use orket_kernel::{RefSource, Stem};
use rusqlite::Row;

use crate::access::Access;
use crate::{StoreError, row};

/// A reference: the id that is referenced, and the ref source record of Law 5.
pub(crate) type Reference = (String, RefSource);

const BY_ID: &str = "SELECT id, stem, location, relationship, artifact_digest FROM refs WHERE id = ?1 \
    ORDER BY stem, location, relationship, artifact_digest";
const FIRST_BY_ID: &str = "SELECT id, stem, location, relationship, artifact_digest FROM refs WHERE id = ?1 \
    ORDER BY stem, location, relationship, artifact_digest LIMIT ?2";
const BY_STEM: &str =
    "SELECT id, stem, location, relationship, artifact_digest FROM refs WHERE stem = ?1";

/// Returns the places that reference `id`, sorted.
pub(crate) fn sources(access: Access<'_>, id: &str) -> Result<Vec<RefSource>, StoreError> {
    Ok(select(access, BY_ID, [id])?
        .into_iter()
        .map(|(_, source)| source)
        .collect())
}

/// Returns the first `count_max` places that reference `id`.
pub(crate) fn first_sources(
    access: Access<'_>,
    id: &str,
    count_max: u32,
) -> Result<Vec<RefSource>, StoreError> {
    let references = select(access, FIRST_BY_ID, (id, count_max))?;
    Ok(references.into_iter().map(|(_, source)| source).collect())
}

/// Returns what the links of `stem` reference.
pub(crate) fn of_stem(access: Access<'_>, stem: &Stem) -> Result<Vec<Reference>, StoreError> {
    select(access, BY_STEM, [stem.as_str()])
}

/// Returns all ids that something references.
pub(crate) fn ids(access: Access<'_>) -> Result<Vec<String>, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT DISTINCT id FROM refs ORDER BY id";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement.query_map([], |row| row.get(0)).map_err(&failed)?;
    rows.collect::<Result<_, _>>().map_err(&failed)
}

/// Adds a reference.
pub(crate) fn insert(
    access: Access<'_>,
    added: &Reference,
    generation: u64,
) -> Result<(), StoreError> {
    change(
        access,
        "INSERT INTO refs (id, stem, location, relationship, artifact_digest, generation) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        added,
        generation,
    )?;
    Ok(())
}

/// Moves a reference to the history: from `generation` on it is no more.
pub(crate) fn supersede(
    access: Access<'_>,
    removed: &Reference,
    generation: u64,
) -> Result<(), StoreError> {
    let moved = change(
        access,
        "INSERT INTO ref_history (id, stem, location, relationship, artifact_digest, generation, until) \
            SELECT id, stem, location, relationship, artifact_digest, generation, ?6 FROM refs \
            WHERE id = ?1 AND stem = ?2 AND location = ?3 AND relationship = ?4 AND artifact_digest = ?5",
        removed,
        generation,
    )?;
    one_row(moved, removed)?;
    let failed = access.failed("written");
    let sql = "DELETE FROM refs WHERE id = ?1 AND stem = ?2 AND location = ?3 AND relationship = ?4 \
        AND artifact_digest = ?5";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let (id, source) = removed;
    let deleted = statement
        .execute((
            id,
            source.stem.as_str(),
            source.location.as_str(),
            source.relationship.as_str(),
            source.artifact_digest.as_bytes(),
        ))
        .map_err(&failed)?;
    one_row(deleted, removed)
}

/// A row that was read and cannot be found by its key lies in a damaged page: what is written beside it is not found either.
fn one_row(rows: usize, (id, source): &Reference) -> Result<(), StoreError> {
    if rows == 1 {
        return Ok(());
    }
    let RefSource { stem, location, .. } = source;
    let reason = format!("{rows} row(s) are found by its key");
    Err(StoreError::corrupt(
        format!("refs {id:?} of {stem} at {location}"),
        reason,
    ))
}

/// Returns how many rows it wrote.
fn change(
    access: Access<'_>,
    sql: &'static str,
    (id, source): &Reference,
    generation: u64,
) -> Result<usize, StoreError> {
    let failed = access.failed("written");
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .execute((
            id,
            source.stem.as_str(),
            source.location.as_str(),
            source.relationship.as_str(),
            source.artifact_digest.as_bytes(),
            row::integer(generation, "generation")?,
        ))
        .map_err(&failed)
}

/// Runs a query for the columns of a reference.
pub(crate) fn select(
    access: Access<'_>,
    sql: &'static str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Reference>, StoreError> {
    let failed = access.failed("read");
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement.query_map(parameters, columns).map_err(&failed)?;
    let mut references = Vec::new();
    for found in rows {
        let (id, stem, location, relationship, artifact) = found.map_err(&failed)?;
        let source = RefSource {
            stem: row::stem(&stem)?,
            location,
            relationship,
            artifact_digest: row::digest(artifact),
        };
        references.push((id, source));
    }
    Ok(references)
}

type Columns = (String, String, String, String, [u8; 32]);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
    ))
}
