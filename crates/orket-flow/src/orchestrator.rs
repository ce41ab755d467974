//! The Orchestrator: the traction loop over the cards of an epic.

use std::collections::{BTreeMap, BTreeSet};

use orket_cards::{
    Card, CardId, Cause, Lease, RunEnd, RunRow, RunState, Tokens, TurnSnapshot, TurnStore, ready,
    stall,
};
use orket_kernel::canonical;
use orket_kernel::{Profile, RunEnvelope, RunHandle, RunId, TurnId, object};
use orket_ports::model::Cancellation;
use orket_ports::{
    Adjustment, Clock, Conductor, EventSink, ModelProvider, SessionView, Verifier, Workspace,
};

use crate::attempt::{AttemptEnd, Place, bug};
use crate::error::RunError;
use crate::govern::Tools;
use crate::narrative::Narrator;
use crate::play::Play;
use crate::projection;
use crate::proposal;
use crate::scope::artifact_entry;
use crate::summary::{RunEnding, RunSummary};

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
}

/// A run while it is played.
pub(crate) struct Session<'a> {
    pub(crate) stage: &'a Stage<'a>,
    pub(crate) sink: &'a mut dyn EventSink,
    pub(crate) conductor: &'a mut dyn Conductor,
    pub(crate) play: Play,
    pub(crate) envelope: RunEnvelope,
    pub(crate) handle: RunHandle,
    pub(crate) lease: Box<dyn Lease>,
    pub(crate) narrator: Narrator<'a>,
    pub(crate) patches: BTreeMap<String, String>,
    disabled: BTreeSet<String>,
    transcript: Vec<String>,
    steps: u64,
    only: Option<CardId>,
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
    let (run_id, known) = {
        let snapshot = stage.store.snapshot()?;
        if let Some(card) = &options.card
            && !play.cards()?.iter().any(|defined| defined.id == *card)
        {
            return Err(RunError::NoCard {
                card: card.to_string(),
            });
        }
        match choose_run(snapshot.as_ref(), &play, options)? {
            Some((run_id, known)) => (run_id, known),
            None => {
                let latest = snapshot
                    .runs(Some(&play.epic.name))?
                    .pop()
                    .map(|run| run.run_id);
                drop(snapshot);
                projection::bring_forward(stage, latest.as_ref())?;
                let snapshot = stage.store.snapshot()?;
                return summarize(
                    stage,
                    snapshot.as_ref(),
                    &play,
                    None,
                    RunEnding::NothingToDo,
                );
            }
        }
    };
    let lease = stage.store.lease(&run_id)?;
    let envelope = match known {
        // A run goes on with what was fixed when it began.
        Some(row) => row.envelope,
        None => new_envelope(&run_id, &play)?,
    };
    let play: Play = canonical::from_value(envelope.host.clone())
        .map_err(|error| bug(&format!("the play of the run cannot be read: {error}")))?;
    let handle = stage
        .store
        .start_run(&envelope, &play.epic.name, lease.fence())?;
    projection::bring_forward(stage, Some(&run_id))?;
    let mut session = Session {
        stage,
        sink,
        conductor,
        narrator: Narrator {
            run_id: run_id.clone(),
            clock: stage.clock,
        },
        play,
        envelope,
        handle,
        lease,
        patches: BTreeMap::new(),
        disabled: BTreeSet::new(),
        transcript: Vec::new(),
        steps: 0,
        only: options.card.clone(),
    };
    let ending = session.play_on()?;
    let snapshot = stage.store.snapshot()?;
    summarize(
        stage,
        snapshot.as_ref(),
        &session.play,
        Some(&run_id),
        ending,
    )
}

/// Chooses the run to start, or to continue if its row is known; `None` if there is nothing to do.
fn choose_run(
    snapshot: &dyn TurnSnapshot,
    play: &Play,
    options: &RunOptions,
) -> Result<Option<(RunId, Option<RunRow>)>, RunError> {
    let epic = &play.epic.name;
    let runs = snapshot.runs(Some(epic))?;
    let open = runs.iter().find(|run| run.state == RunState::Open);
    if let Some(run_id) = &options.run_id {
        match snapshot.run(run_id)? {
            Some(row) if row.epic != *epic => {
                return Err(RunError::OtherEpic {
                    run: run_id.to_string(),
                    epic: row.epic,
                });
            }
            Some(row) if row.state == RunState::Open => {
                return Ok(Some((run_id.clone(), Some(row))));
            }
            Some(row) => {
                let state = row.state.as_str();
                return Err(RunError::Ended {
                    run: run_id.to_string(),
                    state,
                });
            }
            None => {}
        }
    }
    if let Some(open) = open {
        return match &options.run_id {
            None => Ok(Some((open.run_id.clone(), Some(open.clone())))),
            Some(_) => Err(RunError::AnotherRun {
                epic: epic.clone(),
                open: open.run_id.to_string(),
            }),
        };
    }
    if !has_work(snapshot, play, options)? {
        return Ok(None);
    }
    let run_id = match &options.run_id {
        Some(run_id) => run_id.clone(),
        None => free_run_id(snapshot, epic, runs.len())?,
    };
    Ok(Some((run_id, None)))
}

/// Tells whether a card of the epic is not terminal, or not on the board yet.
fn has_work(
    snapshot: &dyn TurnSnapshot,
    play: &Play,
    options: &RunOptions,
) -> Result<bool, RunError> {
    let board = snapshot.cards(Some(&play.epic.name))?;
    Ok(play.cards()?.iter().any(|defined| {
        let wanted = options.card.as_ref().is_none_or(|card| *card == defined.id);
        let known = board.iter().find(|card| card.id == defined.id);
        wanted && known.is_none_or(|card| !card.status.is_terminal())
    }))
}

fn free_run_id(snapshot: &dyn TurnSnapshot, epic: &str, known: usize) -> Result<RunId, RunError> {
    let mut number = known + 1;
    loop {
        let run_id = RunId::parse(&format!("{epic}-{number}"))?;
        if snapshot.run(&run_id)?.is_none() {
            return Ok(run_id);
        }
        number += 1;
    }
}

fn new_envelope(run_id: &RunId, play: &Play) -> Result<RunEnvelope, RunError> {
    Ok(RunEnvelope::new(
        run_id.clone(),
        play.epic.name.clone(),
        play.venue.name.clone(),
        play.policy(),
        Profile::orket(),
        canonical::to_value(play)?,
    ))
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
            match self.scan(snapshot)? {
                None => return self.end(snapshot),
                Some(card) => {
                    if self.step(snapshot, &card, turn_id)? == Flowing::Stop {
                        return Ok(RunEnding::Stopped);
                    }
                }
            }
        }
    }

    /// Identifies the next card, with a step of the score whose role is enabled; `None` if nothing can be done.
    fn scan(&self, snapshot: &dyn TurnSnapshot) -> Result<Option<Card>, RunError> {
        let cards = snapshot.cards(Some(&self.play.epic.name))?;
        let next = ready(&cards)
            .into_iter()
            .filter(|card| self.only.as_ref().is_none_or(|only| *only == card.id))
            .find(|card| {
                let step = self.play.step_for(card);
                step.is_some_and(|(_, role)| !self.disabled.contains(&role))
            });
        Ok(next.cloned())
    }

    /// Takes one step: the Conductor before, one attempt or the end of patience, the Conductor after.
    fn step(
        &mut self,
        snapshot: &dyn TurnSnapshot,
        card: &Card,
        turn_id: TurnId,
    ) -> Result<Flowing, RunError> {
        let play = self.play.clone();
        let Some((step, role)) = play.step_for(card) else {
            return Err(bug("a card was chosen that no step acts on"));
        };
        let view = SessionView {
            flow: self.play.flow.name.clone(),
            step_index: self.steps,
            step: step.name.clone(),
            role: role.clone(),
            card: card.id.to_string(),
            transcript: self.transcript.clone(),
        };
        self.steps += 1;
        let before = self.conductor.before_step(&view);
        self.adjust(&role, &before);
        if before.skip {
            let data = object! {
                "card" => card.id.as_str(),
                "role" => role.as_str(),
                "step" => step.name.as_str(),
            };
            let event = self.narrator.event("step_skipped", data);
            self.sink.emit(&event);
            // A skipped step leaves the card as it is; without this the scan would find it for ever.
            self.disabled.insert(role.clone());
        } else if !before.stop {
            self.try_turn(
                snapshot,
                &Place {
                    turn_id,
                    attempt: 1,
                    card,
                    step,
                    role: &role,
                    refused: &[],
                },
            )?;
            self.transcript
                .push(format!("{turn_id}: {role} on {} in {}", card.id, step.name));
        }
        let after = self.conductor.after_step(&view);
        self.adjust(&role, &after);
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
        let mut failed = 0;
        for row in snapshot.attempts(&self.envelope.run_id)? {
            if row.turn_id == place.turn_id {
                let record = snapshot.turn_record(&row.record_digest)?;
                if record.card.as_ref() == Some(&place.card.id) {
                    refused = record.refusals;
                }
                failed += 1;
            }
        }
        let taken = snapshot
            .turns(&self.envelope.run_id)?
            .iter()
            .filter(|turn| turn.card.as_ref() == Some(&place.card.id))
            .count() as u64;
        let score = &self.play.score;
        let reasons = if failed >= score.attempts_per_turn {
            refused.clone()
        } else if taken >= score.turns_per_card {
            vec![format!(
                "the card took {taken} turns, and {} are allowed",
                score.turns_per_card
            )]
        } else {
            let place = Place {
                attempt: failed + 1,
                refused: &refused,
                ..*place
            };
            self.attempt(snapshot, &place)?;
            return Ok(());
        };
        let cards = self.play.cards()?;
        let propose = |view: &dyn orket_kernel::StateView| {
            proposal::give_up(&cards, &place.card.id, &reasons, place.turn_id, view)
        };
        let cause = Cause::GiveUp {
            reasons: reasons.clone(),
        };
        let end = self.engine_turn(snapshot, place.turn_id, Some(place.card), cause, &propose)?;
        debug_assert_ne!(end, AttemptEnd::Refused);
        Ok(())
    }

    fn end(&mut self, snapshot: &dyn TurnSnapshot) -> Result<RunEnding, RunError> {
        let cards = snapshot.cards(Some(&self.play.epic.name))?;
        let finished = cards.iter().all(|card| card.status.is_finished());
        if self.only.is_some() && !finished {
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

fn summarize(
    stage: &Stage<'_>,
    snapshot: &dyn TurnSnapshot,
    play: &Play,
    run_id: Option<&RunId>,
    ending: RunEnding,
) -> Result<RunSummary, RunError> {
    let cards = snapshot.cards(Some(&play.epic.name))?;
    let mut files = Vec::new();
    for stem in snapshot.state().stems("artifact/")? {
        if let Some((digest, _)) = artifact_entry(snapshot.state(), stem.name())? {
            files.push((stem.name().to_owned(), digest));
        }
    }
    let mut summary = RunSummary {
        epic: play.epic.name.clone(),
        run_id: run_id.map(ToString::to_string),
        ending,
        stalls: stall(&cards),
        cards,
        turns: 0,
        refused_attempts: 0,
        corrected_turns: 0,
        files,
        tokens: Tokens::default(),
        sandbox_tier: stage.verifier.tier(),
        state_digest: snapshot.state_digest(),
        last_turn: None,
    };
    let Some(run_id) = run_id else {
        return Ok(summary);
    };
    let turns = snapshot.turns(run_id)?;
    let attempts = snapshot.attempts(run_id)?;
    summary.turns = turns.len() as u64;
    summary.refused_attempts = attempts.len() as u64;
    summary.last_turn = turns.last().map(|turn| {
        let card = turn.card.as_ref().map_or("-", CardId::as_str);
        format!("{run_id}:{card}:{}", turn.turn_id.number())
    });
    let records = turns
        .iter()
        .map(|t| t.record_digest)
        .chain(attempts.iter().map(|a| a.record_digest));
    for digest in records {
        let record = snapshot.turn_record(&digest)?;
        summary.tokens.prompt += record.tokens.prompt;
        summary.tokens.completion += record.tokens.completion;
        if record.refusals.is_empty() && record.exchanges.len() > 1 {
            summary.corrected_turns += 1;
        }
    }
    Ok(summary)
}
