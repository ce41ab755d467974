//! The journal: runs, turns, attempts and events, and the fencing numbers of those who write it.
//!
//! The row of a turn repeats what the chain of promotions and the turn record say. Of the other rows nothing else is known:
//! each has a digest, attempts and events are chained, and the row of the run holds the ends of both chains.

mod attempts;
mod events;
mod fences;
mod runs;
mod turns;

use orket_cards::StoreFault;
use orket_kernel::{Digest, TurnId};
use rusqlite::Row;

use crate::fault::corrupt;

pub(crate) use attempts::{ATTEMPTS, AttemptColumns, add_attempt, attempt_columns, attempts};
pub(crate) use events::{add_events, event_digest, events};
pub(crate) use fences::{check_fence, fence_columns, take_fence};
pub(crate) use runs::{
    RETAINED, RUNS, RunColumns, RunEntry, begin_run, check_open, end_run, run, run_columns, runs,
};
pub(crate) use turns::{add_turn, turns};

/// Why a row is not believed.
pub(crate) const CHANGED: &str = "the fields do not match the digest of the row";

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

fn digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Digest> {
    row.get(column).map(Digest::from_bytes)
}

fn optional_digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Digest>> {
    let bytes: Option<[u8; 32]> = row.get(column)?;
    Ok(bytes.map(Digest::from_bytes))
}

fn turn_id(number: u64) -> Result<TurnId, StoreFault> {
    TurnId::new(number).ok_or_else(|| corrupt("turn_journal", "a turn has the number 0"))
}
