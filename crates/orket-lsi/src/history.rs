//! Rows as they were at a generation: those that still hold, and those that a later promotion superseded.

use orket_kernel::{RefSource, Stem};
use rusqlite::OptionalExtension;

use crate::access::Access;
use crate::reference;
use crate::triplet::{self, TripletRow};
use crate::{StoreError, row};

/// Returns the row that a stem had.
pub(crate) fn triplet(
    access: Access<'_>,
    stem: &Stem,
    generation: u64,
) -> Result<Option<TripletRow>, StoreError> {
    // Of one stem no two rows hold at once, so the history's candidate is the first that ended later.
    const SQL: &str = "SELECT stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, lsi_version, \
        generation FROM triplets WHERE stem = ?1 AND generation <= ?2 \
        UNION ALL SELECT * FROM (SELECT stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, \
        lsi_version, generation FROM triplet_history WHERE stem = ?1 AND until > ?2 ORDER BY until LIMIT 1) \
        WHERE generation <= ?2";
    let failed = access.failed("read");
    let mut statement = access.connection.prepare_cached(SQL).map_err(&failed)?;
    let found = statement
        .query_map(
            (stem.as_str(), row::integer(generation, "generation")?),
            triplet::columns,
        )
        .map_err(&failed)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(&failed)?;
    if found.len() > 1 {
        let reason = format!("two rows hold at generation {generation}");
        return Err(StoreError::corrupt(
            format!("triplet_history {stem}"),
            reason,
        ));
    }
    found
        .into_iter()
        .next()
        .map(triplet::from_columns)
        .transpose()
}

/// Returns the stem that defined an id.
pub(crate) fn defining_stem(
    access: Access<'_>,
    id: &str,
    generation: u64,
) -> Result<Option<Stem>, StoreError> {
    const SQL: &str = "SELECT stem FROM triplets WHERE id = ?1 AND generation <= ?2 \
        UNION ALL SELECT stem FROM (SELECT stem, generation FROM triplet_history \
        WHERE id = ?1 AND until > ?2 ORDER BY until LIMIT 1) WHERE generation <= ?2 LIMIT 1";
    let failed = access.failed("read");
    let mut statement = access.connection.prepare_cached(SQL).map_err(&failed)?;
    let found: Option<String> = statement
        .query_row((id, row::integer(generation, "generation")?), |row| {
            row.get(0)
        })
        .optional()
        .map_err(&failed)?;
    found.map(|text| row::stem(&text)).transpose()
}

/// Returns the places that referenced an id, sorted.
pub(crate) fn sources(
    access: Access<'_>,
    id: &str,
    generation: u64,
) -> Result<Vec<RefSource>, StoreError> {
    const SQL: &str = "SELECT id, stem, location, relationship, artifact_digest FROM refs \
        WHERE id = ?1 AND generation <= ?2 \
        UNION ALL SELECT id, stem, location, relationship, artifact_digest FROM ref_history \
        WHERE id = ?1 AND until > ?2 AND generation <= ?2";
    let found = reference::select(access, SQL, (id, row::integer(generation, "generation")?))?;
    let mut sources: Vec<RefSource> = found.into_iter().map(|(_, source)| source).collect();
    sources.sort();
    Ok(sources)
}

/// Returns the stems that began with `prefix`, sorted.
pub(crate) fn stems(
    access: Access<'_>,
    prefix: &str,
    generation: u64,
) -> Result<Vec<Stem>, StoreError> {
    // Stems compare by bytes, so those with the prefix follow each other from the prefix on.
    const SQL: &str = "SELECT stem FROM triplets WHERE stem >= ?1 AND generation <= ?2 \
        UNION ALL SELECT stem FROM triplet_history WHERE stem >= ?1 AND until > ?2 AND generation <= ?2 \
        ORDER BY stem";
    let texts = texts(
        access,
        SQL,
        (prefix, row::integer(generation, "generation")?),
    )?;
    texts
        .iter()
        .take_while(|text| text.starts_with(prefix))
        .map(|text| row::stem(text))
        .collect()
}

/// Returns all ids that were defined or referenced, sorted.
pub(crate) fn ids(access: Access<'_>, generation: u64) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT id FROM triplets WHERE generation <= ?1 \
        UNION SELECT id FROM triplet_history WHERE until > ?1 AND generation <= ?1 \
        UNION SELECT id FROM refs WHERE generation <= ?1 \
        UNION SELECT id FROM ref_history WHERE until > ?1 AND generation <= ?1 ORDER BY 1";
    texts(access, SQL, [row::integer(generation, "generation")?])
}

/// Returns what promotions after `after` up to `until` changed of one kind, sorted.
pub(crate) fn changed(
    access: Access<'_>,
    kind: &str,
    after: u64,
    until: u64,
) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT DISTINCT name FROM changes WHERE generation > ?1 AND generation <= ?2 AND kind = ?3 \
        ORDER BY name";
    let after = row::integer(after, "generation")?;
    let until = row::integer(until, "generation")?;
    texts(access, SQL, (after, until, kind))
}

fn texts(
    access: Access<'_>,
    sql: &'static str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<String>, StoreError> {
    let failed = access.failed("read");
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement
        .query_map(parameters, |row| row.get(0))
        .map_err(&failed)?;
    rows.collect::<Result<_, _>>().map_err(&failed)
}
