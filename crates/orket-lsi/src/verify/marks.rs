//! What an operator and retention decided: the horizon, pins, and marks of runs whose records were dropped.

use super::Findings;
use crate::access::Access;
use crate::retention::mark;
use crate::{StoreError, horizon};

pub(super) fn check(access: Access<'_>, findings: &mut Findings) -> Result<(), StoreError> {
    findings.part("horizon", |_| horizon::read(access).map(drop))?;
    for (table, sql) in [("pins", mark::PINS), ("dropped_runs", mark::DROPPED)] {
        findings.each_row(access, table, sql, |_, row| {
            let columns = mark::columns(row).map_err(access.failed("read"))?;
            mark::checked(table, columns).map(drop)
        })?;
    }
    Ok(())
}
