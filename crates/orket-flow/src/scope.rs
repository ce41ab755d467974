//! The scope of one turn: what its tools reach, and what they staged.

use std::collections::{BTreeMap, BTreeSet};

use orket_cards::{
    Actor, Card, CardId, Comment, Evidence, GUARD_ROLE, Status, Verification, VerificationState,
    WaitReason, decide,
};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, InvalidName, Payload, ReadError, StateView, Stem};
use orket_ports::tool::{NewCard, RunCommand};
use orket_ports::{ReadSpace, Refusal, SpacePolicy, TurnScope, WriteSpace};

use crate::command;
use crate::outcomes::Outcomes;
use crate::play::Play;

/// The longest comment, in bytes.
const COMMENT_MAX_BYTES: usize = 4096;

/// The most comments that a card holds; they are part of every prompt on it.
const COMMENTS_MAX: usize = 50;

/// A file that the turn staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StagedFile {
    pub(crate) payload: Payload,
    pub(crate) executable: bool,
}

/// The working copy of one turn. Nothing in it is durable.
pub(crate) struct Scope<'a> {
    pub(crate) view: &'a dyn StateView,
    /// The same without a note of what is read: for bytes that the record names already.
    pub(crate) kept: &'a dyn StateView,
    /// The turn's card; a turn on none only reads.
    pub(crate) card: Option<Card>,
    pub(crate) role: &'a str,
    pub(crate) play: &'a Play,
    /// Whether the card was moved in this turn.
    pub(crate) moved: bool,
    pub(crate) files: BTreeMap<String, StagedFile>,
    /// The artefacts that the turn removed.
    pub(crate) removed: BTreeSet<String>,
    /// The cards that the turn created, oldest first.
    pub(crate) created: Vec<Card>,
    pub(crate) outcomes: Outcomes,
    /// What confined the commands that ran.
    pub(crate) command_tiers: BTreeSet<String>,
}

impl Scope<'_> {
    /// Returns the turn's card.
    pub(crate) fn own(&self) -> Result<&Card, Refusal> {
        self.card.as_ref().ok_or_else(no_card)
    }

    /// Makes a call of which nothing is left if it is refused.
    pub(crate) fn try_call(
        &mut self,
        call: impl FnOnce(&mut Self) -> Result<Value, Refusal>,
    ) -> Result<Value, Refusal> {
        let before = (self.card.clone(), self.moved);
        let artifacts = (self.files.clone(), self.removed.clone());
        let created = self.created.len();
        let told = call(self);
        if told.is_err() {
            (self.card, self.moved) = before;
            (self.files, self.removed) = artifacts;
            self.created.truncate(created);
        }
        told
    }

    /// Tells whether a card is the turn's own.
    pub(crate) fn is_own(&self, id: &CardId) -> bool {
        self.card.as_ref().is_some_and(|card| card.id == *id)
    }

    /// Gathers what is known about the card's work, for the transition table.
    pub(crate) fn evidence(&mut self) -> Result<Evidence, Refusal> {
        let card = self.own()?;
        let mut evidence = Evidence {
            verification: card.verified,
            authors: card.authors.clone(),
            ..Evidence::default()
        };
        for path in card.artifacts.clone() {
            match self.content(&path)? {
                None => evidence.missing.push(path),
                Some(payload) if payload.length_bytes() == 0 => evidence.empty.push(path),
                Some(_) => {}
            }
        }
        Ok(evidence)
    }

    /// Returns the bytes of an artefact as the turn sees it, whatever agents may read.
    fn content(&self, path: &str) -> Result<Option<Payload>, Refusal> {
        if let Some(file) = self.files.get(path) {
            return Ok(Some(file.payload.clone()));
        }
        let Some((digest, _)) = self.entry(path)? else {
            return Ok(None);
        };
        self.view
            .payload(&digest)
            .map_err(|error| unreadable(&error))
    }

    fn check_reads_artifacts(&self) -> Result<(), Refusal> {
        if self.play.space_policy.reads(ReadSpace::Workspace) {
            return Ok(());
        }
        let message = "the policy does not let agents read agent_output/";
        Err(Refusal::forbidden("outside_read_scope", message))
    }

    /// Refuses a path that leads through a file, or that is a directory of other files.
    pub(crate) fn check_way(&self, path: &str) -> Result<(), Refusal> {
        let in_the_way = |known: &str| {
            let message = format!(
                "agent_output/{path} cannot be written: agent_output/{known} is in its way"
            );
            Refusal::forbidden("not_a_directory", message)
        };
        let parents = path.match_indices('/').map(|(end, _)| &path[..end]);
        for parent in parents {
            if self.entry(parent)?.is_some() {
                return Err(in_the_way(parent));
            }
        }
        let below = format!("{path}/");
        let staged = self.files.keys().find(|known| known.starts_with(&below));
        if let Some(known) = staged {
            return Err(in_the_way(known));
        }
        let stems = self
            .view
            .stems(&format!("artifact/{below}"))
            .map_err(|e| unreadable(&e))?;
        let mut known = stems.iter().map(Stem::name);
        known
            .find(|known| !self.removed.contains(*known))
            .map_or(Ok(()), |known| Err(in_the_way(known)))
    }

    /// Returns the digest and the executable bit of an artefact, as the turn sees it.
    pub(crate) fn entry(&self, path: &str) -> Result<Option<(Digest, bool)>, Refusal> {
        if self.removed.contains(path) {
            return Ok(None);
        }
        if let Some(file) = self.files.get(path) {
            return Ok(Some((file.payload.digest(), file.executable)));
        }
        artifact_entry(self.view, path).map_err(|error| unreadable(&error))
    }

    /// Checks that the role may change an artefact, and notes that the work on the card changed.
    fn change(&mut self, path: &str) -> Result<(), Refusal> {
        if self.role == GUARD_ROLE {
            let message = format!("the role {GUARD_ROLE} judges work and writes none of it");
            return Err(Refusal::forbidden("guard_writes", message));
        }
        if !self.play.space_policy.writes(WriteSpace::Workspace) {
            let message = "the policy does not let agents write agent_output/";
            return Err(Refusal::forbidden("outside_write_scope", message));
        }
        self.check_owner(path)?;
        let card = self.card.as_mut().ok_or_else(no_card)?;
        if let Verification::Checks(_) = card.verification {
            // What was verified is no longer what is there.
            card.verified = VerificationState::NotRun;
        }
        let role = self.role.to_owned();
        if !card.authors.contains(&role) {
            card.authors.push(role);
            card.authors.sort();
        }
        Ok(())
    }

    /// Refuses a path that belongs to another card: its work was judged as it is, and nobody judges it again.
    pub(crate) fn check_owner(&self, path: &str) -> Result<(), Refusal> {
        let own = self.own()?;
        if own.artifacts.iter().any(|promised| promised == path) {
            return Ok(());
        }
        let promised = self.play.epic.cards.iter().zip(self.play.ids());
        let promised = promised.filter(|(card, _)| card.artifacts.iter().any(|p| p == path));
        let mut owner = promised.map(|(_, id)| id).find(|id| *id != own.id);
        if owner.is_none() {
            owner = self.created_owner(path).map_err(|e| unreadable(&e))?;
        }
        if owner.is_none() {
            let producer = artifact_producer(self.view, path).map_err(|e| unreadable(&e))?;
            owner = producer.filter(|id| *id != own.id);
        }
        owner.map_or(Ok(()), |owner| {
            let message = format!(
                "agent_output/{path} belongs to {owner}; this turn is on {}",
                own.id
            );
            Err(Refusal::forbidden("other_cards_artifact", message))
        })
    }

    fn other_card(&self, id: &CardId) -> Result<Option<Card>, Refusal> {
        read_card(self.view, id).map_err(|error| unreadable(&error))
    }
}

/// Reads a card from a view.
pub(crate) fn read_card(view: &dyn StateView, id: &CardId) -> Result<Option<Card>, ReadError> {
    let corrupt = |reason: String| ReadError::Corrupt {
        place: id.index_id(),
        reason,
    };
    let stem = Card::stem(id).map_err(|error| corrupt(error.to_string()))?;
    let Some(record) = view.triplet(&stem)? else {
        return Ok(None);
    };
    let body = read_value(view, &record.body_digest)?;
    Card::from_body(&body).map(Some).map_err(corrupt)
}

/// Reads a canonical object from a view.
pub(crate) fn read_value(view: &dyn StateView, digest: &Digest) -> Result<Value, ReadError> {
    let place = digest.to_hex();
    let bytes = view.object(digest)?.ok_or_else(|| ReadError::Corrupt {
        place: place.clone(),
        reason: "the object is not kept".into(),
    })?;
    canonical::parse(&bytes).map_err(|error| ReadError::Corrupt {
        place,
        reason: error.to_string(),
    })
}

/// Returns the card that produced an artefact, or `None` if there is no such artefact or a person brought it.
fn artifact_producer(view: &dyn StateView, path: &str) -> Result<Option<CardId>, ReadError> {
    let Ok(stem) = Stem::parse(&format!("artifact/{path}")) else {
        return Ok(None);
    };
    let Some(record) = view.triplet(&stem)? else {
        return Ok(None);
    };
    let links = read_value(view, &record.links_digest)?;
    if links.get("card").is_none() {
        return Ok(None);
    }
    let id = links.pointer("/card/id").and_then(Value::as_str);
    let id = id
        .and_then(|id| id.strip_prefix("card/"))
        .and_then(|id| id.parse().ok());
    id.map(Some).ok_or_else(|| ReadError::Corrupt {
        place: stem.to_string(),
        reason: "its links do not name the card that produced it".into(),
    })
}

/// Returns the digest and the executable bit of an artefact, or `None` if there is none.
pub(crate) fn artifact_entry(
    view: &dyn StateView,
    path: &str,
) -> Result<Option<(Digest, bool)>, ReadError> {
    let Ok(stem) = Stem::parse(&format!("artifact/{path}")) else {
        return Ok(None);
    };
    let Some(record) = view.triplet(&stem)? else {
        return Ok(None);
    };
    let body = read_value(view, &record.body_digest)?;
    let digest = body
        .get("content_digest")
        .and_then(Value::as_str)
        .and_then(|d| d.parse().ok());
    let digest = digest.ok_or_else(|| ReadError::Corrupt {
        place: stem.to_string(),
        reason: "the body has no content digest".into(),
    })?;
    let executable = body.get("mode").and_then(Value::as_str) == Some("755");
    Ok(Some((digest, executable)))
}

pub(crate) fn unreadable(error: &ReadError) -> Refusal {
    Refusal::forbidden("unreadable_state", error.to_string())
}

/// Refuses what only a turn on a card can do.
fn no_card() -> Refusal {
    let message = "this turn is on no card, so it only reads";
    Refusal::forbidden("no_card", message)
}

pub(crate) fn card_id(text: &str) -> Result<CardId, Refusal> {
    text.parse()
        .map_err(|error: InvalidName| Refusal::malformed("card_id", error.to_string()))
}

impl TurnScope for Scope<'_> {
    fn artifact(&mut self, path: &str) -> Result<Option<Payload>, Refusal> {
        self.check_reads_artifacts()?;
        self.content(path)
    }

    fn artifacts(&mut self) -> Result<Vec<String>, Refusal> {
        self.check_reads_artifacts()?;
        let stems = self
            .view
            .stems("artifact/")
            .map_err(|error| unreadable(&error))?;
        let mut paths: Vec<String> = stems.iter().map(|stem| stem.name().to_owned()).collect();
        paths.retain(|path| !self.removed.contains(path));
        paths.extend(self.files.keys().cloned());
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    fn write_artifact(
        &mut self,
        path: &str,
        payload: Payload,
        executable: bool,
    ) -> Result<(), Refusal> {
        self.change(path)?;
        self.check_way(path)?;
        self.removed.remove(path);
        self.files.insert(
            path.to_owned(),
            StagedFile {
                payload,
                executable,
            },
        );
        Ok(())
    }

    fn remove_artifact(&mut self, path: &str) -> Result<(), Refusal> {
        if self.entry(path)?.is_none() {
            let message = format!("agent_output/{path} cannot be removed: it does not exist");
            return Err(Refusal::forbidden("no_such_file", message));
        }
        self.change(path)?;
        self.files.remove(path);
        if artifact_entry(self.view, path)
            .map_err(|error| unreadable(&error))?
            .is_some()
        {
            self.removed.insert(path.to_owned());
        }
        Ok(())
    }

    fn space_policy(&self) -> &SpacePolicy {
        &self.play.space_policy
    }

    fn move_card(
        &mut self,
        card: Option<&str>,
        status: &str,
        wait_reason: Option<&str>,
    ) -> Result<(), Refusal> {
        let to = Status::parse(status).ok_or_else(|| {
            Refusal::malformed("unknown_status", format!("there is no status {status:?}"))
        })?;
        let reason = match wait_reason {
            None => None,
            Some(text) => Some(WaitReason::parse(text).ok_or_else(|| {
                Refusal::malformed(
                    "unknown_wait_reason",
                    format!("there is no wait reason {text:?}"),
                )
            })?),
        };
        let own = self.own()?.clone();
        let id = match card {
            None => own.id.clone(),
            Some(text) => card_id(text)?,
        };
        let actor = Actor::Role(self.role.to_owned());
        let refuse = |card: &CardId, refusal: orket_cards::TransitionRefusal| {
            Refusal::forbidden(refusal.reason(), format!("{card}: {refusal}"))
        };
        if id != own.id {
            let other = self.other_card(&id)?.ok_or_else(|| {
                Refusal::malformed("unknown_card", format!("there is no card {id}"))
            })?;
            // A jump that the table forbids is named as that; everything else fails because the card is another's.
            let evidence = Evidence {
                verification: other.verified,
                ..Evidence::default()
            };
            decide(other.status, to, &actor, reason, &evidence).map_err(|r| refuse(&id, r))?;
            return Err(Refusal::forbidden(
                "not_this_card",
                format!("this turn is on {}; it may not move {id}", own.id),
            ));
        }
        if self.moved {
            let message = format!("{}: a turn moves its card once", own.id);
            return Err(Refusal::forbidden("moved_twice", message));
        }
        if matches!(reason, Some(WaitReason::System | WaitReason::Dependency)) {
            let message = "the wait reasons system and dependency are the engine's; give resource, review or input";
            return Err(Refusal::malformed("wait_reason", message));
        }
        let evidence = self.evidence()?;
        decide(own.status, to, &actor, reason, &evidence).map_err(|r| refuse(&id, r))?;
        if !(to.needs_wait_reason() || to.is_terminal() || self.play.acts_on(to)) {
            let message = format!("{id}: no step of the score goes on from {to}");
            return Err(Refusal::forbidden("dead_end", message));
        }
        self.moved = true;
        self.card = Some(Card {
            status: to,
            wait_reason: reason.filter(|_| to.needs_wait_reason()),
            ..own
        });
        Ok(())
    }

    fn comment(&mut self, text: &str) -> Result<(), Refusal> {
        if text.trim().is_empty() || text.len() > COMMENT_MAX_BYTES {
            let message = format!("a comment has 1 to {COMMENT_MAX_BYTES} bytes");
            return Err(Refusal::malformed("comment", message));
        }
        let card = self.card.as_mut().ok_or_else(no_card)?;
        if card.comments.len() >= COMMENTS_MAX {
            let message = format!("the card has {COMMENTS_MAX} comments already");
            return Err(Refusal::forbidden("comments", message));
        }
        card.comments.push(Comment {
            author: self.role.to_owned(),
            text: text.to_owned(),
        });
        Ok(())
    }

    fn command(&mut self, run: &mut RunCommand<'_>) -> Result<Value, Refusal> {
        command::run(self, run)
    }

    fn is_executable(&mut self, path: &str) -> Result<bool, Refusal> {
        Ok(self.entry(path)?.is_some_and(|(_, executable)| executable))
    }

    fn issue_context(&mut self, card: Option<&str>) -> Result<Value, Refusal> {
        let id = match card {
            None => self.own()?.id.clone(),
            Some(text) => card_id(text)?,
        };
        self.context_of(&id)
    }

    fn create_card(&mut self, card: NewCard) -> Result<String, Refusal> {
        self.create(card).map(|id| id.to_string())
    }

    fn recorded(
        &mut self,
        work: &mut dyn FnMut() -> Result<Value, Refusal>,
    ) -> Result<Value, Refusal> {
        self.outcomes.next(work)
    }
}
