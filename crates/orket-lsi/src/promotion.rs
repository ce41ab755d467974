//! The chain of promotions: one row per promoted turn, each naming the digest of the one before.

use orket_kernel::{Digest, LSI_VERSION, RunId, TurnId, canonical, object};
use rusqlite::{OptionalExtension, Row};

use crate::access::Access;
use crate::{StoreError, row, state, tree};

/// One promoted turn. Promotions of all runs form one total order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionRow {
    /// Its place in the order, counted from 1.
    pub generation: u64,
    /// The run.
    pub run_id: RunId,
    /// The turn.
    pub turn_id: TurnId,
    /// The digest of the turn record.
    pub record_digest: Digest,
    /// The root of the tree of triplets after it.
    pub triplet_root: Digest,
    /// The root of the tree of refs after it.
    pub ref_root: Digest,
    /// The digest of the whole committed state after it.
    pub state_digest: Digest,
    /// The digest of the row before; `None` for the first.
    pub previous_digest: Option<Digest>,
}

impl PromotionRow {
    /// Returns the digest of the row: SHA-256 over its fields and the version of the index as canonical JSON.
    pub fn digest(&self) -> Digest {
        canonical::digest(&object! {
            "generation" => self.generation,
            "run_id" => self.run_id.as_str(),
            "turn_id" => self.turn_id.to_string(),
            "record_digest" => self.record_digest.to_hex(),
            "triplet_root" => self.triplet_root.to_hex(),
            "ref_root" => self.ref_root.to_hex(),
            "state_digest" => self.state_digest.to_hex(),
            "previous_digest" => self.previous_digest.map(|digest| digest.to_hex()),
            "lsi_version" => LSI_VERSION,
        })
    }
}

/// Where the index stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The newest generation; 0 if nothing was promoted yet.
    pub generation: u64,
    /// The digest of the whole committed state.
    pub state_digest: Digest,
    /// The digest of the newest row of the chain; `None` if nothing was promoted yet.
    pub chain_digest: Option<Digest>,
    /// The root of the tree of triplets.
    pub triplet_root: Digest,
    /// The root of the tree of refs.
    pub ref_root: Digest,
}

impl Head {
    /// Returns the head of an index that holds nothing.
    pub fn empty() -> Head {
        let root = tree::empty_root();
        Head {
            generation: 0,
            state_digest: state::digest(&root, &root),
            chain_digest: None,
            triplet_root: root,
            ref_root: root,
        }
    }

    pub(crate) fn of(row: &PromotionRow) -> Head {
        Head::with_digest(row, row.digest())
    }

    fn with_digest(row: &PromotionRow, digest: Digest) -> Head {
        Head {
            generation: row.generation,
            state_digest: row.state_digest,
            chain_digest: Some(digest),
            triplet_root: row.triplet_root,
            ref_root: row.ref_root,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT generation, run_id, turn, record_digest, triplet_root, ref_root, state_digest, previous_digest, \
             digest, lsi_version FROM promotions ",
            $rest
        )
    };
}

/// All rows, in order.
pub(crate) const ALL: &str = select!("ORDER BY generation");

/// Returns where the index stands.
pub(crate) fn head(access: Access<'_>) -> Result<Head, StoreError> {
    let newest = raw(access, select!("ORDER BY generation DESC LIMIT 1"), [])?;
    let Some(columns) = newest else {
        return Ok(Head::empty());
    };
    let digest = row::digest(columns.digest);
    Ok(Head::with_digest(&from_columns(columns)?, digest))
}

/// Returns the promotion that made a generation.
pub(crate) fn at(access: Access<'_>, generation: u64) -> Result<Option<PromotionRow>, StoreError> {
    let generation = row::integer(generation, "generation")?;
    one(access, select!("WHERE generation = ?1"), [generation])
}

/// Returns the promotion of a turn.
pub(crate) fn of_turn(
    access: Access<'_>,
    run_id: &RunId,
    turn_id: TurnId,
) -> Result<Option<PromotionRow>, StoreError> {
    let turn = row::integer(turn_id.number(), "turn")?;
    one(
        access,
        select!("WHERE run_id = ?1 AND turn = ?2"),
        (run_id.as_str(), turn),
    )
}

/// Returns the promotions of a run, in the order of its turns.
pub(crate) fn of_run(access: Access<'_>, run_id: &RunId) -> Result<Vec<PromotionRow>, StoreError> {
    let failed = access.failed("read");
    let sql = select!("WHERE run_id = ?1 ORDER BY turn");
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement
        .query_map([run_id.as_str()], columns)
        .map_err(&failed)?;
    rows.map(|found| from_columns(found.map_err(&failed)?))
        .collect()
}

/// Walks the whole chain from the first row, and returns where it ends.
pub(crate) fn verify_chain(access: Access<'_>) -> Result<Head, StoreError> {
    let failed = access.failed("read");
    let mut statement = access.connection.prepare_cached(ALL).map_err(&failed)?;
    let mut head = Head::empty();
    for found in statement.query_map([], columns).map_err(&failed)? {
        let row = from_columns(found.map_err(&failed)?)?;
        if row.generation != head.generation + 1 || row.previous_digest != head.chain_digest {
            let reason = "it does not follow the row before it";
            return Err(StoreError::corrupt(
                format!("promotions {}", row.generation),
                reason,
            ));
        }
        head = Head::of(&row);
    }
    Ok(head)
}

/// Appends a row to the chain.
pub(crate) fn append(access: Access<'_>, added: &PromotionRow) -> Result<Head, StoreError> {
    let failed = access.failed("written");
    let sql = "INSERT INTO promotions (generation, run_id, turn, record_digest, triplet_root, ref_root, \
        state_digest, previous_digest, digest, lsi_version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let digest = added.digest();
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .execute((
            row::integer(added.generation, "generation")?,
            added.run_id.as_str(),
            row::integer(added.turn_id.number(), "turn")?,
            added.record_digest.as_bytes(),
            added.triplet_root.as_bytes(),
            added.ref_root.as_bytes(),
            added.state_digest.as_bytes(),
            added.previous_digest.as_ref().map(Digest::as_bytes),
            digest.as_bytes(),
            LSI_VERSION,
        ))
        .map_err(&failed)?;
    Ok(Head::with_digest(added, digest))
}

fn one(
    access: Access<'_>,
    sql: &'static str,
    parameters: impl rusqlite::Params,
) -> Result<Option<PromotionRow>, StoreError> {
    raw(access, sql, parameters)?.map(from_columns).transpose()
}

fn raw(
    access: Access<'_>,
    sql: &'static str,
    parameters: impl rusqlite::Params,
) -> Result<Option<Columns>, StoreError> {
    let failed = access.failed("read");
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .query_row(parameters, columns)
        .optional()
        .map_err(&failed)
}

/// A row as it lies in the table.
pub(crate) struct Columns {
    pub(crate) generation: i64,
    run_id: String,
    turn: i64,
    digests: [[u8; 32]; 4],
    pub(crate) previous_digest: Option<[u8; 32]>,
    pub(crate) digest: [u8; 32],
    lsi_version: String,
}

/// Takes the columns of a row as they are.
pub(crate) fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok(Columns {
        generation: row.get(0)?,
        run_id: row.get(1)?,
        turn: row.get(2)?,
        digests: [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?],
        previous_digest: row.get(7)?,
        digest: row.get(8)?,
        lsi_version: row.get(9)?,
    })
}

/// Takes the columns as a promotion, checked against the digest of the row.
pub(crate) fn from_columns(columns: Columns) -> Result<PromotionRow, StoreError> {
    let place = format!("promotions {}", columns.generation);
    let [record_digest, triplet_root, ref_root, state_digest] = columns.digests.map(row::digest);
    let found = PromotionRow {
        generation: row::count(columns.generation, &place)?,
        run_id: row::run_id(&columns.run_id)?,
        turn_id: row::turn(columns.turn, &place)?,
        record_digest,
        triplet_root,
        ref_root,
        state_digest,
        previous_digest: columns.previous_digest.map(row::digest),
    };
    if columns.lsi_version != LSI_VERSION {
        return Err(StoreError::corrupt(
            place,
            format!("its version is {:?}", columns.lsi_version),
        ));
    }
    if found.digest().as_bytes() != &columns.digest {
        return Err(StoreError::corrupt(
            place,
            "the fields do not match the digest of the row",
        ));
    }
    if state::digest(&triplet_root, &ref_root) != state_digest {
        return Err(StoreError::corrupt(
            place,
            "the state digest does not follow from the roots",
        ));
    }
    Ok(found)
}
