//! The failed attempts of each run: one chain, which ends where the row of the run says.

use std::collections::BTreeMap;

use orket_cards::StoreFault;
use orket_kernel::Digest;
use orket_lsi::Verification;

use super::rows;
use crate::journal::{ATTEMPTS, AttemptColumns, CHANGED, RUNS, attempt_columns, run_columns};

pub(super) fn check(verification: &mut Verification) -> Result<(), StoreFault> {
    let mut of_runs: BTreeMap<String, BTreeMap<Digest, AttemptColumns>> = BTreeMap::new();
    for row in rows(verification, "attempt_journal", ATTEMPTS, attempt_columns)? {
        if row.expected() != row.digest {
            verification.findings.corrupt(row.place(), CHANGED);
        }
        let of_run = of_runs.entry(row.run_id.clone()).or_default();
        of_run.insert(row.digest, row);
    }
    for run in rows(verification, "run_journal", RUNS, run_columns)? {
        let mut left = of_runs.remove(&run.run_id).unwrap_or_default();
        let mut next = run.attempts_digest;
        while let Some(digest) = next {
            let Some(row) = left.remove(&digest) else {
                let place = format!("attempt_journal {}", run.run_id);
                verification.findings.corrupt(
                    place,
                    format!("the attempt with the digest {digest} is missing"),
                );
                break;
            };
            next = row.previous_digest;
        }
        for row in left.values() {
            let reason = "the chain of the run's attempts does not lead to it";
            verification.findings.corrupt(row.place(), reason);
        }
    }
    Ok(())
}
