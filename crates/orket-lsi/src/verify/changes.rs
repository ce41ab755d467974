//! The list of what each generation changed: it must name what did change, and nothing else.

use orket_kernel::Digest;

use super::Findings;
use crate::access::Access;
use crate::promotion::Head;
use crate::{StoreError, horizon, row};

/// Rows of one table that a promotion above the horizon put or superseded, and that the list does not name. An id whose stem was
/// put anew, and defines it as before, is not changed by that.
const MISSING: [(&str, &str); 7] = [
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
    (
        "refs",
        "SELECT generation, id FROM triplets t WHERE NOT EXISTS (SELECT 1 FROM changes c \
         WHERE c.generation = t.generation AND c.kind = 'refs' AND c.name = t.id) \
         AND NOT EXISTS (SELECT 1 FROM triplet_history h \
         WHERE h.stem = t.stem AND h.until = t.generation AND h.id = t.id)",
    ),
    (
        "refs",
        "SELECT generation, id FROM triplet_history t WHERE NOT EXISTS (SELECT 1 FROM changes c \
         WHERE c.generation = t.generation AND c.kind = 'refs' AND c.name = t.id) \
         AND NOT EXISTS (SELECT 1 FROM triplet_history h \
         WHERE h.stem = t.stem AND h.until = t.generation AND h.id = t.id)",
    ),
    (
        "refs",
        "SELECT until, id FROM triplet_history t WHERE NOT EXISTS (SELECT 1 FROM changes c \
         WHERE c.generation = t.until AND c.kind = 'refs' AND c.name = t.id) \
         AND NOT EXISTS (SELECT 1 FROM triplets n \
         WHERE n.stem = t.stem AND n.generation = t.until AND n.id = t.id) \
         AND NOT EXISTS (SELECT 1 FROM (SELECT id, generation FROM triplet_history n \
         WHERE n.stem = t.stem AND n.until > t.until ORDER BY n.until LIMIT 1) n \
         WHERE n.generation = t.until AND n.id = t.id)",
    ),
];

// Of one stem the row that a generation put is the first that ended later: a search, and no pass over all that the stem was.
const SUPERFLUOUS: &str = "SELECT generation, name FROM changes c WHERE kind = 'triplet' \
    AND NOT EXISTS (SELECT 1 FROM triplets t WHERE t.stem = c.name AND t.generation = c.generation) \
    AND NOT EXISTS (SELECT 1 FROM triplet_history h WHERE h.stem = c.name AND h.until = c.generation) \
    AND NOT EXISTS (SELECT 1 FROM (SELECT generation FROM triplet_history h \
        WHERE h.stem = c.name AND h.until > c.generation ORDER BY h.until LIMIT 1) h \
        WHERE h.generation = c.generation)";

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
        let mut known: Vec<Digest> = Vec::new();
        findings.each_row(access, "changes", names, |_, row| {
            let name = row.get_ref(0).and_then(|value| Ok(value.as_str()?));
            // What is no digest names no object.
            known.extend(name.map_err(&failed)?.parse::<Digest>());
            Ok(())
        })?;
        known.sort();
        let objects = "SELECT digest FROM objects";
        findings.each_row(access, "changes", objects, |findings, row| {
            let digest = row::digest(row.get(0).map_err(&failed)?);
            if known.binary_search(&digest).is_err() {
                let reason = "no generation lists it as new";
                findings.corrupt(format!("objects {digest}"), reason);
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
