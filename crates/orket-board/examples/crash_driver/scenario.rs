//! The scenarios: what a home holds before, and what is then done to it.

use std::fs;
use std::io::Write;
use std::path::Path;

use orket_board::Board;
use orket_cards::{ExchangePlace, RunEnd, RunState, TurnCommit, TurnStore};
use orket_kernel::capability::Policy;
use orket_kernel::{
    Profile, RunEnvelope, RunHandle, RunId, TurnId, execute_turn, object, plan_promotion,
};
use orket_lsi::{Retention, Sweep};
use orket_ports::Event;

use crate::Outcome;
use crate::turns::{self, EPIC, RUN, TurnText};

/// One thing that is done to a home.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// A home is made, and the first turn of all promoted.
    First,
    /// A turn with one card.
    One,
    /// A turn with a hundred cards.
    Hundred,
    /// A turn that deletes five cards and changes one.
    Deletion,
    /// Eight turns, one after the other.
    Batch,
    /// A turn with a record over 1 MiB, which lies beside the database.
    Large,
    /// A turn with an artefact over 1 MiB, which is streamed.
    Streamed,
    /// Turns that fill the log, so that it is brought into the database.
    Checkpoint,
    /// The view is behind, and brought forward.
    View,
    /// The view is not there, and written anew.
    Rebuild,
    /// A home whose last process was killed is opened and tidied up.
    Recovery,
    /// The history and the records of a run that has ended are dropped, among them a record that lies beside the database.
    Collect,
}

const NAMES: &[(&str, Scenario)] = &[
    ("first", Scenario::First),
    ("one", Scenario::One),
    ("hundred", Scenario::Hundred),
    ("deletion", Scenario::Deletion),
    ("batch", Scenario::Batch),
    ("large", Scenario::Large),
    ("streamed", Scenario::Streamed),
    ("checkpoint", Scenario::Checkpoint),
    ("view", Scenario::View),
    ("rebuild", Scenario::Rebuild),
    ("recovery", Scenario::Recovery),
    ("collect", Scenario::Collect),
];

impl Scenario {
    pub(crate) fn parse(name: &str) -> Outcome<Scenario> {
        let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, scenario)| *scenario)
            .ok_or_else(|| format!("{name} is none of {}", known.join(", ")).into())
    }

    /// The turns that are promoted before, and those that the scenario promotes.
    fn turns(self) -> (Vec<TurnText>, Vec<TurnText>) {
        let puts = |numbers: std::ops::Range<u64>| TurnText {
            puts: numbers.collect(),
            ..TurnText::default()
        };
        let base = vec![puts(0..20)];
        let more = |count: u64| (0..count).map(move |turn| puts(20 + turn * 2..22 + turn * 2));
        match self {
            Scenario::First => (Vec::new(), vec![puts(0..3)]),
            Scenario::One => (base, vec![puts(20..21)]),
            Scenario::Hundred => (base, vec![puts(20..120)]),
            Scenario::Deletion => {
                let mut deletion = puts(3..4);
                deletion.deletions = (15..20).collect();
                (base, vec![deletion])
            }
            Scenario::Batch => (base, more(8).collect()),
            Scenario::Large => {
                let mut large = puts(20..22);
                large.evidence_bytes = 3 << 19;
                (base, vec![large])
            }
            Scenario::Streamed => {
                let mut streamed = puts(20..22);
                streamed.artifact_bytes = 3 << 19;
                (base, vec![streamed])
            }
            Scenario::Checkpoint => {
                let full = more(8).map(|turn| TurnText {
                    evidence_bytes: 768 << 10,
                    ..turn
                });
                (base, full.collect())
            }
            Scenario::View | Scenario::Rebuild | Scenario::Recovery | Scenario::Collect => {
                let mut before = base;
                if self == Scenario::Collect {
                    before[0].evidence_bytes = 3 << 19;
                }
                before.extend(more(4));
                let mut deletion = puts(3..4);
                deletion.deletions = vec![27];
                before.push(deletion);
                (before, Vec::new())
            }
        }
    }

    pub(crate) fn prepare(self, home: &Path) -> Outcome<()> {
        let (before, _) = self.turns();
        if before.is_empty() {
            return Ok(());
        }
        let board = Board::open(home)?;
        let mut session = Session::begin(&board)?;
        for (number, turn) in before.iter().enumerate() {
            let is_projected = self != Scenario::View || number == 0;
            session.promote(turn, is_projected)?;
        }
        match self {
            Scenario::Collect => {
                board.end_run(&RunEnd {
                    run_id: RunId::parse(RUN)?,
                    fence: session.fence,
                    state: RunState::Passed,
                    events: Vec::new(),
                })?;
            }
            Scenario::Rebuild => fs::remove_dir_all(home.join("index/committed"))?,
            Scenario::Recovery => {
                for turn in 5..8 {
                    let place = ExchangePlace {
                        run_id: RunId::parse(RUN)?,
                        turn_id: TurnId::new(turn).ok_or("a turn begins at 1")?,
                        attempt: 1,
                        exchange: 1,
                    };
                    board.stage_exchange(&place, b"{}")?;
                }
                drop(session);
                drop(board);
                fs::remove_file(home.join("durable/db/orket_persistence.db-shm"))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Promotes the turns that are not promoted yet, and brings the projections up to date.
    pub(crate) fn act(self, home: &Path) -> Outcome<()> {
        let (before, turns) = self.turns();
        let board = Board::open(home)?;
        if self == Scenario::Collect {
            let policy = Retention {
                generations: Some(1),
                runs: Some(0),
                bytes: None,
            };
            board.collect(&policy, Sweep::Apply)?;
            return Ok(board.project_view()?);
        }
        let mut session = Session::begin(&board)?;
        let done = usize::try_from(session.last_turn()?)?.saturating_sub(before.len());
        // What a killed process had staged is staged again; what it promoted needs no staging any more.
        for turn_id in board.staged_turns(&session.envelope.run_id)? {
            board.discard_staging(&session.envelope.run_id, turn_id)?;
        }
        for turn in turns.iter().skip(done) {
            session.promote(turn, true)?;
        }
        session.project()
    }
}

/// One run on a board, held by its lease.
struct Session<'a> {
    board: &'a Board,
    envelope: RunEnvelope,
    handle: RunHandle,
    fence: u64,
    _lease: Box<dyn orket_cards::Lease>,
}

impl Session<'_> {
    fn begin(board: &Board) -> Outcome<Session<'_>> {
        let run_id = RunId::parse(RUN)?;
        let envelope = RunEnvelope::new(
            run_id.clone(),
            "flow",
            "venue",
            Policy::deny_all(),
            Profile::orket(),
            object! {},
        );
        let lease = board.lease(&run_id)?;
        let handle = board.start_run(&envelope, EPIC, lease.fence())?;
        Ok(Session {
            board,
            envelope,
            handle,
            fence: lease.fence(),
            _lease: lease,
        })
    }

    /// Returns the number of the last promoted turn, 0 if there is none.
    fn last_turn(&self) -> Outcome<u64> {
        let run = self.board.snapshot()?.run(&self.envelope.run_id)?;
        Ok(run.and_then(|run| run.last_turn).map_or(0, TurnId::number))
    }

    /// Stages, commits, acknowledges and projects one turn, in the order of the Orchestrator.
    fn promote(&mut self, turn: &TurnText, is_projected: bool) -> Outcome<()> {
        let run_id = &self.envelope.run_id;
        let turn_id = TurnId::new(self.last_turn()? + 1).ok_or("a turn begins at 1")?;
        let snapshot = self.board.snapshot()?;
        let evidence = turn.evidence(turn_id);
        for bytes in &evidence {
            let place = ExchangePlace {
                run_id: run_id.clone(),
                turn_id,
                attempt: 1,
                exchange: 1,
            };
            self.board.stage_exchange(&place, bytes)?;
        }
        let input = turn.input(turn_id)?;
        let execution = execute_turn(&self.envelope, &self.handle, &input, snapshot.state());
        let Some(staged) = execution.staged else {
            return Err(format!("the turn was refused: {:?}", execution.result.issues).into());
        };
        self.board.stage_turn(&staged)?;
        let (plan, _) = plan_promotion(&staged, snapshot.state())?;
        let event = Event {
            version: orket_ports::event::EVENT_VERSION.into(),
            run_id: run_id.to_string(),
            seq: None,
            time: "2026-01-01T00:00:00Z".into(),
            event: "turn_complete".into(),
            data: object! { "turn" => turn_id.to_string() },
        };
        let commit = TurnCommit {
            base_generation: snapshot.generation(),
            fence: self.fence,
            plan,
            record: turns::record(turn_id, execution.result, execution.reads.to_value()),
            evidence,
            events: vec![event],
        };
        drop(snapshot);
        let committed = self.board.commit(&commit)?;
        writeln!(
            std::io::stdout(),
            "ack {} {}",
            committed.generation,
            committed.state_digest
        )?;
        self.board.discard_staging(run_id, turn_id)?;
        if is_projected {
            self.project()?;
        }
        Ok(())
    }

    fn project(&self) -> Outcome<()> {
        let generation = self.board.snapshot()?.generation();
        let lock = self.board.lock_output()?;
        self.board.note_output_generation(generation)?;
        drop(lock);
        Ok(self.board.project_view()?)
    }
}
