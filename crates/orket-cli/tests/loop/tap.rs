//! A tap on store and workspace: a closure sees each call before and after it, and may make it fail.

use std::collections::{BTreeMap, BTreeSet};

use orket_cards::{
    Committed, ExchangePlace, FailedAttempt, Lease, OutputLock, RunEnd, StoreFault, TurnCommit,
    TurnSnapshot, TurnStore,
};
use orket_kernel::{Payload, RunEnvelope, RunHandle, RunId, StagedTurn, TurnId};
use orket_ports::workspace::{
    AssetKind, OnDisk, OutputFile, OutputStamp, OutputTree, WorkspaceError,
};
use orket_ports::{Event, Workspace};

/// When a closure is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// What is called.
pub(crate) struct Tapped<'a> {
    pub(crate) moment: Moment,
    pub(crate) method: &'static str,
    /// The commit, if it is one.
    pub(crate) commit: Option<&'a TurnCommit>,
    /// What the store answered to the commit, after it.
    pub(crate) conflict: bool,
}

pub(crate) struct TapStore<'a, F> {
    pub(crate) inner: &'a dyn TurnStore,
    pub(crate) on: F,
}

impl<F: Fn(&Tapped<'_>) -> Result<(), StoreFault> + Send + Sync> TapStore<'_, F> {
    fn through<T>(
        &self,
        method: &'static str,
        commit: Option<&TurnCommit>,
        call: impl FnOnce() -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        let tapped = |moment, conflict| Tapped {
            moment,
            method,
            commit,
            conflict,
        };
        (self.on)(&tapped(Moment::Before, false))?;
        let answer = call();
        let conflict = matches!(&answer, Err(StoreFault::Conflict { .. }));
        (self.on)(&tapped(Moment::After, conflict))?;
        answer
    }
}

impl<F: Fn(&Tapped<'_>) -> Result<(), StoreFault> + Send + Sync> TurnStore for TapStore<'_, F> {
    fn snapshot(&self) -> Result<Box<dyn TurnSnapshot + '_>, StoreFault> {
        self.through("snapshot", None, || self.inner.snapshot())
    }
    fn lease(&self, run_id: &RunId) -> Result<Box<dyn Lease>, StoreFault> {
        self.through("lease", None, || self.inner.lease(run_id))
    }
    fn start_run(
        &self,
        envelope: &RunEnvelope,
        epic: &str,
        fence: u64,
    ) -> Result<RunHandle, StoreFault> {
        self.through("start_run", None, || {
            self.inner.start_run(envelope, epic, fence)
        })
    }
    fn commit(&self, commit: &TurnCommit) -> Result<Committed, StoreFault> {
        self.through("commit", Some(commit), || self.inner.commit(commit))
    }
    fn keep_attempt(&self, attempt: &FailedAttempt) -> Result<Vec<Event>, StoreFault> {
        self.through("keep_attempt", None, || self.inner.keep_attempt(attempt))
    }
    fn end_run(&self, end: &RunEnd) -> Result<Vec<Event>, StoreFault> {
        self.through("end_run", None, || self.inner.end_run(end))
    }
    fn commit_run(
        &self,
        envelope: &RunEnvelope,
        work: &str,
        commit: &TurnCommit,
    ) -> Result<Committed, StoreFault> {
        self.through("commit_run", Some(commit), || {
            self.inner.commit_run(envelope, work, commit)
        })
    }
    fn keep_failed_run(
        &self,
        envelope: &RunEnvelope,
        work: &str,
        attempt: &FailedAttempt,
    ) -> Result<Vec<Event>, StoreFault> {
        self.through("keep_failed_run", None, || {
            self.inner.keep_failed_run(envelope, work, attempt)
        })
    }
    fn stage_exchange(&self, place: &ExchangePlace, bytes: &[u8]) -> Result<(), StoreFault> {
        self.through("stage_exchange", None, || {
            self.inner.stage_exchange(place, bytes)
        })
    }
    fn staged_exchange(&self, place: &ExchangePlace) -> Result<Option<Vec<u8>>, StoreFault> {
        self.through("staged_exchange", None, || {
            self.inner.staged_exchange(place)
        })
    }
    fn stage_turn(&self, staged: &StagedTurn) -> Result<(), StoreFault> {
        self.through("stage_turn", None, || self.inner.stage_turn(staged))
    }
    fn discard_staging(&self, run_id: &RunId, turn_id: TurnId) -> Result<(), StoreFault> {
        self.through("discard_staging", None, || {
            self.inner.discard_staging(run_id, turn_id)
        })
    }
    fn staged_turns(&self, run_id: &RunId) -> Result<Vec<TurnId>, StoreFault> {
        self.through("staged_turns", None, || self.inner.staged_turns(run_id))
    }
    fn lock_output(&self) -> Result<Box<dyn OutputLock>, StoreFault> {
        self.through("lock_output", None, || self.inner.lock_output())
    }
    fn project_view(&self) -> Result<(), StoreFault> {
        self.through("project_view", None, || self.inner.project_view())
    }
    fn rebuild_view(&self, accept_older: bool) -> Result<u64, StoreFault> {
        self.through("rebuild_view", None, || {
            self.inner.rebuild_view(accept_older)
        })
    }
    fn forget_output_generation(&self) -> Result<(), StoreFault> {
        self.through("forget_output_generation", None, || {
            self.inner.forget_output_generation()
        })
    }
    fn output_generation(&self) -> Result<Option<u64>, StoreFault> {
        self.through("output_generation", None, || self.inner.output_generation())
    }
    fn note_output_generation(&self, generation: u64) -> Result<(), StoreFault> {
        self.through("note_output_generation", None, || {
            self.inner.note_output_generation(generation)
        })
    }
}

pub(crate) struct TapWorkspace<'a, F> {
    pub(crate) inner: &'a dyn Workspace,
    pub(crate) on: F,
}

impl<F: Fn(Moment, &'static str) -> Result<(), WorkspaceError> + Send + Sync> TapWorkspace<'_, F> {
    fn through<T>(
        &self,
        method: &'static str,
        call: impl FnOnce() -> Result<T, WorkspaceError>,
    ) -> Result<T, WorkspaceError> {
        (self.on)(Moment::Before, method)?;
        let answer = call();
        (self.on)(Moment::After, method)?;
        answer
    }
}

impl<F: Fn(Moment, &'static str) -> Result<(), WorkspaceError> + Send + Sync> Workspace
    for TapWorkspace<'_, F>
{
    fn asset(
        &self,
        kind: AssetKind,
        name: &str,
    ) -> Result<Option<(String, Vec<u8>)>, WorkspaceError> {
        self.through("asset", || self.inner.asset(kind, name))
    }
    fn asset_names(&self, kind: AssetKind) -> Result<Vec<String>, WorkspaceError> {
        self.through("asset_names", || self.inner.asset_names(kind))
    }
    fn fixture(&self, path: &str) -> Result<Option<Vec<u8>>, WorkspaceError> {
        self.through("fixture", || self.inner.fixture(path))
    }
    fn output(&self, path: &str) -> Result<OnDisk, WorkspaceError> {
        self.through("output", || self.inner.output(path))
    }
    fn output_payload(&self, path: &str) -> Result<Option<(Payload, bool)>, WorkspaceError> {
        self.through("output_payload", || self.inner.output_payload(path))
    }
    fn output_stamp(&self, path: &str) -> Result<Option<OutputStamp>, WorkspaceError> {
        self.through("output_stamp", || self.inner.output_stamp(path))
    }
    fn write_output(&self, file: &OutputFile) -> Result<(), WorkspaceError> {
        self.through("write_output", || self.inner.write_output(file))
    }
    fn remove_output(&self, path: &str) -> Result<(), WorkspaceError> {
        self.through("remove_output", || self.inner.remove_output(path))
    }
    fn outputs(&self) -> Result<OutputTree, WorkspaceError> {
        self.through("outputs", || self.inner.outputs())
    }
    fn write_observation(&self, path: &str, bytes: &[u8]) -> Result<(), WorkspaceError> {
        self.through("write_observation", || {
            self.inner.write_observation(path, bytes)
        })
    }
    fn logged(&self) -> Result<BTreeMap<String, u64>, WorkspaceError> {
        self.through("logged", || self.inner.logged())
    }
    fn forget_logged(&self, runs: &BTreeSet<String>) -> Result<(), WorkspaceError> {
        self.through("forget_logged", || self.inner.forget_logged(runs))
    }
    fn append_log(&self, lines: &[String]) -> Result<(), WorkspaceError> {
        self.through("append_log", || self.inner.append_log(lines))
    }
}
