//! The chain of promotions, the envelopes of its runs, their ledgers, and the horizon.

use orket_kernel::Digest;

use super::Findings;
use crate::access::Access;
use crate::content::{self, Content};
use crate::retention::mark;
use crate::{StoreError, horizon, ledger, promotion, row, run};

pub(super) fn check(access: Access<'_>, findings: &mut Findings) -> Result<(), StoreError> {
    let failed = access.failed("read");
    let mut expected = 1;
    let mut previous: Option<Digest> = None;
    findings.each_row(access, "promotions", promotion::ALL, |findings, row| {
        let columns = promotion::columns(row).map_err(&failed)?;
        let generation = columns.generation;
        let place = format!("promotions {generation}");
        if generation != expected {
            findings.corrupt(
                format!("promotions {expected}"),
                format!("the row is missing; the next is {generation}"),
            );
        } else if columns.previous_digest.map(row::digest) != previous {
            findings.corrupt(&place, "it does not follow the row before it");
        }
        expected = generation.saturating_add(1);
        previous = Some(row::digest(columns.digest));
        let found = promotion::from_columns(columns)?;
        if !content::exists(access, Content::Record, &found.record_digest)?
            && !mark::is_dropped(access, &found.run_id)?
        {
            findings.corrupt(place, "the record of its turn is not kept");
        }
        Ok(())
    })?;
    findings.part("horizon", |findings| {
        let generation = horizon::read(access)?;
        if i64::try_from(generation).is_ok_and(|generation| generation >= expected) {
            findings.corrupt(
                "horizon",
                format!("it is {generation}, and there is no such generation"),
            );
        }
        Ok(())
    })?;
    let sql = "SELECT run_id FROM runs UNION SELECT run_id FROM ledger UNION SELECT run_id FROM promotions";
    findings.each_row(access, "runs", sql, |findings, row| {
        let text: String = row.get(0).map_err(&failed)?;
        let run_id = row::run_id(&text)?;
        findings.part("runs", |findings| {
            if run::envelope(access, &run_id)?.is_none() {
                findings.corrupt(format!("runs {run_id}"), "the run has no envelope");
            }
            Ok(())
        })?;
        ledger::last_turn(access, &run_id).map(drop)
    })?;
    let sql = "SELECT run_id, max(turn), count(*) FROM promotions GROUP BY run_id HAVING max(turn) <> count(*)";
    findings.each_row(access, "promotions", sql, |findings, row| {
        let run_id: String = row.get(0).map_err(&failed)?;
        let (last, count): (i64, i64) =
            (row.get(1).map_err(&failed)?, row.get(2).map_err(&failed)?);
        let reason = format!("its last turn is {last}, and {count} are in the chain");
        findings.corrupt(format!("promotions of run {run_id}"), reason);
        Ok(())
    })
}
