//! The journal: runs, turns, attempts and events.

use orket_cards::{AttemptRow, CardId, RunState, StoreFault, TurnRecord};
use orket_kernel::canonical;
use orket_kernel::{Digest, RunId, TurnId};
use orket_ports::Event;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::fault::{corrupt, from_sqlite};

/// A run's row, without what the index knows of it.
pub(crate) struct RunEntry {
    pub(crate) run_id: RunId,
    pub(crate) epic: String,
    pub(crate) state: RunState,
    pub(crate) last_seq: u64,
    pub(crate) is_retained: bool,
}

/// Begins the journal of a run, unless it is there.
pub(crate) fn begin_run(
    connection: &Connection,
    run_id: &RunId,
    epic: &str,
) -> Result<(), StoreFault> {
    connection
        .execute(
            "INSERT INTO run_journal (run_id, epic, state) VALUES (?1, ?2, 'open')
             ON CONFLICT (run_id) DO NOTHING",
            params![run_id.as_str(), epic],
        )
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => StoreFault::Busy {
                what: format!("the epic {epic}"),
                hint: "it has another unfinished run; continue that one".into(),
            },
            _ => from_sqlite(error),
        })?;
    Ok(())
}

/// Notes how a run ended.
pub(crate) fn end_run(
    connection: &Connection,
    run_id: &RunId,
    state: RunState,
) -> Result<(), StoreFault> {
    let changed = connection
        .execute(
            "UPDATE run_journal SET state = ?2 WHERE run_id = ?1 AND state = 'open'",
            params![run_id.as_str(), state.as_str()],
        )
        .map_err(from_sqlite)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(corrupt(run_id.as_str(), "the run is not open"))
    }
}

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

/// Writes the row of a failed attempt.
pub(crate) fn add_attempt(
    connection: &Connection,
    run_id: &RunId,
    record: &TurnRecord,
    record_digest: &Digest,
) -> Result<(), StoreFault> {
    connection
        .execute(
            "INSERT INTO attempt_journal (run_id, turn, attempt, record_digest) VALUES (?1, ?2, ?3, ?4)",
            params![
                run_id.as_str(),
                record.turn_id.number() as i64,
                record.attempt as i64,
                record_digest.as_bytes().as_slice(),
            ],
        )
        .map_err(from_sqlite)?;
    Ok(())
}

/// Numbers events and writes them down.
pub(crate) fn add_events(
    connection: &Connection,
    run_id: &RunId,
    events: &[Event],
) -> Result<Vec<Event>, StoreFault> {
    let last: i64 = connection
        .query_row(
            "SELECT last_seq FROM run_journal WHERE run_id = ?1",
            [run_id.as_str()],
            |row| row.get(0),
        )
        .map_err(from_sqlite)?;
    let mut numbered = Vec::new();
    let mut seq = u64::try_from(last).map_err(|error| corrupt(run_id.as_str(), error))?;
    let mut statement = connection
        .prepare_cached("INSERT INTO events (run_id, seq, line) VALUES (?1, ?2, ?3)")
        .map_err(from_sqlite)?;
    for event in events {
        seq += 1;
        let event = Event {
            seq: Some(seq),
            ..event.clone()
        };
        let bytes =
            canonical::serialize(&event).map_err(|error| corrupt(run_id.as_str(), error))?;
        let line = String::from_utf8(bytes).map_err(|error| corrupt(run_id.as_str(), error))?;
        statement
            .execute(params![run_id.as_str(), seq as i64, line])
            .map_err(from_sqlite)?;
        numbered.push(event);
    }
    connection
        .execute(
            "UPDATE run_journal SET last_seq = ?2 WHERE run_id = ?1",
            params![run_id.as_str(), seq as i64],
        )
        .map_err(from_sqlite)?;
    Ok(numbered)
}

/// Refuses to add to a run that has ended.
pub(crate) fn check_open(connection: &Connection, run_id: &RunId) -> Result<(), StoreFault> {
    let entry = runs(connection, Some(run_id), None)?.pop();
    match entry.map(|entry| entry.state) {
        Some(RunState::Open) => Ok(()),
        Some(_) | None => Err(StoreFault::Fenced {
            run: run_id.clone(),
        }),
    }
}

/// Takes the next fencing number of a run.
pub(crate) fn take_fence(connection: &Connection, run_id: &RunId) -> Result<u64, StoreFault> {
    let fence: i64 = connection
        .query_row(
            "INSERT INTO fences (run_id, fence) VALUES (?1, 1)
             ON CONFLICT (run_id) DO UPDATE SET fence = fence + 1 RETURNING fence",
            [run_id.as_str()],
            |row| row.get(0),
        )
        .map_err(from_sqlite)?;
    u64::try_from(fence).map_err(|error| corrupt(run_id.as_str(), error))
}

/// Refuses a writer whose lease was taken over.
pub(crate) fn check_fence(
    connection: &Connection,
    run_id: &RunId,
    fence: u64,
) -> Result<(), StoreFault> {
    let newest: Option<i64> = connection
        .query_row(
            "SELECT fence FROM fences WHERE run_id = ?1",
            [run_id.as_str()],
            |row| row.get(0),
        )
        .optional()
        .map_err(from_sqlite)?;
    if newest.and_then(|newest| u64::try_from(newest).ok()) == Some(fence) {
        Ok(())
    } else {
        Err(StoreFault::Fenced {
            run: run_id.clone(),
        })
    }
}

/// Returns the runs that match, in the order in which they began.
pub(crate) fn runs(
    connection: &Connection,
    run_id: Option<&RunId>,
    epic: Option<&str>,
) -> Result<Vec<RunEntry>, StoreFault> {
    let mut statement = connection
        .prepare_cached(
            "SELECT run_id, epic, state, last_seq, run_id NOT IN (SELECT run_id FROM dropped_runs)
             FROM run_journal
             WHERE (?1 IS NULL OR run_id = ?1) AND (?2 IS NULL OR epic = ?2) ORDER BY number",
        )
        .map_err(from_sqlite)?;
    let rows = statement
        .query_map(params![run_id.map(RunId::as_str), epic], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                number(row, 3)?,
                row.get::<_, bool>(4)?,
            ))
        })
        .map_err(from_sqlite)?;
    let mut runs = Vec::new();
    for row in rows {
        let (run_id, epic, state, last_seq, is_retained) = row.map_err(from_sqlite)?;
        let state =
            RunState::parse(&state).ok_or_else(|| corrupt(&run_id, "its state is unknown"))?;
        let run_id = RunId::parse(&run_id).map_err(|error| corrupt("run_journal", error))?;
        runs.push(RunEntry {
            run_id,
            epic,
            state,
            last_seq,
            is_retained,
        });
    }
    Ok(runs)
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
                row.get::<_, [u8; 32]>(5)?,
                row.get::<_, [u8; 32]>(6)?,
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
            result_digest: Digest::from_bytes(result),
            record_digest: Digest::from_bytes(record),
            generation,
        });
    }
    Ok(turns)
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
        .prepare_cached(
            "SELECT turn, attempt, record_digest FROM attempt_journal
             WHERE run_id = ?1 AND turn BETWEEN ?2 AND ?3 ORDER BY turn, attempt",
        )
        .map_err(from_sqlite)?;
    let rows = statement
        .query_map(params![run_id.as_str(), first, last], |row| {
            Ok((number(row, 0)?, number(row, 1)?, row.get::<_, [u8; 32]>(2)?))
        })
        .map_err(from_sqlite)?;
    let mut attempts = Vec::new();
    for row in rows {
        let (turn, attempt, record) = row.map_err(from_sqlite)?;
        let record_digest = Digest::from_bytes(record);
        attempts.push(AttemptRow {
            turn_id: turn_id(turn)?,
            attempt,
            record_digest,
        });
    }
    Ok(attempts)
}

/// Returns the durable events of a run after a sequence number, in order.
pub(crate) fn events(
    connection: &Connection,
    run_id: &RunId,
    seq: u64,
) -> Result<Vec<Event>, StoreFault> {
    let mut statement = connection
        .prepare_cached("SELECT line FROM events WHERE run_id = ?1 AND seq > ?2 ORDER BY seq")
        .map_err(from_sqlite)?;
    let rows = statement
        .query_map(params![run_id.as_str(), seq as i64], |row| {
            row.get::<_, String>(0)
        })
        .map_err(from_sqlite)?;
    let mut events = Vec::new();
    for row in rows {
        let line = row.map_err(from_sqlite)?;
        let value = canonical::parse(line.as_bytes()).map_err(|error| corrupt("events", error))?;
        events.push(canonical::from_value(value).map_err(|error| corrupt("events", error))?);
    }
    Ok(events)
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

fn turn_id(number: u64) -> Result<TurnId, StoreFault> {
    TurnId::new(number).ok_or_else(|| corrupt("turn_journal", "a turn has the number 0"))
}
