//! The card tables: derived from card triplets, and read back with a check against them.

use orket_cards::{Card, StoreFault};
use orket_kernel::canonical;
use orket_kernel::{Digest, PromotionPlan, StateView, Stem};
use rusqlite::{Connection, params};

use crate::fault::{corrupt, from_sqlite};

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
        let card = parse(&record.stem, bytes)?;
        let mut statement = connection
            .prepare_cached(
                "INSERT OR REPLACE INTO cards
                 (id, epic, ordinal, title, seat, priority, status, wait_reason, verified, body_digest, generation)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )
            .map_err(from_sqlite)?;
        statement
            .execute(params![
                card.id.as_str(),
                card.epic,
                card.ordinal as i64,
                card.title,
                card.seat,
                card.priority as i64,
                card.status.as_str(),
                card.wait_reason.map(|reason| reason.as_str()),
                card.verified.as_str(),
                record.body_digest.as_bytes().as_slice(),
                generation as i64,
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
