//! One request in, one answer out.

use super::request::{
    Authority, AuthorizeToolCall, CommitTurn, CompareRuns, ComparedRun, EmitEvent, ExecuteTurn,
    FinishRun, ReplayRun, Request, ResolveCapability, StageDeletions, StartRun,
    ValidateLinksAgainstIndex, ValidateTriplet, WriteTraceArtifacts,
};
use super::{
    Answer, CapabilityAnswer, ContractVersion, DecisionAnswer, EventAnswer, InvalidRequest,
    Operation, RequestFault, RunAnswer, TraceArtifactAnswer, TraceArtifactsAnswer, TurnAnswer,
};
use crate::canonical::{self, DeserializeError, Value};
use crate::capability::{self, Policy};
use crate::compare::compare_recorded;
use crate::issue::{self, KernelIssue};
use crate::pipeline;
use crate::{
    Digest, Finish, Kernel, KernelError, Layered, Outcome, ParityReport, Pointer, Run, RunId,
    StagedTurn, StagingArea, StateStore, StoreFailure, TurnExecution, event,
    validate_links_against_index, validate_triplet,
};

/// Says why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The request is not valid.
    #[error("{0}")]
    Request(RequestFault),
    /// The medium is busy or failed.
    #[error(transparent)]
    Store(StoreFailure),
}

impl CallError {
    /// Returns the answer that tells a caller what is wrong with the request; `None` if the medium failed.
    pub fn answer(&self, operation: Operation) -> Option<InvalidRequest> {
        match self {
            CallError::Store(_) => None,
            CallError::Request(fault) => Some(InvalidRequest {
                contract_version: ContractVersion,
                operation: operation.as_str().to_owned(),
                outcome: "INVALID".to_owned(),
                error: fault.clone(),
            }),
        }
    }
}

impl From<DeserializeError> for CallError {
    fn from(error: DeserializeError) -> CallError {
        CallError::Request(match error {
            DeserializeError::Parse(error) => RequestFault {
                message: error.kind.to_string(),
                pointer: error.pointer,
                byte_offset: Some(error.byte_offset as u64),
            },
            DeserializeError::Shape { message, pointer } => RequestFault {
                message,
                pointer,
                byte_offset: None,
            },
        })
    }
}

/// What an operation came to: its result and issues, or why it was refused.
type Outcomes = Result<(Value, Vec<KernelIssue>), KernelError>;

/// Carries out one operation: [`Request::read`], then [`answer`].
///
/// # Errors
/// As these two.
pub fn call<S: StateStore>(
    kernel: Option<&Kernel<S>>,
    operation: Operation,
    request: &[u8],
) -> Result<Answer, CallError> {
    answer(kernel, Request::read(operation, request)?)
}

/// Answers a request. `kernel` may be left out for operations that need no store.
///
/// What the law refuses is an answer with the outcome FAIL.
///
/// # Errors
/// [`CallError::Request`] if the request needs a store that is not there, or asks for what cannot be; [`CallError::Store`] if
/// the medium is busy or failed.
pub fn answer<S: StateStore>(
    kernel: Option<&Kernel<S>>,
    request: Request,
) -> Result<Answer, CallError> {
    let operation = request.operation();
    let found = match request {
        Request::StartRun(request) => start_run(store(kernel)?, &request),
        Request::ExecuteTurn(request) => execute_turn(store(kernel)?, *request),
        Request::CommitTurn(request) => commit_turn(store(kernel)?, &request),
        Request::FinishRun(request) => finish_run(store(kernel)?, &request)?,
        Request::EmitEvent(request) => emit_event(&request),
        Request::WriteTraceArtifacts(request) => write_trace_artifacts(store(kernel)?, &request),
        Request::ValidateTriplet(request) => check_triplet(&request),
        Request::ValidateLinksAgainstIndex(request) => check_links(store(kernel)?, &request),
        Request::StageDeletions(request) => stage_deletions(store(kernel)?, *request),
        Request::AuthorizeToolCall(request) => authorize_tool_call(kernel, &request)?,
        Request::ResolveCapability(request) => resolve_capability(kernel, &request)?,
        Request::ReplayRun(request) => replay_run(store(kernel)?, &request),
        Request::CompareRuns(request) => compare(kernel, *request)?,
    };
    match found {
        Ok((result, issues)) => Ok(Answer::new(operation, result, issues)),
        Err(KernelError::Refused(issues)) => Ok(Answer::new(operation, Value::Null, issues)),
        Err(KernelError::Store(failure)) => Err(CallError::Store(failure)),
    }
}

fn store<S: StateStore>(kernel: Option<&Kernel<S>>) -> Result<&Kernel<S>, CallError> {
    kernel.ok_or_else(|| invalid(Pointer::root(), "the request needs a home; name one"))
}

fn invalid(pointer: Pointer, message: &str) -> CallError {
    CallError::Request(RequestFault {
        message: message.to_owned(),
        pointer,
        byte_offset: None,
    })
}

/// Returns a result as canonical JSON.
fn value(result: &impl serde::Serialize) -> Result<Value, KernelError> {
    canonical::to_value(result).map_err(|error| {
        KernelError::from(StoreFailure::Corrupt {
            place: "the answer".to_owned(),
            reason: error.to_string(),
        })
    })
}

fn start_run<S: StateStore>(kernel: &Kernel<S>, request: &StartRun) -> Outcomes {
    let run = kernel.start_run(&request.envelope)?;
    let answer = RunAnswer {
        run_handle: run.handle().clone(),
    };
    Ok((value(&answer)?, Vec::new()))
}

fn execute_turn<S: StateStore>(kernel: &Kernel<S>, request: ExecuteTurn) -> Outcomes {
    let mut input = request.turn_input;
    for attachment in request.attachments {
        let bytes = attachment.into_bytes();
        input
            .attachments
            .insert(Digest::of_bytes(&bytes), bytes.into());
    }
    turn_answer(kernel.run(&request.run_handle)?.execute_turn(&input)?)
}

fn stage_deletions<S: StateStore>(kernel: &Kernel<S>, request: StageDeletions) -> Outcomes {
    let mut run = kernel.run(&request.run_handle)?;
    turn_answer(run.stage_deletions(request.turn_id, request.stems)?)
}

fn turn_answer(execution: TurnExecution) -> Outcomes {
    let issues = execution.result.issues.clone();
    let answer = TurnAnswer {
        turn_result_digest: execution.result.structural_digest(),
        turn_result: execution.result,
        decisions: execution.decisions,
    };
    Ok((value(&answer)?, issues))
}

fn commit_turn<S: StateStore>(kernel: &Kernel<S>, request: &CommitTurn) -> Outcomes {
    let report = kernel
        .run(&request.run_handle)?
        .commit_turn(request.turn_id)?;
    let issues = report.issues.clone();
    Ok((value(&report)?, issues))
}

fn finish_run<S: StateStore>(
    kernel: &Kernel<S>,
    request: &FinishRun,
) -> Result<Outcomes, CallError> {
    let finish = match (request.outcome, request.commit) {
        (Outcome::Pass, true) => Finish::Commit,
        (Outcome::Pass, false) => Finish::Leave,
        (Outcome::Fail, false) => Finish::Discard,
        (Outcome::Fail, true) => {
            let place = Pointer::root().key("commit");
            return Err(invalid(
                place,
                "a run that failed commits nothing; commit must be false",
            ));
        }
    };
    let finished = kernel
        .run(&request.run_handle)
        .and_then(|run: Run<'_, S>| run.finish(finish));
    Ok(finished.and_then(|summary| {
        let reports = summary.promoted.iter();
        let mut issues: Vec<_> = reports.flat_map(|report| report.issues.clone()).collect();
        issue::sort(&mut issues);
        Ok((value(&summary)?, issues))
    }))
}

fn emit_event(request: &EmitEvent) -> Outcomes {
    let answer = EventAnswer {
        line: event::format(&request.issue),
    };
    Ok((value(&answer)?, Vec::new()))
}

fn write_trace_artifacts<S: StateStore>(
    kernel: &Kernel<S>,
    request: &WriteTraceArtifacts,
) -> Outcomes {
    let mut run = kernel.run(&request.run_handle)?;
    let written = run.write_trace_artifacts(&request.trace_bundle.artifacts)?;
    let artifacts = written
        .into_iter()
        .map(|(name, digest)| TraceArtifactAnswer { name, digest });
    let answer = TraceArtifactsAnswer {
        artifacts: artifacts.collect(),
    };
    Ok((value(&answer)?, Vec::new()))
}

fn check_triplet(request: &ValidateTriplet) -> Outcomes {
    Ok((
        Value::Null,
        validate_triplet(&request.profile, &request.triplet),
    ))
}

fn check_links<S: StateStore>(kernel: &Kernel<S>, request: &ValidateLinksAgainstIndex) -> Outcomes {
    let committed = kernel.store().committed()?;
    let mut staged: Vec<StagedTurn> = Vec::new();
    if let Some(handle) = &request.run_handle {
        let run = kernel.run(handle)?;
        let turns = kernel.store().staging().staged(&run.handle().run_id)?;
        staged.extend(turns.into_iter().map(|(turn, _)| turn));
    }
    let view = Layered::new(&committed, &staged);
    Ok((
        Value::Null,
        validate_links_against_index(&request.triplet, &view),
    ))
}

/// Returns the policy that decides, with the name of the run.
fn authority<S: StateStore>(
    kernel: Option<&Kernel<S>>,
    by: &Authority,
) -> Result<Result<(RunId, Policy), KernelError>, CallError> {
    Ok(match by {
        Authority::Policy { run_id, policy } => Ok((run_id.clone(), policy.clone())),
        Authority::RunHandle(handle) => {
            let run = store(kernel)?.run(handle);
            run.map(|run| (handle.run_id.clone(), run.envelope().policy.clone()))
        }
    })
}

fn authorize_tool_call<S: StateStore>(
    kernel: Option<&Kernel<S>>,
    request: &AuthorizeToolCall,
) -> Result<Outcomes, CallError> {
    let authority = authority(kernel, &request.by)?;
    Ok(authority.and_then(|(run_id, policy)| {
        let decision =
            capability::authorize(&policy, &run_id, request.ordinal, &request.tool_request);
        let place = Pointer::root().key("tool_request");
        let issues = pipeline::policy::finding(&decision, place)
            .into_iter()
            .collect();
        Ok((value(&DecisionAnswer { decision })?, issues))
    }))
}

fn resolve_capability<S: StateStore>(
    kernel: Option<&Kernel<S>>,
    request: &ResolveCapability,
) -> Result<Outcomes, CallError> {
    let authority = authority(kernel, &request.by)?;
    Ok(authority.and_then(|(_, policy)| {
        let plan = capability::resolve_capability(&policy, &request.role, &request.task);
        Ok((value(&CapabilityAnswer { plan })?, Vec::new()))
    }))
}

fn replay_run<S: StateStore>(kernel: &Kernel<S>, request: &ReplayRun) -> Outcomes {
    parity(kernel.replay_run(&request.run_descriptor)?)
}

fn compare<S: StateStore>(
    kernel: Option<&Kernel<S>>,
    request: CompareRuns,
) -> Result<Outcomes, CallError> {
    let recorded = |run: ComparedRun| -> Result<_, CallError> {
        Ok(match run {
            ComparedRun::Recorded(run) => Ok(Ok(run)),
            ComparedRun::RunId(run_id) => store(kernel)?.recorded_run(&run_id),
        })
    };
    let (one, two) = (recorded(request.run_a)?, recorded(request.run_b)?);
    Ok(one.and_then(|one| parity(compare_recorded(one, two?))))
}

fn parity(report: ParityReport) -> Outcomes {
    let issues = report.issues.clone();
    Ok((value(&report)?, issues))
}
