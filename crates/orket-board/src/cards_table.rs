//! The card tables: derived from card triplets, and read back with a check against them.

use orket_cards::{Card, StoreFault};
use orket_kernel::canonical;
use orket_kernel::{Digest, PromotionPlan, StateView, Stem};
use rusqlite::{Connection, params};

use crate::fault::{corrupt, from_sqlite};

/// A row of the table.
pub(crate) struct CardRow {
    pub(crate) id: String,
    pub(crate) epic: String,
    pub(crate) ordinal: i64,
    pub(crate) title: String,
    pub(crate) seat: String,
    pub(crate) priority: i64,
    pub(crate) status: String,
    pub(crate) wait_reason: Option<String>,
    pub(crate) verified: String,
    pub(crate) body_digest: [u8; 32],
    pub(crate) generation: i64,
}

impl CardRow {
    /// Names the columns that differ, with both values.
    pub(crate) fn differences(&self, other: &CardRow) -> Vec<(&'static str, String, String)> {
        let wait = |row: &CardRow| row.wait_reason.clone().unwrap_or_else(|| "-".into());
        let digest = |row: &CardRow| Digest::from_bytes(row.body_digest).to_hex();
        let pairs = [
            ("epic", self.epic.clone(), other.epic.clone()),
            (
                "ordinal",
                self.ordinal.to_string(),
                other.ordinal.to_string(),
            ),
            ("title", self.title.clone(), other.title.clone()),
            ("seat", self.seat.clone(), other.seat.clone()),
            (
                "priority",
                self.priority.to_string(),
                other.priority.to_string(),
            ),
            ("status", self.status.clone(), other.status.clone()),
            ("wait_reason", wait(self), wait(other)),
            ("verified", self.verified.clone(), other.verified.clone()),
            ("body_digest", digest(self), digest(other)),
            (
                "generation",
                self.generation.to_string(),
                other.generation.to_string(),
            ),
        ];
        pairs
            .into_iter()
            .filter(|(_, one, two)| one != two)
            .collect()
    }
}

/// Derives the row of a card.
pub(crate) fn card_row(card: &Card, body_digest: &Digest, generation: i64) -> CardRow {
    CardRow {
        id: card.id.as_str().to_owned(),
        epic: card.epic.clone(),
        ordinal: card.ordinal as i64,
        title: card.title.clone(),
        seat: card.seat.clone(),
        priority: card.priority as i64,
        status: card.status.as_str().to_owned(),
        wait_reason: card.wait_reason.map(|reason| reason.as_str().to_owned()),
        verified: card.verified.as_str().to_owned(),
        body_digest: *body_digest.as_bytes(),
        generation,
    }
}

/// Brings the card tables up to the card triplets of a plan.
pub(crate) fn apply(
    connection: &Connection,
    plan: &PromotionPlan,
    generation: u64,
) -> Result<(), StoreFault> {
    for stem in plan.delete.iter().filter(|stem| stem.kind() == "card") {
        let mut statement = connection
            .prepare_cached("DELETE FROM cards WHERE id = ?1")
            .map_err(from_sqlite)?;
        statement.execute([stem.name()]).map_err(from_sqlite)?;
    }
    for (record, _) in plan
        .put
        .iter()
        .filter(|(record, _)| record.stem.kind() == "card")
    {
        let bytes = plan
            .objects
            .get(&record.body_digest)
            .ok_or_else(|| corrupt(record.stem.as_str(), "the plan does not hold its body"))?;
        let bytes = bytes
            .to_bytes()
            .map_err(|error| corrupt(record.stem.as_str(), error.to_string()))?;
        let card = parse(&record.stem, &bytes)?;
        let row = card_row(&card, &record.body_digest, generation as i64);
        let mut statement = connection
            .prepare_cached(
                "INSERT OR REPLACE INTO cards
                 (id, epic, ordinal, title, seat, priority, status, wait_reason, verified, body_digest, generation)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )
            .map_err(from_sqlite)?;
        statement
            .execute(params![
                row.id,
                row.epic,
                row.ordinal,
                row.title,
                row.seat,
                row.priority,
                row.status,
                row.wait_reason,
                row.verified,
                row.body_digest.as_slice(),
                row.generation,
            ])
            .map_err(from_sqlite)?;
    }
    Ok(())
}

/// Returns the cards of an epic, or all, by epic and age. The facts come from the bodies, which are checked.
pub(crate) fn read(
    connection: &Connection,
    state: &dyn StateView,
    epic: Option<&str>,
) -> Result<Vec<Card>, StoreFault> {
    let mut statement = connection
        .prepare_cached(
            "SELECT id, status, body_digest FROM cards WHERE ?1 IS NULL OR epic = ?1
             ORDER BY epic, ordinal, id",
        )
        .map_err(from_sqlite)?;
    let rows = statement
        .query_map([epic], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, [u8; 32]>(2)?,
            ))
        })
        .map_err(from_sqlite)?;
    let mut cards = Vec::new();
    for row in rows {
        let (id, status, digest) = row.map_err(from_sqlite)?;
        let place = format!("card/{id}");
        let stem = Stem::parse(&place).map_err(|error| corrupt(&place, error))?;
        let digest = Digest::from_bytes(digest);
        let bytes = state
            .object(&digest)
            .map_err(|error| corrupt(&place, error))?
            .ok_or_else(|| corrupt(&place, "its body is not kept"))?;
        let card = parse(&stem, &bytes)?;
        if card.status.as_str() != status {
            return Err(corrupt(
                &place,
                "the board and the index disagree on its status",
            ));
        }
        cards.push(card);
    }
    Ok(cards)
}

fn parse(stem: &Stem, bytes: &[u8]) -> Result<Card, StoreFault> {
    let body = canonical::parse(bytes).map_err(|error| corrupt(stem.as_str(), error))?;
    Card::from_body(&body).map_err(|error| corrupt(stem.as_str(), error))
}
