//! A person sets files and cards.

use orket_cards::{
    Author, Card, CardId, Comment, OperatorAction, TransitionRefusal, VerificationState,
};
use orket_kernel::canonical::Value;
use orket_kernel::{InvalidName, Payload, ReadError, StateView, Stem, Triplet, object};

use super::draft::{Draft, InTheWay};
use super::effects::{CardEffect, Effects, FileEffect};
use super::proposal::OperatorProposalError;
use super::{Desk, Judged, OperatorEnd, OperatorTurn, OperatorWork, execute, operate};
use crate::error::RunError;
use crate::scope::{read_card, read_value};

/// Says why a person's change was not made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The project could not be read or written, or another command is at it.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A path is no path below `agent_output/`.
    #[error("agent_output/{path} cannot be written: {source}")]
    Path {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: InvalidName,
    },
    /// A file would lie where a directory is, or below a file.
    #[error("agent_output/{path} cannot be written: agent_output/{known} is in its way")]
    InTheWay {
        /// The path.
        path: String,
        /// What is in its way.
        known: String,
    },
    /// There is no such file.
    #[error("there is no agent_output/{path} to delete")]
    NoFile {
        /// The path.
        path: String,
    },
    /// There is no such card.
    #[error("there is no card {card}; `orket board` lists the cards")]
    NoCard {
        /// The card.
        card: CardId,
    },
    /// The transition table refused.
    #[error("{card}: {refusal}")]
    Transition {
        /// The card.
        card: String,
        /// Why.
        #[source]
        refusal: TransitionRefusal,
    },
    /// What lies there is never taken over.
    #[error(
        "agent_output/{} cannot be taken over: it is a link, a special file or has a name that is not portable; move it away",
        .paths.join(", agent_output/")
    )]
    NotPlain {
        /// The paths.
        paths: Vec<String>,
    },
    /// A file holds a secret.
    #[error(
        "agent_output/{path} holds a secret and is not taken over; `orket secrets scan` shows where"
    )]
    Secret {
        /// The path.
        path: String,
    },
    /// Everything is so already.
    #[error("nothing would change")]
    Nothing,
}

/// Makes one turn with these effects.
///
/// A file of a card that checks verified makes the card unverified: what was verified is no longer what is there.
///
/// # Errors
/// Says what is wrong with the effects, and as [`operate`].
///
/// # Limitations
/// What the kernel refuses, such as deleting a file on which evidence rests, is no error but
/// [`OperatorEnd::Refused`], whose attempt is kept.
pub fn change(
    desk: &Desk<'_>,
    author: &Author,
    effects: &Effects,
) -> Result<OperatorEnd, ChangeError> {
    let work = OperatorWork::without_tools(author.clone());
    operate(desk, &work, &mut |turn| {
        let draft = draft(effects, author, turn.snapshot.state())?;
        let action = OperatorAction::Change(draft.changes());
        judge(turn, author, action, &draft)
    })
}

/// Executes a turn that sets a draft.
pub(crate) fn judge(
    turn: &OperatorTurn<'_>,
    author: &Author,
    action: OperatorAction,
    draft: &Draft,
) -> Result<Judged, ChangeError> {
    let view = turn.snapshot.state();
    if draft.is_empty() {
        return Err(ChangeError::Nothing);
    }
    if let Some(InTheWay { path, known }) = draft.in_the_way(view).map_err(RunError::from)? {
        return Err(ChangeError::InTheWay { path, known });
    }
    let execution = execute(
        turn.envelope,
        turn.handle,
        author,
        &action,
        &draft.documents,
        turn.turn_id,
        view,
    )?;
    Ok(Judged {
        record: turn.record(action),
        execution: Some(execution),
        refusals: Vec::new(),
    })
}

impl From<OperatorProposalError> for ChangeError {
    fn from(error: OperatorProposalError) -> ChangeError {
        match error {
            OperatorProposalError::Read(error) => RunError::from(error).into(),
            OperatorProposalError::Transition { card, refusal } => {
                ChangeError::Transition { card, refusal }
            }
            OperatorProposalError::Malformed(what) => crate::error::bug(&what).into(),
        }
    }
}

impl From<ReadError> for ChangeError {
    fn from(error: ReadError) -> ChangeError {
        RunError::from(error).into()
    }
}

/// Puts the effects together over a state.
pub(crate) fn draft(
    effects: &Effects,
    author: &Author,
    view: &dyn StateView,
) -> Result<Draft, ChangeError> {
    let mut draft = Draft::default();
    let mut cards = std::collections::BTreeMap::new();
    for (path, effect) in &effects.files {
        let stem = Stem::parse(&format!("artifact/{path}")).map_err(|source| {
            let path = path.clone();
            ChangeError::Path { path, source }
        })?;
        let record = view.triplet(&stem)?;
        let links = match &record {
            None => object! {},
            Some(record) => read_value(view, &record.links_digest)?,
        };
        let producer = links.pointer("/card/id").and_then(Value::as_str);
        let producer: Option<CardId> = producer
            .and_then(|id| id.strip_prefix("card/"))
            .and_then(|id| id.parse().ok());
        match effect {
            FileEffect::Delete if record.is_none() => {
                return Err(ChangeError::NoFile { path: path.clone() });
            }
            FileEffect::Delete => draft.delete(stem),
            FileEffect::Write {
                payload,
                executable,
            } => {
                let triplet = artifact(stem, payload, *executable, links);
                if let Some(record) = &record
                    && read_value(view, &record.body_digest)? == triplet.body
                {
                    continue;
                }
                draft.attach(payload);
                draft.put(&triplet);
            }
        }
        if let Some(id) = producer
            && let Some(card) = read_card(view, &id)?
            && matches!(
                card.verified,
                VerificationState::Passed | VerificationState::Failed
            )
        {
            let verified = VerificationState::NotRun;
            cards.insert(id, Card { verified, ..card });
        }
    }
    for (id, effect) in &effects.cards {
        let card = match cards.remove(id) {
            Some(card) => card,
            None => read_card(view, id)?.ok_or_else(|| ChangeError::NoCard { card: id.clone() })?,
        };
        cards.insert(id.clone(), with(card, effect, author));
    }
    for (id, card) in cards {
        if read_card(view, &id)?.as_ref() != Some(&card) {
            draft.put(&card.to_triplet().map_err(RunError::from)?);
        }
    }
    Ok(draft)
}

fn with(mut card: Card, effect: &CardEffect, author: &Author) -> Card {
    if let Some((status, wait_reason)) = effect.to {
        card.status = status;
        card.wait_reason = wait_reason.filter(|_| status.needs_wait_reason());
    }
    if let Some(text) = &effect.comment {
        card.comments.push(Comment {
            author: author.to_string(),
            text: text.clone(),
        });
    }
    card
}

fn artifact(stem: Stem, payload: &Payload, executable: bool, links: Value) -> Triplet {
    Triplet {
        body: object! {
            "dto_type" => "artifact",
            "id" => stem.as_str(),
            "kind" => "file",
            "content_digest" => payload.digest().to_hex(),
            "length" => payload.length_bytes(),
            "mode" => if executable { "755" } else { "644" },
        },
        stem,
        links,
        manifest: object! { "order_insensitive" => Vec::<Value>::new() },
    }
}
