//! What one turn does to `agent_output/`: the files that it writes and those that it removes.

use std::collections::BTreeSet;

use orket_cards::TurnStore;
use orket_kernel::{Payload, StagedTurn, StateView};
use orket_ports::Workspace;
use orket_ports::workspace::{OnDisk, OutputFile};

use crate::error::RunError;
use crate::scope::artifact_entry;

/// The files of a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutputChange {
    /// The files that it writes, by path.
    pub(crate) written: Vec<OutputFile>,
    /// The paths of those that it removes, below `agent_output/`.
    pub(crate) removed: BTreeSet<String>,
}

impl OutputChange {
    /// Gathers the files of a staged turn; `after` shows the state with it.
    pub(crate) fn of(staged: &StagedTurn, after: &dyn StateView) -> Result<OutputChange, RunError> {
        let is_artifact = |kind: &str| kind == "artifact";
        let mut change = OutputChange::default();
        for stem in staged.triplets.keys().filter(|s| is_artifact(s.kind())) {
            change.written.push(file(after, stem.name())?);
        }
        let deleted = staged.deletions.iter();
        let deleted = deleted.filter(|s| is_artifact(s.kind()) && !staged.triplets.contains_key(s));
        change.removed = deleted.map(|stem| stem.name().to_owned()).collect();
        Ok(change)
    }

    /// Takes streams from the home: where a tool had its own from may change, now that the turn is committed.
    pub(crate) fn committed(mut self, store: &dyn TurnStore) -> Result<OutputChange, RunError> {
        let is_held = |file: &OutputFile| matches!(file.payload, Payload::Held(_));
        if self.written.iter().all(is_held) {
            return Ok(self);
        }
        let snapshot = store.snapshot()?;
        for file in &mut self.written {
            if let Some(kept) = snapshot.state().payload(&file.payload.digest())? {
                file.payload = kept;
            }
        }
        Ok(self)
    }

    /// Checks that the files can be written and removed without losing what someone else wrote. `before` is the state that
    /// the turn was computed on.
    ///
    /// # Errors
    /// Names the paths where something stands that is not Orket's.
    pub(crate) fn check(
        &self,
        workspace: &dyn Workspace,
        before: &dyn StateView,
    ) -> Result<(), RunError> {
        let mut foreign = Vec::new();
        for file in &self.written {
            let is_ours = match workspace.output(&file.path)? {
                OnDisk::Absent => true,
                OnDisk::Other => makes_way(workspace, &file.path, &self.removed)?,
                OnDisk::File { digest, executable } => {
                    let present = (digest, executable);
                    let previous = artifact_entry(before, &file.path)?;
                    previous == Some(present) || present == (file.payload.digest(), file.executable)
                }
            };
            if !is_ours {
                foreign.push(file.path.clone());
            }
        }
        for path in &self.removed {
            let is_ours = match workspace.output(path)? {
                OnDisk::Absent => true,
                // Brought forward by another process already: a file of the turn stands there, or above.
                OnDisk::Other => self.takes(path),
                OnDisk::File { digest, executable } => {
                    artifact_entry(before, path)? == Some((digest, executable))
                }
            };
            if !is_ours {
                foreign.push(path.clone());
            }
        }
        if foreign.is_empty() {
            return Ok(());
        }
        foreign.sort();
        Err(RunError::ForeignChange { paths: foreign })
    }

    /// Applies the files of a promoted turn.
    ///
    /// # Errors
    /// As [`OutputChange::check`]; the turn stays promoted.
    pub(crate) fn apply(
        &self,
        store: &dyn TurnStore,
        workspace: &dyn Workspace,
        before: &dyn StateView,
        generation: u64,
    ) -> Result<(), RunError> {
        self.check(workspace, before)?;
        for path in &self.removed {
            if matches!(workspace.output(path)?, OnDisk::File { .. }) {
                workspace.remove_output(path)?;
            }
        }
        for file in &self.written {
            workspace.write_output(file)?;
        }
        Ok(store.note_output_generation(generation)?)
    }

    /// Tells whether a file that the turn writes takes the place of a path, or of a directory above it.
    fn takes(&self, path: &str) -> bool {
        self.written
            .iter()
            .any(|file| is_below(&file.path, path) || is_below(path, &file.path))
    }
}

/// Returns a committed artefact.
pub(crate) fn file(state: &dyn StateView, path: &str) -> Result<OutputFile, RunError> {
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

/// Tells whether what stands in the way of a file goes when `removed` goes: a file where it needs a directory, or a directory
/// that holds nothing else.
pub(crate) fn makes_way(
    workspace: &dyn Workspace,
    path: &str,
    removed: &BTreeSet<String>,
) -> Result<bool, RunError> {
    if removed.iter().any(|gone| is_below(path, gone)) {
        return Ok(true);
    }
    if !removed.iter().any(|gone| is_below(gone, path)) {
        return Ok(false);
    }
    let tree = workspace.outputs()?;
    let mut inside = tree.files.iter().filter(|found| is_below(found, path));
    let others = tree.others.iter().any(|found| is_below(found, path));
    Ok(!others && inside.all(|found| removed.contains(found)))
}

/// Tells whether an artefact takes the place of a path: below it, or where one of its directories was.
pub(crate) fn is_taken(state: &dyn StateView, path: &str) -> Result<bool, RunError> {
    if !state.stems(&format!("artifact/{path}/"))?.is_empty() {
        return Ok(true);
    }
    for (end, _) in path.match_indices('/') {
        let (above, _) = path.split_at(end);
        if artifact_entry(state, above)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with('/'))
}
