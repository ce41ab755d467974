//! Projections: `agent_output/`, the browsable view, artefacts and the log follow the commit and never lead it.

use std::collections::{BTreeMap, BTreeSet};

use orket_cards::{RunRow, RunState, StoreFault, TurnSnapshot, TurnStore};
use orket_kernel::canonical;
use orket_kernel::{Digest, ReadError, StateView, Stem, TurnId};
use orket_ports::workspace::{OnDisk, OutputFile, OutputStamp};
use orket_ports::{Event, Workspace};

use crate::error::RunError;
use crate::observation;
use crate::orchestrator::Stage;
use crate::scope::artifact_entry;

/// Brings every projection up to the newest generation: `agent_output/`, the view, and log, artefacts and staging of the
/// runs of an epic. Called whenever a run is begun, continued or found to be over.
///
/// # Errors
/// Names files of `agent_output/` that someone else changed; they are never overwritten.
pub(crate) fn bring_forward(stage: &Stage<'_>, epic: &str) -> Result<(), RunError> {
    {
        let _lock = stage.store.lock_output()?;
        let snapshot = stage.store.snapshot()?;
        bring_output_forward(
            stage.store,
            stage.workspace,
            snapshot.as_ref(),
            &mut Stamps::new(),
        )?;
        bring_runs_forward(stage, snapshot.as_ref(), epic)?;
    }
    Ok(stage.store.project_view()?)
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
    let applied = store.output_generation()?;
    if let Some(applied) = applied
        && applied > snapshot.generation()
    {
        let what = format!("agent_output/ was brought to generation {applied}");
        let found = format!("the database is only at {}", snapshot.generation());
        return Err(older(&what, &found));
    }
    let is_current = applied == Some(snapshot.generation());
    let removed = match applied {
        Some(applied) if !is_current => lagging_removals(workspace, snapshot, applied)?,
        _ => Vec::new(),
    };
    let state = snapshot.state();
    let mut lagging = Vec::new();
    let mut foreign = Vec::new();
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
            OnDisk::Other if is_in_the_way(&removed, path) => lagging.push(path.to_owned()),
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
    if !foreign.is_empty() {
        return Err(RunError::ForeignChange { paths: foreign });
    }
    for path in &removed {
        workspace.remove_output(path)?;
    }
    for path in &lagging {
        workspace.write_output(&output_file(state, path)?)?;
    }
    if !is_current {
        store.note_output_generation(snapshot.generation())?;
    }
    Ok((lagging.len() + removed.len()) as u64)
}

/// Returns the files that turns since a generation removed, as far as they lie there as they were then. What somebody
/// changed since is no longer Orket's; where the generation is not retained, what it held is not known.
fn lagging_removals(
    workspace: &dyn Workspace,
    snapshot: &dyn TurnSnapshot,
    applied: u64,
) -> Result<Vec<String>, RunError> {
    let Some(past) = snapshot.past(applied)? else {
        return Ok(Vec::new());
    };
    let current: BTreeSet<Stem> = snapshot.state().stems("artifact/")?.into_iter().collect();
    let mut removed = Vec::new();
    for stem in past.stems("artifact/")? {
        if current.contains(&stem) {
            continue;
        }
        if let OnDisk::File { digest, executable } = workspace.output(stem.name())?
            && artifact_entry(past.as_ref(), stem.name())? == Some((digest, executable))
        {
            removed.push(stem.name().to_owned());
        }
    }
    Ok(removed)
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

/// Returns a committed artefact.
pub(crate) fn output_file(state: &dyn StateView, path: &str) -> Result<OutputFile, RunError> {
    let bug = || RunError::Bug {
        what: format!("the artefact {path} has no content"),
    };
    let (digest, executable) = artifact_entry(state, path)?.ok_or_else(bug)?;
    let payload = state.payload(&digest)?.ok_or_else(bug)?;
    Ok(OutputFile {
        path: path.to_owned(),
        payload,
        executable,
    })
}

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
    stage: &Stage<'_>,
    snapshot: &dyn TurnSnapshot,
    epic: &str,
) -> Result<(), RunError> {
    let runs = snapshot.runs(Some(epic))?;
    let logged = stage.workspace.logged()?;
    for run in &runs {
        let last = logged.get(run.run_id.as_str()).copied().unwrap_or(0);
        check_log(run, last)?;
        append_log(stage.workspace, &snapshot.events_after(&run.run_id, last)?)?;
        for turn in stage.store.staged_turns(&run.run_id)? {
            let is_over = run.state != RunState::Open;
            if is_over || run.last_turn.is_some_and(|promoted| turn <= promoted) {
                stage.store.discard_staging(&run.run_id, turn)?;
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
            Ok(record) => observation::write(stage.workspace, &record, &load)?,
            Err(StoreFault::NotRetained { .. }) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(())
}

/// Tells whether a file that is removed lies where a directory of `path` has to be, or in a directory where `path` has to
/// be.
fn is_in_the_way(removed: &[String], path: &str) -> bool {
    let is_below = |path: &str, directory: &str| {
        path.strip_prefix(directory)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    removed
        .iter()
        .any(|gone| is_below(path, gone) || is_below(gone, path))
}

/// What a turn changes in `agent_output/`.
pub(crate) struct OutputChange {
    pub(crate) files: Vec<OutputFile>,
    pub(crate) removed: Vec<String>,
}

/// Checks that a turn's files can be written and removed without losing what someone else wrote. `before` is the state that the turn
/// was computed on.
///
/// # Errors
/// Names the paths where something stands that is not Orket's.
pub(crate) fn check_output(
    stage: &Stage<'_>,
    before: &dyn StateView,
    change: &OutputChange,
) -> Result<(), RunError> {
    let mut foreign = Vec::new();
    let after = change.files.iter();
    let after = after.map(|file| (&file.path, Some((file.payload.digest(), file.executable))));
    for (path, after) in after.chain(change.removed.iter().map(|path| (path, None))) {
        let replaceable = match stage.workspace.output(path)? {
            OnDisk::Absent => true,
            // What the turn removes may be in the way of what it writes.
            OnDisk::Other => is_in_the_way(&change.removed, path),
            OnDisk::File { digest, executable } => {
                let present = Some((digest, executable));
                present == artifact_entry(before, path)? || present == after
            }
        };
        if !replaceable {
            foreign.push(path.clone());
        }
    }
    if foreign.is_empty() {
        Ok(())
    } else {
        Err(RunError::ForeignChange { paths: foreign })
    }
}

/// Applies the files of a promoted turn.
///
/// # Errors
/// As [`check_output`]; the turn stays promoted.
pub(crate) fn apply_output(
    stage: &Stage<'_>,
    before: &dyn StateView,
    change: &OutputChange,
    generation: u64,
) -> Result<(), RunError> {
    check_output(stage, before, change)?;
    for path in &change.removed {
        stage.workspace.remove_output(path)?;
    }
    for file in &change.files {
        stage.workspace.write_output(file)?;
    }
    Ok(stage.store.note_output_generation(generation)?)
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
