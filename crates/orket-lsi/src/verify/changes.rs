//! The list of what each generation changed: it must name what did change, and nothing else.

use std::collections::BTreeSet;

use super::Findings;
use crate::access::Access;
use crate::promotion::Head;
use crate::{StoreError, horizon};

/// Rows of one table that a promotion above the horizon put or superseded, and that the list does not name.
const MISSING: [(&str, &str); 4] = [
    (
        "triplet",
        "SELECT generation, stem FROM triplets t WHERE NOT EXISTS (SELECT 1 FROM changes c \
         WHERE c.generation = t.generation AND c.kind = 'triplet' AND c.name = t.stem)",
    ),
    (
        "triplet",
        "SELECT until, stem FROM triplet_history t WHERE NOT EXISTS (SELECT 1 FROM changes c \
         WHERE c.generation = t.until AND c.kind = 'triplet' AND c.name = t.stem)",
    ),
    (
        "refs",
        "SELECT generation, id FROM refs r WHERE NOT EXISTS (SELECT 1 FROM changes c \
         WHERE c.generation = r.generation AND c.kind = 'refs' AND c.name = r.id)",
    ),
    (
        "refs",
        "SELECT until, id FROM ref_history r WHERE NOT EXISTS (SELECT 1 FROM changes c \
         WHERE c.generation = r.until AND c.kind = 'refs' AND c.name = r.id)",
    ),
];

const SUPERFLUOUS: &str = "SELECT generation, name FROM changes c WHERE kind = 'triplet' \
    AND NOT EXISTS (SELECT 1 FROM triplets t WHERE t.stem = c.name AND t.generation = c.generation) \
    AND NOT EXISTS (SELECT 1 FROM triplet_history h WHERE h.stem = c.name \
        AND (h.generation = c.generation OR h.until = c.generation))";

pub(super) fn check(
    access: Access<'_>,
    findings: &mut Findings,
    head: Option<Head>,
) -> Result<(), StoreError> {
    let failed = access.failed("read");
    let horizon = i64::try_from(horizon::read(access)?).unwrap_or(i64::MAX);
    for (kind, sql) in MISSING {
        findings.each_row(access, "changes", sql, |findings, row| {
            let generation: i64 = row.get(0).map_err(&failed)?;
            let name: String = row.get(1).map_err(&failed)?;
            if generation > horizon {
                let reason = format!("the change of {kind} {name:?} is not listed");
                findings.corrupt(format!("changes {generation}"), reason);
            }
            Ok(())
        })?;
    }
    findings.each_row(access, "changes", SUPERFLUOUS, |findings, row| {
        let generation: i64 = row.get(0).map_err(&failed)?;
        let name: String = row.get(1).map_err(&failed)?;
        if generation > horizon {
            let reason = format!("triplet {name:?} is listed, and did not change");
            findings.corrupt(format!("changes {generation}"), reason);
        }
        Ok(())
    })?;
    if horizon == 0 {
        let names = "SELECT name FROM changes WHERE kind = 'object'";
        let mut known = BTreeSet::new();
        findings.each_row(access, "changes", names, |_, row| {
            known.insert(row.get::<_, String>(0).map_err(&failed)?);
            Ok(())
        })?;
        let objects = "SELECT lower(hex(digest)) FROM objects";
        findings.each_row(access, "changes", objects, |findings, row| {
            let name: String = row.get(0).map_err(&failed)?;
            if !known.contains(&name) {
                let reason = "no generation lists it as new";
                findings.corrupt(format!("objects {name}"), reason);
            }
            Ok(())
        })?;
    }
    if let Some(head) = head {
        let sql = "SELECT DISTINCT generation FROM changes";
        findings.each_row(access, "changes", sql, |findings, row| {
            let generation: i64 = row.get(0).map_err(&failed)?;
            if u64::try_from(generation).is_ok_and(|found| found > head.generation) {
                let reason = "there is no such generation";
                findings.corrupt(format!("changes {generation}"), reason);
            }
            Ok(())
        })?;
    }
    Ok(())
}
