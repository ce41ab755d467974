//! Governing one answer: every call is validated, decided and carried out in a working copy, then the kernel judges.
//!
//! A pure function of the context, the answer, the recorded outcomes and what the view shows. The traction loop calls
//! it with a live snapshot, a replay with the recorded one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orket_cards::{
    Actor, CallRecord, Card, CardId, Evidence, GUARD_ROLE, Status, Verification, decide,
};
use orket_kernel::canonical::Value;
use orket_kernel::capability::{
    Action, Decision, ToolRequest, Verdict, authorize, resolve_capability,
};
use orket_kernel::{
    GateRefusal, KernelIssue, Outcome, ReadError, RecordingView, RunEnvelope, RunHandle, StateView,
    TurnExecution, TurnId, TurnInput, execute_turn, object,
};
use orket_ports::model::{ModelAnswer, ToolCall};
use orket_ports::tool::RefusalKind;
use orket_ports::{Refusal, Tool, TurnScope};

use crate::asset::{RefusedCalls, StepAsset};
use crate::outcomes::Outcomes;
use crate::play::Play;
use crate::proposal::{self, ProposalError};
use crate::scope::{Scope, read_card};
use crate::verification::Verified;

/// The most tool calls that one answer may hold.
pub(crate) const CALLS_MAX: usize = 32;

/// The tools that are built in, by name.
pub type Tools = BTreeMap<String, Arc<dyn Tool>>;

/// What an answer is judged by.
#[derive(Clone, Copy)]
pub struct TurnContext<'a> {
    /// The envelope of the run.
    pub envelope: &'a RunEnvelope,
    /// Its handle.
    pub handle: &'a RunHandle,
    /// The play.
    pub play: &'a Play,
    /// The tools.
    pub tools: &'a Tools,
    /// The turn.
    pub turn_id: TurnId,
    /// The card; a turn on none only reads.
    pub card: Option<&'a CardId>,
    /// The Score step.
    pub step: &'a StepAsset,
    /// The role that acts.
    pub role: &'a str,
}

/// What became of an answer.
#[derive(Clone, Debug)]
pub struct Governed {
    /// The calls that were carried out, in order.
    pub calls: Vec<CallRecord>,
    /// What was refused: the place of the call (`None` for the answer as a whole) and why.
    pub refusals: Vec<(Option<u64>, Refusal)>,
    /// The calls that were refused while the others were carried out: their places and why.
    pub skipped: Vec<(u64, Refusal)>,
    /// The outcomes of recorded work.
    pub outcomes: Vec<Value>,
    /// The audit records of the capability jail, one per call, whatever else became of the answer.
    pub decisions: Vec<Decision>,
    /// What the kernel said; `None` if the answer did not have the form to be judged.
    pub execution: Option<TurnExecution>,
    /// The card's status after the turn, if it was on one.
    pub status: Option<Status>,
    /// The paths that the turn wrote, below `agent_output/`.
    pub written: Vec<String>,
    /// What confined the commands that ran; nothing in a replay.
    pub command_tiers: BTreeSet<String>,
}

impl Governed {
    /// Tells whether the turn may be promoted.
    pub fn passed(&self) -> bool {
        self.refusals.is_empty()
            && self
                .execution
                .as_ref()
                .is_some_and(|e| e.result.outcome == Outcome::Pass)
    }

    /// Tells whether one corrective re-prompt may put the answer right.
    pub fn is_correctable(&self) -> bool {
        !self.refusals.is_empty()
            && self
                .refusals
                .iter()
                .all(|(_, refusal)| refusal.kind == RefusalKind::Malformed)
    }
}

/// Judges one answer.
///
/// # Errors
/// Fails only if the state cannot be read; whatever is wrong with the answer is a refusal.
pub fn govern(
    context: &TurnContext<'_>,
    answer: &ModelAnswer,
    outcomes: Outcomes,
    view: &dyn StateView,
) -> Result<Governed, ProposalError> {
    let kept = view;
    let view = RecordingView::new(kept);
    let before = match context.card {
        None => None,
        Some(id) => Some(read_card(&view, id)?.ok_or_else(|| ReadError::Corrupt {
            place: id.index_id(),
            reason: "the card of the turn does not exist".into(),
        })?),
    };
    let mut scope = Scope {
        view: &view,
        kept,
        play: context.play,
        moved: false,
        card: before.clone(),
        role: context.role,
        files: BTreeMap::new(),
        removed: BTreeSet::new(),
        created: Vec::new(),
        outcomes,
        command_tiers: BTreeSet::new(),
    };
    if let Some(card) = &mut scope.card {
        take_up(context, card)?;
    }

    let decisions = decide_calls(context, answer);
    let mut refusals = validate(context, answer, &decisions);
    let verified = match start_verification(context, &mut scope) {
        Ok(verified) => verified,
        Err(refusal) => {
            refusals.push((None, refusal));
            None
        }
    };
    let CarriedOut {
        calls,
        refusals,
        skipped,
    } = carry_out(context, answer, refusals, &mut scope);
    let status = scope.card.as_ref().map(|card| card.status);
    let command_tiers = std::mem::take(&mut scope.command_tiers);
    let written: Vec<String> = scope.files.keys().cloned().collect();
    let correctable = refusals
        .iter()
        .all(|(_, refusal)| refusal.kind == RefusalKind::Malformed);
    if !refusals.is_empty() && correctable {
        let outcomes = scope.outcomes.into_used();
        return Ok(Governed {
            calls,
            refusals,
            outcomes,
            skipped,
            decisions,
            execution: None,
            status,
            written,
            command_tiers,
        });
    }
    let mut refusals = refusals;
    let mut input = if refusals.is_empty() {
        proposal::from_scope(&scope, before.as_ref(), verified.as_ref(), context.turn_id)?
    } else {
        TurnInput::empty(context.turn_id)
    };
    input.tool_calls = answer
        .tool_calls
        .iter()
        .map(|call| request(context, call))
        .collect();
    input.refusals = refusals
        .iter()
        .filter(|(_, refusal)| refusal.reason != DENIED)
        .map(|(ordinal, refusal)| GateRefusal {
            call: *ordinal,
            reason: refusal.reason.clone(),
            message: refusal.message.clone(),
        })
        .collect();
    let outcomes = scope.outcomes.into_used();
    input.outcomes = outcomes.clone();
    input.reads = view.reads();
    let execution = execute_turn(context.envelope, context.handle, &input, &view);
    if refusals.is_empty() {
        let failures = execution
            .result
            .issues
            .iter()
            .filter(|issue| issue.is_failure());
        refusals.extend(failures.map(|issue| (None, refused_by_kernel(issue))));
    }
    Ok(Governed {
        calls,
        refusals,
        outcomes,
        skipped,
        decisions,
        execution: Some(execution),
        status,
        written,
        command_tiers,
    })
}

/// What became of the calls of an answer.
struct CarriedOut {
    calls: Vec<CallRecord>,
    /// What refuses the answer.
    refusals: Vec<(Option<u64>, Refusal)>,
    /// What refuses a call alone.
    skipped: Vec<(u64, Refusal)>,
}

/// Carries out the calls of an answer, of which `refusals` were refused before the first one ran.
fn carry_out(
    context: &TurnContext<'_>,
    answer: &ModelAnswer,
    refusals: Vec<(Option<u64>, Refusal)>,
    scope: &mut Scope<'_>,
) -> CarriedOut {
    let skips = context.play.score.refused_calls == RefusedCalls::Skip;
    let (alone, refusals): (Vec<_>, Vec<_>) = refusals
        .into_iter()
        .partition(|(ordinal, refusal)| skips && ordinal.is_some() && can_be_skipped(refusal));
    let mut skipped: Vec<(u64, Refusal)> = alone
        .into_iter()
        .filter_map(|(ordinal, refusal)| Some((ordinal?, refusal)))
        .collect();
    let mut out = CarriedOut {
        calls: Vec::new(),
        refusals,
        skipped: Vec::new(),
    };
    if out.refusals.is_empty() {
        for (ordinal, call) in (0..).zip(&answer.tool_calls) {
            let Some(tool) = context.tools.get(&call.name) else {
                continue;
            };
            let known = skipped.iter().position(|(place, _)| *place == ordinal);
            let told = match known {
                Some(place) => Err(skipped.swap_remove(place).1),
                None if skips => scope.try_call(|scope| tool.call(&call.arguments, scope)),
                None => tool.call(&call.arguments, scope),
            };
            let result = match told {
                Ok(result) => result,
                Err(refusal) if skips => {
                    let result = object! { "refused" => refusal.message.as_str() };
                    out.skipped.push((ordinal, refusal));
                    result
                }
                Err(refusal) => {
                    out.refusals.push((Some(ordinal), refusal));
                    break;
                }
            };
            out.calls.push(CallRecord {
                tool: call.name.clone(),
                arguments: call.arguments.clone(),
                result,
            });
        }
    } else {
        out.skipped = skipped;
    }
    // What refuses every call, or stands beside what refuses the answer, refuses the answer.
    if skips && (out.skipped.len() == answer.tool_calls.len() || !out.refusals.is_empty()) {
        let skipped = std::mem::take(&mut out.skipped).into_iter();
        out.refusals
            .extend(skipped.map(|(place, refusal)| (Some(place), refusal)));
        out.refusals.sort_by_key(|(place, _)| *place);
    }
    out
}

/// Tells whether the other calls of an answer can stand beside a refusal. The kernel decides each call again: one that the
/// policy does not grant fails the turn, whatever the host makes of it.
fn can_be_skipped(refusal: &Refusal) -> bool {
    refusal.reason != DENIED && refusal.reason != UNKNOWN_TOOL
}

/// Whether a step begins with a verification of the card.
pub(crate) fn verifies(role: &str) -> bool {
    role == GUARD_ROLE
}

/// Takes a card up: the first effect of a work step is that its card is in progress.
fn take_up(context: &TurnContext<'_>, card: &mut Card) -> Result<(), ProposalError> {
    if context.step.is_work() {
        if card.status != Status::InProgress {
            decide(
                card.status,
                Status::InProgress,
                &Actor::Engine,
                None,
                &Evidence::default(),
            )?;
            card.status = Status::InProgress;
            card.wait_reason = None;
        }
        if !card.authors.iter().any(|author| author == context.role) {
            card.authors.push(context.role.to_owned());
            card.authors.sort();
        }
    }
    Ok(())
}

fn start_verification(
    context: &TurnContext<'_>,
    scope: &mut Scope<'_>,
) -> Result<Option<Verified>, Refusal> {
    let Some(card) = scope.card.as_ref().filter(|_| verifies(context.role)) else {
        return Ok(None);
    };
    let verified = match &card.verification {
        Verification::None(reason) => Verified::NoChecks(reason.clone()),
        Verification::Checks(_) => {
            let mut none = || {
                Err(Refusal::forbidden(
                    "not_recorded",
                    "no verification was recorded",
                ))
            };
            Verified::from_outcome(scope.recorded(&mut none)?)?
        }
    };
    if let Some(card) = &mut scope.card {
        card.verified = verified.state();
    }
    Ok(Some(verified))
}

/// The reason of a refusal of a tool that there is not.
const UNKNOWN_TOOL: &str = "unknown_tool";

/// The reason of a refusal by the capability policy; the kernel's own decision stands for it in the result.
const DENIED: &str = "capability_denied";

/// Validates all calls before the first one runs.
fn validate(
    context: &TurnContext<'_>,
    answer: &ModelAnswer,
    decisions: &[Decision],
) -> Vec<(Option<u64>, Refusal)> {
    let plan = resolve_capability(&context.envelope.policy, context.role, &context.step.name);
    let offered: Vec<String> = plan.tools.into_iter().collect();
    if answer.tool_calls.is_empty() {
        let message = format!(
            "the answer holds no tool call; answer with calls of {}",
            offered.join(", ")
        );
        return vec![(None, Refusal::malformed("no_tool_call", message))];
    }
    if answer.tool_calls.len() > CALLS_MAX {
        let message = format!("the answer holds more than {CALLS_MAX} tool calls");
        return vec![(None, Refusal::malformed("too_many_calls", message))];
    }
    let mut refusals = Vec::new();
    for (decision, call) in decisions.iter().zip(&answer.tool_calls) {
        let refusal = match context.tools.get(&call.name) {
            None => Some(Refusal::malformed(
                UNKNOWN_TOOL,
                format!(
                    "there is no tool {:?}; there are {}",
                    call.name,
                    offered.join(", ")
                ),
            )),
            Some(_) if decision.verdict == Verdict::Denied => {
                Some(Refusal::forbidden(DENIED, decision.sentence()))
            }
            Some(tool) => {
                let checked = tool.spec().check(&call.arguments);
                checked.and_then(|()| tool.validate(&call.arguments)).err()
            }
        };
        refusals.extend(refusal.map(|refusal| (Some(decision.ordinal), refusal)));
    }
    refusals
}

/// Puts every call to the capability jail; each decision is recorded, whatever becomes of the answer (Law 8).
pub(crate) fn decide_calls(context: &TurnContext<'_>, answer: &ModelAnswer) -> Vec<Decision> {
    let run_id = &context.envelope.run_id;
    let calls = (0..).zip(answer.tool_calls.iter().take(CALLS_MAX));
    calls
        .map(|(ordinal, call)| {
            authorize(
                &context.envelope.policy,
                run_id,
                ordinal,
                &request(context, call),
            )
        })
        .collect()
}

/// The request of a call; its action is what the tool says, and never what the model says.
fn request(context: &TurnContext<'_>, call: &ToolCall) -> ToolRequest {
    let tool = context.tools.get(&call.name);
    ToolRequest {
        role: context.role.to_owned(),
        task: context.step.name.clone(),
        tool: call.name.clone(),
        action: tool.map_or(Action::CALL, |tool| tool.spec().action.clone()),
        arguments: call.arguments.clone(),
    }
}

fn refused_by_kernel(issue: &KernelIssue) -> Refusal {
    Refusal::forbidden(
        issue.code.as_str(),
        format!("{} at {}: {}", issue.code, issue.location, issue.message),
    )
}
