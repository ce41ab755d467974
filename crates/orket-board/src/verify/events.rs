//! The durable events of each run: whole lines, counted from 1 without gaps.

use std::collections::BTreeMap;

use orket_cards::StoreFault;
use orket_kernel::canonical;
use orket_lsi::Verification;
use orket_ports::Event;

use super::rows;

pub(super) fn check(verification: &mut Verification) -> Result<(), StoreFault> {
    // The events of a dropped run go step by step.
    let sql = "SELECT run_id, last_seq FROM run_journal WHERE run_id NOT IN (SELECT run_id FROM dropped_runs)";
    let mut last: BTreeMap<String, i64> = rows(verification, "run_journal", sql, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?
    .into_iter()
    .collect();
    let sql = "SELECT run_id, seq, line FROM events \
        WHERE run_id NOT IN (SELECT run_id FROM dropped_runs) ORDER BY run_id, seq DESC";
    let lines = rows(verification, "events", sql, |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, String>(2)?,
        ))
    })?;
    for (run_id, seq, line) in lines {
        let place = format!("events {run_id} {seq}");
        // From the last one down, each is the one before.
        let expected = last.entry(run_id.clone()).or_default();
        if *expected != seq {
            let missing = format!("events {run_id} {expected}");
            verification
                .findings
                .corrupt(missing, "the event is missing");
        }
        *expected = seq - 1;
        let event = canonical::from_bytes::<Event>(line.as_bytes()).ok();
        let event = event.filter(|event| {
            event.run_id == run_id
                && event.seq.and_then(|number| i64::try_from(number).ok()) == Some(seq)
                && canonical::serialize(event).is_ok_and(|bytes| bytes == line.as_bytes())
        });
        if event.is_none() {
            verification
                .findings
                .corrupt(place, "the line is no event of this run and number");
        }
    }
    for (run_id, left) in last.into_iter().filter(|(_, left)| *left != 0) {
        let place = format!("events {run_id} {left}");
        verification.findings.corrupt(place, "the event is missing");
    }
    Ok(())
}
