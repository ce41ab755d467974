//! The rows of cards against the bodies of the card triplets.

use std::collections::BTreeMap;

use orket_cards::{Card, StoreFault};
use orket_kernel::{Digest, Stem, canonical};
use orket_lsi::Verification;

use super::rows;
use crate::cards_table::{CardRow, card_row};

pub(super) fn check(verification: &mut Verification) -> Result<(), StoreFault> {
    let sql = "SELECT stem, body_digest, generation FROM triplets WHERE stem >= 'card/' AND stem < 'card0'";
    let triplets = rows(verification, "triplets", sql, |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, i64>(2)?))
    })?;
    let sql = "SELECT id, epic, ordinal, title, seat, priority, status, wait_reason, verified, body_digest, generation \
        FROM cards";
    let found = rows(verification, "cards", sql, |row| {
        Ok(CardRow {
            id: row.get(0)?,
            epic: row.get(1)?,
            ordinal: row.get(2)?,
            title: row.get(3)?,
            seat: row.get(4)?,
            priority: row.get(5)?,
            status: row.get(6)?,
            wait_reason: row.get(7)?,
            verified: row.get(8)?,
            body_digest: row.get(9)?,
            generation: row.get(10)?,
        })
    })?;
    let mut found: BTreeMap<String, CardRow> =
        found.into_iter().map(|row| (row.id.clone(), row)).collect();
    for (stem, body_digest, generation) in triplets {
        let place = format!("cards {}", stem.trim_start_matches("card/"));
        let row = found.remove(stem.trim_start_matches("card/"));
        let expected = match expected(verification, &stem, body_digest, generation) {
            Ok(Some(expected)) => expected,
            // A body that is damaged or missing is told with the index.
            Ok(None) => continue,
            Err(reason) => {
                verification
                    .findings
                    .corrupt(format!("triplets {stem}"), reason);
                continue;
            }
        };
        match row {
            None => verification
                .findings
                .corrupt(place, "the board does not show the card of this triplet"),
            Some(row) => {
                for (column, one, other) in row.differences(&expected) {
                    let reason = format!("{column} is {one}, by the index it is {other}");
                    verification.findings.corrupt(&place, reason);
                }
            }
        }
    }
    for id in found.keys() {
        let reason = "the board shows a card that the index does not hold";
        verification.findings.corrupt(format!("cards {id}"), reason);
    }
    Ok(())
}

fn expected(
    verification: &Verification,
    stem: &str,
    body_digest: [u8; 32],
    generation: i64,
) -> Result<Option<CardRow>, String> {
    let stem = Stem::parse(stem).map_err(|error| error.to_string())?;
    let digest = Digest::from_bytes(body_digest);
    let Ok(Some(bytes)) = verification.object(&digest) else {
        return Ok(None);
    };
    let body = canonical::parse(&bytes).map_err(|error| format!("its body: {error}"))?;
    let card = Card::from_body(&body).map_err(|error| format!("its body is no card: {error}"))?;
    if card.id.as_str() != stem.name() {
        return Err(format!("its body is that of the card {}", card.id));
    }
    Ok(Some(card_row(&card, &digest, generation)))
}
