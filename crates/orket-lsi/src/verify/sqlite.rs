//! The pages, indexes and constraints of the database, as SQLite checks them.

use super::{Depth, Findings};
use crate::StoreError;
use crate::access::Access;

pub(super) fn check(
    access: Access<'_>,
    findings: &mut Findings,
    depth: Depth,
) -> Result<(), StoreError> {
    let failed = access.failed("read");
    let sql = match depth {
        Depth::Quick => "PRAGMA quick_check",
        Depth::Full => "PRAGMA integrity_check",
    };
    findings.each_row(access, "the database", sql, |findings, row| {
        let text: String = row.get(0).map_err(&failed)?;
        if text != "ok" {
            findings.corrupt("the database", text);
        }
        Ok(())
    })?;
    if depth == Depth::Quick {
        return Ok(());
    }
    let sql = "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2";
    findings.each_row(access, "the database", sql, |findings, row| {
        let table: String = row.get(0).map_err(&failed)?;
        let parent: String = row.get(1).map_err(&failed)?;
        let rows: i64 = row.get(2).map_err(&failed)?;
        findings.corrupt(
            table,
            format!("{rows} row(s) name what {parent} does not hold"),
        );
        Ok(())
    })
}
