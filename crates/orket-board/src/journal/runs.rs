//! The rows of runs.

use orket_cards::{RunState, StoreFault};
use orket_kernel::canonical;
use orket_kernel::{Digest, RunId, object};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{CHANGED, digest, number, optional_digest};
use crate::fault::{corrupt, from_sqlite};

/// A run's row, without what the index knows of it.
pub(crate) struct RunEntry {
    pub(crate) number: u64,
    pub(crate) run_id: RunId,
    pub(crate) epic: String,
    pub(crate) state: RunState,
    pub(crate) last_seq: u64,
    /// The digest of the newest event.
    pub(crate) events_digest: Option<Digest>,
    /// The digest of the newest failed attempt.
    pub(crate) attempts_digest: Option<Digest>,
}

impl RunEntry {
    fn digest(&self) -> Digest {
        canonical::digest(&object! {
            "number" => self.number,
            "run_id" => self.run_id.as_str(),
            "epic" => self.epic.as_str(),
            "state" => self.state.as_str(),
            "last_seq" => self.last_seq,
            "events_digest" => self.events_digest.map(|digest| digest.to_hex()),
            "attempts_digest" => self.attempts_digest.map(|digest| digest.to_hex()),
        })
    }

    /// Writes what changes while a run goes on.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), StoreFault> {
        let mut statement = connection
            .prepare_cached(
                "UPDATE run_journal SET state = ?2, last_seq = ?3, events_digest = ?4, attempts_digest = ?5,
                 digest = ?6 WHERE run_id = ?1",
            )
            .map_err(from_sqlite)?;
        let changed = statement
            .execute(params![
                self.run_id.as_str(),
                self.state.as_str(),
                self.last_seq as i64,
                self.events_digest.as_ref().map(Digest::as_bytes),
                self.attempts_digest.as_ref().map(Digest::as_bytes),
                self.digest().as_bytes(),
            ])
            .map_err(from_sqlite)?;
        match changed {
            1 => Ok(()),
            _ => Err(corrupt(
                &place(self.run_id.as_str()),
                "the row is not there",
            )),
        }
    }
}

/// Begins the journal of a run, unless it is there.
pub(crate) fn begin_run(
    connection: &Connection,
    run_id: &RunId,
    epic: &str,
) -> Result<(), StoreFault> {
    if run(connection, run_id)?.is_some() {
        return Ok(());
    }
    let number: i64 = connection
        .query_row(
            "SELECT coalesce(max(number), 0) + 1 FROM run_journal",
            [],
            |row| row.get(0),
        )
        .map_err(from_sqlite)?;
    let begun = RunEntry {
        number: u64::try_from(number).map_err(|error| corrupt("run_journal", error))?,
        run_id: run_id.clone(),
        epic: epic.to_owned(),
        state: RunState::Open,
        last_seq: 0,
        events_digest: None,
        attempts_digest: None,
    };
    connection
        .execute(
            "INSERT INTO run_journal (number, run_id, epic, state, last_seq, digest)
             VALUES (?1, ?2, ?3, ?4, 0, ?5)",
            params![
                number,
                run_id.as_str(),
                epic,
                begun.state.as_str(),
                begun.digest().as_bytes(),
            ],
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
    let open = run(connection, run_id)?.filter(|entry| entry.state == RunState::Open);
    let ended = RunEntry {
        state,
        ..open.ok_or_else(|| corrupt(run_id.as_str(), "the run is not open"))?
    };
    ended.write(connection)
}

/// Refuses to add to a run that has ended.
pub(crate) fn check_open(connection: &Connection, run_id: &RunId) -> Result<(), StoreFault> {
    match run(connection, run_id)?.map(|entry| entry.state) {
        Some(RunState::Open) => Ok(()),
        Some(_) | None => Err(StoreFault::Fenced {
            run: run_id.clone(),
        }),
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT number, run_id, epic, state, last_seq, events_digest, attempts_digest, digest FROM run_journal ",
            $rest
        )
    };
}

/// All rows, in the order in which the runs began.
pub(crate) const RUNS: &str = select!("ORDER BY number");

/// The rows of the runs whose records retention did not drop.
pub(crate) const RETAINED: &str = select!("WHERE run_id NOT IN (SELECT run_id FROM dropped_runs)");

/// Returns the row of a run.
pub(crate) fn run(connection: &Connection, run_id: &RunId) -> Result<Option<RunEntry>, StoreFault> {
    let mut statement = connection
        .prepare_cached(select!("WHERE run_id = ?1"))
        .map_err(from_sqlite)?;
    let found = statement
        .query_row([run_id.as_str()], run_columns)
        .optional()
        .map_err(from_sqlite)?;
    found.map(RunColumns::checked).transpose()
}

/// The same of a run whose row must be there.
pub(super) fn known(connection: &Connection, run_id: &RunId) -> Result<RunEntry, StoreFault> {
    let place = place(run_id.as_str());
    run(connection, run_id)?.ok_or_else(|| corrupt(&place, "the row is not there"))
}

/// Returns the runs of an epic, or all, in the order in which they began.
pub(crate) fn runs(
    connection: &Connection,
    epic: Option<&str>,
) -> Result<Vec<RunEntry>, StoreFault> {
    let mut statement = connection
        .prepare_cached(select!("WHERE ?1 IS NULL OR epic = ?1 ORDER BY number"))
        .map_err(from_sqlite)?;
    let rows = statement
        .query_map([epic], run_columns)
        .map_err(from_sqlite)?;
    rows.map(|found| found.map_err(from_sqlite)?.checked())
        .collect()
}

/// A row as it lies in the table.
pub(crate) struct RunColumns {
    pub(crate) run_id: String,
    number: u64,
    epic: String,
    state: String,
    pub(crate) last_seq: u64,
    pub(crate) events_digest: Option<Digest>,
    pub(crate) attempts_digest: Option<Digest>,
    digest: Digest,
}

/// Takes the columns of a row as they are.
pub(crate) fn run_columns(row: &Row<'_>) -> rusqlite::Result<RunColumns> {
    Ok(RunColumns {
        number: number(row, 0)?,
        run_id: row.get(1)?,
        epic: row.get(2)?,
        state: row.get(3)?,
        last_seq: number(row, 4)?,
        events_digest: optional_digest(row, 5)?,
        attempts_digest: optional_digest(row, 6)?,
        digest: digest(row, 7)?,
    })
}

impl RunColumns {
    /// Takes the columns as a row, checked against its digest, or says what is wrong with it.
    pub(crate) fn entry(self) -> Result<RunEntry, String> {
        let state = RunState::parse(&self.state);
        let entry = RunEntry {
            number: self.number,
            run_id: RunId::parse(&self.run_id).map_err(|error| error.to_string())?,
            epic: self.epic,
            state: state.ok_or("its state is unknown")?,
            last_seq: self.last_seq,
            events_digest: self.events_digest,
            attempts_digest: self.attempts_digest,
        };
        if entry.digest() == self.digest {
            Ok(entry)
        } else {
            Err(CHANGED.to_owned())
        }
    }

    fn checked(self) -> Result<RunEntry, StoreFault> {
        let place = place(&self.run_id);
        self.entry().map_err(|reason| corrupt(&place, reason))
    }
}

fn place(run_id: &str) -> String {
    format!("run_journal {run_id}")
}
