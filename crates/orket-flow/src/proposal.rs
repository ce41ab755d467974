//! Proposals: the triplets that a turn hands to the kernel.

use std::collections::BTreeMap;

use orket_cards::{
    Actor, AssetError, Card, CardId, Evidence, Status, TransitionRefusal, WaitReason, decide,
};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{
    Digest, InvalidName, ReadError, StateView, Stem, Triplet, TurnId, TurnInput, object,
};

use crate::created;
use crate::play::Play;
use crate::scope::{Scope, StagedFile, read_card};
use crate::verification::Verified;

/// Says why a proposal of the engine itself could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// The state could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An asset cannot be used.
    #[error(transparent)]
    Asset(#[from] AssetError),
    /// A name is not valid.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The transition table refused the engine.
    #[error(transparent)]
    Transition(#[from] TransitionRefusal),
}

/// Proposes the epic and its cards: the first turn of every run.
///
/// A card that is new is added. One that is finished stays as it is. Any other keeps its board facts and takes what its
/// asset defines, and if an earlier run left it waiting it can go on again: starting a run is a person's word that the
/// cause may be gone.
pub(crate) fn load(
    play: &Play,
    turn_id: TurnId,
    view: &dyn StateView,
) -> Result<TurnInput, ProposalError> {
    let mut input = TurnInput::empty(turn_id);
    let epic = format!("epic/{}", play.epic.name);
    input.triplets.push(Triplet {
        stem: Stem::parse(&epic)?,
        body: object! {
            "dto_type" => "epic",
            "id" => epic,
            "name" => play.epic.name.as_str(),
            "description" => play.epic.description.as_str(),
            "flow" => play.epic.flow.as_str(),
        },
        links: object! {},
        manifest: object! { "order_insensitive" => Vec::<Value>::new() },
    });
    let mut cards = Vec::new();
    for defined in play.cards()? {
        cards.push(match read_card(view, &defined.id)? {
            None => defined,
            Some(known) if known.epic != defined.epic => {
                let reason = format!(
                    "the card {} is one of the epic {} already; give it another id",
                    known.id, known.epic
                );
                let file = play.epic_file.clone();
                return Err(AssetError {
                    file,
                    line: None,
                    reason,
                }
                .into());
            }
            Some(known) => redefine(known, defined)?,
        });
    }
    for mut card in created::created_cards(view, play)? {
        if play.keeps(&card) && resume(&mut card)? {
            cards.push(card);
        }
    }
    for card in &cards {
        input.triplets.push(card.to_triplet()?);
    }
    Ok(input)
}

fn redefine(known: Card, defined: Card) -> Result<Card, TransitionRefusal> {
    if known.status.is_terminal() {
        return Ok(known);
    }
    let mut card = Card {
        status: known.status,
        wait_reason: known.wait_reason,
        authors: known.authors,
        comments: known.comments,
        has_evidence: known.has_evidence,
        verified: if known.verification == defined.verification {
            known.verified
        } else {
            defined.verified
        },
        ..defined
    };
    resume(&mut card)?;
    Ok(card)
}

/// Lets a card that waits go on again, and tells whether it waited.
fn resume(card: &mut Card) -> Result<bool, TransitionRefusal> {
    let resumed = match card.status {
        Status::Blocked => Some(Status::Ready),
        Status::WaitingForDeveloper => Some(Status::InProgress),
        _ => None,
    };
    if let Some(status) = resumed {
        decide(
            card.status,
            status,
            &Actor::Engine,
            None,
            &Evidence::default(),
        )?;
        card.status = status;
        card.wait_reason = None;
    }
    Ok(resumed.is_some())
}

/// Proposes that the engine blocks `card` and every card that can no longer start because of it.
pub(crate) fn give_up(
    cards: &[CardId],
    card: &CardId,
    reasons: &[String],
    turn_id: TurnId,
    view: &dyn StateView,
) -> Result<TurnInput, ProposalError> {
    let mut input = TurnInput::empty(turn_id);
    let mut board: BTreeMap<CardId, Card> = BTreeMap::new();
    for id in cards {
        if let Some(card) = read_card(view, id)? {
            board.insert(card.id.clone(), card);
        }
    }
    let mut changed: Vec<Card> = Vec::new();
    if let Some(first) = board.get_mut(card) {
        block(first, WaitReason::System)?;
        first.comments.push(orket_cards::Comment {
            author: "engine".into(),
            text: format!("blocked after the last attempt: {}", reasons.join("; ")),
        });
        changed.push(first.clone());
    }
    loop {
        let next = board.values().find(|card| {
            card.status == Status::Ready
                && card.depends_on.iter().any(|id| {
                    board
                        .get(id)
                        .is_some_and(|needed| needed.status.breaks_dependency())
                })
        });
        let Some(id) = next.map(|card| card.id.clone()) else {
            break;
        };
        let Some(waiting) = board.get_mut(&id) else {
            break;
        };
        block(waiting, WaitReason::Dependency)?;
        changed.push(waiting.clone());
    }
    for card in &changed {
        input.triplets.push(card.to_triplet()?);
    }
    Ok(input)
}

fn block(card: &mut Card, reason: WaitReason) -> Result<(), TransitionRefusal> {
    // A card in a review status has no row to `blocked`; the engine takes it back to work first.
    if decide(
        card.status,
        Status::Blocked,
        &Actor::Engine,
        Some(reason),
        &Evidence::default(),
    )
    .is_err()
    {
        decide(
            card.status,
            Status::InProgress,
            &Actor::Engine,
            None,
            &Evidence::default(),
        )?;
        card.status = Status::InProgress;
    }
    decide(
        card.status,
        Status::Blocked,
        &Actor::Engine,
        Some(reason),
        &Evidence::default(),
    )?;
    card.status = Status::Blocked;
    card.wait_reason = Some(reason);
    Ok(())
}

/// Proposes what a scope staged: its files, the evidence, and the card if it changed.
pub(crate) fn from_scope(
    scope: &Scope<'_>,
    before: Option<&Card>,
    verified: Option<&Verified>,
    turn_id: TurnId,
) -> Result<TurnInput, ProposalError> {
    let mut input = TurnInput::empty(turn_id);
    let Some(mut card) = scope.card.clone() else {
        return Ok(input);
    };
    for (path, file) in &scope.files {
        let digest = file.payload.digest();
        input
            .triplets
            .push(artifact(path, file, &digest, &card.id)?);
        input.attachments.insert(digest, file.payload.clone());
    }
    for path in &scope.removed {
        input
            .deletions
            .push(Stem::parse(&format!("artifact/{path}"))?);
    }
    if let Some(evidence) = verified.and_then(Verified::evidence) {
        input
            .triplets
            .push(evidence_triplet(&card, evidence, scope)?);
        card.has_evidence = true;
    }
    if Some(&card) != before {
        input.triplets.push(card.to_triplet()?);
    }
    for created in &scope.created {
        input.triplets.push(created.to_triplet()?);
    }
    Ok(input)
}

fn artifact(
    path: &str,
    file: &StagedFile,
    digest: &Digest,
    card: &CardId,
) -> Result<Triplet, InvalidName> {
    let stem = format!("artifact/{path}");
    Ok(Triplet {
        body: object! {
            "dto_type" => "artifact",
            "id" => stem.as_str(),
            "kind" => "file",
            "content_digest" => digest.to_hex(),
            "length" => file.payload.length_bytes(),
            "mode" => if file.executable { "755" } else { "644" },
        },
        stem: Stem::parse(&stem)?,
        links: object! {
            "card" => object! { "type" => "card", "id" => card.index_id(), "relationship" => "produced_by" },
        },
        manifest: object! { "order_insensitive" => Vec::<Value>::new() },
    })
}

fn evidence_triplet(
    card: &Card,
    evidence: &Value,
    scope: &Scope<'_>,
) -> Result<Triplet, ProposalError> {
    let stem = format!("evidence/{}", card.id);
    let mut artifacts = Vec::new();
    let mut digests = BTreeMap::new();
    for path in &card.artifacts {
        let digest = match scope.files.get(path) {
            Some(file) => Some(file.payload.digest()),
            None => crate::scope::artifact_entry(scope.view, path)?.map(|(digest, _)| digest),
        };
        if let Some(digest) = digest {
            digests.insert(path.clone(), Value::from(digest.to_hex()));
            artifacts.push(object! {
                "type" => "artifact",
                "id" => format!("artifact/{path}"),
                "relationship" => "rests_on",
            });
        }
    }
    artifacts.sort_by_cached_key(canonical::to_bytes);
    Ok(Triplet {
        stem: Stem::parse(&stem)?,
        body: object! {
            "dto_type" => "evidence",
            "id" => stem.as_str(),
            "card" => card.id.as_str(),
            "verification" => evidence.clone(),
            "artifacts" => digests,
        },
        links: object! {
            "card" => object! { "type" => "card", "id" => card.id.index_id(), "relationship" => "verifies" },
            "artifacts" => artifacts,
        },
        manifest: object! { "order_insensitive" => vec![Value::from("artifacts")] },
    })
}
