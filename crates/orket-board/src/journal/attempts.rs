//! The failed attempts of each run, one chain per run.

use orket_cards::{AttemptRow, StoreFault, TurnRecord};
use orket_kernel::canonical;
use orket_kernel::{Digest, RunId, TurnId, object};
use rusqlite::{Connection, Row, params};

use super::runs::known;
use super::{CHANGED, digest, number, optional_digest, turn_id};
use crate::fault::{corrupt, from_sqlite};

/// A row as it lies in the table.
pub(crate) struct AttemptColumns {
    pub(crate) run_id: String,
    pub(crate) turn: u64,
    pub(crate) attempt: u64,
    record_digest: Digest,
    /// The digest of the row that was written before; `None` in the first of a run.
    pub(crate) previous_digest: Option<Digest>,
    pub(crate) digest: Digest,
}

impl AttemptColumns {
    /// Returns what the digest of the row must be.
    pub(crate) fn expected(&self) -> Digest {
        canonical::digest(&object! {
            "run_id" => self.run_id.as_str(),
            "turn" => self.turn,
            "attempt" => self.attempt,
            "record_digest" => self.record_digest.to_hex(),
            "previous_digest" => self.previous_digest.map(|digest| digest.to_hex()),
        })
    }

    pub(crate) fn place(&self) -> String {
        format!(
            "attempt_journal {} {} {}",
            self.run_id, self.turn, self.attempt
        )
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT run_id, turn, attempt, record_digest, previous_digest, digest FROM attempt_journal ",
            $rest
        )
    };
}

/// All rows.
pub(crate) const ATTEMPTS: &str = select!("ORDER BY run_id, turn, attempt");

/// Takes the columns run, turn, attempt, record, previous digest and digest as they are.
pub(crate) fn attempt_columns(row: &Row<'_>) -> rusqlite::Result<AttemptColumns> {
    Ok(AttemptColumns {
        run_id: row.get(0)?,
        turn: number(row, 1)?,
        attempt: number(row, 2)?,
        record_digest: digest(row, 3)?,
        previous_digest: optional_digest(row, 4)?,
        digest: digest(row, 5)?,
    })
}

/// Writes the row of a failed attempt.
pub(crate) fn add_attempt(
    connection: &Connection,
    run_id: &RunId,
    record: &TurnRecord,
    record_digest: &Digest,
) -> Result<(), StoreFault> {
    let mut run = known(connection, run_id)?;
    let mut row = AttemptColumns {
        run_id: run_id.to_string(),
        turn: record.turn_id.number(),
        attempt: record.attempt,
        record_digest: *record_digest,
        previous_digest: run.attempts_digest,
        digest: *record_digest,
    };
    row.digest = row.expected();
    connection
        .execute(
            "INSERT INTO attempt_journal (run_id, turn, attempt, record_digest, previous_digest, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                row.run_id,
                row.turn as i64,
                row.attempt as i64,
                row.record_digest.as_bytes(),
                row.previous_digest.as_ref().map(Digest::as_bytes),
                row.digest.as_bytes(),
            ],
        )
        .map_err(from_sqlite)?;
    run.attempts_digest = Some(row.digest);
    run.write(connection)
}

/// Returns the failed attempts of a run, or those at one turn, in order.
pub(crate) fn attempts(
    connection: &Connection,
    run_id: &RunId,
    at: Option<TurnId>,
) -> Result<Vec<AttemptRow>, StoreFault> {
    let first = at.map_or(1, TurnId::number) as i64;
    let last = at.map_or(i64::MAX, |at| at.number() as i64);
    let mut statement = connection
        .prepare_cached(select!(
            "WHERE run_id = ?1 AND turn BETWEEN ?2 AND ?3 ORDER BY turn, attempt"
        ))
        .map_err(from_sqlite)?;
    let rows = statement
        .query_map(params![run_id.as_str(), first, last], attempt_columns)
        .map_err(from_sqlite)?;
    let mut attempts = Vec::new();
    for row in rows {
        let row = row.map_err(from_sqlite)?;
        if row.expected() != row.digest {
            return Err(corrupt(&row.place(), CHANGED));
        }
        attempts.push(AttemptRow {
            turn_id: turn_id(row.turn)?,
            attempt: row.attempt,
            record_digest: row.record_digest,
        });
    }
    Ok(attempts)
}
