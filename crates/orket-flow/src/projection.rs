//! Projections: `agent_output/`, the browsable view, artefacts and the log follow the commit and never lead it.

use orket_cards::{StoreFault, TurnSnapshot};
use orket_kernel::canonical;
use orket_kernel::{Digest, RunId, StateView};
use orket_ports::workspace::{OnDisk, OutputFile};
use orket_ports::{Event, Workspace};

use crate::error::RunError;
use crate::observation;
use crate::orchestrator::Stage;
use crate::scope::artifact_entry;

/// Brings every projection up to the newest generation. Called whenever a project is opened for writing.
///
/// # Errors
/// Names files of `agent_output/` that someone else changed; they are never overwritten.
pub(crate) fn bring_forward(stage: &Stage<'_>, run_id: Option<&RunId>) -> Result<(), RunError> {
    let snapshot = stage.store.snapshot()?;
    bring_output_forward(stage, snapshot.as_ref())?;
    stage.store.project_view()?;
    if let Some(run_id) = run_id {
        bring_run_forward(stage, snapshot.as_ref(), run_id)?;
    }
    Ok(())
}

fn bring_output_forward(stage: &Stage<'_>, snapshot: &dyn TurnSnapshot) -> Result<(), RunError> {
    let applied = stage.store.output_generation()?;
    if let Some(applied) = applied
        && applied > snapshot.generation()
    {
        let reason = format!(
            "agent_output/ was brought to generation {applied}, and the database is only at {}: it is older than what it \
             acknowledged; put the newest database back",
            snapshot.generation()
        );
        return Err(StoreFault::Corrupt { reason }.into());
    }
    let is_current = applied == Some(snapshot.generation());
    let state = snapshot.state();
    let mut missing = Vec::new();
    let mut foreign = Vec::new();
    for stem in state.stems("artifact/")? {
        let file = output_file(state, stem.name())?;
        match stage.workspace.output(stem.name())? {
            OnDisk::Absent => missing.push(file),
            OnDisk::File { bytes, executable } => {
                let same = bytes == file.bytes && executable == file.executable;
                // Behind the generation, what an earlier turn wrote is ours to replace; its bytes are kept.
                let ours =
                    same || !is_current && state.object(&Digest::of_bytes(&bytes))?.is_some();
                match (same, ours) {
                    (true, _) => {}
                    (false, true) => missing.push(file),
                    (false, false) => foreign.push(stem.name().to_owned()),
                }
            }
            OnDisk::Other => foreign.push(stem.name().to_owned()),
        }
    }
    if !foreign.is_empty() {
        return Err(RunError::ForeignChange { paths: foreign });
    }
    for file in &missing {
        stage.workspace.write_output(file)?;
    }
    if !is_current {
        stage.store.note_output_generation(snapshot.generation())?;
    }
    Ok(())
}

/// Returns a committed artefact.
pub(crate) fn output_file(state: &dyn StateView, path: &str) -> Result<OutputFile, RunError> {
    let bug = || RunError::Bug {
        what: format!("the artefact {path} has no content"),
    };
    let (digest, executable) = artifact_entry(state, path)?.ok_or_else(bug)?;
    let bytes = state.object(&digest)?.ok_or_else(bug)?;
    Ok(OutputFile {
        path: path.to_owned(),
        bytes,
        executable,
    })
}

fn bring_run_forward(
    stage: &Stage<'_>,
    snapshot: &dyn TurnSnapshot,
    run_id: &RunId,
) -> Result<(), RunError> {
    let logged = stage.workspace.logged(run_id.as_str())?;
    let events = snapshot.events(run_id)?;
    let missing: Vec<Event> = events
        .into_iter()
        .filter(|event| event.seq.is_some_and(|seq| seq > logged))
        .collect();
    append_log(stage.workspace, &missing)?;
    let load = |digest: &Digest| Ok(snapshot.record(digest)?);
    let mut newest = Vec::new();
    newest.extend(snapshot.turns(run_id)?.pop().map(|turn| turn.record_digest));
    newest.extend(
        snapshot
            .attempts(run_id)?
            .pop()
            .map(|attempt| attempt.record_digest),
    );
    for digest in newest {
        observation::write(stage.workspace, &snapshot.turn_record(&digest)?, &load)?;
    }
    Ok(())
}

/// Applies the files of a promoted turn. `before` is the state that the turn was computed on.
///
/// # Errors
/// Names files that someone else changed meanwhile; they are left as they are, and the turn stays promoted.
pub(crate) fn apply_output(
    stage: &Stage<'_>,
    before: &dyn StateView,
    files: &[OutputFile],
    generation: u64,
) -> Result<(), RunError> {
    let mut foreign = Vec::new();
    for file in files {
        let replaceable = match stage.workspace.output(&file.path)? {
            OnDisk::Absent => true,
            OnDisk::Other => false,
            OnDisk::File { bytes, .. } => {
                let previous = artifact_entry(before, &file.path)?.map(|(digest, _)| digest);
                bytes == file.bytes || previous == Some(Digest::of_bytes(&bytes))
            }
        };
        if replaceable {
            stage.workspace.write_output(file)?;
        } else {
            foreign.push(file.path.clone());
        }
    }
    stage.store.note_output_generation(generation)?;
    if foreign.is_empty() {
        Ok(())
    } else {
        Err(RunError::ForeignChange { paths: foreign })
    }
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
