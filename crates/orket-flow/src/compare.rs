//! Comparing two runs: do they come to the same, turn by turn, whoever ran them and wherever?

use orket_cards::TurnSnapshot;
use orket_kernel::canonical;
use orket_kernel::{Digest, Divergence, RunId, Stage, TurnId, TurnResult, compare_results};

use crate::replay::{ReplayError, promoted_turns, recorded_result};

/// What a run came to, as it is recorded. It holds at least one turn, and its turns are numbered from 1 without a gap.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    turns: Vec<TurnResult>,
    last_turn: TurnId,
    state_digest: Digest,
}

impl RecordedRun {
    /// Reads the results of a run. What is empty or malformed is a failure: it is never equal to anything.
    ///
    /// # Errors
    /// Says what is missing or malformed.
    pub fn read(snapshot: &dyn TurnSnapshot, run_id: &RunId) -> Result<RecordedRun, ReplayError> {
        let (_, rows) = promoted_turns(snapshot, run_id)?;
        let last = rows.last().ok_or_else(|| ReplayError::NoTurns {
            run: run_id.clone(),
        })?;
        let turns = rows
            .iter()
            .map(|row| Ok(recorded_result(snapshot, run_id, row)?.1))
            .collect::<Result<_, ReplayError>>()?;
        Ok(RecordedRun {
            turns,
            last_turn: last.turn_id,
            state_digest: last.state_digest,
        })
    }

    /// Returns how many turns the run has.
    pub fn turns(&self) -> usize {
        self.turns.len()
    }

    /// Returns the state digest after the last turn.
    pub fn state_digest(&self) -> Digest {
        self.state_digest
    }
}

/// Names every structural difference between two runs, by turn: first of the results, last of the state.
///
/// In a [`Divergence`] `recorded` is what the first run has, `replayed` what the second one has. Names of runs, venues,
/// times, messages and events are not compared.
pub fn compare_runs(one: &RecordedRun, two: &RecordedRun) -> Vec<Divergence> {
    let mut divergences: Vec<Divergence> = one
        .turns
        .iter()
        .zip(&two.turns)
        .flat_map(|(one, two)| compare_results(one, two))
        .collect();
    let shared = one.turns.len().min(two.turns.len());
    let present = |turn: &TurnResult| canonical::to_string(&turn.turn_id.to_string().into());
    for turn in &one.turns[shared..] {
        divergences.push(divergence(
            turn.turn_id,
            "/turn_id",
            present(turn),
            absent(),
        ));
    }
    for turn in &two.turns[shared..] {
        divergences.push(divergence(
            turn.turn_id,
            "/turn_id",
            absent(),
            present(turn),
        ));
    }
    if one.state_digest != two.state_digest {
        let quoted = |digest: Digest| canonical::to_string(&digest.to_hex().into());
        divergences.push(divergence(
            one.last_turn.max(two.last_turn),
            "/state_digest",
            quoted(one.state_digest),
            quoted(two.state_digest),
        ));
    }
    divergences
}

fn absent() -> String {
    "absent".into()
}

fn divergence(turn_id: TurnId, location: &str, one: String, two: String) -> Divergence {
    Divergence {
        turn_id,
        stage: Stage::Determinism,
        location: location.into(),
        recorded: one,
        replayed: two,
    }
}

#[cfg(test)]
mod tests {
    use orket_kernel::{CONTRACT_VERSION, Outcome, object};

    use super::*;

    /// A run with this many turns whose last state is this.
    fn run(name: &str, turns: u64, state: &str) -> RecordedRun {
        let turns: Vec<TurnResult> = (1..=turns)
            .filter_map(TurnId::new)
            .map(|turn_id| TurnResult {
                contract_version: CONTRACT_VERSION.into(),
                run_id: name.into(),
                turn_id,
                outcome: Outcome::Pass,
                stage: Stage::Determinism,
                issues: Vec::new(),
                transition_evidence: object! { "inputs_digest" => "0" },
                events: vec![format!("told by {name}")],
            })
            .collect();
        RecordedRun {
            last_turn: turns.last().unwrap().turn_id,
            turns,
            state_digest: canonical::digest(&state.into()),
        }
    }

    #[track_caller]
    fn check(one: &RecordedRun, two: &RecordedRun, expected: &[&str]) {
        let found: Vec<String> = compare_runs(one, two)
            .iter()
            .map(|it| format!("{} {} {}", it.turn_id, it.stage, it.location))
            .collect();
        assert_eq!(found, expected);
        // The other way round the same places are named.
        assert_eq!(compare_runs(two, one).len(), expected.len());
    }

    #[test]
    fn the_name_of_a_run_and_what_it_tells_are_not_compared() {
        check(&run("a", 3, "s"), &run("b", 3, "s"), &[]);
    }

    #[test]
    fn every_divergence_is_named_by_turn_stage_and_location() {
        let mut other = run("b", 3, "t");
        other.turns[0].outcome = Outcome::Fail;
        other.turns[1].transition_evidence = object! { "inputs_digest" => "1" };
        check(
            &run("a", 3, "s"),
            &other,
            &[
                "turn-0001 determinism /outcome",
                "turn-0002 determinism /transition_evidence/inputs_digest",
                "turn-0003 determinism /state_digest",
            ],
        );
    }

    #[test]
    fn a_turn_that_one_run_has_alone_is_a_divergence_even_with_the_same_state() {
        check(
            &run("a", 1, "s"),
            &run("b", 3, "s"),
            &[
                "turn-0002 determinism /turn_id",
                "turn-0003 determinism /turn_id",
            ],
        );
    }

    #[test]
    fn the_state_after_the_last_turn_is_compared() {
        check(
            &run("a", 1, "s"),
            &run("a", 1, "t"),
            &["turn-0001 determinism /state_digest"],
        );
    }
}
