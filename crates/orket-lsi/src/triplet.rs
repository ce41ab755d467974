//! Triplet rows.

use orket_kernel::{LSI_VERSION, Stem, TripletRecord};
use rusqlite::{OptionalExtension, Row};

use crate::access::Access;
use crate::{StoreError, row};

/// A row of the table, or of its history: the record of Law 5, the id that its body defines, and the generation that put it.
#[derive(Clone, Debug)]
pub(crate) struct TripletRow {
    pub(crate) record: TripletRecord,
    pub(crate) id: String,
    pub(crate) generation: u64,
}

pub(crate) type Columns = (
    String,
    String,
    [u8; 32],
    [u8; 32],
    [u8; 32],
    i64,
    String,
    i64,
);

const BY_STEM: &str = "SELECT stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, lsi_version, \
    generation FROM triplets WHERE stem = ?1";
const ALL: &str = "SELECT stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, lsi_version, \
    generation FROM triplets ORDER BY stem";

/// Returns the row of a stem, its fields validated.
pub(crate) fn read(access: Access<'_>, stem: &Stem) -> Result<Option<TripletRow>, StoreError> {
    let failed = access.failed("read");
    let mut statement = access.connection.prepare_cached(BY_STEM).map_err(&failed)?;
    let found = statement
        .query_row([stem.as_str()], columns)
        .optional()
        .map_err(&failed)?;
    found.map(from_columns).transpose()
}

/// Calls `each` for every row, sorted by stem.
pub(crate) fn for_each(
    access: Access<'_>,
    mut each: impl FnMut(TripletRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = access.failed("read");
    let mut statement = access.connection.prepare_cached(ALL).map_err(&failed)?;
    for found in statement.query_map([], columns).map_err(&failed)? {
        each(from_columns(found.map_err(&failed)?)?)?;
    }
    Ok(())
}

/// Returns the stem whose body defines `id`.
pub(crate) fn defining_stem(access: Access<'_>, id: &str) -> Result<Option<Stem>, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT stem FROM triplets WHERE id = ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let found: Option<String> = statement
        .query_row([id], |row| row.get(0))
        .optional()
        .map_err(&failed)?;
    found.map(|text| row::stem(&text)).transpose()
}

/// Returns the stems that begin with `prefix`, sorted.
pub(crate) fn stems(access: Access<'_>, prefix: &str) -> Result<Vec<Stem>, StoreError> {
    let failed = access.failed("read");
    // Stems compare by bytes, so those with the prefix follow each other from the prefix on.
    let sql = "SELECT stem FROM triplets WHERE stem >= ?1 ORDER BY stem";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let mut rows = statement.query([prefix]).map_err(&failed)?;
    let mut stems = Vec::new();
    while let Some(found) = rows.next().map_err(&failed)? {
        let text = found
            .get_ref(0)
            .and_then(|value| Ok(value.as_str()?))
            .map_err(&failed)?;
        if !text.starts_with(prefix) {
            break;
        }
        stems.push(row::stem(text)?);
    }
    Ok(stems)
}

/// Adds a row.
pub(crate) fn insert(access: Access<'_>, added: &TripletRow) -> Result<(), StoreError> {
    let failed = access.failed("written");
    let sql = "INSERT INTO triplets (stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, \
        lsi_version, generation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let record = &added.record;
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .execute((
            record.stem.as_str(),
            added.id.as_str(),
            record.body_digest.as_bytes(),
            record.links_digest.as_bytes(),
            record.manifest_digest.as_bytes(),
            row::integer(record.updated_at_turn.number(), "turn")?,
            record.lsi_version.as_str(),
            row::integer(added.generation, "generation")?,
        ))
        .map_err(&failed)?;
    Ok(())
}

/// Changes the row of a stem whose body goes on defining the same id.
pub(crate) fn change(access: Access<'_>, changed: &TripletRow) -> Result<(), StoreError> {
    let sql = "UPDATE triplets SET body_digest = ?2, links_digest = ?3, manifest_digest = ?4, updated_at_turn = ?5, \
        lsi_version = ?6, generation = ?7 WHERE stem = ?1";
    let failed = access.failed("written");
    let record = &changed.record;
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .execute((
            record.stem.as_str(),
            record.body_digest.as_bytes(),
            record.links_digest.as_bytes(),
            record.manifest_digest.as_bytes(),
            row::integer(record.updated_at_turn.number(), "turn")?,
            record.lsi_version.as_str(),
            row::integer(changed.generation, "generation")?,
        ))
        .map_err(&failed)?;
    Ok(())
}

/// Copies the row of a stem, if there is one, to the history: from `generation` on it holds no more.
pub(crate) fn supersede(
    access: Access<'_>,
    stem: &Stem,
    generation: u64,
) -> Result<(), StoreError> {
    let failed = access.failed("written");
    let sql = "INSERT INTO triplet_history (stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, \
        lsi_version, generation, until) SELECT stem, id, body_digest, links_digest, manifest_digest, \
        updated_at_turn, lsi_version, generation, ?2 FROM triplets WHERE stem = ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .execute((stem.as_str(), row::integer(generation, "generation")?))
        .map_err(&failed)?;
    Ok(())
}

/// Removes the row of a stem.
pub(crate) fn remove(access: Access<'_>, stem: &Stem) -> Result<(), StoreError> {
    let failed = access.failed("written");
    let sql = "DELETE FROM triplets WHERE stem = ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement.execute([stem.as_str()]).map_err(&failed)?;
    Ok(())
}

pub(crate) fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
        row.get(7)?,
    ))
}

pub(crate) fn from_columns(columns: Columns) -> Result<TripletRow, StoreError> {
    let (stem, id, body, links, manifest, turn, lsi_version, generation) = columns;
    let place = format!("triplets {stem:?}");
    if lsi_version != LSI_VERSION {
        return Err(StoreError::corrupt(
            place,
            format!("its version is {lsi_version:?}"),
        ));
    }
    let record = TripletRecord {
        stem: row::stem(&stem)?,
        body_digest: row::digest(body),
        links_digest: row::digest(links),
        manifest_digest: row::digest(manifest),
        updated_at_turn: row::turn(turn, &place)?,
        lsi_version,
    };
    Ok(TripletRow {
        record,
        id,
        generation: row::count(generation, &place)?,
    })
}
