//! A history is played: each action is done by the kernel and by the model.

use orket_kernel::{
    Code, Digest, EvidencePolicy, Finish, Kernel, KernelError, Outcome, PromotionReport,
    RunDescriptor, RunEnvelope, RunStatus, StateStore, TurnId, TurnInput,
};

use super::super::world::{envelope, run_id, stem};
use super::action::{Action, SLOTS};
use super::check;
use super::model::{Board, Change, Expected, Model, NAMES, Run, Staged};

/// What is known of a store while it is closed.
#[derive(Default)]
pub(super) struct Memory {
    model: Model,
    /// The run of each slot.
    open: [Option<usize>; SLOTS],
}

pub(super) struct Play<'k, S: StateStore> {
    kernel: &'k Kernel<S>,
    model: Model,
    /// The run of each slot.
    open: [Option<usize>; SLOTS],
    snapshots: Vec<(S::Committed<'k>, Model)>,
}

impl<'k, S: StateStore> Play<'k, S> {
    pub(super) fn new(kernel: &'k Kernel<S>) -> Play<'k, S> {
        Play::resume(kernel, Memory::default())
    }

    /// Goes on with a store that was opened again.
    pub(super) fn resume(kernel: &'k Kernel<S>, memory: Memory) -> Play<'k, S> {
        Play {
            kernel,
            model: memory.model,
            open: memory.open,
            snapshots: Vec::new(),
        }
    }

    /// Ends here for now: snapshots are as they were.
    pub(super) fn suspend(self) -> Memory {
        self.check_snapshots();
        Memory {
            model: self.model,
            open: self.open,
        }
    }

    pub(super) fn act(&mut self, action: &Action) {
        match action {
            Action::Execute {
                slot,
                change,
                again,
            } => self.execute(*slot, change, *again),
            Action::Promote { slot, beyond } => self.promote(*slot, *beyond),
            Action::Finish { slot, finish } => self.finish(*slot, *finish),
            Action::Snapshot => {
                let snapshot = self.kernel.store().committed().unwrap();
                self.snapshots.push((snapshot, self.model.clone()));
            }
        }
        self.check();
    }

    /// The store was swept: it is as before, but for what runs that have ended had staged.
    pub(super) fn collected(&mut self) {
        self.model.collected();
        self.check();
    }

    pub(super) fn state_digest(&self) -> Digest {
        self.model.board.digest()
    }

    /// Compares the store with the model.
    pub(super) fn check(&self) {
        check::view(&self.kernel.store().committed().unwrap(), &self.model);
        check::staging(self.kernel.store(), &self.model);
    }

    fn check_snapshots(&self) {
        for (snapshot, model) in &self.snapshots {
            check::view(snapshot, model);
        }
    }

    /// Looks at the end: snapshots are as they were, and every run replays; one without a promoted turn must fail.
    pub(super) fn end(&self) {
        self.check_snapshots();
        for run in &self.model.runs {
            let run_id = run_id(&run.name);
            let descriptor = RunDescriptor {
                run_id: run_id.clone(),
                envelope_digest: None,
            };
            let expected = if run.promoted > 0 {
                Outcome::Pass
            } else {
                Outcome::Fail
            };
            let report = self.kernel.replay_run(&descriptor).unwrap();
            assert_eq!(report.outcome, expected, "{:?}", report.issues);
            let report = self.kernel.compare_runs(&run_id, &run_id).unwrap();
            assert_eq!(report.outcome, expected, "{:?}", report.issues);
        }
    }

    fn execute(&mut self, slot: usize, change: &Change, again: bool) {
        let index = self.run_of(slot);
        let run = &self.model.runs[index];
        let kept = run.staged.len() - usize::from(again && !run.staged.is_empty());
        let earlier = &run.staged[..kept];
        let number = run.promoted + earlier.len() as u64 + 1;
        let turn_id = TurnId::new(number).unwrap();
        let mut seen = self.model.board.clone();
        for staged in earlier {
            seen.apply(&staged.change, staged.turn_id);
        }
        let input = TurnInput {
            triplets: change
                .puts
                .iter()
                .map(|(name, card)| card.triplet(*name))
                .collect(),
            deletions: change
                .deletions
                .iter()
                .map(|name| stem(NAMES[*name]))
                .collect(),
            ..TurnInput::empty(turn_id)
        };
        let mut open = self.kernel.start_run(&self.envelope(index)).unwrap();
        let execution = open.execute_turn(&input).unwrap();
        let passes = seen.admits(change);
        let issues = &execution.result.issues;
        assert_eq!(
            execution.result.outcome == Outcome::Pass,
            passes,
            "{issues:?}"
        );
        // An attempt that fails leaves the earlier one where it is.
        if passes {
            let staged = Staged {
                turn_id,
                change: change.clone(),
                seen,
                foreign: self.model.foreign(index),
            };
            let run = &mut self.model.runs[index];
            run.staged.truncate(kept);
            run.staged.push(staged);
        }
    }

    fn promote(&mut self, slot: usize, beyond: u64) {
        let index = self.run_of(slot);
        let run = &self.model.runs[index];
        let turn_id = TurnId::new(run.promoted + 1 + beyond).unwrap();
        let staged = run
            .staged
            .iter()
            .find(|staged| staged.turn_id == turn_id)
            .cloned();
        let mut open = self.kernel.start_run(&self.envelope(index)).unwrap();
        let result = open.commit_turn(turn_id);
        let Some(staged) = staged else {
            assert_eq!(refusal(&result), "not_staged");
            return;
        };
        if beyond > 0 {
            assert_eq!(refusal(&result), "turn_order");
            return;
        }
        let expected = self.model.expected(index, &staged, &self.model.board);
        let Ok(report) = result else {
            assert_eq!(refusal(&result), "stale");
            assert_ne!(expected, Expected::Promoted, "{staged:?}");
            return;
        };
        assert_ne!(expected, Expected::Refused, "{staged:?}");
        self.promoted(index, &staged, &report);
        self.model.runs[index].staged.remove(0);
    }

    /// Brings the model forward by one promotion.
    fn promoted(&mut self, index: usize, staged: &Staged, report: &PromotionReport) {
        let before = self.model.board.clone();
        assert!(before.admits(&staged.change), "{staged:?}");
        self.model.board.apply(&staged.change, staged.turn_id);
        self.model.generation += 1;
        self.model.runs[index].promoted += 1;
        assert_eq!(report.turn_id, staged.turn_id);
        assert_eq!(report.generation, self.model.generation);
        assert_eq!(report.state_digest, self.model.board.digest());
        let codes: Vec<Code> = report.issues.iter().map(|issue| issue.code).collect();
        let is_noop = self.model.board.agrees(&before);
        assert_eq!(codes.contains(&Code::NoopPromotion), is_noop);
        assert_eq!(codes.contains(&Code::PromotionPass), !is_noop);
        let is_told = codes.contains(&Code::RefMultisource);
        assert_eq!(
            is_told,
            has_collision(&before, &self.model.board, &staged.change)
        );
    }

    fn finish(&mut self, slot: usize, finish: Finish) {
        let index = self.run_of(slot);
        let staged = self.model.runs[index].staged.clone();
        let open = self.kernel.start_run(&self.envelope(index)).unwrap();
        let result = open.finish(finish);
        if finish == Finish::Commit {
            let mut board = self.model.board.clone();
            let mut expected = Vec::new();
            for staged in &staged {
                expected.push(self.model.expected(index, staged, &board));
                board.apply(&staged.change, staged.turn_id);
            }
            if result.is_err() {
                assert_eq!(refusal(&result), "stale");
                assert!(
                    expected.iter().any(|it| *it != Expected::Promoted),
                    "{staged:?}"
                );
                return;
            }
            assert!(!expected.contains(&Expected::Refused), "{staged:?}");
        }
        let summary = result.unwrap();
        let status = match finish {
            Finish::Leave => RunStatus::Open,
            Finish::Commit => RunStatus::Passed,
            Finish::Discard => RunStatus::Failed,
        };
        assert_eq!(summary.status, status);
        match finish {
            Finish::Leave => return,
            Finish::Commit => {
                assert_eq!(summary.promoted.len(), staged.len());
                for (staged, report) in staged.iter().zip(&summary.promoted) {
                    self.promoted(index, staged, report);
                }
                self.model.runs[index].finished = Some(Outcome::Pass);
                self.model.runs[index].staged.clear();
            }
            Finish::Discard => {
                let run = &mut self.model.runs[index];
                run.finished = Some(Outcome::Fail);
                if !run.retains {
                    run.staged.clear();
                }
            }
        }
        assert_eq!(summary.state_digest, self.model.board.digest());
        self.open[slot] = None;
    }

    /// Returns the open run of a slot, which is started if there is none.
    fn run_of(&mut self, slot: usize) -> usize {
        if let Some(index) = self.open[slot] {
            return index;
        }
        let index = self.model.runs.len();
        self.model.runs.push(Run {
            name: format!("run-{index}"),
            retains: slot == 1,
            promoted: 0,
            finished: None,
            staged: Vec::new(),
        });
        self.open[slot] = Some(index);
        self.kernel.start_run(&self.envelope(index)).unwrap();
        index
    }

    fn envelope(&self, index: usize) -> RunEnvelope {
        let run = &self.model.runs[index];
        let evidence = if run.retains {
            EvidencePolicy::Retain
        } else {
            EvidencePolicy::Discard
        };
        envelope(&run.name).with_evidence(evidence)
    }
}

/// Tells whether a change enters a reference to an id that another stem references too.
fn has_collision(before: &Board, after: &Board, change: &Change) -> bool {
    let changed = change.puts.iter().filter(|(name, card)| {
        let earlier = before.0.get(name);
        earlier.is_none_or(|(earlier, _)| earlier != *card)
    });
    let mut entered = changed.flat_map(|(_, card)| &card.needs);
    entered.any(|needed| after.sources(*needed).len() > 1)
}

/// Returns the word of the rule by which the kernel refused.
fn refusal<T>(result: &Result<T, KernelError>) -> &str {
    let Err(KernelError::Refused(issues)) = result else {
        let error = result.as_ref().err();
        panic!("it should be refused by the law: {error:?}");
    };
    assert_eq!(issues[0].code, Code::LsiPromotionFailed);
    let reason = issues[0].details.get("reason").and_then(|it| it.as_str());
    reason.unwrap_or_default()
}
