//! Retention: removes what no retained generation, no retained run and no staged turn needs, and gives the space back.
//!
//! One file per part. The order, so that a kill at any moment leaves an index that verifies and a sweep that can be done again:
//!
//! 1. one transaction raises the horizon and marks the runs whose records go: from now on they are "not retained";
//! 2. transactions of a bounded size remove history, records and objects;
//! 3. files go after the commit that forgets them: large contents, stale staging, objects of the view;
//! 4. free pages go back to the file system, step by step.

mod files;
mod kept;
pub(crate) mod mark;
mod plan;
mod policy;
mod reach;
mod space;
mod sweep;

use std::collections::BTreeSet;

use orket_kernel::{Digest, RunId};

use crate::access::Access;
use crate::commit::CommitTransaction;
use crate::content::Content;
use crate::verify::Findings;
use crate::{Store, StoreError, verify, view};
use crate::{boot, home_lock, horizon};

use files::Files;
use plan::{Claim, Plan};
use sweep::ROWS_MAX;

pub use kept::Kept;
pub use policy::{Retention, RunClaims};

/// Whether a collection only looks or removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Says what would go.
    DryRun,
    /// Removes it.
    Apply,
}

/// What a collection removed, or would remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// The newest generation.
    pub newest: u64,
    /// The oldest generation that could be read before.
    pub horizon_before: u64,
    /// The oldest generation that can be read afterwards.
    pub horizon: u64,
    /// The runs whose records go.
    pub runs: BTreeSet<RunId>,
    /// Superseded rows of triplets and refs.
    pub history_rows: u64,
    /// Objects.
    pub objects: u64,
    /// Turn records, requests, answers.
    pub records: u64,
    /// Bytes of these objects and records, those beside the database included.
    pub content_bytes: u64,
    /// Files that nothing named before already: large contents of commits that did not happen, stale staging.
    pub leftovers: u64,
    /// Bytes of these files.
    pub leftover_bytes: u64,
    /// Files of the browsable view, which holds a copy of each object.
    pub view_files: u64,
    /// Bytes of objects and records that stay.
    pub bytes_left: u64,
    /// By how many bytes the database became smaller; 0 in a dry run.
    pub given_back_bytes: u64,
    /// What was left for the next time, one sentence each.
    pub notes: Vec<String>,
}

impl Collected {
    /// Tells whether there is nothing to remove.
    pub fn is_empty(&self) -> bool {
        self.horizon == self.horizon_before
            && self.runs.is_empty()
            && self.history_rows + self.objects + self.records + self.leftovers + self.view_files
                == 0
    }
}

impl Store {
    /// Removes what `policy` lets go and nothing needs, or says what that is. `claim` says what the runs need, in the order in
    /// which they began; it may be called again when another process commits meanwhile. `fault` makes an error of the caller.
    ///
    /// What stays: the newest generation and all from the horizon on; records and the objects that a replay reads of every run
    /// that is open, pinned or kept by the policy; what staged turns name; the chain of promotions, ledgers and envelopes.
    /// The state digest does not change.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if what is kept is damaged: then nothing is removed. [`StoreError::Busy`] if another writer
    /// does not end in time; what was removed until then stays removed, and the next collection goes on.
    ///
    /// # Limitations
    /// It reads every document of the retained generations: time and memory in proportion to what is kept. A pin keeps all
    /// history since its run began, not only that of its own turns. A reader that began before and still looks at what is
    /// dropped may find a large object missing. Free pages at the end of a database that was made without incremental vacuum
    /// are used again and not given back.
    pub fn collect<E>(
        &self,
        policy: &Retention,
        claim: &mut dyn FnMut(&Kept<'_>) -> Result<Vec<RunClaims>, E>,
        fault: fn(StoreError) -> E,
        sweep: Sweep,
    ) -> Result<Collected, E> {
        let listed =
            files::staging_entries(&self.layout().index().join("staging")).map_err(fault)?;
        let moment = match sweep {
            Sweep::DryRun => None,
            Sweep::Apply => Some(self.moment().map_err(fault)?),
        };
        let snapshot = self.snapshot().map_err(fault)?;
        let access = snapshot.access();
        refuse_damage(access).map_err(fault)?;
        let mut closed = BTreeSet::new();
        let mut claim_and_note = |kept: &Kept<'_>| {
            let claims = claim(kept)?;
            closed = claims
                .iter()
                .filter(|run| !run.is_open)
                .map(|run| run.run_id.clone())
                .collect();
            Ok(claims)
        };
        let plan = Plan::make(access, policy, &mut claim_and_note, fault)?;
        let stale = files::staging(access, &listed, &closed).map_err(fault)?;
        let mut collected = plan.collected(access, &stale).map_err(fault)?;
        drop(snapshot);
        if let Some(moment) = moment {
            let mut sweeping = Sweeping {
                store: self,
                policy,
                moment,
                plan,
            };
            // Cut short after the rows, the view would keep files of objects that are gone: then it is written anew.
            let is_whole = boot::is_same(self.layout()).map_err(fault)?;
            boot::forget(self.layout()).map_err(fault)?;
            sweeping.rows(claim, fault)?;
            let is_swept = self.sweep_files(&stale, &mut collected).map_err(fault)?;
            if is_whole && is_swept {
                boot::note(self.layout()).map_err(fault)?;
            }
            collected.given_back_bytes = space::give_back(self).map_err(fault)?;
        }
        Ok(collected)
    }

    /// Pins a run: its records, and all history since it began, stay. Tells whether it was not pinned before.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`] if there is no such run, [`StoreError::RecordsNotRetained`] if its records are dropped.
    pub fn pin(&self, run_id: &RunId) -> Result<bool, StoreError> {
        self.mark(run_id, |access| {
            if mark::is_dropped(access, run_id)? {
                let run_id = run_id.clone();
                return Err(StoreError::RecordsNotRetained { run_id });
            }
            mark::pin(access, run_id)
        })
    }

    /// Takes the pin of a run away. Tells whether there was one.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`] if there is no such run.
    pub fn unpin(&self, run_id: &RunId) -> Result<bool, StoreError> {
        self.mark(run_id, |access| mark::unpin(access, run_id))
    }

    fn mark(
        &self,
        run_id: &RunId,
        change: impl FnOnce(Access<'_>) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        let transaction = self.begin()?;
        let access = transaction.access();
        if crate::run::digest(access, run_id)?.is_none() {
            let run_id = run_id.clone();
            return Err(StoreError::UnknownRun { run_id });
        }
        let changed = change(access)?;
        transaction.commit()?;
        Ok(changed)
    }

    /// Removes files, each kind after what forgets it is committed. Tells whether those of the view could be removed.
    fn sweep_files(&self, stale: &Files, collected: &mut Collected) -> Result<bool, StoreError> {
        let keeping = home_lock::remove_blobs(self.layout());
        if let Err(StoreError::Busy { .. }) = keeping {
            let note = "a backup was copying large contents; the next collection removes theirs";
            collected.notes.push(note.to_owned());
        }
        while keeping.is_ok() {
            // Nobody can be between writing such a file and its row while this transaction lives.
            let transaction = self.begin()?;
            let found = files::blobs(transaction.access(), &BTreeSet::new(), ROWS_MAX)?;
            found.remove()?;
            if found.paths.len() < ROWS_MAX {
                break;
            }
        }
        match keeping {
            Ok(_) | Err(StoreError::Busy { .. }) => {}
            Err(error) => return Err(error),
        }
        stale.remove()?;
        let snapshot = self.snapshot()?;
        match view::lock_of(self.layout()) {
            Ok(_lock) => {
                files::view_objects(snapshot.access(), &BTreeSet::new())?.remove()?;
                Ok(true)
            }
            Err(StoreError::Busy { .. }) => {
                let note = "another command was writing the view; the next collection cleans it";
                collected.notes.push(note.to_owned());
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// The work of one transaction; tells whether its part is done.
type Step = fn(&CommitTransaction<'_>, &mut Plan) -> Result<bool, StoreError>;

/// Removes rows; as long as nobody else commits by the plan that was made, then by a new one.
struct Sweeping<'a> {
    store: &'a Store,
    policy: &'a Retention,
    moment: Moment,
    plan: Plan,
}

impl Sweeping<'_> {
    fn rows<E>(&mut self, claim: &mut Claim<'_, E>, fault: fn(StoreError) -> E) -> Result<(), E> {
        self.step(claim, fault, |transaction, plan| {
            let access = transaction.access();
            horizon::raise(access, plan.horizon)?;
            for run_id in &plan.dropped {
                mark::drop_run(access, run_id, plan.newest)?;
            }
            Ok(true)
        })?;
        let steps: [Step; 3] = [
            |transaction, plan| Ok(sweep::history(transaction.access(), plan.horizon)? < ROWS_MAX),
            |transaction, plan| sweep_contents(transaction, Content::Record, &mut plan.records),
            |transaction, plan| sweep_contents(transaction, Content::Object, &mut plan.objects),
        ];
        for step in steps {
            while !self.step(claim, fault, step)? {}
        }
        Ok(())
    }

    /// Carries out one transaction; tells whether its part is done.
    fn step<E>(
        &mut self,
        claim: &mut Claim<'_, E>,
        fault: fn(StoreError) -> E,
        work: impl FnOnce(&CommitTransaction<'_>, &mut Plan) -> Result<bool, StoreError>,
    ) -> Result<bool, E> {
        let transaction = self.store.begin().map_err(fault)?;
        let moment = Moment::of(self.store, &transaction).map_err(fault)?;
        if moment != self.moment {
            // Somebody may have come to need what was doomed. Nobody can while this transaction lives.
            self.plan = Plan::make(transaction.access(), self.policy, claim, fault)?;
            self.moment = moment;
        }
        let is_done = work(&transaction, &mut self.plan).map_err(fault)?;
        transaction.commit().map_err(fault)?;
        self.moment.own_commits += 1;
        Ok(is_done)
    }
}

fn sweep_contents(
    transaction: &CommitTransaction<'_>,
    content: Content,
    doomed: &mut Vec<(Digest, u64)>,
) -> Result<bool, StoreError> {
    let rest = doomed.split_off(doomed.len().min(ROWS_MAX));
    sweep::contents(transaction.access(), content, doomed)?;
    *doomed = rest;
    Ok(doomed.is_empty())
}

impl Plan {
    fn collected(&self, access: Access<'_>, stale: &Files) -> Result<Collected, StoreError> {
        let doomed = |contents: &[(Digest, u64)]| -> BTreeSet<Digest> {
            contents.iter().map(|(digest, _)| *digest).collect()
        };
        let beside = files::blobs(access, &BTreeSet::new(), usize::MAX)?;
        let in_view = files::view_objects(access, &doomed(&self.objects))?;
        let contents = self.objects.iter().chain(&self.records);
        Ok(Collected {
            newest: self.newest,
            horizon_before: self.horizon_before,
            horizon: self.horizon,
            runs: self.dropped.clone(),
            history_rows: self.rows,
            objects: self.objects.len() as u64,
            records: self.records.len() as u64,
            content_bytes: contents.map(|(_, length)| length).sum(),
            leftovers: (beside.paths.len() + stale.paths.len()) as u64,
            leftover_bytes: beside.bytes + stale.bytes,
            view_files: in_view.paths.len() as u64,
            bytes_left: self.bytes_left,
            given_back_bytes: 0,
            notes: match self.unclaimed {
                0 => Vec::new(),
                runs => vec![format!(
                    "{runs} run(s) were not begun by the board; what they need is not known, so no object or record goes"
                )],
            },
        })
    }
}

/// What tells whether anybody committed since: the number of this process's commits, and SQLite's own note of others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    own_commits: u64,
    of_others: i64,
}

impl Moment {
    fn of(store: &Store, transaction: &CommitTransaction<'_>) -> Result<Moment, StoreError> {
        let access = transaction.access();
        let of_others = access
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(access.failed("read"))?;
        Ok(Moment {
            own_commits: store.commits(),
            of_others,
        })
    }
}

impl Store {
    fn moment(&self) -> Result<Moment, StoreError> {
        let transaction = self.begin()?;
        Moment::of(self, &transaction)
    }
}

/// What is doomed is computed from what is kept, so nothing is removed from an index that is damaged.
fn refuse_damage(access: Access<'_>) -> Result<(), StoreError> {
    let mut findings = Findings::default();
    verify::history(access, &mut findings)?;
    match findings.faults.into_iter().next() {
        None => Ok(()),
        Some(fault) => Err(StoreError::corrupt(fault.place, fault.reason)),
    }
}
