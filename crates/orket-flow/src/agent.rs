//! The Agent: a role at work on a card. Builds the request to the model; the same inputs give the same bytes.

use orket_cards::{
    Actor, CallRecord, Card, Evidence, Status, Verification, VerificationState, WaitReason, decide,
};
use orket_kernel::canonical::{self, Value};
use orket_ports::model::{Message, ModelAnswer, ModelRequest, Speaker, ToolCall, ToolOffer};
use orket_ports::{ReadSpace, Refusal};

use crate::asset::{RefusedCalls, StepAsset};
use crate::govern::Tools;
use crate::play::Play;
use crate::verification::Verified;

/// The most bytes of one earlier text, call or result that are shown to the model.
const SHOWN_MAX_BYTES: usize = 16 * 1024;

/// The most earlier turns of the same role on the card that are shown to the model.
pub(crate) const HISTORY_TURNS_MAX: usize = 8;

/// An earlier turn of the same role on the same card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastTurn {
    /// What the model said.
    pub said: String,
    /// What it called, and what came of it.
    pub calls: Vec<CallRecord>,
}

/// Everything that a request is made from.
pub struct Brief<'a> {
    /// The play.
    pub play: &'a Play,
    /// The tools.
    pub tools: &'a Tools,
    /// The tools that the policy grants, sorted.
    pub granted: Vec<String>,
    /// The Score step.
    pub step: &'a StepAsset,
    /// The role.
    pub role: &'a str,
    /// The card, as the turn finds it.
    pub card: &'a Card,
    /// All cards of the epic, for what the card depends on.
    pub board: &'a [Card],
    /// Text that the Conductor added to the prompt.
    pub patch: Option<&'a str>,
    /// What the verification said; only for the guard.
    pub(crate) verified: Option<&'a Verified>,
    /// Earlier turns of this role on this card, oldest first.
    pub history: &'a [PastTurn],
    /// Why earlier attempts at this turn were refused, oldest first.
    pub refused: &'a [String],
    /// The answer that has to be put right, and what is wrong with it.
    pub corrective: Option<(&'a ModelAnswer, &'a [Refusal])>,
}

/// Builds the request. A pure function: no clock, no randomness, no run id.
pub fn request(brief: &Brief<'_>) -> ModelRequest {
    let mut messages = vec![
        Message::text(Speaker::System, system_prompt(brief)),
        Message::text(Speaker::User, card_brief(brief)),
    ];
    let skipped = brief.history.len().saturating_sub(HISTORY_TURNS_MAX);
    for past in &brief.history[skipped..] {
        let calls: Vec<&CallRecord> = past
            .calls
            .iter()
            .filter(|call| is_sayable(&call.arguments))
            .collect();
        messages.push(Message {
            tool_calls: calls
                .iter()
                .map(|call| ToolCall {
                    name: call.tool.clone(),
                    arguments: call.arguments.clone(),
                })
                .collect(),
            ..Message::text(Speaker::Assistant, shown(past.said.clone()))
        });
        for call in calls {
            messages.push(Message {
                tool_name: Some(call.tool.clone()),
                ..Message::text(Speaker::Tool, shown(canonical::to_string(&call.result)))
            });
        }
    }
    if !brief.history.is_empty() {
        messages.push(Message::text(
            Speaker::User,
            "These are the results. Go on with the card.",
        ));
    }
    if !brief.refused.is_empty() {
        let mut text = String::from(
            "Your earlier answers to this were refused, and nothing of them was done:\n",
        );
        for reason in brief.refused {
            text.push_str(&format!("- {reason}\n"));
        }
        text.push_str("Do the work again without that.");
        messages.push(Message::text(Speaker::User, text));
    }
    if let Some((answer, violations)) = brief.corrective {
        let sayable = answer
            .tool_calls
            .iter()
            .filter(|call| is_sayable(&call.arguments));
        messages.push(Message {
            tool_calls: sayable.cloned().collect(),
            ..Message::text(Speaker::Assistant, shown(answer.content.clone()))
        });
        let mut text = String::from("This answer cannot be used:\n");
        for violation in violations {
            text.push_str(&format!("- {}\n", violation.message));
        }
        text.push_str("Answer once more, with everything put right.");
        messages.push(Message::text(Speaker::User, text));
    }
    ModelRequest {
        model: brief.play.venue.model.clone(),
        messages,
        tools: brief
            .granted
            .iter()
            .filter_map(|name| offer(brief.tools, name))
            .collect(),
        options: brief.play.venue.options.clone(),
        format: None,
    }
}

/// Tells whether a call can be shown again: servers refuse a conversation with arguments that are no object, and one that
/// is too long would crowd everything else out.
fn is_sayable(arguments: &Value) -> bool {
    arguments.as_object().is_some() && canonical::to_bytes(arguments).len() <= SHOWN_MAX_BYTES
}

/// Cuts a text that would crowd everything else out of the window, and says so where it is cut.
fn shown(text: String) -> String {
    if text.len() <= SHOWN_MAX_BYTES {
        return text;
    }
    let mut end = SHOWN_MAX_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!(
        "{}\n[cut here: {} of {} bytes are shown]",
        &text[..end],
        end,
        text.len()
    )
}

/// Writes text of others as one quoted line, so that it cannot pass for a line of the engine.
fn quoted(text: &str) -> String {
    canonical::to_string(&shown(text.to_owned()).into())
}

fn offer(tools: &Tools, name: &str) -> Option<ToolOffer> {
    let spec = tools.get(name)?.spec();
    Some(ToolOffer {
        name: spec.name.to_owned(),
        description: spec.description.to_owned(),
        parameters: spec.schema(),
    })
}

fn system_prompt(brief: &Brief<'_>) -> String {
    let role = brief.play.band.roles.get(brief.role);
    let mut text = role.map_or_else(String::new, |role| role.prompt.trim().to_owned());
    text.push_str(&format!(
        "\n\nYou are the role {} in the step {}. Work only through tool calls: {}.\n\
         Files lie below agent_output/. All calls of an answer are checked before the first one runs, and {}. Results of \
         calls reach you in your next turn on this card.",
        brief.role,
        brief.step.name,
        brief.granted.join(", "),
        match brief.play.score.refused_calls {
            RefusedCalls::RefuseTurn => "one refused call refuses the whole answer",
            RefusedCalls::Skip => "a refused call has no effect while the others are carried out",
        }
    ));
    let references = &brief.play.reference_spaces;
    if let Some(first) = references.first()
        && brief.play.space_policy.reads(ReadSpace::Reference)
    {
        let names: Vec<String> = references.iter().map(|name| format!("{name}:")).collect();
        text.push_str(&format!(
            "\nYou may also read these inputs, but never write them: {}. A path in one begins with its name, as in \
             {first}:notes/a.md.",
            names.join(", ")
        ));
    }
    if let Some(patch) = brief.patch {
        text.push_str("\n\n");
        text.push_str(patch);
    }
    text
}

fn card_brief(brief: &Brief<'_>) -> String {
    let card = brief.card;
    let mut lines = vec![
        format!("Card {}: {}", card.id, card.title),
        match &card.created_by {
            None => card.description.clone(),
            // A role wrote it, not a person.
            Some(by) => format!(
                "Described by {} on {}: {}",
                by.role,
                by.card,
                quoted(&card.description)
            ),
        },
        format!("Status: {}", card.status),
    ];
    for path in &card.artifacts {
        lines.push(format!("Promised file: agent_output/{path}"));
    }
    for id in &card.depends_on {
        if let Some(needed) = brief.board.iter().find(|other| other.id == *id) {
            let files: Vec<String> = needed
                .artifacts
                .iter()
                .map(|path| format!("agent_output/{path}"))
                .collect();
            lines.push(format!(
                "Builds on {} ({}): {}",
                needed.id,
                needed.title,
                files.join(", ")
            ));
        }
    }
    for comment in &card.comments {
        lines.push(format!(
            "Comment by {}: {}",
            comment.author,
            quoted(&comment.text)
        ));
    }
    match brief.verified {
        Some(Verified::NoChecks(reason)) => {
            lines.push(format!("Verification: no checks are defined ({reason})."));
        }
        Some(Verified::Checked {
            outcome, passed, ..
        }) => {
            let word = if *passed { "passed" } else { "failed" };
            lines.push(format!("Verification: {word}."));
            for check in outcome
                .get("checks")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let text = |key| check.get(key).and_then(Value::as_str).unwrap_or_default();
                lines.push(format!("- {}: {}", text("fixture"), text("ended")));
                if !text("output").is_empty() {
                    lines.push(format!("  it printed {}", quoted(text("output"))));
                }
            }
        }
        None => {}
    }
    let next = next_statuses(brief);
    lines.push(format!(
        "With update_issue_status you may set: {}.",
        next.join(", ")
    ));
    lines.push(done_line(brief));
    lines.join("\n")
}

fn done_line(brief: &Brief<'_>) -> String {
    if brief.step.is_work() {
        "When every promised file is written, set code_review.".into()
    } else {
        "Judge the work and set the status that follows from it.".into()
    }
}

/// Lists the statuses that the transition table lets this role set and that some step of the score goes on from.
fn next_statuses(brief: &Brief<'_>) -> Vec<String> {
    let from = if brief.step.is_work() {
        Status::InProgress
    } else {
        brief.card.status
    };
    let evidence = Evidence {
        verification: brief
            .verified
            .map_or(VerificationState::NotRun, Verified::state),
        authors: brief.card.authors.clone(),
        ..Evidence::default()
    };
    let evidence = match (&brief.card.verification, brief.verified) {
        // Without a verification at hand the list shows what the table allows.
        (Verification::Checks(_), None) => Evidence {
            verification: VerificationState::Passed,
            ..evidence
        },
        _ => evidence,
    };
    let actor = Actor::Role(brief.role.to_owned());
    Status::ALL
        .iter()
        .filter(|to| {
            let goes_on = brief
                .play
                .score
                .steps
                .iter()
                .any(|step| step.statuses.contains(to));
            (goes_on || **to == Status::Done || to.needs_wait_reason())
                && decide(from, **to, &actor, Some(WaitReason::Input), &evidence).is_ok()
        })
        .map(|to| {
            if to.needs_wait_reason() {
                format!("{to} (with a wait_reason)")
            } else {
                to.to_string()
            }
        })
        .collect()
}
