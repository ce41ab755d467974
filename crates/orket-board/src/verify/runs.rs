//! The rows of runs and fencing numbers against their digests, and the journal against the chain of promotions.

use orket_cards::StoreFault;
use orket_lsi::Verification;

use super::rows;
use crate::journal::{CHANGED, RUNS, fence_columns, run_columns};

/// What must not be there: a query for the key of such a row, the table, and what is wrong with it.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "SELECT run_id FROM runs WHERE run_id NOT IN (SELECT run_id FROM run_journal)",
        "run_journal",
        "the run has an envelope and no journal",
    ),
    (
        "SELECT run_id FROM run_journal WHERE run_id NOT IN (SELECT run_id FROM runs)",
        "run_journal",
        "the run has a journal and no envelope",
    ),
    (
        "SELECT p.run_id || ' ' || p.turn FROM promotions p LEFT JOIN turn_journal t USING (run_id, turn) \
         WHERE t.turn IS NULL",
        "turn_journal",
        "the turn is in the chain of promotions and not in the journal",
    ),
    (
        "SELECT t.run_id || ' ' || t.turn FROM turn_journal t LEFT JOIN promotions p USING (run_id, turn) \
         WHERE p.turn IS NULL",
        "turn_journal",
        "the turn is in the journal and not in the chain of promotions",
    ),
    (
        "SELECT t.run_id || ' ' || t.turn FROM turn_journal t JOIN promotions p USING (run_id, turn) \
         WHERE t.generation <> p.generation",
        "turn_journal",
        "its generation is not that of the chain",
    ),
    (
        "SELECT t.run_id || ' ' || t.turn FROM turn_journal t JOIN promotions p USING (run_id, turn) \
         WHERE t.record_digest <> p.record_digest",
        "turn_journal",
        "its record is not that of the chain",
    ),
];

pub(super) fn check(verification: &mut Verification) -> Result<(), StoreFault> {
    for (sql, table, reason) in WRONG {
        for key in rows(verification, table, sql, |row| row.get::<_, String>(0))? {
            verification
                .findings
                .corrupt(format!("{table} {key}"), *reason);
        }
    }
    for row in rows(verification, "run_journal", RUNS, run_columns)? {
        let place = format!("run_journal {}", row.run_id);
        if let Err(reason) = row.entry() {
            verification.findings.corrupt(place, reason);
        }
    }
    let sql = "SELECT run_id, fence, digest FROM fences";
    for row in rows(verification, "fences", sql, fence_columns)? {
        if row.expected() != row.digest {
            let place = format!("fences {}", row.run_id);
            verification.findings.corrupt(place, CHANGED);
        }
    }
    Ok(())
}
