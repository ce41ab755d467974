//! Which objects the retained generations are made of.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::{Digest, canonical};

use crate::access::Access;
use crate::content::{self, Content};
use crate::staging::Staging;
use crate::{StoreError, reach, row, run};

/// The objects of the newest generation and of the rows that were superseded since the horizon.
pub(super) struct Reach {
    newest: BTreeSet<Digest>,
    /// With the generation that superseded the row: a higher horizon than that needs it no more.
    superseded: Vec<(u64, BTreeSet<Digest>)>,
    /// What turns that are staged but not committed name.
    staged: BTreeSet<Digest>,
}

impl Reach {
    /// Reads every document once. One that is missing or damaged ends it: on a damaged index nothing may be dropped.
    pub(super) fn read(access: Access<'_>, horizon: u64) -> Result<Reach, StoreError> {
        let mut documents = Documents {
            access,
            named: BTreeMap::new(),
        };
        let sql = "SELECT 0, body_digest, links_digest, manifest_digest FROM triplets";
        let newest = documents.of_rows(sql, 0)?;
        let sql = "SELECT until, body_digest, links_digest, manifest_digest FROM triplet_history WHERE until > ?1";
        let superseded = documents.of_rows(sql, horizon)?;
        Ok(Reach {
            newest: newest.into_iter().flat_map(|(_, found)| found).collect(),
            superseded,
            staged: staged(access)?,
        })
    }

    /// Returns the objects that stay if a generation becomes the horizon.
    pub(super) fn from(&self, horizon: u64) -> BTreeSet<Digest> {
        let later = self.superseded.iter().filter(|(until, _)| *until > horizon);
        let later = later.flat_map(|(_, found)| found);
        let found = self.newest.iter().chain(&self.staged).chain(later);
        found.copied().collect()
    }
}

struct Documents<'a> {
    access: Access<'a>,
    /// A document is part of many generations, and read once.
    named: BTreeMap<Digest, BTreeSet<Digest>>,
}

impl Documents<'_> {
    fn of_rows(
        &mut self,
        sql: &'static str,
        after: u64,
    ) -> Result<Vec<(u64, BTreeSet<Digest>)>, StoreError> {
        let access = self.access;
        let failed = access.failed("read");
        let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
        let after = row::integer(after, "generation")?;
        let parameters: &[&dyn rusqlite::ToSql] = match statement.parameter_count() {
            0 => &[],
            _ => &[&after],
        };
        let rows = statement
            .query_map(parameters, |row| {
                let documents = [row.get(1)?, row.get(2)?, row.get(3)?].map(row::digest);
                Ok((row.get::<_, i64>(0)?, documents))
            })
            .map_err(&failed)?;
        rows.map(|found| {
            let (until, documents) = found.map_err(&failed)?;
            let mut reached = BTreeSet::from(documents);
            for document in documents {
                reached.extend(self.named_by(document)?);
            }
            Ok((row::count(until, "triplet_history")?, reached))
        })
        .collect()
    }

    fn named_by(&mut self, document: Digest) -> Result<BTreeSet<Digest>, StoreError> {
        if let Some(named) = self.named.get(&document) {
            return Ok(named.clone());
        }
        let place = || format!("objects {document}");
        let bytes = content::read(self.access, Content::Object, &document)?
            .ok_or_else(|| StoreError::corrupt(place(), "a retained generation names it"))?;
        let value = canonical::parse(&bytes)
            .map_err(|error| StoreError::corrupt(place(), error.to_string()))?;
        let named = reach::named(&value);
        self.named.insert(document, named.clone());
        Ok(named)
    }
}

/// Returns what the documents of staged turns name. A staged turn that a power cut tore is executed again, so it names nothing.
fn staged(access: Access<'_>) -> Result<BTreeSet<Digest>, StoreError> {
    let staging = Staging::of(access.home);
    let mut named = BTreeSet::new();
    for run_id in run::all(access)? {
        for turn_id in staging.turns(&run_id)? {
            let staged = match staging.staged_turn(&run_id, turn_id) {
                Ok(Some(staged)) => staged,
                Ok(None) | Err(StoreError::Corrupt { .. }) => continue,
                Err(error) => return Err(error),
            };
            named.extend(staged.objects.keys());
            let documents = staged.triplets.values().flat_map(|triplet| {
                let record = &triplet.record;
                [
                    record.body_digest,
                    record.links_digest,
                    record.manifest_digest,
                ]
            });
            for document in documents {
                let Some(payload) = staged.objects.get(&document) else {
                    continue;
                };
                let place = format!("staging {run_id} {turn_id}");
                let bytes = payload
                    .to_bytes()
                    .map_err(|error| content::unread(&place, error))?;
                named.extend(canonical::parse(&bytes).iter().flat_map(reach::named));
            }
        }
    }
    Ok(named)
}
