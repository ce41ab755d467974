//! The proposal of an operator's turn: a pure function of what was set and of what the view shows, for the turn and for its replay.

use std::collections::BTreeMap;

use orket_cards::{
    Actor, Author, Card, Changes, Evidence, OperatorAction, PutStem, TransitionRefusal, decide,
};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{
    Digest, Payload, ReadError, RecordingView, RunEnvelope, RunHandle, StateView, Stem, Triplet,
    TurnExecution, TurnId, TurnInput, execute_turn,
};

use crate::scope::{artifact_entry, read_card};

/// The documents and contents that a turn sets, by digest.
pub(crate) type Documents = BTreeMap<Digest, Payload>;

/// Says why a turn cannot be proposed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperatorProposalError {
    /// The state could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The transition table refused.
    #[error("{card}: {refusal}")]
    Transition {
        card: String,
        #[source]
        refusal: TransitionRefusal,
    },
    /// The record does not hold what it names.
    #[error("{0}")]
    Malformed(String),
}

/// Executes a turn that sets what `action` says, on a view.
pub(crate) fn execute(
    envelope: &RunEnvelope,
    handle: &RunHandle,
    author: &Author,
    action: &OperatorAction,
    documents: &Documents,
    turn_id: TurnId,
    view: &dyn StateView,
) -> Result<TurnExecution, OperatorProposalError> {
    let view = RecordingView::new(view);
    let mut input = propose(author, action, documents, turn_id, &view)?;
    input.reads = view.reads();
    Ok(execute_turn(envelope, handle, &input, &view))
}

/// Proposes what an action sets; every change of a card's status passes the transition table.
pub(crate) fn propose(
    author: &Author,
    action: &OperatorAction,
    documents: &Documents,
    turn_id: TurnId,
    view: &dyn StateView,
) -> Result<TurnInput, OperatorProposalError> {
    let nothing = Changes::default();
    let changes = action.changes().unwrap_or(&nothing);
    let mut input = TurnInput::empty(turn_id);
    for put in &changes.put {
        let triplet = triplet(put, documents)?;
        if put.stem.kind() == "card" {
            check_status(author, action, &put.stem, &triplet.body, view)?;
        }
        input.triplets.push(triplet);
    }
    input.deletions.clone_from(&changes.deleted);
    for digest in &changes.attached {
        let payload = documents.get(digest).cloned();
        let payload = payload.ok_or_else(|| missing(digest))?;
        input.attachments.insert(*digest, payload);
    }
    Ok(input)
}

fn check_status(
    author: &Author,
    action: &OperatorAction,
    stem: &Stem,
    body: &Value,
    view: &dyn StateView,
) -> Result<(), OperatorProposalError> {
    let malformed = |reason: String| OperatorProposalError::Malformed(format!("{stem}: {reason}"));
    let next = Card::from_body(body).map_err(malformed)?;
    let Some(card) = read_card(view, &next.id)? else {
        return Ok(());
    };
    if (card.status, card.wait_reason) == (next.status, next.wait_reason) {
        return Ok(());
    }
    let operator = author.to_string();
    let actor = match action {
        OperatorAction::Undo { .. } | OperatorAction::Redo { .. } => Actor::Undo {
            operator,
            recorded: (next.status, next.wait_reason),
        },
        OperatorAction::Change(_) | OperatorAction::Adopt(_) | OperatorAction::Tool => {
            Actor::Operator(operator)
        }
    };
    let evidence = evidence(&card, view)?;
    decide(
        card.status,
        next.status,
        &actor,
        next.wait_reason,
        &evidence,
    )
    .map_err(|refusal| OperatorProposalError::Transition {
        card: card.id.to_string(),
        refusal,
    })
}

fn evidence(card: &Card, view: &dyn StateView) -> Result<Evidence, ReadError> {
    let mut evidence = Evidence {
        verification: card.verified,
        authors: card.authors.clone(),
        ..Evidence::default()
    };
    for path in &card.artifacts {
        match artifact_entry(view, path)? {
            None => evidence.missing.push(path.clone()),
            Some((digest, _)) if digest == Digest::of_bytes(b"") => {
                evidence.empty.push(path.clone());
            }
            Some(_) => {}
        }
    }
    Ok(evidence)
}

/// Returns the triplet that a stem is put as.
pub(crate) fn triplet(
    put: &PutStem,
    documents: &Documents,
) -> Result<Triplet, OperatorProposalError> {
    let document = |digest: &Digest| {
        let payload = documents.get(digest).ok_or_else(|| missing(digest))?;
        let malformed =
            |reason: String| OperatorProposalError::Malformed(format!("{}: {reason}", put.stem));
        let bytes = payload
            .to_bytes()
            .map_err(|error| malformed(error.to_string()))?;
        canonical::parse(&bytes).map_err(|error| malformed(error.to_string()))
    };
    Ok(Triplet {
        stem: put.stem.clone(),
        body: document(&put.body)?,
        links: document(&put.links)?,
        manifest: document(&put.manifest)?,
    })
}

fn missing(digest: &Digest) -> OperatorProposalError {
    OperatorProposalError::Malformed(format!("the object {digest} is not there"))
}
