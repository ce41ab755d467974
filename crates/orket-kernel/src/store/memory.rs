//! A store in memory: for embedders that need no disk, for tests, and as the plainest reading of the law.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    CommittedView, RunStanding, StagingArea, Standing, StateStore, StoreFailure, StoreTransaction,
};
use crate::{
    Digest, Outcome, Payload, PromotionPlan, ReadError, RefSource, RunEnvelope, RunId, StagedTurn,
    StateView, Stem, TripletRecord, TurnId, state,
};

/// A store in memory.
///
/// # Limitations
/// Nothing is durable. The first change of a transaction copies the maps of the state, without the bytes in them, and a
/// promotion computes the state digest from nothing: its cost follows the size of the state, not the change. A stream is
/// held whole once it is staged. `orket-lsi` does better on all counts.
#[derive(Debug, Default)]
pub struct MemoryStore {
    committed: Mutex<Arc<State>>,
    staged: Mutex<Staged>,
    writer: Mutex<()>,
}

/// Staged turns with their records.
type Staged = BTreeMap<(RunId, TurnId), (StagedTurn, Vec<u8>)>;

/// What is committed.
#[derive(Clone, Debug, Default)]
struct State {
    triplets: BTreeMap<Stem, TripletRecord>,
    definitions: BTreeMap<String, Stem>,
    ids: BTreeMap<Stem, String>,
    sources: BTreeMap<String, BTreeSet<RefSource>>,
    /// The ids that each stem references: what pruning has to look at.
    targets: BTreeMap<Stem, BTreeSet<String>>,
    objects: BTreeMap<Digest, Arc<[u8]>>,
    runs: BTreeMap<RunId, Run>,
    generation: u64,
}

#[derive(Clone, Debug)]
struct Run {
    envelope: RunEnvelope,
    finished: Option<Outcome>,
    /// Record and state digest of each promoted turn, in order.
    turns: Vec<(Arc<[u8]>, Digest)>,
    artifacts: BTreeMap<String, Arc<[u8]>>,
}

impl MemoryStore {
    /// Returns a store that holds nothing.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }
}

impl StateStore for MemoryStore {
    type Committed<'a> = MemorySnapshot;
    type Staging<'a> = MemoryStaging<'a>;
    type Transaction<'a> = MemoryTransaction<'a>;

    fn committed(&self) -> Result<MemorySnapshot, StoreFailure> {
        Ok(MemorySnapshot(Arc::clone(&lock(&self.committed))))
    }

    fn staging(&self) -> MemoryStaging<'_> {
        MemoryStaging(self)
    }

    fn begin(&self) -> Result<MemoryTransaction<'_>, StoreFailure> {
        // A waiting thread would be fine; a second transaction of the same thread would wait for ever.
        let pass = self.writer.try_lock().map_err(|_| StoreFailure::Busy {
            message: "another transaction is open".to_owned(),
        })?;
        Ok(MemoryTransaction {
            store: self,
            state: Arc::clone(&lock(&self.committed)),
            has_failed: false,
            _pass: pass,
        })
    }
}

/// Takes a lock. A thread that panicked has changed nothing halfway: states are replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the bytes of a payload, however many they are: this store has no other place for them.
fn hold(digest: &Digest, payload: &Payload) -> Result<Vec<u8>, StoreFailure> {
    let mut bytes = Vec::new();
    let read = payload.open().and_then(|mut it| it.read_to_end(&mut bytes));
    read.map_err(|error| ReadError::of_payload(&format!("objects {digest}"), error))?;
    Ok(bytes)
}

/// What a [`MemoryStore`] held at one moment.
#[derive(Clone, Debug)]
pub struct MemorySnapshot(Arc<State>);

/// The staging area of a [`MemoryStore`].
#[derive(Clone, Copy, Debug)]
pub struct MemoryStaging<'a>(&'a MemoryStore);

/// A transaction of a [`MemoryStore`].
#[derive(Debug)]
pub struct MemoryTransaction<'a> {
    store: &'a MemoryStore,
    state: Arc<State>,
    has_failed: bool,
    _pass: MutexGuard<'a, ()>,
}

impl StagingArea for MemoryStaging<'_> {
    fn stage(&self, turn: &StagedTurn, record: &[u8]) -> Result<(), StoreFailure> {
        let mut turn = turn.clone();
        for (digest, payload) in &mut turn.objects {
            *payload = Payload::Held(hold(digest, payload)?);
        }
        let place = (turn.run_id.clone(), turn.turn_id);
        lock(&self.0.staged).insert(place, (turn, record.to_vec()));
        Ok(())
    }

    fn staged(&self, run_id: &RunId) -> Result<Vec<(StagedTurn, Vec<u8>)>, StoreFailure> {
        let staged = lock(&self.0.staged);
        let first = (run_id.clone(), TurnId::FIRST);
        let of_run = staged
            .range(first..)
            .take_while(|((run, _), _)| run == run_id);
        Ok(of_run.map(|(_, turn)| turn.clone()).collect())
    }

    fn discard(&self, run_id: &RunId, turn_id: TurnId) -> Result<(), StoreFailure> {
        lock(&self.0.staged).remove(&(run_id.clone(), turn_id));
        Ok(())
    }
}

impl StoreTransaction for MemoryTransaction<'_> {
    fn state(&self) -> Result<impl CommittedView + '_, StoreFailure> {
        Ok(MemorySnapshot(Arc::clone(&self.state)))
    }

    fn start_run(&mut self, envelope: &RunEnvelope) -> Result<(), StoreFailure> {
        self.change(|state| state.start_run(envelope))
    }

    fn promote(&mut self, plan: &PromotionPlan, record: &[u8]) -> Result<Standing, StoreFailure> {
        self.change(|state| state.promote(plan, record))
    }

    fn finish_run(&mut self, run_id: &RunId, outcome: Outcome) -> Result<(), StoreFailure> {
        self.change(|state| state.finish_run(run_id, outcome))
    }

    fn keep_trace_artifact(
        &mut self,
        run_id: &RunId,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), StoreFailure> {
        self.change(|state| state.keep_trace_artifact(run_id, name, bytes))
    }

    fn commit(self) -> Result<(), StoreFailure> {
        if self.has_failed {
            let message = "the transaction was undone, for a part of it had failed";
            return Err(refused("undone", message.to_owned()));
        }
        *lock(&self.store.committed) = self.state;
        Ok(())
    }
}

impl MemoryTransaction<'_> {
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut State) -> Result<T, StoreFailure>,
    ) -> Result<T, StoreFailure> {
        let result = change(Arc::make_mut(&mut self.state));
        self.has_failed |= result.is_err();
        result
    }
}

fn refused(reason: &'static str, message: String) -> StoreFailure {
    StoreFailure::Refused { reason, message }
}

impl Run {
    fn last_turn(&self) -> Option<TurnId> {
        TurnId::new(self.turns.len() as u64)
    }

    fn turn(&self, turn_id: TurnId) -> Option<&(Arc<[u8]>, Digest)> {
        let place = usize::try_from(turn_id.number() - 1).ok()?;
        self.turns.get(place)
    }
}

impl State {
    fn run_mut(&mut self, run_id: &RunId) -> Result<&mut Run, StoreFailure> {
        let unknown = || refused("unknown_run", format!("the run {run_id} was never started"));
        self.runs.get_mut(run_id).ok_or_else(unknown)
    }

    fn start_run(&mut self, envelope: &RunEnvelope) -> Result<(), StoreFailure> {
        match self.runs.get(&envelope.run_id) {
            Some(run) if run.envelope == *envelope => Ok(()),
            Some(_) => Err(refused(
                "envelope_differs",
                format!(
                    "the run {} was started with another envelope",
                    envelope.run_id
                ),
            )),
            None => {
                let run = Run {
                    envelope: envelope.clone(),
                    finished: None,
                    turns: Vec::new(),
                    artifacts: BTreeMap::new(),
                };
                self.runs.insert(envelope.run_id.clone(), run);
                Ok(())
            }
        }
    }

    fn promote(&mut self, plan: &PromotionPlan, record: &[u8]) -> Result<Standing, StoreFailure> {
        let run = self.open_run_mut(&plan.run_id)?;
        let expected = run.last_turn().map_or(TurnId::FIRST, TurnId::next);
        if plan.turn_id != expected {
            return Err(refused(
                "turn_order",
                format!(
                    "the run {} goes on with {expected}, not with {}",
                    plan.run_id, plan.turn_id
                ),
            ));
        }
        self.check_fits(plan)?;
        self.apply(plan);
        self.keep_objects(plan)?;
        self.generation += 1;
        let standing = self.standing();
        let turn = (record.into(), standing.state_digest);
        self.run_mut(&plan.run_id)?.turns.push(turn);
        Ok(standing)
    }

    fn finish_run(&mut self, run_id: &RunId, outcome: Outcome) -> Result<(), StoreFailure> {
        self.open_run_mut(run_id)?.finished = Some(outcome);
        Ok(())
    }

    fn keep_trace_artifact(
        &mut self,
        run_id: &RunId,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), StoreFailure> {
        let run = self.run_mut(run_id)?;
        match run.artifacts.get(name) {
            Some(kept) if **kept == *bytes => Ok(()),
            Some(_) => Err(refused(
                "artifact_exists",
                format!("the run {run_id} has another trace artifact {name}"),
            )),
            None => {
                run.artifacts.insert(name.to_owned(), bytes.into());
                Ok(())
            }
        }
    }

    fn open_run_mut(&mut self, run_id: &RunId) -> Result<&mut Run, StoreFailure> {
        let run = self.run_mut(run_id)?;
        match run.finished {
            None => Ok(run),
            Some(outcome) => Err(refused(
                "run_finished",
                format!("the run {run_id} was finished with {outcome}"),
            )),
        }
    }

    /// Refuses a plan that was made over another state, as far as that would leave the index at odds with itself.
    fn check_fits(&self, plan: &PromotionPlan) -> Result<(), StoreFailure> {
        let stale = |reason: String| {
            let turn = format!("{} of the run {}", plan.turn_id, plan.run_id);
            Err(refused("stale", format!("{turn}: {reason}")))
        };
        let pruned: BTreeSet<&Stem> = plan.prune.iter().collect();
        let defined: BTreeSet<&String> = plan.put.iter().map(|(_, id)| id).collect();
        let others = |id: &String| {
            let stem = self.definitions.get(id);
            stem.filter(|stem| !pruned.contains(stem))
        };
        if let Some(stem) = plan
            .delete
            .iter()
            .find(|stem| !self.triplets.contains_key(*stem))
        {
            return stale(format!("{stem}, which it deletes, is not there"));
        }
        if let Some((id, other)) = defined.iter().find_map(|id| Some((id, others(id)?))) {
            return stale(format!("{other} defines {id}, which it also defines"));
        }
        let is_defined = |id: &String| defined.contains(id) || others(id).is_some();
        if let Some((id, source)) = plan.insert.iter().find(|(id, _)| !is_defined(id)) {
            let stem = &source.stem;
            return stale(format!(
                "{stem} references {id}, which nothing would define"
            ));
        }
        for id in plan.prune.iter().filter_map(|stem| self.ids.get(stem)) {
            let mut left = self.sources.get(id).into_iter().flatten();
            let left = left.find(|source| !pruned.contains(&source.stem));
            if let (false, Some(source)) = (is_defined(id), left) {
                let stem = &source.stem;
                return stale(format!(
                    "{stem} references {id}, which nothing would define"
                ));
            }
        }
        Ok(())
    }

    /// Applies a plan in the order of Spec-002 §5: old references go, stems go, then the new ones come.
    fn apply(&mut self, plan: &PromotionPlan) {
        for stem in &plan.prune {
            for id in self.targets.remove(stem).unwrap_or_default() {
                let Some(sources) = self.sources.get_mut(&id) else {
                    continue;
                };
                sources.retain(|source| source.stem != *stem);
                if sources.is_empty() {
                    self.sources.remove(&id);
                }
            }
            // An id that has moved to another stem of the same plan is entered again below.
            if let Some(id) = self.ids.remove(stem) {
                self.definitions.remove(&id);
            }
        }
        for stem in &plan.delete {
            self.triplets.remove(stem);
        }
        for (record, id) in &plan.put {
            self.definitions.insert(id.clone(), record.stem.clone());
            self.ids.insert(record.stem.clone(), id.clone());
            self.triplets.insert(record.stem.clone(), record.clone());
        }
        for (id, source) in &plan.insert {
            let targets = self.targets.entry(source.stem.clone()).or_default();
            targets.insert(id.clone());
            self.sources
                .entry(id.clone())
                .or_default()
                .insert(source.clone());
        }
    }

    fn keep_objects(&mut self, plan: &PromotionPlan) -> Result<(), StoreFailure> {
        for (digest, payload) in &plan.objects {
            if !self.objects.contains_key(digest) {
                self.objects.insert(*digest, hold(digest, payload)?.into());
            }
        }
        Ok(())
    }

    fn standing(&self) -> Standing {
        let mut triplets: Vec<state::Entry> =
            self.triplets.values().map(state::triplet_entry).collect();
        let ids: BTreeSet<&String> = self.definitions.keys().chain(self.sources.keys()).collect();
        let mut refs: Vec<state::Entry> = ids
            .into_iter()
            .filter_map(|id| {
                let sources: Vec<RefSource> = self.sources_of(id);
                state::ref_entry(id, self.definitions.get(id), &state::source_root(&sources))
            })
            .collect();
        Standing {
            generation: self.generation,
            state_digest: state::digest(&state::root(&mut triplets), &state::root(&mut refs)),
        }
    }

    fn sources_of(&self, id: &str) -> Vec<RefSource> {
        self.sources
            .get(id)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }
}

impl StateView for MemorySnapshot {
    fn triplet(&self, stem: &Stem) -> Result<Option<TripletRecord>, ReadError> {
        Ok(self.0.triplets.get(stem).cloned())
    }

    fn definition(&self, id: &str) -> Result<Option<Stem>, ReadError> {
        Ok(self.0.definitions.get(id).cloned())
    }

    fn sources(&self, id: &str) -> Result<Vec<RefSource>, ReadError> {
        Ok(self.0.sources_of(id))
    }

    fn payload(&self, digest: &Digest) -> Result<Option<Payload>, ReadError> {
        let kept = self.0.objects.get(digest);
        Ok(kept.map(|bytes| Payload::Held(bytes.to_vec())))
    }

    fn stems(&self, prefix: &str) -> Result<Vec<Stem>, ReadError> {
        let stems = self.0.triplets.keys();
        let fitting = stems.filter(|stem| stem.as_str().starts_with(prefix));
        Ok(fitting.cloned().collect())
    }
}

impl CommittedView for MemorySnapshot {
    fn standing(&self) -> Result<Standing, StoreFailure> {
        Ok(self.0.standing())
    }

    fn run(&self, run_id: &RunId) -> Result<Option<RunStanding>, StoreFailure> {
        Ok(self.0.runs.get(run_id).map(|run| RunStanding {
            envelope: run.envelope.clone(),
            last_turn: run.last_turn(),
            finished: run.finished,
        }))
    }

    fn turn_record(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<Vec<u8>>, StoreFailure> {
        let turn = self.0.runs.get(run_id).and_then(|run| run.turn(turn_id));
        Ok(turn.map(|(record, _)| record.to_vec()))
    }

    fn state_digest_after(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<Digest>, StoreFailure> {
        let turn = self.0.runs.get(run_id).and_then(|run| run.turn(turn_id));
        Ok(turn.map(|(_, digest)| *digest))
    }

    fn trace_artifact(&self, run_id: &RunId, name: &str) -> Result<Option<Vec<u8>>, StoreFailure> {
        let run = self.0.runs.get(run_id);
        let artifact = run.and_then(|run| run.artifacts.get(name));
        Ok(artifact.map(|bytes| bytes.to_vec()))
    }
}
