//! For how long each fact held: the rows of the newest generation and those of the history, key by key.
//!
//! The tables lie in the order of their keys, so one pass over each reads every page once, however many generations there are.

use std::collections::BTreeSet;

use orket_kernel::{Digest, RefSource, Stem};
use rusqlite::Row;

use super::Findings;
use crate::access::Access;
use crate::{StoreError, row, state, triplet};

/// A fact, and the generations that it held in.
pub(super) struct Span<T> {
    /// The generation that put it.
    pub(super) from: u64,
    /// The generation that superseded it; `None` if it still holds.
    pub(super) until: Option<u64>,
    pub(super) fact: T,
}

/// What is known of an id. The definition sorts before the references, and those as the law sorts them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    DefinedBy(Stem),
    ReferencedBy(RefSource),
}

impl Fact {
    /// Returns the source, if it is one.
    pub(super) fn source(&self) -> Option<&RefSource> {
        match self {
            Fact::DefinedBy(_) => None,
            Fact::ReferencedBy(source) => Some(source),
        }
    }
}

/// Which rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// Those of the newest generation.
    Newest,
    /// Those of the history too.
    All,
}

/// Calls `each` for every stem, in order, with the leaves that it had.
pub(super) fn of_stems(
    access: Access<'_>,
    findings: &mut Findings,
    rows: Rows,
    mut each: impl FnMut(&mut Findings, &str, Vec<Span<Digest>>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql = match rows {
        Rows::Newest => {
            "SELECT stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, lsi_version, generation, NULL \
            FROM triplets ORDER BY stem"
        }
        Rows::All => {
            "SELECT stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, lsi_version, generation, NULL \
            FROM triplets UNION ALL SELECT stem, id, body_digest, links_digest, manifest_digest, updated_at_turn, \
            lsi_version, generation, until FROM triplet_history ORDER BY stem"
        }
    };
    let failed = access.failed("read");
    let read = |row: &Row<'_>| {
        let columns = triplet::columns(row).map_err(&failed)?;
        let stem = columns.0.clone();
        let found = triplet::from_columns(columns)?;
        let span = Span {
            from: found.generation,
            until: until(access, row, 8, &stem)?,
            fact: state::triplet_leaf(&found.record),
        };
        Ok((stem, span))
    };
    by_key(access, findings, "triplets", sql, read, &mut each)
}

/// Calls `each` for every id, in order, with what defined it and what referenced it.
pub(super) fn of_ids(
    access: Access<'_>,
    findings: &mut Findings,
    rows: Rows,
    mut each: impl FnMut(&mut Findings, &str, Vec<Span<Fact>>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql = match rows {
        Rows::Newest => {
            "SELECT id, 0, stem, '', '', x'', generation, NULL FROM triplets \
            UNION ALL SELECT id, 1, stem, location, relationship, artifact_digest, generation, NULL FROM refs ORDER BY id"
        }
        Rows::All => {
            "SELECT id, 0, stem, '', '', x'', generation, NULL FROM triplets \
            UNION ALL SELECT id, 0, stem, '', '', x'', generation, until FROM triplet_history \
            UNION ALL SELECT id, 1, stem, location, relationship, artifact_digest, generation, NULL FROM refs \
            UNION ALL SELECT id, 1, stem, location, relationship, artifact_digest, generation, until FROM ref_history \
            ORDER BY id"
        }
    };
    let failed = access.failed("read");
    let read = |row: &Row<'_>| {
        let id: String = row.get(0).map_err(&failed)?;
        let stem: String = row.get(2).map_err(&failed)?;
        let stem = row::stem(&stem)?;
        let fact = if row.get(1).map_err(&failed)? {
            Fact::ReferencedBy(RefSource {
                stem,
                location: row.get(3).map_err(&failed)?,
                relationship: row.get(4).map_err(&failed)?,
                artifact_digest: row::digest(row.get(5).map_err(&failed)?),
            })
        } else {
            Fact::DefinedBy(stem)
        };
        let generation: i64 = row.get(6).map_err(&failed)?;
        let span = Span {
            from: row::count(generation, &id)?,
            until: until(access, row, 7, &id)?,
            fact,
        };
        Ok((id, span))
    };
    by_key(access, findings, "refs", sql, read, &mut each)
}

/// Returns who defines an id of which all these facts hold. They are sorted.
pub(super) fn definition<'a>(
    id: &str,
    facts: impl IntoIterator<Item = &'a Fact>,
) -> Result<Option<&'a Stem>, StoreError> {
    let mut defined_by = None;
    for fact in facts {
        let Fact::DefinedBy(stem) = fact else { break };
        if let Some(other) = defined_by.replace(stem) {
            let reason = format!("{other} and {stem} define it at the same time");
            return Err(StoreError::corrupt(format!("refs {id:?}"), reason));
        }
    }
    Ok(defined_by)
}

/// A fact that begins to hold, or ends, at the moment that a sweep has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turnover<'a, T> {
    pub(super) begins: bool,
    pub(super) fact: &'a T,
}

/// Calls `at` for the generation `oldest` and for every later one that changes anything, with the facts that hold in it and
/// those that begin or end with it, ends first.
pub(super) fn sweep<T: Ord>(
    place: &str,
    spans: &[Span<T>],
    oldest: u64,
    mut at: impl FnMut(u64, &BTreeSet<&T>, &[Turnover<'_, T>]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut turns: Vec<(u64, bool, &T)> = Vec::with_capacity(2 * spans.len());
    for span in spans {
        if span.until.is_some_and(|until| until <= oldest) {
            continue;
        }
        // What ends comes before what begins in the same generation.
        turns.push((span.from.max(oldest), true, &span.fact));
        turns.extend(span.until.map(|until| (until, false, &span.fact)));
    }
    turns.sort();
    let mut holding = BTreeSet::new();
    for group in turns.chunk_by(|one, other| one.0 == other.0) {
        let mut generation = oldest;
        for (moment, begins, fact) in group {
            generation = *moment;
            let is_new = !*begins || holding.insert(*fact);
            if !begins {
                holding.remove(fact);
            }
            if !is_new {
                let reason = format!("two rows hold at generation {generation}");
                return Err(StoreError::corrupt(place, reason));
            }
        }
        let turnover = group
            .iter()
            .map(|&(_, begins, fact)| Turnover { begins, fact });
        at(generation, &holding, &turnover.collect::<Vec<_>>())?;
    }
    Ok(())
}

fn until(
    access: Access<'_>,
    row: &Row<'_>,
    column: usize,
    place: &str,
) -> Result<Option<u64>, StoreError> {
    let until: Option<i64> = row.get(column).map_err(access.failed("read"))?;
    until.map(|until| row::count(until, place)).transpose()
}

/// Gathers the rows of a key, which follow each other.
fn by_key<T>(
    access: Access<'_>,
    findings: &mut Findings,
    table: &str,
    sql: &str,
    read: impl Fn(&Row<'_>) -> Result<(String, Span<T>), StoreError>,
    each: &mut impl FnMut(&mut Findings, &str, Vec<Span<T>>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut open: Option<(String, Vec<Span<T>>)> = None;
    findings.each_row(access, table, sql, |findings, row| {
        let (key, span) = read(row)?;
        match &mut open {
            Some((of, spans)) if *of == key => spans.push(span),
            other => {
                let whole = other.replace((key, vec![span]));
                if let Some((key, spans)) = whole {
                    return each(findings, &key, spans);
                }
            }
        }
        Ok(())
    })?;
    match open {
        Some((key, spans)) => findings.part(table, |findings| each(findings, &key, spans)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swept(
        oldest: u64,
        spans: &[(u64, Option<u64>, char)],
    ) -> Result<Vec<(u64, String)>, StoreError> {
        let spans: Vec<Span<char>> = spans
            .iter()
            .map(|&(from, until, fact)| Span { from, until, fact })
            .collect();
        let mut seen = Vec::new();
        sweep("here", &spans, oldest, |generation, facts, _| {
            seen.push((generation, facts.iter().copied().collect()));
            Ok(())
        })?;
        Ok(seen)
    }

    #[test]
    fn a_sweep_tells_what_holds_whenever_something_changes() {
        let at = |generation, facts: &str| (generation, facts.to_owned());
        for (name, oldest, spans, expected) in [
            ("nothing", 0, &[][..], vec![]),
            ("still holds", 0, &[(3, None, 'a')], vec![at(3, "a")]),
            (
                "is superseded by another",
                0,
                &[(5, None, 'b'), (2, Some(5), 'a')],
                vec![at(2, "a"), at(5, "b")],
            ),
            (
                "is superseded by itself",
                0,
                &[(2, Some(5), 'a'), (5, None, 'a')],
                vec![at(2, "a"), at(5, "a")],
            ),
            (
                "goes, and comes again",
                0,
                &[(1, Some(2), 'a'), (4, None, 'a')],
                vec![at(1, "a"), at(2, ""), at(4, "a")],
            ),
            (
                "several at a time",
                0,
                &[(1, None, 'b'), (1, Some(3), 'a'), (3, None, 'c')],
                vec![at(1, "ab"), at(3, "bc")],
            ),
            (
                "began before the oldest",
                6,
                &[(1, Some(8), 'a'), (2, None, 'b')],
                vec![at(6, "ab"), at(8, "b")],
            ),
            ("ended with the oldest", 6, &[(1, Some(6), 'a')], vec![]),
        ] {
            assert_eq!(swept(oldest, spans).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn a_fact_that_two_rows_hold_at_once_is_damage() {
        let error = swept(0, &[(1, Some(5), 'a'), (3, None, 'a')]).unwrap_err();
        assert_eq!(error.to_string().matches("generation 3").count(), 1);
        assert!(error.is_damage());
    }
}
