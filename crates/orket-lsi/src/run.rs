//! Runs and their envelopes.

use orket_kernel::{Digest, RunEnvelope, RunHandle, RunId, canonical};
use rusqlite::OptionalExtension;

use crate::access::Access;
use crate::{StoreError, row};

/// Keeps the envelope of a run. The same envelope again is no change; another one is refused.
pub(crate) fn start(access: Access<'_>, envelope: &RunEnvelope) -> Result<RunHandle, StoreError> {
    let run_id = envelope.run_id.clone();
    let malformed = |error: canonical::SerializeError| {
        StoreError::corrupt(format!("the envelope of run {run_id}"), error.to_string())
    };
    let bytes = envelope.to_bytes().map_err(malformed)?;
    let given = Digest::of_bytes(&bytes);
    if let Some(kept) = digest(access, &run_id)? {
        if kept != given {
            return Err(StoreError::EnvelopeDiffers {
                run_id,
                kept,
                given,
            });
        }
        return Ok(RunHandle {
            run_id,
            envelope_digest: given,
        });
    }
    check_never_named(access, &run_id)?;
    let failed = access.failed("written");
    let sql = "INSERT INTO runs (run_id, envelope_digest, envelope) VALUES (?1, ?2, ?3)";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .execute((run_id.as_str(), given.as_bytes(), bytes))
        .map_err(&failed)?;
    Ok(RunHandle {
        run_id,
        envelope_digest: given,
    })
}

/// Returns the digest of the envelope of a run; `None` if there is no such run.
pub(crate) fn digest(access: Access<'_>, run_id: &RunId) -> Result<Option<Digest>, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT envelope_digest FROM runs WHERE run_id = ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let found = statement
        .query_row([run_id.as_str()], |row| row.get(0))
        .optional();
    Ok(found.map_err(&failed)?.map(row::digest))
}

/// Refuses a run that was never started.
pub(crate) fn check_known(access: Access<'_>, run_id: &RunId) -> Result<(), StoreError> {
    match digest(access, run_id)? {
        Some(_) => Ok(()),
        None => {
            check_never_named(access, run_id)?;
            Err(StoreError::UnknownRun {
                run_id: run_id.clone(),
            })
        }
    }
}

/// Refuses to take a run for one that never was when other rows name it: its own row is lost, and another envelope would
/// continue its chain.
pub(crate) fn check_never_named(access: Access<'_>, run_id: &RunId) -> Result<(), StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT EXISTS (SELECT 1 FROM promotions WHERE run_id = ?1)
        OR EXISTS (SELECT 1 FROM ledger WHERE run_id = ?1)
        OR EXISTS (SELECT 1 FROM finished_runs WHERE run_id = ?1)";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let is_named: bool = statement
        .query_row([run_id.as_str()], |row| row.get(0))
        .map_err(&failed)?;
    if is_named {
        let reason = "it is missing, and other rows name it";
        return Err(StoreError::corrupt(format!("runs {run_id}"), reason));
    }
    Ok(())
}

/// Returns the envelope of a run, checked against its digest; `None` if there is no such run.
pub(crate) fn envelope(
    access: Access<'_>,
    run_id: &RunId,
) -> Result<Option<RunEnvelope>, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT envelope_digest, envelope FROM runs WHERE run_id = ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let found: Option<([u8; 32], Vec<u8>)> = statement
        .query_row([run_id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(&failed)?;
    let Some((digest, bytes)) = found else {
        return Ok(None);
    };
    let corrupt = |reason: String| StoreError::corrupt(format!("runs {run_id}"), reason);
    if Digest::of_bytes(&bytes).as_bytes() != &digest {
        return Err(corrupt("the envelope does not match its digest".to_owned()));
    }
    let envelope: RunEnvelope =
        canonical::from_bytes(&bytes).map_err(|error| corrupt(error.to_string()))?;
    if envelope.run_id != *run_id {
        return Err(corrupt(format!(
            "the envelope is that of run {}",
            envelope.run_id
        )));
    }
    Ok(Some(envelope))
}

/// Returns the ids of all runs, sorted.
pub(crate) fn all(access: Access<'_>) -> Result<Vec<RunId>, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT run_id FROM runs ORDER BY run_id";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(&failed)?;
    rows.map(|found| row::run_id(&found.map_err(&failed)?))
        .collect()
}
