//! The durable events of each run: whole lines, counted from 1 without gaps, in one chain, which ends where the row of the
//! run says.

use std::collections::BTreeMap;

use orket_cards::StoreFault;
use orket_kernel::Digest;
use orket_kernel::canonical;
use orket_lsi::Verification;
use orket_ports::Event;

use super::rows;
use crate::journal::{CHANGED, RETAINED, RunColumns, event_digest, run_columns};

/// How far the events of a run were followed.
#[derive(Default)]
struct Followed {
    last_seq: i64,
    digest: Option<Digest>,
}

pub(super) fn check(verification: &mut Verification) -> Result<(), StoreFault> {
    let mut of_runs: BTreeMap<String, Followed> = BTreeMap::new();
    // The events of a dropped run go step by step.
    let sql = "SELECT run_id, seq, line, digest FROM events \
        WHERE run_id NOT IN (SELECT run_id FROM dropped_runs) ORDER BY run_id, seq";
    let lines = rows(verification, "events", sql, |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, String>(2)?,
            Digest::from_bytes(row.get(3)?),
        ))
    })?;
    for (run_id, seq, line, digest) in lines {
        let place = format!("events {run_id} {seq}");
        let followed = of_runs.entry(run_id.clone()).or_default();
        if seq == followed.last_seq + 1 {
            if event_digest(followed.digest.as_ref(), &line) != digest {
                verification.findings.corrupt(&place, CHANGED);
            }
        } else {
            let missing = format!("events {run_id} {}", followed.last_seq + 1);
            verification
                .findings
                .corrupt(missing, "the event is missing");
        }
        *followed = Followed {
            last_seq: seq,
            digest: Some(digest),
        };
        if !is_event(&line, &run_id, seq) {
            verification
                .findings
                .corrupt(place, "the line is no event of this run and number");
        }
    }
    for run in rows(verification, "run_journal", RETAINED, run_columns)? {
        let followed = of_runs.remove(&run.run_id).unwrap_or_default();
        check_end(verification, &run, &followed);
    }
    Ok(())
}

fn is_event(line: &str, run_id: &str, seq: i64) -> bool {
    canonical::from_bytes::<Event>(line.as_bytes()).is_ok_and(|event| {
        event.run_id == run_id
            && event.seq.and_then(|number| i64::try_from(number).ok()) == Some(seq)
            && canonical::serialize(&event).is_ok_and(|bytes| bytes == line.as_bytes())
    })
}

fn check_end(verification: &mut Verification, run: &RunColumns, followed: &Followed) {
    let is_last = u64::try_from(followed.last_seq).is_ok_and(|seq| seq == run.last_seq);
    if !is_last {
        let place = format!("events {} {}", run.run_id, run.last_seq);
        let reason = "it is to be the last event, and is missing or not the last";
        verification.findings.corrupt(place, reason);
    } else if followed.digest != run.events_digest {
        let place = format!("run_journal {}", run.run_id);
        let reason = "the digest of its newest event is not that of the event";
        verification.findings.corrupt(place, reason);
    }
}
