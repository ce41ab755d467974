//! Rebuilding the projections from the truth.

use std::collections::BTreeSet;

use orket_cards::{RunRow, TurnSnapshot, TurnStore};
use orket_kernel::{Digest, TurnId};
use orket_ports::Workspace;

use crate::error::RunError;
use crate::observation;
use crate::projection::{self, Stamps};

/// What was rebuilt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// The generation that the projections show now.
    pub generation: u64,
    /// Files of `agent_output/` that were missing or behind.
    pub output_files: u64,
    /// Turns and attempts whose artefacts were written.
    pub observations: u64,
    /// Lines of the log.
    pub log_lines: u64,
    /// Files of the browsable view that were written or removed.
    pub view_files: u64,
}

/// Makes every projection anew: `agent_output/`, artefacts and log lines of all turns and attempts that are retained, and the
/// browsable view. Cut short, it is done again.
///
/// # Errors
/// Names files of `agent_output/` that someone else changed; nothing was written then. A projection that is ahead of the
/// database is refused unless `accept_older`.
///
/// # Limitations
/// What only narrates, such as arriving tokens, is not in the truth and does not come back. Lines of the log and artefacts of runs
/// whose records retention dropped stay as they are. With `accept_older`, a file of `agent_output/` that the older state
/// does not know stays where it is.
pub fn rebuild(
    store: &dyn TurnStore,
    workspace: &dyn Workspace,
    accept_older: bool,
) -> Result<Rebuilt, RunError> {
    let _lock = store.lock_output()?;
    let snapshot = store.snapshot()?;
    let snapshot = snapshot.as_ref();
    let runs = snapshot.runs(None)?;
    let forgotten = events_to_forget(workspace, &runs, accept_older)?;
    let applied = store.output_generation()?;
    if accept_older && applied.is_some_and(|applied| applied > snapshot.generation()) {
        store.forget_output_generation()?;
    }
    let mut rebuilt = Rebuilt {
        generation: snapshot.generation(),
        output_files: projection::bring_output_forward(
            store,
            workspace,
            snapshot,
            &mut Stamps::new(),
        )?,
        ..Rebuilt::default()
    };
    workspace.forget_logged(&forgotten)?;
    for run in runs.iter().filter(|run| run.is_retained) {
        let events = snapshot.events_after(&run.run_id, 0)?;
        projection::append_log(workspace, &events)?;
        rebuilt.log_lines += events.len() as u64;
        rebuilt.observations += rebuild_observations(workspace, snapshot, run)?;
    }
    rebuilt.view_files = store.rebuild_view(accept_older)?;
    Ok(rebuilt)
}

/// Returns the runs whose events are written anew: those that are retained, and if an older state is accepted those that it
/// does not know.
fn events_to_forget(
    workspace: &dyn Workspace,
    runs: &[RunRow],
    accept_older: bool,
) -> Result<BTreeSet<String>, RunError> {
    let retained = runs.iter().filter(|run| run.is_retained);
    let mut forgotten: BTreeSet<String> = retained.map(|run| run.run_id.to_string()).collect();
    for (logged, seq) in workspace.logged()? {
        match runs.iter().find(|run| run.run_id.as_str() == logged) {
            _ if accept_older => {
                let known = runs.iter().find(|run| run.run_id.as_str() == logged);
                if known.is_none_or(|run| seq > run.last_seq) {
                    forgotten.insert(logged);
                }
            }
            Some(run) => projection::check_log(run, seq)?,
            None => {
                let what = format!("the log holds events of the run {logged}");
                return Err(projection::older(&what, "the database does not know it"));
            }
        }
    }
    Ok(forgotten)
}

fn rebuild_observations(
    workspace: &dyn Workspace,
    snapshot: &dyn TurnSnapshot,
    run: &RunRow,
) -> Result<u64, RunError> {
    // The checkpoint of a turn is that of its last attempt, which is the promoted one if there is one.
    let attempts = snapshot.attempts(&run.run_id)?;
    let attempts = attempts
        .iter()
        .map(|row| (row.turn_id, false, row.attempt, row.record_digest));
    let turns = snapshot.turns(&run.run_id)?;
    let turns = turns
        .iter()
        .map(|row| (row.turn_id, true, row.attempt, row.record_digest));
    let mut records: Vec<(TurnId, bool, u64, Digest)> = attempts.chain(turns).collect();
    records.sort();
    let load = |digest: &Digest| Ok(snapshot.record(digest)?);
    for (_, _, _, digest) in &records {
        observation::write(workspace, &snapshot.turn_record(digest)?, &load)?;
    }
    Ok(records.len() as u64)
}
