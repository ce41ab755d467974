//! The durable events of each run, one chain per run.

use orket_cards::StoreFault;
use orket_kernel::canonical;
use orket_kernel::{Digest, RunId, object};
use orket_ports::Event;
use rusqlite::{Connection, params};

use super::runs::known;
use super::{CHANGED, RunEntry, digest, number};
use crate::fault::{corrupt, from_sqlite};

/// Numbers events and writes them down.
pub(crate) fn add_events(
    connection: &Connection,
    run_id: &RunId,
    events: &[Event],
) -> Result<Vec<Event>, StoreFault> {
    let mut run = known(connection, run_id)?;
    let mut numbered = Vec::new();
    let mut statement = connection
        .prepare_cached("INSERT INTO events (run_id, seq, line, digest) VALUES (?1, ?2, ?3, ?4)")
        .map_err(from_sqlite)?;
    for event in events {
        run.last_seq += 1;
        let event = Event {
            seq: Some(run.last_seq),
            ..event.clone()
        };
        let bytes =
            canonical::serialize(&event).map_err(|error| corrupt(run_id.as_str(), error))?;
        let line = String::from_utf8(bytes).map_err(|error| corrupt(run_id.as_str(), error))?;
        let digest = event_digest(run.events_digest.as_ref(), &line);
        statement
            .execute(params![
                run_id.as_str(),
                run.last_seq as i64,
                line,
                digest.as_bytes()
            ])
            .map_err(from_sqlite)?;
        run.events_digest = Some(digest);
        numbered.push(event);
    }
    run.write(connection)?;
    Ok(numbered)
}

/// Returns the durable events of a run after a sequence number, in order, each checked against the one before and the last
/// against the row of the run. Those of a run that is not retained go in any order: what is left of them is returned.
pub(crate) fn events(
    connection: &Connection,
    run: &RunEntry,
    seq: u64,
    is_retained: bool,
) -> Result<Vec<Event>, StoreFault> {
    let run_id = &run.run_id;
    if seq >= run.last_seq {
        return Ok(Vec::new());
    }
    let missing = |seq: u64| corrupt(&format!("events {run_id} {seq}"), "the event is missing");
    let mut statement = connection
        .prepare_cached(
            "SELECT seq, line, digest FROM events WHERE run_id = ?1 AND seq >= ?2 ORDER BY seq",
        )
        .map_err(from_sqlite)?;
    let rows = statement
        .query_map(params![run_id.as_str(), seq as i64], |row| {
            Ok((number(row, 0)?, row.get::<_, String>(1)?, digest(row, 2)?))
        })
        .map_err(from_sqlite)?;
    let (mut events, mut expected, mut previous) = (Vec::new(), seq.max(1), None);
    for row in rows {
        let (number, line, digest) = row.map_err(from_sqlite)?;
        let place = format!("events {run_id} {number}");
        let follows = number == expected;
        if !follows && is_retained {
            return Err(missing(expected));
        }
        // The one before the first that was asked for is there to be followed.
        if number > seq {
            if follows && event_digest(previous.as_ref(), &line) != digest {
                return Err(corrupt(&place, CHANGED));
            }
            let event = canonical::from_bytes(line.as_bytes());
            events.push(event.map_err(|error| corrupt(&place, error))?);
        }
        (expected, previous) = (number + 1, Some(digest));
    }
    if is_retained && (expected != run.last_seq + 1 || previous != run.events_digest) {
        return Err(missing(run.last_seq));
    }
    Ok(events)
}

/// Returns the digest of a row: over its line, and the digest of the row before.
pub(crate) fn event_digest(previous: Option<&Digest>, line: &str) -> Digest {
    canonical::digest(&object! {
        "line" => line,
        "previous_digest" => previous.map(Digest::to_hex),
    })
}
