//! The kernel over a store: the whole API surface of §2, as methods that cannot be called in a wrong order.

use std::collections::BTreeMap;

use crate::compare::compare_recorded;
use crate::issue::{KernelIssue, Stage};
use crate::parity::{ParityKind, ParityReport};
use crate::run::Run;
use crate::{
    Code, CommittedView, Digest, Payload, Pointer, ReadError, RecordedRun, RunDescriptor,
    RunEnvelope, RunHandle, RunId, RunStanding, StateStore, StateView, StoreFailure,
    StoreTransaction, TurnId, TurnTrace, canonical, event,
};

/// Says why the kernel did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The law refuses. Nothing was changed.
    #[error("{}", .0.first().map_or("refused", |issue| issue.message.as_str()))]
    Refused(Vec<KernelIssue>),
    /// The medium is busy or failed: no matter of the law.
    #[error(transparent)]
    Store(StoreFailure),
}

impl KernelError {
    pub(crate) fn refused(
        stage: Stage,
        code: Code,
        location: Pointer,
        reason: &str,
        message: impl Into<String>,
    ) -> KernelError {
        let details = event::details([("reason", reason.into())]);
        KernelError::Refused(vec![KernelIssue::new(
            stage, code, location, message, details,
        )])
    }
}

/// What a store refuses outside of a promotion does not fit its run: that is a matter of shape.
pub(crate) fn misfit(failure: StoreFailure, location: Pointer) -> KernelError {
    match failure {
        StoreFailure::Refused { reason, message } => {
            let code = Code::BaseShapeInvalid;
            KernelError::refused(Stage::BaseShape, code, location, reason, message)
        }
        other => other.into(),
    }
}

impl From<StoreFailure> for KernelError {
    fn from(failure: StoreFailure) -> KernelError {
        match failure.issue() {
            Some(issue) => KernelError::Refused(vec![issue]),
            None => KernelError::Store(failure),
        }
    }
}

impl From<crate::ReadError> for KernelError {
    fn from(error: crate::ReadError) -> KernelError {
        StoreFailure::from(error).into()
    }
}

/// The kernel over a store.
///
/// ```
/// use orket_kernel::capability::Policy;
/// use orket_kernel::{Finish, Kernel, MemoryStore, Profile, RunEnvelope, RunId, TurnId, TurnInput, object};
///
/// let kernel = Kernel::new(MemoryStore::new());
/// let run_id = RunId::parse("example-1")?;
/// let envelope =
///     RunEnvelope::new(run_id, "flow", "venue", Policy::deny_all(), Profile::orket(), object! {});
/// let mut run = kernel.start_run(&envelope)?;
/// run.execute_turn(&TurnInput::empty(TurnId::FIRST))?;
/// let promoted = run.commit_turn(TurnId::FIRST)?;
/// assert_eq!(promoted.generation, 1);
/// run.finish(Finish::Commit)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Kernel<S> {
    store: S,
}

impl<S: StateStore> Kernel<S> {
    /// Returns the kernel over `store`.
    pub fn new(store: S) -> Kernel<S> {
        Kernel { store }
    }

    /// Returns the store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// `start_run`: keeps the envelope of a run and returns the run. Changes no committed state.
    ///
    /// The same envelope again returns the same run, so that whoever was interrupted can go on.
    ///
    /// # Errors
    /// Refuses another envelope for a run that exists, and an envelope of another contract version.
    pub fn start_run(&self, envelope: &RunEnvelope) -> Result<Run<'_, S>, KernelError> {
        if envelope.contract_version != crate::CONTRACT_VERSION {
            return Err(KernelError::refused(
                Stage::BaseShape,
                Code::BaseShapeInvalid,
                Pointer::root().key("envelope").key("contract_version"),
                "contract_version",
                format!(
                    "the contract version {:?} is not supported; it must be {:?}",
                    envelope.contract_version,
                    crate::CONTRACT_VERSION
                ),
            ));
        }
        let mut transaction = self.store.begin()?;
        let place = Pointer::root().key("envelope");
        transaction
            .start_run(envelope)
            .map_err(|failure| misfit(failure, place))?;
        transaction.commit()?;
        Ok(Run::new(&self.store, envelope.clone(), handle(envelope)?))
    }

    /// Returns the run that a handle names.
    ///
    /// # Errors
    /// Refuses a handle that does not match the envelope of the run (kernel decision 18), and a run that was never started.
    pub fn run(&self, named: &RunHandle) -> Result<Run<'_, S>, KernelError> {
        let standing = self.standing(&named.run_id)?;
        if handle(&standing.envelope)? != *named {
            return Err(KernelError::refused(
                Stage::BaseShape,
                Code::BaseShapeInvalid,
                Pointer::root().key("run_handle"),
                "handle_mismatch",
                "the run handle does not match the envelope of the run",
            ));
        }
        Ok(Run::new(&self.store, standing.envelope, named.clone()))
    }

    /// `replay_run`: executes every promoted turn of a run again from its trace, and recomputes every digest.
    ///
    /// # Errors
    /// Fails only if the medium does. A run that is not there or has no turn, and a trace that is missing or malformed,
    /// make the report fail.
    pub fn replay_run(&self, descriptor: &RunDescriptor) -> Result<ParityReport, KernelError> {
        let run_id = &descriptor.run_id;
        let committed = self.store.committed()?;
        let nothing = |faults| ParityReport::new(ParityKind::Replay, 0, Vec::new(), faults);
        let standing = match committed.run(run_id).map_err(KernelError::from) {
            Ok(Some(standing)) => standing,
            Ok(None) => {
                let place = Pointer::root().key("run_descriptor").key("run_id");
                let message = format!("the run {run_id} was never started");
                let code = Code::BaseShapeInvalid;
                return Ok(nothing(vec![fault(place, code, "unknown_run", message)]));
            }
            Err(KernelError::Refused(issues)) => return Ok(nothing(issues)),
            Err(error) => return Err(error),
        };
        let own = handle(&standing.envelope)?;
        let mut faults = Vec::new();
        if descriptor
            .envelope_digest
            .is_some_and(|digest| digest != own.envelope_digest)
        {
            faults.push(fault(
                Pointer::root().key("run_descriptor").key("envelope_digest"),
                Code::BaseShapeInvalid,
                "handle_mismatch",
                "the descriptor does not match the envelope of the run".to_owned(),
            ));
        }
        let mut divergences = Vec::new();
        let mut compared = 0;
        for turn_id in turns(standing.last_turn) {
            let place = Pointer::root().key("turns").key(&turn_id.to_string());
            match trace(&committed, &own, turn_id)? {
                Err(reason) => faults.push(fault(place, Code::LsiCorruptRecord, "trace", reason)),
                Ok(trace) => match objects(&committed, &trace) {
                    Err(KernelError::Refused(issues)) => faults.extend(issues),
                    objects => {
                        divergences.extend(trace.replay(&standing.envelope, &objects?).1);
                        compared += 1;
                    }
                },
            }
        }
        Ok(ParityReport::new(
            ParityKind::Replay,
            compared,
            divergences,
            faults,
        ))
    }

    /// `compare_runs` over two runs of this store.
    ///
    /// # Errors
    /// Fails only if the medium does; what is missing or malformed makes the report fail.
    pub fn compare_runs(&self, one: &RunId, two: &RunId) -> Result<ParityReport, KernelError> {
        Ok(compare_recorded(
            self.recorded_run(one)?,
            self.recorded_run(two)?,
        ))
    }

    /// Returns what a run came to, as it is recorded; the inner error says why that cannot be compared.
    ///
    /// # Errors
    /// Fails if the medium does.
    pub fn recorded_run(
        &self,
        run_id: &RunId,
    ) -> Result<Result<RecordedRun, KernelIssue>, KernelError> {
        let place = Pointer::root().key("runs").key(run_id.as_str());
        let committed = self.store.committed()?;
        let damaged =
            |place, reason| Ok(Err(fault(place, Code::LsiCorruptRecord, "trace", reason)));
        let standing = match intact(committed.run(run_id))? {
            Ok(Some(standing)) => standing,
            Err(reason) => return damaged(place, reason),
            Ok(None) => {
                return Ok(Err(fault(
                    place,
                    Code::BaseShapeInvalid,
                    "unknown_run",
                    format!("the run {run_id} was never started"),
                )));
            }
        };
        let own = handle(&standing.envelope)?;
        let mut results = Vec::new();
        for turn_id in turns(standing.last_turn) {
            match trace(&committed, &own, turn_id)? {
                Err(reason) => return damaged(place, reason),
                Ok(trace) => results.push(trace.result),
            }
        }
        let reached = match standing.last_turn {
            None => None,
            Some(last) => match intact(committed.state_digest_after(run_id, last))? {
                Ok(digest) => digest,
                Err(reason) => return damaged(place, reason),
            },
        };
        let recorded = reached
            .ok_or(crate::MalformedRun::Empty)
            .and_then(|state_digest| RecordedRun::new(results, state_digest));
        Ok(recorded.map_err(|error| {
            fault(
                place,
                Code::BaseShapeInvalid,
                "malformed_run",
                format!("{run_id}: {error}"),
            )
        }))
    }

    fn standing(&self, run_id: &RunId) -> Result<RunStanding, KernelError> {
        self.store
            .committed()?
            .run(run_id)?
            .ok_or_else(|| unknown_run(run_id))
    }
}

pub(crate) fn unknown_run(run_id: &RunId) -> KernelError {
    KernelError::refused(
        Stage::BaseShape,
        Code::BaseShapeInvalid,
        Pointer::root().key("run_handle").key("run_id"),
        "unknown_run",
        format!("the run {run_id} was never started"),
    )
}

/// Returns the handle of an envelope that was checked.
pub(crate) fn handle(envelope: &RunEnvelope) -> Result<RunHandle, KernelError> {
    envelope.handle().map_err(|error| {
        KernelError::from(StoreFailure::Corrupt {
            place: format!("the envelope of the run {}", envelope.run_id),
            reason: error.to_string(),
        })
    })
}

/// Tells damage from a medium that fails: a report over what is damaged fails, over a medium that fails there is none.
fn intact<T>(read: Result<T, StoreFailure>) -> Result<Result<T, String>, StoreFailure> {
    match read {
        Ok(found) => Ok(Ok(found)),
        Err(damage @ StoreFailure::Corrupt { .. }) => Ok(Err(damage.to_string())),
        Err(failure) => Err(failure),
    }
}

/// Returns the trace of a promoted turn; the inner error says why it cannot be trusted.
fn trace(
    committed: &impl CommittedView,
    handle: &RunHandle,
    turn_id: TurnId,
) -> Result<Result<TurnTrace, String>, KernelError> {
    let record = match intact(committed.turn_record(&handle.run_id, turn_id))? {
        Ok(Some(record)) => record,
        Ok(None) => return Ok(Err(format!("the record of {turn_id} is not retained"))),
        Err(reason) => return Ok(Err(reason)),
    };
    Ok(match TurnTrace::parse(&record) {
        Err(error) => Err(format!("the record of {turn_id}: {error}")),
        Ok(trace) if trace.run_handle != *handle || trace.turn_input.turn_id != turn_id => {
            Err(format!("the record of {turn_id} is that of another turn"))
        }
        Ok(trace) => Ok(trace),
    })
}

/// Loads the objects that a replay needs, as far as they are kept.
pub(crate) fn objects(
    view: &impl StateView,
    trace: &TurnTrace,
) -> Result<BTreeMap<Digest, Payload>, KernelError> {
    let mut objects = BTreeMap::new();
    for digest in trace.objects() {
        if let Some(payload) = view.payload(&digest)? {
            // A replay vouches for what it was given, whether or not it looks into it.
            payload
                .check()
                .map_err(|error| ReadError::of_payload(&format!("objects {digest}"), error))?;
            objects.insert(digest, payload);
        }
    }
    Ok(objects)
}

fn turns(last: Option<TurnId>) -> impl Iterator<Item = TurnId> {
    (1..=last.map_or(0, TurnId::number)).filter_map(TurnId::new)
}

fn fault(location: Pointer, code: Code, reason: &str, message: String) -> KernelIssue {
    let details = event::details([("reason", canonical::Value::from(reason))]);
    KernelIssue::new(Stage::BaseShape, code, location, message, details)
}
