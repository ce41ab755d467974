//! Projections: `agent_output/`, the browsable view, artefacts and the log follow the commit and never lead it.

use std::collections::{BTreeMap, BTreeSet};

use orket_cards::{RunRow, RunState, StoreFault, TurnSnapshot, TurnStore};
use orket_kernel::canonical;
use orket_kernel::{Digest, ReadError, StateView, TurnId};
use orket_ports::workspace::{OnDisk, OutputStamp};
use orket_ports::{Event, Workspace};

use crate::error::RunError;
use crate::observation;
use crate::output;
use crate::scope::artifact_entry;

/// Brings every projection up to the newest generation: `agent_output/`, the view, and log, artefacts and staging of the
/// runs of an epic. Called whenever a run is begun, continued or found to be over.
///
/// # Errors
/// Names files of `agent_output/` that someone else changed; they are never overwritten.
pub(crate) fn bring_forward(
    store: &dyn TurnStore,
    workspace: &dyn Workspace,
    epic: &str,
) -> Result<(), RunError> {
    {
        let _lock = store.lock_output()?;
        let snapshot = store.snapshot()?;
        bring_output_forward(store, workspace, snapshot.as_ref(), &mut Stamps::new())?;
        bring_runs_forward(store, workspace, snapshot.as_ref(), epic)?;
    }
    Ok(store.project_view()?)
}

/// Compares `agent_output/` with the newest generation before each turn, and brings it up to that. A file that did not
/// change since the last look is not read.
///
/// # Errors
/// Names the files that hold what Orket did not write.
pub(crate) fn bring_output_forward(
    store: &dyn TurnStore,
    workspace: &dyn Workspace,
    snapshot: &dyn TurnSnapshot,
    stamps: &mut Stamps,
) -> Result<u64, RunError> {
    let compared = compare(store, workspace, snapshot, stamps)?;
    if !compared.foreign.is_empty() {
        let mut paths = compared.foreign;
        paths.sort();
        return Err(RunError::ForeignChange { paths });
    }
    compared.apply(store, workspace, snapshot)
}

/// Brings `agent_output/` forward if it is behind the newest generation; what Orket did not write stays as it is.
pub(crate) fn bring_lagging_forward(
    store: &dyn TurnStore,
    workspace: &dyn Workspace,
    snapshot: &dyn TurnSnapshot,
) -> Result<(), RunError> {
    let compared = compare(store, workspace, snapshot, &mut Stamps::new())?;
    if !compared.is_current {
        compared.apply(store, workspace, snapshot)?;
    }
    Ok(())
}

/// What lies in `agent_output/` beside what the newest generation says.
struct Comparison {
    /// Whether it was brought to the newest generation already.
    is_current: bool,
    /// Files to write.
    lagging: Vec<String>,
    /// Files to remove.
    removed: BTreeSet<String>,
    /// Files that were removed already; a kill may have left their directories.
    gone: Vec<String>,
    /// What Orket did not write.
    foreign: Vec<String>,
}

impl Comparison {
    /// Writes and removes what lags, and returns how many files that were.
    fn apply(
        &self,
        store: &dyn TurnStore,
        workspace: &dyn Workspace,
        snapshot: &dyn TurnSnapshot,
    ) -> Result<u64, RunError> {
        for path in self.removed.iter().chain(&self.gone) {
            workspace.remove_output(path)?;
        }
        for path in &self.lagging {
            workspace.write_output(&output::file(snapshot.state(), path)?)?;
        }
        if !self.is_current {
            store.note_output_generation(snapshot.generation())?;
        }
        Ok((self.removed.len() + self.lagging.len()) as u64)
    }
}

fn compare(
    store: &dyn TurnStore,
    workspace: &dyn Workspace,
    snapshot: &dyn TurnSnapshot,
    stamps: &mut Stamps,
) -> Result<Comparison, RunError> {
    let applied = store.output_generation()?;
    if let Some(applied) = applied
        && applied > snapshot.generation()
    {
        let what = format!("agent_output/ was brought to generation {applied}");
        let found = format!("the database is only at {}", snapshot.generation());
        return Err(older(&what, &found));
    }
    let is_current = applied == Some(snapshot.generation());
    let state = snapshot.state();
    let mut foreign = Vec::new();
    let (removed, gone) = if is_current {
        (BTreeSet::new(), Vec::new())
    } else {
        lagging_removals(workspace, snapshot, applied.unwrap_or(0), &mut foreign)?
    };
    let mut lagging = Vec::new();
    for stem in state.stems("artifact/")? {
        let path = stem.name();
        let stamp = workspace.output_stamp(path)?;
        if is_current && stamp.is_some() && stamps.get(path) == stamp.as_ref() {
            continue;
        }
        let on_disk = workspace.output(path)?;
        let committed = artifact_entry(state, path)?;
        match on_disk {
            OnDisk::Absent => lagging.push(path.to_owned()),
            OnDisk::Other if output::makes_way(workspace, path, &removed)? => {
                lagging.push(path.to_owned());
            }
            OnDisk::Other => foreign.push(path.to_owned()),
            OnDisk::File { digest, executable } => {
                if committed == Some((digest, executable)) {
                    stamps.extend(stamp.map(|stamp| (path.to_owned(), stamp)));
                } else if !is_current && is_kept(state, &digest)? {
                    // Behind the generation, what an earlier turn wrote is ours to replace; its bytes are kept.
                    lagging.push(path.to_owned());
                } else {
                    foreign.push(path.to_owned());
                }
            }
        }
    }
    Ok(Comparison {
        is_current,
        lagging,
        removed,
        gone,
        foreign,
    })
}

/// Returns the files that turns after the generation `applied` deleted: those that still lie in `agent_output/` as a turn wrote
/// them, and those that are gone.
fn lagging_removals(
    workspace: &dyn Workspace,
    snapshot: &dyn TurnSnapshot,
    applied: u64,
    foreign: &mut Vec<String>,
) -> Result<(BTreeSet<String>, Vec<String>), RunError> {
    let state = snapshot.state();
    let (mut removed, mut gone) = (BTreeSet::new(), Vec::new());
    for stem in snapshot.changed(applied, snapshot.generation())? {
        if stem.kind() != "artifact" || state.triplet(&stem)?.is_some() {
            continue;
        }
        let path = stem.name();
        match workspace.output(path)? {
            OnDisk::Absent => gone.push(path.to_owned()),
            OnDisk::File { digest, .. } if is_kept(state, &digest)? => {
                removed.insert(path.to_owned());
            }
            // A later turn wrote a file where the directory was, or files below the name.
            OnDisk::Other if output::is_taken(state, path)? => {}
            OnDisk::File { .. } | OnDisk::Other => foreign.push(path.to_owned()),
        }
    }
    Ok((removed, gone))
}

/// Says that a projection is ahead of the database.
pub(crate) fn older(projection: &str, database: &str) -> RunError {
    let reason = format!(
        "{projection}, and {database}: it is older than what it acknowledged; restore a newer backup with \
         `orket restore`, or take the older state with `orket rebuild --accept-older`"
    );
    StoreFault::Corrupt { reason }.into()
}

/// Refuses a log that holds events which the journal does not.
pub(crate) fn check_log(run: &RunRow, logged: u64) -> Result<(), RunError> {
    if logged <= run.last_seq {
        return Ok(());
    }
    let what = format!("the log holds event {logged} of the run {}", run.run_id);
    let found = format!("the journal of the run ends at {}", run.last_seq);
    Err(older(&what, &found))
}

/// The artefacts as they lay in `agent_output/` when they were last found to be Orket's.
pub(crate) type Stamps = BTreeMap<String, OutputStamp>;

/// Tells whether the bytes of this digest are kept, undamaged.
fn is_kept(state: &dyn StateView, digest: &Digest) -> Result<bool, ReadError> {
    let Some(payload) = state.payload(digest)? else {
        return Ok(false);
    };
    let checked = payload.check();
    checked.map_err(|error| ReadError::of_payload(&format!("objects {digest}"), error))?;
    Ok(true)
}

fn bring_runs_forward(
    store: &dyn TurnStore,
    workspace: &dyn Workspace,
    snapshot: &dyn TurnSnapshot,
    epic: &str,
) -> Result<(), RunError> {
    let runs = snapshot.runs(Some(epic))?;
    let logged = workspace.logged()?;
    for run in &runs {
        let last = logged.get(run.run_id.as_str()).copied().unwrap_or(0);
        check_log(run, last)?;
        append_log(workspace, &snapshot.events_after(&run.run_id, last)?)?;
        for turn in store.staged_turns(&run.run_id)? {
            let is_over = run.state != RunState::Open;
            if is_over || run.last_turn.is_some_and(|promoted| turn <= promoted) {
                store.discard_staging(&run.run_id, turn)?;
            }
        }
    }
    // Artefacts are written right after their commit, so at most those of the newest turn are missing.
    let Some(newest) = runs.last() else {
        return Ok(());
    };
    let run_id = &newest.run_id;
    let mut records = Vec::new();
    let turns = snapshot.turns(run_id)?;
    records.extend(turns.last().map(|turn| turn.record_digest));
    // The checkpoint is that of the last attempt, so an attempt at a turn that was promoted after it is left out.
    let open = newest.last_turn.map_or(TurnId::FIRST, TurnId::next);
    let attempts = snapshot.attempts_at(run_id, open)?;
    records.extend(attempts.last().map(|attempt| attempt.record_digest));
    let load = |digest: &Digest| Ok(snapshot.record(digest)?);
    for digest in records {
        match snapshot.turn_record(&digest) {
            Ok(record) => observation::write(workspace, &record, &load)?,
            Err(StoreFault::NotRetained { .. }) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(())
}

/// Appends durable events to the log.
pub(crate) fn append_log(workspace: &dyn Workspace, events: &[Event]) -> Result<(), RunError> {
    let mut lines = Vec::new();
    for event in events {
        let bytes = canonical::serialize(event)?;
        lines.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    if !lines.is_empty() {
        workspace.append_log(&lines)?;
    }
    Ok(())
}
