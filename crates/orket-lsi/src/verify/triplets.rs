//! Every triplet row and its history: objects, identity, references, the promotion that put it.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Code, Digest, TurnId, references_of};

use super::Findings;
use crate::access::Access;
use crate::content::{self, Content};
use crate::promotion::{self, Head};
use crate::reference::{self, Reference};
use crate::triplet::{self, TripletRow};
use crate::{StoreError, row};

pub(super) fn check(
    access: Access<'_>,
    findings: &mut Findings,
    head: Option<Head>,
) -> Result<(), StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, lsi_version, generation \
        FROM triplets";
    let mut turns = Turns::new(access);
    findings.each_row(access, "triplets", sql, |findings, row| {
        let columns = triplet::columns(row).map_err(&failed)?;
        let place = format!("triplets {}", columns.0);
        let row = triplet::from_columns(columns)?;
        let links = check_row(access, findings, &mut turns, &place, &row)?;
        match links {
            Some(links) => check_references(access, findings, &place, &row, &links),
            None => Ok(()),
        }
    })?;
    let sql = "SELECT stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, lsi_version, generation, \
        until FROM triplet_history";
    findings.each_row(access, "triplet_history", sql, |findings, row| {
        let until: i64 = row.get(8).map_err(&failed)?;
        let columns = triplet::columns(row).map_err(&failed)?;
        let place = format!("triplet_history {} until {until}", columns.0);
        check_until(findings, &place, until, head)?;
        let row = triplet::from_columns(columns)?;
        check_row(access, findings, &mut turns, &place, &row).map(drop)
    })?;
    let sql = "SELECT id, stem, until FROM ref_history";
    findings.each_row(access, "ref_history", sql, |findings, row| {
        let (id, stem): (String, String) =
            (row.get(0).map_err(&failed)?, row.get(1).map_err(&failed)?);
        let place = format!("ref_history {id:?} of {stem}");
        check_until(findings, &place, row.get(2).map_err(&failed)?, head)
    })?;
    let sql = "SELECT refs.id, refs.stem, refs.location FROM refs LEFT JOIN triplets ON triplets.id = refs.id \
        WHERE triplets.id IS NULL";
    findings.each_row(access, "refs", sql, |findings, row| {
        let text = |at| row.get::<_, String>(at).map_err(&failed);
        let (id, stem, location) = (text(0)?, text(1)?, text(2)?);
        let reason = format!("{location} references {id}, which nothing defines");
        findings.fault(Code::LsiOrphanReference, format!("refs {stem}"), reason);
        Ok(())
    })?;
    let sql =
        "SELECT id, min(stem), max(stem) FROM triplets NOT INDEXED GROUP BY id HAVING count(*) > 1";
    findings.each_row(access, "triplets", sql, |findings, row| {
        let text = |at| row.get::<_, String>(at).map_err(&failed);
        let (id, one, other) = (text(0)?, text(1)?, text(2)?);
        let reason = format!("{other} defines {id} too");
        findings.fault(
            Code::LsiDuplicateIdentity,
            format!("triplets {one}"),
            reason,
        );
        Ok(())
    })
}

fn check_until(
    findings: &mut Findings,
    place: &str,
    until: i64,
    head: Option<Head>,
) -> Result<(), StoreError> {
    let until = row::count(until, place)?;
    if head.is_some_and(|head| until > head.generation) {
        findings.corrupt(place, format!("no generation {until} superseded it"));
    }
    Ok(())
}

/// The turns by their generations, each checked once; `None` if its row of the chain is missing or damaged.
struct Turns<'a> {
    access: Access<'a>,
    known: BTreeMap<u64, Option<TurnId>>,
}

impl<'a> Turns<'a> {
    fn new(access: Access<'a>) -> Turns<'a> {
        Turns {
            access,
            known: BTreeMap::new(),
        }
    }

    fn of(&mut self, generation: u64) -> Option<TurnId> {
        let access = self.access;
        *self.known.entry(generation).or_insert_with(|| {
            let promotion = promotion::at(access, generation).ok().flatten();
            promotion.map(|promotion| promotion.turn_id)
        })
    }
}

/// Returns the links, if they are readable.
fn check_row(
    access: Access<'_>,
    findings: &mut Findings,
    turns: &mut Turns<'_>,
    place: &str,
    row: &TripletRow,
) -> Result<Option<Value>, StoreError> {
    let record = &row.record;
    if turns.of(row.generation) != Some(record.updated_at_turn) {
        findings.corrupt(place, "its turn is not that of the promotion that put it");
    }
    let links = document(access, findings, place, "links", &record.links_digest)?;
    document(access, findings, place, "manifest", &record.manifest_digest)?;
    let body = document(access, findings, place, "body", &record.body_digest)?;
    let text = |key| {
        body.as_ref()
            .map(|body| body.get(key).and_then(Value::as_str))
    };
    if text("id").is_some_and(|id| id != Some(row.id.as_str())) {
        findings.corrupt(
            place,
            format!("its body does not define the id {:?}", row.id),
        );
    }
    if text("dto_type").is_some_and(|kind| kind != Some(record.stem.kind())) {
        findings.corrupt(place, "its body is of another type than its stem");
    }
    Ok(links)
}

/// Reads an object that must be a canonical document. One that is damaged in itself is told where objects are checked.
fn document(
    access: Access<'_>,
    findings: &mut Findings,
    place: &str,
    part: &str,
    digest: &Digest,
) -> Result<Option<Value>, StoreError> {
    let bytes = match content::read(access, Content::Object, digest) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            findings.corrupt(
                place,
                format!("its {part}, the object {digest}, is not kept"),
            );
            return Ok(None);
        }
        Err(error) if error.is_damage() => {
            findings.corrupt(
                place,
                format!("its {part}, the object {digest}, is damaged"),
            );
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    match canonical::parse(&bytes) {
        Ok(value) if canonical::to_bytes(&value) == bytes => Ok(Some(value)),
        _ => {
            findings.corrupt(place, format!("its {part} is not canonical JSON"));
            Ok(None)
        }
    }
}

/// Compares the references of a stem with those that its links name.
fn check_references(
    access: Access<'_>,
    findings: &mut Findings,
    place: &str,
    row: &TripletRow,
    links: &Value,
) -> Result<(), StoreError> {
    let record = &row.record;
    let named: BTreeSet<Reference> = references_of(&record.stem, links, record.links_digest)
        .into_iter()
        .collect();
    let kept: BTreeSet<Reference> = reference::of_stem(access, &record.stem)?
        .into_iter()
        .collect();
    for (id, source) in named.difference(&kept) {
        let reason = format!("its link {} to {id} is not among the refs", source.location);
        findings.corrupt(place, reason);
    }
    for (id, source) in kept.difference(&named) {
        let reason = format!("{} is a ref that the links do not name", source.location);
        findings.corrupt(format!("refs {id:?} of {}", source.stem), reason);
    }
    Ok(())
}
