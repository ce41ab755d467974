//! The rows of promoted turns.

use orket_cards::{CardId, StoreFault, TurnRecord};
use orket_kernel::{Digest, RunId, TurnId};
use rusqlite::{Connection, params};

use super::{digest, number, turn_id};
use crate::fault::{corrupt, from_sqlite};

/// Writes the row of a promoted turn.
pub(crate) fn add_turn(
    connection: &Connection,
    run_id: &RunId,
    record: &TurnRecord,
    record_digest: &Digest,
    generation: u64,
) -> Result<(), StoreFault> {
    let result = record
        .result
        .as_ref()
        .ok_or_else(|| corrupt(run_id.as_str(), "a promoted turn has no result"))?;
    let mut statement = connection
        .prepare_cached(
            "INSERT INTO turn_journal
             (run_id, turn, card, role, step, attempt, result_digest, record_digest, generation)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .map_err(from_sqlite)?;
    statement
        .execute(params![
            run_id.as_str(),
            record.turn_id.number() as i64,
            record.card.as_ref().map(CardId::as_str),
            record.role,
            record.step,
            record.attempt as i64,
            result.structural_digest().as_bytes().as_slice(),
            record_digest.as_bytes().as_slice(),
            generation as i64,
        ])
        .map_err(from_sqlite)?;
    Ok(())
}

/// A turn's row, without what the index knows of it.
pub(crate) struct TurnEntry {
    pub(crate) turn_id: TurnId,
    pub(crate) card: Option<CardId>,
    pub(crate) role: String,
    pub(crate) step: String,
    pub(crate) attempt: u64,
    pub(crate) result_digest: Digest,
    pub(crate) record_digest: Digest,
    pub(crate) generation: u64,
}

/// Returns the promoted turns of a run, or those on one card, in order.
pub(crate) fn turns(
    connection: &Connection,
    run_id: &RunId,
    card: Option<&CardId>,
) -> Result<Vec<TurnEntry>, StoreFault> {
    let one = "SELECT turn, card, role, step, attempt, result_digest, record_digest, generation
               FROM turn_journal WHERE run_id = ?1 AND card = ?2 ORDER BY turn";
    let all = "SELECT turn, card, role, step, attempt, result_digest, record_digest, generation
               FROM turn_journal WHERE run_id = ?1 AND ?2 IS NULL ORDER BY turn";
    let sql = if card.is_some() { one } else { all };
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let rows = statement
        .query_map(params![run_id.as_str(), card.map(CardId::as_str)], |row| {
            Ok((
                number(row, 0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                number(row, 4)?,
                digest(row, 5)?,
                digest(row, 6)?,
                number(row, 7)?,
            ))
        })
        .map_err(from_sqlite)?;
    let mut turns = Vec::new();
    for row in rows {
        let (turn, card, role, step, attempt, result, record, generation) =
            row.map_err(from_sqlite)?;
        let card = match card {
            None => None,
            Some(id) => Some(id.parse().map_err(|error| corrupt("turn_journal", error))?),
        };
        turns.push(TurnEntry {
            turn_id: turn_id(turn)?,
            card,
            role,
            step,
            attempt,
            result_digest: result,
            record_digest: record,
            generation,
        });
    }
    Ok(turns)
}
