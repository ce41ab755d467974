//! A person calls one tool as a role of a Band: through the gate of a model's answer, with the records of a turn.

use std::collections::BTreeSet;
use std::sync::Arc;

use orket_cards::{Author, Card, CardId, OperatorAction, TurnRecord};
use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::Verdict;
use orket_kernel::object;
use orket_ports::Verifier;
use orket_ports::model::{ModelAnswer, ToolCall};
use orket_secrets::Scrubber;

use super::{Desk, Judged, OperatorEnd, OperatorTurn, OperatorWork, operate};
use crate::asset::StepAsset;
use crate::attempt::{Confined, asked};
use crate::error::RunError;
use crate::govern::{Tools, TurnContext, decide_calls, govern, verifies};
use crate::outcomes::Outcomes;
use crate::play::Play;
use crate::scrub;
use crate::summary::board;
use crate::verification::{Verified, verify};

/// The call of a person.
pub struct PersonalCall<'a> {
    /// Who calls.
    pub author: Author,
    /// The play whose Band has the role.
    pub play: Play,
    /// The tools.
    pub tools: &'a Tools,
    /// The role as which the person calls.
    pub role: String,
    /// The card; a call on none only reads.
    pub card: Option<CardId>,
    /// The call.
    pub call: ToolCall,
    /// The runner of checks: where the guard calls, the card's checks run first.
    pub verifier: &'a dyn Verifier,
    /// What takes secrets out of the play, the call and its outcomes.
    pub scrubber: Arc<Scrubber>,
}

/// Makes a turn of an operator run out of one call: capability policy, space, transition table and kernel judge it as they
/// judge an answer of a model.
///
/// The step is the one in which the role acts on the card as it stands, and it begins as the step of a model does: work is
/// taken up, and the guard sees the checks run. The call stands in the record of the turn, of a refused one as well.
///
/// # Errors
/// There is no such card in the epic, or as [`operate`]. A refusal is no error but [`OperatorEnd::Refused`].
pub fn call_tool(desk: &Desk<'_>, personal: &PersonalCall<'_>) -> Result<OperatorEnd, RunError> {
    let scrubber = &personal.scrubber;
    let play = scrub::play(scrubber, personal.play.clone())?;
    let answer = scrub::answer(scrubber, answer_of(personal.call.clone()));
    let work = OperatorWork {
        author: personal.author.clone(),
        policy: play.policy()?,
        model_profile: "none".into(),
        host: object! { PLAY => canonical::to_value(&play)? },
    };
    operate(desk, &work, &mut |turn| {
        judge(desk, personal, &play, &answer, turn)
    })
}

/// Where the host's part of the envelope holds the play.
const PLAY: &str = "play";

fn answer_of(call: ToolCall) -> ModelAnswer {
    ModelAnswer {
        tool_calls: vec![call],
        ..ModelAnswer::default()
    }
}

fn judge(
    desk: &Desk<'_>,
    personal: &PersonalCall<'_>,
    play: &Play,
    answer: &ModelAnswer,
    turn: &OperatorTurn<'_>,
) -> Result<Judged, RunError> {
    let card = match &personal.card {
        None => None,
        Some(id) => {
            let known = board(turn.snapshot, play)?;
            let card = known.into_iter().find(|card| card.id == *id);
            let missing = || RunError::NoCard {
                card: id.to_string(),
            };
            Some(card.ok_or_else(missing)?)
        }
    };
    let acting = acting(play, card.as_ref(), &personal.role);
    let (step, acts_now) = match acting {
        Acting::Now(step) => (step, true),
        Acting::Elsewhere(step) => (step, false),
    };
    let context = TurnContext {
        envelope: turn.envelope,
        handle: turn.handle,
        play,
        tools: personal.tools,
        turn_id: turn.turn_id,
        card: card.as_ref().map(|card| &card.id),
        step: &step,
        role: &personal.role,
    };
    let mut record = TurnRecord {
        card: card.as_ref().map(|card| card.id.clone()),
        role: personal.role.clone(),
        step: step.name.clone(),
        judged: true,
        calls: asked(answer),
        decisions: decide_calls(&context, answer),
        ..turn.record(OperatorAction::Tool)
    };
    if let (Some(card), false) = (&card, acts_now) {
        let mut decisions = record.decisions.iter();
        let denied = decisions.find(|decision| decision.verdict == Verdict::Denied);
        let refusal = match denied {
            Some(decision) => decision.sentence(),
            None => format!(
                "the role {} does not act on {}, which is {}",
                personal.role, card.id, card.status
            ),
        };
        return Ok(Judged {
            record,
            execution: None,
            refusals: vec![refusal],
        });
    }
    let card = card.as_ref().filter(|_| acts_now);
    let verified = checks(desk, personal, play, card, turn)?;
    let mut confined = Confined {
        checks: verified.iter().flat_map(Verified::tiers).collect(),
        commands: BTreeSet::new(),
    };
    let known = verified.iter().filter_map(Verified::evidence);
    let known = known.cloned().collect();
    let outcomes = Outcomes::live(known, Arc::clone(&personal.scrubber));
    let governed = govern(&context, answer, outcomes, turn.snapshot.state())?;
    record.outcomes = governed.outcomes;
    confined.commands = governed.command_tiers;
    record.notes = confined.add_to(object! { "sandbox_tier" => personal.verifier.tier() });
    if governed.refusals.is_empty() {
        record.calls = governed.calls;
    }
    let refusals = governed.refusals.into_iter();
    Ok(Judged {
        record,
        execution: governed.execution,
        refusals: refusals.map(|(_, refusal)| refusal.message).collect(),
    })
}

/// Runs the checks of the guard's card.
fn checks(
    desk: &Desk<'_>,
    personal: &PersonalCall<'_>,
    play: &Play,
    card: Option<&Card>,
    turn: &OperatorTurn<'_>,
) -> Result<Option<Verified>, RunError> {
    let Some(card) = card.filter(|_| verifies(&personal.role)) else {
        return Ok(None);
    };
    Ok(Some(verify(
        play,
        card,
        turn.snapshot.state(),
        desk.workspace,
        personal.verifier,
        &personal.scrubber,
    )?))
}

/// The step of a call.
enum Acting {
    /// The role acts in it, on the card as it stands.
    Now(StepAsset),
    /// The role acts in it, on other statuses; or in no step at all.
    Elsewhere(StepAsset),
}

fn acting(play: &Play, card: Option<&Card>, role: &str) -> Acting {
    if let Some(card) = card
        && let Some((step, _)) = play.steps_for(card).find(|(_, acts)| acts == role)
    {
        return Acting::Now(step.clone());
    }
    let seats = play.seats();
    let mut steps = play.score.steps.iter();
    let first = steps.find(|step| step.role == role || (step.is_work() && seats.contains(role)));
    match (first, card) {
        (Some(step), None) => Acting::Now(step.clone()),
        (Some(step), Some(_)) => Acting::Elsewhere(step.clone()),
        // No step has this name, so no rule of the policy does.
        (None, _) => Acting::Elsewhere(StepAsset {
            name: "-".into(),
            role: role.to_owned(),
            statuses: Vec::new(),
        }),
    }
}

/// Returns the play and the answer of a recorded call.
pub(crate) fn recorded(host: &Value, record: &TurnRecord) -> Result<(Play, ModelAnswer), String> {
    let play = host.get(PLAY).cloned().unwrap_or_default();
    let play: Play =
        canonical::from_value(play).map_err(|error| format!("the play of the run: {error}"))?;
    let [call] = record.calls.as_slice() else {
        return Err("the turn has not one call".into());
    };
    let call = ToolCall {
        name: call.tool.clone(),
        arguments: call.arguments.clone(),
    };
    Ok((play, answer_of(call)))
}
