//! What the runs of the journal need, and what goes with the records of a run that retention dropped.

use std::collections::BTreeSet;

use orket_cards::{Cause, Changes, RunState, StoreFault, TurnRecord};
use orket_kernel::canonical;
use orket_kernel::{Digest, ReadSet, RunId};
use orket_lsi::{Kept, RunClaims, StoreError};
use rusqlite::{Connection, OptionalExtension};

use crate::fault::{corrupt, from_sqlite, from_store};
use crate::journal;

/// How many events one transaction removes at most.
const EVENTS_MAX: i64 = 1000;

/// Returns what every run needs, in the order in which they began.
pub(crate) fn claims(kept: &Kept<'_>) -> Result<Vec<RunClaims>, StoreFault> {
    let runs = journal::runs(kept.connection(), None)?;
    runs.into_iter()
        .map(|run| {
            let turns = journal::turns(kept.connection(), &run.run_id, None)?;
            let mut claims = RunClaims {
                is_open: run.state == RunState::Open,
                generations: turns
                    .first()
                    .zip(turns.last())
                    .map(|(first, last)| (first.generation, last.generation)),
                records: BTreeSet::new(),
                objects: BTreeSet::new(),
                run_id: run.run_id,
            };
            if kept.is_dropped(&claims.run_id).map_err(from_store)? {
                return Ok(claims);
            }
            for turn in turns {
                claim(kept, &turn.record_digest, &mut claims)?;
            }
            for attempt in journal::attempts(kept.connection(), &claims.run_id, None)? {
                claim(kept, &attempt.record_digest, &mut claims)?;
            }
            Ok(claims)
        })
        .collect()
}

/// Adds a record, the exchanges that it names, the objects that the turn read and those that its commands wrote.
fn claim(kept: &Kept<'_>, digest: &Digest, claims: &mut RunClaims) -> Result<(), StoreFault> {
    let place = format!("the turn record {digest}");
    let bytes = kept
        .record(digest)
        .map_err(from_store)?
        .ok_or_else(|| corrupt(&place, "it is not kept"))?;
    let record: TurnRecord =
        canonical::from_bytes(&bytes).map_err(|error| corrupt(&place, error))?;
    claims.records.insert(*digest);
    for exchange in &record.exchanges {
        claims.records.insert(exchange.request);
        claims.records.extend(exchange.answer);
    }
    // An attempt that never reached the kernel may have read nothing.
    let reads = ReadSet::from_value(&record.reads);
    let reads = reads.iter().flat_map(ReadSet::objects);
    claims.objects.extend(reads);
    // What a person set is executed again from its documents; those of a refused turn were never kept.
    if let Cause::Operator { action, .. } = &record.cause
        && record.refusals.is_empty()
    {
        let changes = action.changes().into_iter();
        claims.objects.extend(changes.flat_map(Changes::objects));
    }
    // What commands wrote was kept only if the turn was promoted.
    if record.refusals.is_empty() {
        claims.objects.extend(record.command_contents());
    }
    Ok(())
}

/// Removes some events of dropped runs; tells whether none is left.
pub(crate) fn drop_events(connection: &Connection) -> Result<bool, StoreFault> {
    let sql = "DELETE FROM events WHERE (run_id, seq) IN (SELECT run_id, seq FROM events
               WHERE run_id IN (SELECT run_id FROM dropped_runs) LIMIT ?1)";
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let removed = statement.execute([EVENTS_MAX]).map_err(from_sqlite)?;
    Ok(i64::try_from(removed).is_ok_and(|removed| removed < EVENTS_MAX))
}

/// Returns the dropped run whose turn or attempt has this record.
pub(crate) fn dropped_run_of(
    connection: &Connection,
    record_digest: &Digest,
) -> Result<Option<String>, StoreFault> {
    let sql = "SELECT run_id FROM turn_journal WHERE record_digest = ?1
                   AND run_id IN (SELECT run_id FROM dropped_runs)
               UNION SELECT run_id FROM attempt_journal WHERE record_digest = ?1
                   AND run_id IN (SELECT run_id FROM dropped_runs)";
    connection
        .query_row(sql, [record_digest.as_bytes()], |row| row.get(0))
        .optional()
        .map_err(from_sqlite)
}

/// Says that the records of a run are not retained.
pub(crate) fn not_retained(run_id: &RunId) -> StoreFault {
    from_store(StoreError::RecordsNotRetained {
        run_id: run_id.clone(),
    })
}
