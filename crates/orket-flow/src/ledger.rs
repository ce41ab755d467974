//! The tokens of a run, by role and model.

use std::collections::BTreeMap;

use orket_cards::{Cause, StoreFault, Tokens, TurnSnapshot};
use orket_kernel::RunId;

use crate::voice;

/// The tokens that one role spent with one model in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The role.
    pub role: String,
    /// The model; where a record does not say, the venue.
    pub model: String,
    /// Whole answers, those of refused attempts included.
    pub answers: u64,
    /// What they cost.
    pub tokens: Tokens,
}

/// The tokens of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// One row for each role and model, in their order.
    pub rows: Vec<LedgerRow>,
    /// How many records are not kept any more, whose tokens are in no row.
    pub not_retained: u64,
}

impl Ledger {
    /// Returns the sum of all rows.
    pub fn total(&self) -> Tokens {
        let mut total = Tokens::default();
        for row in &self.rows {
            total.add(row.tokens);
        }
        total
    }
}

/// Adds up the tokens of all turns and refused attempts of a run.
///
/// # Errors
/// Fails if a record cannot be read; one that is not kept any more is counted instead.
///
/// # Limitations
/// An answer that never became whole has no record of its tokens.
pub fn token_ledger(snapshot: &dyn TurnSnapshot, run_id: &RunId) -> Result<Ledger, StoreFault> {
    let turns = snapshot.turns(run_id)?;
    let attempts = snapshot.attempts(run_id)?;
    let records = turns
        .iter()
        .map(|turn| turn.record_digest)
        .chain(attempts.iter().map(|attempt| attempt.record_digest));
    let mut ledger = Ledger::default();
    let mut rows: BTreeMap<(String, String), (u64, Tokens)> = BTreeMap::new();
    for digest in records {
        let record = match snapshot.turn_record(&digest) {
            Ok(record) => record,
            Err(StoreFault::NotRetained { .. }) => {
                ledger.not_retained += 1;
                continue;
            }
            Err(fault) => return Err(fault),
        };
        if record.cause != Cause::Answer {
            continue;
        }
        let venue = record.notes.get("venue").and_then(|venue| venue.as_str());
        let model = voice::noted_name(&record.notes).or(venue).unwrap_or("-");
        let row = rows.entry((record.role, model.to_owned())).or_default();
        let answers = record.exchanges.iter();
        row.0 += answers.filter(|exchange| exchange.answer.is_some()).count() as u64;
        row.1.add(record.tokens);
    }
    let rows = rows.into_iter();
    ledger.rows = rows
        .map(|((role, model), (answers, tokens))| LedgerRow {
            role,
            model,
            answers,
            tokens,
        })
        .collect();
    Ok(ledger)
}
