//! The Orchestrator: the traction loop over the cards of an epic.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orket_cards::{
    Card, CardId, Cause, Lease, RunEnd, RunState, TurnSnapshot, TurnStore, ready, stall,
};
use orket_kernel::canonical;
use orket_kernel::{RunEnvelope, RunHandle, RunId, TurnId, object};
use orket_ports::model::Cancellation;
use orket_ports::{
    Adjustment, Clock, Conductor, EventSink, ModelProvider, SessionView, Verifier, Workspace,
};
use orket_secrets::Scrubber;

use crate::asset::StepAsset;
use crate::attempt::{AttemptEnd, Place};
use crate::choice::{Choice, choose_run, finished_before, new_envelope};
use crate::error::{RunError, bug};
use crate::govern::Tools;
use crate::narrative::Narrator;
use crate::play::Play;
use crate::projection::{self, Stamps};
use crate::proposal;
use crate::scrub;
use crate::summary::{RunEnding, RunSummary, board, summarize};
use crate::voice::Voice;

/// The adapters that a run is played on.
pub struct Stage<'a> {
    /// Index, board and journal.
    pub store: &'a dyn TurnStore,
    /// The files of the project.
    pub workspace: &'a dyn Workspace,
    /// The model.
    pub provider: &'a dyn ModelProvider,
    /// The runner of checks.
    pub verifier: &'a dyn Verifier,
    /// The tools.
    pub tools: &'a Tools,
    /// What takes secrets out of everything that comes from outside.
    pub scrubber: Arc<Scrubber>,
    /// The clock, for people.
    pub clock: &'a dyn Clock,
    /// The switch that ends model calls.
    pub cancellation: Cancellation,
}

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The run to start or to continue; chosen by the engine if `None`.
    pub run_id: Option<RunId>,
    /// Work on this card alone.
    pub card: Option<CardId>,
    /// Go on although the model on the server is not the one that the run began with.
    pub accept_model: bool,
}

/// A run while it is played.
pub(crate) struct Session<'a> {
    pub(crate) stage: &'a Stage<'a>,
    pub(crate) sink: &'a mut dyn EventSink,
    pub(crate) conductor: &'a mut dyn Conductor,
    pub(crate) play: Arc<Play>,
    pub(crate) envelope: Arc<RunEnvelope>,
    pub(crate) handle: RunHandle,
    pub(crate) lease: Box<dyn Lease>,
    pub(crate) narrator: Narrator<'a>,
    pub(crate) patches: BTreeMap<String, String>,
    disabled: BTreeSet<String>,
    /// Steps on cards that the Conductor passed over in this session.
    skipped: BTreeSet<(CardId, String)>,
    transcript: Vec<String>,
    stamps: Stamps,
    steps: u64,
    only: Option<CardId>,
    /// The model that the run began with.
    pub(crate) voice: Voice,
}

/// Plays an epic until nothing more can be done.
///
/// The same call continues an unfinished run where it was: what was promoted is not done again, a whole answer that
/// was not yet judged is used, a cut one is asked for again.
///
/// # Errors
/// Says why the run could not go on. What was promoted stays.
pub fn run_epic(
    stage: &Stage<'_>,
    sink: &mut dyn EventSink,
    conductor: &mut dyn Conductor,
    play: Play,
    options: &RunOptions,
) -> Result<RunSummary, RunError> {
    let play = scrub::play(&stage.scrubber, play)?;
    let run_id = {
        let snapshot = stage.store.snapshot()?;
        if let Some(card) = &options.card
            && !play.ids().contains(card)
            && board(snapshot.as_ref(), &play)?
                .iter()
                .all(|known| known.id != *card)
        {
            return Err(RunError::NoCard {
                card: card.to_string(),
            });
        }
        match choose_run(snapshot.as_ref(), &play, options)? {
            Choice::Run(run_id) => run_id,
            Choice::Over(run_id) => {
                drop(snapshot);
                return finished_before(stage, &play, run_id.as_ref(), options);
            }
        }
    };
    let lease = stage.store.lease(&run_id)?;
    // The run is looked at again now that nobody else can change it.
    let known = stage.store.snapshot()?.run(&run_id)?;
    if known
        .as_ref()
        .is_some_and(|row| row.state != RunState::Open)
    {
        return finished_before(stage, &play, Some(&run_id), options);
    }
    let envelope = match known {
        // A run goes on with what was fixed when it began.
        Some(row) => row.envelope,
        None => new_envelope(&run_id, &play)?,
    };
    let frozen: Play = canonical::from_value(envelope.host.clone())
        .map_err(|error| bug(&format!("the play of the run cannot be read: {error}")))?;
    // Only where answers come from may change while a run is open; every exchange says where it came from.
    let frozen = Play {
        venue: play.venue.clone(),
        ..frozen
    };
    let narrator = Narrator {
        run_id: run_id.clone(),
        clock: stage.clock,
    };
    if frozen != play {
        let data = object! { "epic" => play.epic.name.as_str() };
        sink.emit(&narrator.event("assets_changed", data));
    }
    // Who begins a command has seen the fixtures; while it goes on, they stay.
    let fixtures = play.fixtures;
    let play = Play { fixtures, ..frozen };
    let handle = stage
        .store
        .start_run(&envelope, &play.epic.name, lease.fence())?;
    projection::bring_forward(stage.store, stage.workspace, &play.epic.name)?;
    let voice = Voice::recorded(
        stage.store.snapshot()?.as_ref(),
        &run_id,
        &play.venue,
        options.accept_model,
    )?;
    let mut session = Session {
        stage,
        sink,
        conductor,
        narrator,
        play: Arc::new(play),
        envelope: Arc::new(envelope),
        handle,
        lease,
        patches: BTreeMap::new(),
        disabled: BTreeSet::new(),
        skipped: BTreeSet::new(),
        transcript: Vec::new(),
        stamps: Stamps::new(),
        steps: 0,
        only: options.card.clone(),
        voice,
    };
    let ending = session.play_on()?;
    let snapshot = stage.store.snapshot()?;
    summarize(
        stage,
        snapshot.as_ref(),
        &session.play,
        options,
        Some(&run_id),
        ending,
    )
}

impl Session<'_> {
    fn play_on(&mut self) -> Result<RunEnding, RunError> {
        let cards = self.play.cards()?;
        let start = self
            .narrator
            .run_start(&self.play, &self.stage.verifier.tier(), &cards);
        self.sink.emit(&start);
        loop {
            let snapshot = self.stage.store.snapshot()?;
            let snapshot = snapshot.as_ref();
            let row = snapshot
                .run(&self.envelope.run_id)?
                .ok_or_else(|| bug("the run has no journal"))?;
            let Some(last_turn) = row.last_turn else {
                let play = self.play.clone();
                let propose =
                    |view: &dyn orket_kernel::StateView| proposal::load(&play, TurnId::FIRST, view);
                self.engine_turn(snapshot, TurnId::FIRST, None, Cause::Load, &propose)?;
                continue;
            };
            let turn_id = last_turn.next();
            // Somebody may have undone the loading.
            let board = self.board(snapshot)?;
            let is_loaded = |id: &CardId| board.iter().any(|card| card.id == *id);
            if !self.play.ids().iter().all(is_loaded) {
                let play = self.play.clone();
                let propose =
                    |view: &dyn orket_kernel::StateView| proposal::load(&play, turn_id, view);
                self.engine_turn(snapshot, turn_id, None, Cause::Load, &propose)?;
                continue;
            }
            // Another run may be writing what it promoted; its files are no foreign changes.
            let lock = self.stage.store.lock_output()?;
            let newest = self.stage.store.snapshot()?;
            projection::bring_output_forward(
                self.stage.store,
                self.stage.workspace,
                newest.as_ref(),
                &mut self.stamps,
            )?;
            drop(newest);
            drop(lock);
            match self.scan(snapshot)? {
                None => return self.end(snapshot),
                Some((card, step, role)) => {
                    if self.step(snapshot, &card, &step, &role, turn_id)? == Flowing::Stop {
                        return Ok(RunEnding::Stopped);
                    }
                }
            }
        }
    }

    /// Returns the cards of the play as they stand. A card that the epic no longer holds is not worked on.
    fn board(&self, snapshot: &dyn TurnSnapshot) -> Result<Vec<Card>, RunError> {
        board(snapshot, &self.play)
    }

    /// Identifies the next card and its step: the first that fits, of a role that is enabled.
    fn scan(
        &self,
        snapshot: &dyn TurnSnapshot,
    ) -> Result<Option<(Card, StepAsset, String)>, RunError> {
        let cards = self.board(snapshot)?;
        let next = ready(&cards)
            .into_iter()
            .filter(|card| self.only.as_ref().is_none_or(|only| *only == card.id))
            .find_map(|card| {
                let (step, role) = self.play.steps_for(card).find(|(step, role)| {
                    !self.disabled.contains(role)
                        && !self.skipped.contains(&(card.id.clone(), step.name.clone()))
                })?;
                Some((card.clone(), step.clone(), role))
            });
        Ok(next)
    }

    /// Takes one step: the Conductor before, one attempt or the end of patience, the Conductor after.
    fn step(
        &mut self,
        snapshot: &dyn TurnSnapshot,
        card: &Card,
        step: &StepAsset,
        role: &str,
        turn_id: TurnId,
    ) -> Result<Flowing, RunError> {
        let view = SessionView {
            flow: self.play.flow.name.clone(),
            step_index: self.steps,
            step: step.name.clone(),
            role: role.to_owned(),
            card: card.id.to_string(),
            transcript: self.transcript.clone(),
        };
        self.steps += 1;
        let before = self.conductor.before_step(&view);
        self.adjust(role, &before);
        if before.skip || self.disabled.contains(role) {
            let data = object! {
                "card" => card.id.as_str(),
                "role" => role,
                "step" => step.name.as_str(),
            };
            let event = self.narrator.event("step_skipped", data);
            self.sink.emit(&event);
            // A skipped step leaves the card as it is; without this the scan would find it for ever.
            self.skipped.insert((card.id.clone(), step.name.clone()));
        } else if !before.stop {
            let place = Place {
                turn_id,
                attempt: 1,
                card,
                step,
                role,
                refused: &[],
            };
            self.try_turn(snapshot, &place)?;
            self.transcript
                .push(format!("{turn_id}: {role} on {} in {}", card.id, step.name));
        }
        let after = self.conductor.after_step(&view);
        self.adjust(role, &after);
        Ok(if before.stop || after.stop {
            Flowing::Stop
        } else {
            Flowing::On
        })
    }

    fn adjust(&mut self, role: &str, adjustment: &Adjustment) {
        for role in &adjustment.enable {
            self.disabled.remove(role);
        }
        self.disabled.extend(adjustment.disable.iter().cloned());
        match adjustment.prompt_patch.as_deref() {
            None => {}
            Some("") => {
                self.patches.remove(role);
            }
            Some(patch) => {
                self.patches.insert(role.to_owned(), patch.to_owned());
            }
        }
    }

    fn try_turn(&mut self, snapshot: &dyn TurnSnapshot, place: &Place<'_>) -> Result<(), RunError> {
        let mut refused = Vec::new();
        let mut reasons = Vec::new();
        let (mut tried, mut failed) = (0, 0);
        for row in snapshot.attempts_at(&self.envelope.run_id, place.turn_id)? {
            tried += 1;
            let record = snapshot.turn_record(&row.record_digest)?;
            if record.card.as_ref() != Some(&place.card.id) {
                continue;
            }
            failed += 1;
            reasons = record.refusals.clone();
            // An answer that never came teaches the model nothing: the same prompt is sent again.
            if record.judged {
                refused.extend(record.refusals);
            }
        }
        let taken = snapshot
            .turns_of_card(&self.envelope.run_id, &place.card.id)?
            .len() as u64;
        let score = &self.play.score;
        let reasons = if failed >= score.attempts_per_turn {
            reasons
        } else if taken >= score.turns_per_card {
            vec![format!(
                "the card took {taken} turns, and {} are allowed",
                score.turns_per_card
            )]
        } else {
            let place = Place {
                attempt: tried + 1,
                refused: &refused,
                ..*place
            };
            self.attempt(snapshot, &place)?;
            return Ok(());
        };
        let mut cards = self.play.ids();
        let created: Vec<CardId> = self
            .board(snapshot)?
            .into_iter()
            .map(|card| card.id)
            .filter(|id| !cards.contains(id))
            .collect();
        cards.extend(created.iter().cloned());
        let propose = |view: &dyn orket_kernel::StateView| {
            proposal::give_up(&cards, &place.card.id, &reasons, place.turn_id, view)
        };
        let cause = Cause::GiveUp {
            reasons: reasons.clone(),
            created,
        };
        let end = self.engine_turn(snapshot, place.turn_id, Some(place.card), cause, &propose)?;
        debug_assert_ne!(end, AttemptEnd::Refused);
        Ok(())
    }

    fn end(&mut self, snapshot: &dyn TurnSnapshot) -> Result<RunEnding, RunError> {
        let cards = self.board(snapshot)?;
        let finished = cards.iter().all(|card| card.status.is_finished());
        // What a person kept from being done may be done in the next session.
        let held_back = !self.disabled.is_empty() || !self.skipped.is_empty();
        if (self.only.is_some() || held_back) && !finished {
            return Ok(RunEnding::Stopped);
        }
        let state = if finished {
            RunState::Passed
        } else {
            RunState::Failed
        };
        let data = object! {
            "state" => state.as_str(),
            "state_digest" => snapshot.state_digest().to_hex(),
            "stalls" => stall(&cards)
                .iter()
                .map(|s| object! { "card" => s.card.as_str(), "reason" => s.reason.as_str() })
                .collect::<Vec<_>>(),
        };
        let end = RunEnd {
            run_id: self.envelope.run_id.clone(),
            fence: self.lease.fence(),
            state,
            events: vec![self.narrator.event("run_end", data)],
        };
        let events = self.stage.store.end_run(&end)?;
        let _lock = self.stage.store.lock_output()?;
        projection::append_log(self.stage.workspace, &events)?;
        for event in &events {
            self.sink.emit(event);
        }
        Ok(if finished {
            RunEnding::Done
        } else {
            RunEnding::Incomplete
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flowing {
    On,
    Stop,
}
