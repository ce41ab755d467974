//! What a collection would remove, computed at one moment.

use std::collections::BTreeSet;

use orket_kernel::{Digest, RunId};

use super::kept::{self, Kept};
use super::mark;
use super::policy::{self, Retention, RunClaims, Situation};
use super::reach::Reach;
use crate::access::Access;
use crate::content::Content;
use crate::{StoreError, horizon, promotion, row, run};

/// Says what the runs need, in the order in which they began.
pub(super) type Claim<'a, E> = dyn FnMut(&Kept<'_>) -> Result<Vec<RunClaims>, E> + 'a;

/// What is to go.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) newest: u64,
    /// How many runs nobody spoke for: because of them no content goes.
    pub(super) unclaimed: u64,
    /// The oldest generation that stays readable.
    pub(super) horizon: u64,
    pub(super) horizon_before: u64,
    /// Runs whose records go now.
    pub(super) dropped: BTreeSet<RunId>,
    /// Superseded rows of triplets and refs.
    pub(super) rows: u64,
    pub(super) objects: Vec<(Digest, u64)>,
    pub(super) records: Vec<(Digest, u64)>,
    /// Bytes of objects and records that stay.
    pub(super) bytes_left: u64,
}

impl Plan {
    pub(super) fn make<E>(
        access: Access<'_>,
        policy: &Retention,
        claim: &mut Claim<'_, E>,
        fault: fn(StoreError) -> E,
    ) -> Result<Plan, E> {
        let claims = claim(&Kept::new(access))?;
        Plan::of(access, policy, claims).map_err(fault)
    }

    fn of(
        access: Access<'_>,
        policy: &Retention,
        claims: Vec<RunClaims>,
    ) -> Result<Plan, StoreError> {
        let claimed: BTreeSet<RunId> = claims.iter().map(|run| run.run_id.clone()).collect();
        let unclaimed = run::all(access)?
            .into_iter()
            .filter(|run_id| !claimed.contains(run_id))
            .count() as u64;
        let newest = promotion::head(access)?.generation;
        let horizon_before = horizon::read(access)?;
        let pinned = mark::pinned(access)?;
        let dropped_before = mark::dropped(access)?;
        let runs: Vec<RunClaims> = claims
            .into_iter()
            .filter(|run| !dropped_before.contains(&run.run_id))
            .collect();
        let situation = Situation {
            newest,
            horizon: horizon_before,
            pinned: &pinned,
            runs: &runs,
        };
        let reach = Reach::read(access, horizon_before)?;
        let objects = kept::lengths(access, Content::Object)?;
        let records = kept::lengths(access, Content::Record)?;
        let turn_records = turn_records(access)?;
        let needed = |choice: &policy::Choice| {
            let is_dropped =
                |run_id| choice.dropped.contains(run_id) || dropped_before.contains(run_id);
            let kept = turn_records
                .iter()
                .filter(|(run_id, _)| !is_dropped(run_id));
            let mut needed = Needed {
                objects: reach.from(choice.horizon),
                records: kept.map(|(_, digest)| *digest).collect(),
            };
            let stays = |run: &&RunClaims| !choice.dropped.contains(&run.run_id);
            for run in runs.iter().filter(stays) {
                needed.objects.extend(&run.objects);
                needed.records.extend(&run.records);
            }
            needed
        };
        let weigh = |choice: &policy::Choice| {
            let needed = needed(choice);
            let length = |lengths: &std::collections::BTreeMap<Digest, u64>, digests| {
                let digests: &BTreeSet<Digest> = digests;
                let found = digests.iter().filter_map(|digest| lengths.get(digest));
                found.sum::<u64>()
            };
            length(&objects, &needed.objects) + length(&records, &needed.records)
        };
        let choice = policy::choose(policy, &situation, weigh);
        let bytes_left = weigh(&choice);
        let needed = needed(&choice);
        let not_in = |lengths: std::collections::BTreeMap<Digest, u64>,
                      needed: &BTreeSet<Digest>| {
            let doomed = lengths.into_iter();
            doomed
                .filter(|(digest, _)| !needed.contains(digest))
                .collect()
        };
        // What a run needs that nobody speaks for is not known.
        let not_in = |lengths, needed: &BTreeSet<Digest>| match unclaimed {
            0 => not_in(lengths, needed),
            _ => Vec::new(),
        };
        Ok(Plan {
            newest,
            unclaimed,
            horizon: choice.horizon,
            horizon_before,
            rows: superseded(access, choice.horizon)?,
            dropped: choice.dropped,
            objects: not_in(objects, &needed.objects),
            records: not_in(records, &needed.records),
            bytes_left,
        })
    }
}

struct Needed {
    objects: BTreeSet<Digest>,
    records: BTreeSet<Digest>,
}

/// Returns the records that the chain of promotions names.
fn turn_records(access: Access<'_>) -> Result<Vec<(RunId, Digest)>, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT run_id, record_digest FROM promotions";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
        .map_err(&failed)?;
    rows.map(|found| {
        let (run_id, digest) = found.map_err(&failed)?;
        Ok((row::run_id(&run_id)?, row::digest(digest)))
    })
    .collect()
}

/// Counts the history rows that no generation from the horizon on needs.
fn superseded(access: Access<'_>, horizon: u64) -> Result<u64, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT (SELECT count(*) FROM triplet_history WHERE until <= ?1) + \
        (SELECT count(*) FROM ref_history WHERE until <= ?1)";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let count: i64 = statement
        .query_row([row::integer(horizon, "horizon")?], |row| row.get(0))
        .map_err(&failed)?;
    row::count(count, "triplet_history")
}
