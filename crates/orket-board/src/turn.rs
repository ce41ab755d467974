//! A turn inside a transaction: promoted with its record, its board rows and its events, or kept as a failed attempt.

use orket_cards::{Committed, FailedAttempt, StoreFault, TurnCommit};
use orket_kernel::{Payload, RunEnvelope, RunId};
use orket_lsi::CommitTransaction;
use orket_ports::Event;

use crate::fault::from_store;
use crate::{cards_table, journal};

/// Refuses a turn that was computed on another state than the newest.
pub(crate) fn check_base(
    transaction: &CommitTransaction<'_>,
    expected: u64,
) -> Result<(), StoreFault> {
    let found = transaction.head().map_err(from_store)?.generation;
    if found == expected {
        return Ok(());
    }
    Err(StoreFault::Conflict { expected, found })
}

/// Begins a run that ends in the same transaction; refused as a conflict if there is one of this id.
pub(crate) fn begin_whole_run(
    transaction: &CommitTransaction<'_>,
    envelope: &RunEnvelope,
    work: &str,
) -> Result<(), StoreFault> {
    let connection = transaction.connection();
    if journal::run(connection, &envelope.run_id)?.is_some() {
        let found = transaction.head().map_err(from_store)?.generation;
        let expected = found;
        return Err(StoreFault::Conflict { expected, found });
    }
    transaction.start_run(envelope).map_err(from_store)?;
    journal::begin_run(connection, &envelope.run_id, work)
}

/// Promotes a turn.
pub(crate) fn apply(
    transaction: &CommitTransaction<'_>,
    commit: &TurnCommit,
    record: &[u8],
) -> Result<Committed, StoreFault> {
    let connection = transaction.connection();
    let run_id = &commit.plan.run_id;
    let objects = commit.plan.objects.values().map(Payload::length_bytes);
    let contents = objects.sum::<u64>() + bytes_of(commit.evidence.iter());
    transaction
        .check_room(contents + record.len() as u64)
        .map_err(from_store)?;
    let promoted = transaction
        .promote(&commit.plan, record)
        .map_err(from_store)?;
    let record_digest = transaction.keep_record(record).map_err(from_store)?;
    for evidence in &commit.evidence {
        transaction.keep_record(evidence).map_err(from_store)?;
    }
    cards_table::apply(connection, &commit.plan, promoted.generation)?;
    journal::add_turn(
        connection,
        run_id,
        &commit.record,
        &record_digest,
        promoted.generation,
    )?;
    let events = journal::add_events(connection, run_id, &commit.events)?;
    Ok(Committed {
        generation: promoted.generation,
        state_digest: promoted.state_digest,
        events,
    })
}

/// Keeps the evidence of an attempt that failed.
pub(crate) fn keep_attempt(
    transaction: &CommitTransaction<'_>,
    run_id: &RunId,
    attempt: &FailedAttempt,
    record: &[u8],
) -> Result<Vec<Event>, StoreFault> {
    let connection = transaction.connection();
    transaction
        .check_room(bytes_of(attempt.evidence.iter()) + record.len() as u64)
        .map_err(from_store)?;
    let record_digest = transaction.keep_record(record).map_err(from_store)?;
    for evidence in &attempt.evidence {
        transaction.keep_record(evidence).map_err(from_store)?;
    }
    journal::add_attempt(connection, run_id, &attempt.record, &record_digest)?;
    journal::add_events(connection, run_id, &attempt.events)
}

fn bytes_of<'a>(contents: impl Iterator<Item = &'a Vec<u8>>) -> u64 {
    contents.map(|bytes| bytes.len() as u64).sum()
}
