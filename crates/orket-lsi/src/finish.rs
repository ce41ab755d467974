//! How runs were finished: one row per finished run, which is never changed.

use orket_kernel::{Digest, LSI_VERSION, Outcome, RunId, TurnId, canonical, object};
use rusqlite::OptionalExtension;

use crate::access::Access;
use crate::{StoreError, ledger, row, run};

/// Returns how a run was finished; `None` if it is open.
///
/// The row repeats the last turn of the run: a turn that was promoted after the end is damage.
pub(crate) fn outcome(access: Access<'_>, run_id: &RunId) -> Result<Option<Outcome>, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT outcome, last_turn, digest FROM finished_runs WHERE run_id = ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let found: Option<(String, Option<i64>, [u8; 32])> = statement
        .query_row([run_id.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()
        .map_err(&failed)?;
    let Some((text, last_turn, kept)) = found else {
        return Ok(None);
    };
    let place = format!("finished_runs {run_id}");
    let outcome = match text.as_str() {
        "PASS" => Outcome::Pass,
        "FAIL" => Outcome::Fail,
        _ => {
            let reason = format!("{text:?} is no outcome");
            return Err(StoreError::corrupt(place, reason));
        }
    };
    let last_turn = last_turn.map(|turn| row::turn(turn, &place)).transpose()?;
    if digest(run_id, outcome, last_turn).as_bytes() != &kept {
        let reason = "the fields do not match the digest of the row";
        return Err(StoreError::corrupt(place, reason));
    }
    if last_turn != ledger::last_turn(access, run_id)? {
        let reason = "the ledger ends at another turn than the run";
        return Err(StoreError::corrupt(place, reason));
    }
    Ok(Some(outcome))
}

/// Refuses a run that is finished.
pub(crate) fn check_open(access: Access<'_>, run_id: &RunId) -> Result<(), StoreError> {
    match outcome(access, run_id)? {
        None => Ok(()),
        Some(outcome) => Err(StoreError::RunFinished {
            run_id: run_id.clone(),
            outcome,
        }),
    }
}

/// Notes how a run ended.
pub(crate) fn keep(access: Access<'_>, run_id: &RunId, outcome: Outcome) -> Result<(), StoreError> {
    run::check_known(access, run_id)?;
    check_open(access, run_id)?;
    let last_turn = ledger::last_turn(access, run_id)?;
    let turn = last_turn
        .map(|turn| row::integer(turn.number(), "turn"))
        .transpose()?;
    let failed = access.failed("written");
    let sql =
        "INSERT INTO finished_runs (run_id, outcome, last_turn, digest) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .execute((
            run_id.as_str(),
            outcome.to_string(),
            turn,
            digest(run_id, outcome, last_turn).as_bytes(),
        ))
        .map_err(&failed)?;
    Ok(())
}

/// SHA-256 over the fields of the row and the version of the index as canonical JSON.
fn digest(run_id: &RunId, outcome: Outcome, last_turn: Option<TurnId>) -> Digest {
    canonical::digest(&object! {
        "run_id" => run_id.as_str(),
        "outcome" => outcome.to_string(),
        "last_turn" => last_turn.map(|turn| turn.to_string()),
        "lsi_version" => LSI_VERSION,
    })
}
