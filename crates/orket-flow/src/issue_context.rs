//! The facts of a card, as a tool is told them.

use orket_cards::{Card, CardId, Comment, Verification};
use orket_kernel::canonical::Value;
use orket_kernel::object;
use orket_ports::{Refusal, TurnScope};

use crate::scope::{Scope, read_card, unreadable};

impl Scope<'_> {
    /// Returns a card of the epic as the turn sees it.
    pub(crate) fn card_in_sight(&self, id: &CardId) -> Result<Option<Card>, Refusal> {
        if let Some(own) = self.card.as_ref().filter(|own| own.id == *id) {
            return Ok(Some(own.clone()));
        }
        if let Some(created) = self.created.iter().find(|card| card.id == *id) {
            return Ok(Some(created.clone()));
        }
        let card = read_card(self.view, id).map_err(|error| unreadable(&error))?;
        Ok(card.filter(|card| card.epic == self.play.epic.name))
    }

    /// Returns the facts of a card.
    pub(crate) fn context_of(&mut self, id: &CardId) -> Result<Value, Refusal> {
        let card = self.card_in_sight(id)?.ok_or_else(|| {
            let message = format!("there is no card {id} in the epic {}", self.play.epic.name);
            Refusal::malformed("unknown_card", message)
        })?;
        let mut artifacts = Vec::new();
        for path in &card.artifacts {
            let payload = self.artifact(path)?;
            artifacts.push(object! {
                "path" => format!("agent_output/{path}"),
                "length" => payload.map(|payload| payload.length_bytes()),
            });
        }
        let mut depends_on = Vec::new();
        for id in &card.depends_on {
            depends_on.extend(self.card_in_sight(id)?.as_ref().map(in_short));
        }
        let mut needed_by = Vec::new();
        for id in self.waiting_for(&card.id)? {
            needed_by.extend(self.card_in_sight(&id)?.as_ref().map(in_short));
        }
        let comments: Vec<Value> = card.comments.iter().map(comment).collect();
        Ok(object! {
            "id" => card.id.as_str(),
            "epic" => card.epic.as_str(),
            "title" => card.title.as_str(),
            "description" => card.description.as_str(),
            "status" => card.status.as_str(),
            "wait_reason" => card.wait_reason.map(|reason| reason.as_str()),
            "seat" => card.seat.as_str(),
            "priority" => card.priority,
            "depends_on" => depends_on,
            "needed_by" => needed_by,
            "artifacts" => artifacts,
            "verification" => verification(&card.verification),
            "verified" => card.verified.as_str(),
            "authors" => texts(&card.authors),
            "comments" => comments,
            "created_by" => card.created_by.as_ref().map_or(Value::Null, |by| {
                object! { "role" => by.role.as_str(), "card" => by.card.as_str() }
            }),
        })
    }

    /// Returns the cards that depend on one, sorted by their ids.
    fn waiting_for(&self, id: &CardId) -> Result<Vec<CardId>, Refusal> {
        let sources = self
            .view
            .sources(&id.index_id())
            .map_err(|error| unreadable(&error))?;
        let mut waiting: Vec<CardId> = sources
            .iter()
            .filter(|source| source.relationship == "depends_on")
            .filter_map(|source| source.stem.name().parse().ok())
            .collect();
        let created = self
            .created
            .iter()
            .filter(|card| card.depends_on.contains(id));
        waiting.extend(created.map(|card| card.id.clone()));
        waiting.sort();
        waiting.dedup();
        Ok(waiting)
    }
}

fn in_short(card: &Card) -> Value {
    object! {
        "id" => card.id.as_str(),
        "title" => card.title.as_str(),
        "status" => card.status.as_str(),
    }
}

fn comment(comment: &Comment) -> Value {
    object! { "author" => comment.author.as_str(), "text" => comment.text.as_str() }
}

fn verification(verification: &Verification) -> Value {
    match verification {
        Verification::Checks(fixtures) => object! { "checks" => texts(fixtures) },
        Verification::None(reason) => object! { "none" => reason.as_str() },
    }
}

fn texts(texts: &[String]) -> Vec<Value> {
    texts
        .iter()
        .map(|text| Value::from(text.as_str()))
        .collect()
}
