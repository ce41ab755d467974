//! `compare_runs`: do two runs come to the same, turn by turn, whoever ran them and wherever?

use crate::canonical;
use crate::parity::{ParityKind, ParityReport};
use crate::{
    Digest, Divergence, KernelIssue, RecordedRun, Stage, TurnId, TurnResult, compare_results,
};

/// Compares what two runs came to: the results of their turns with the issues in order, and the state after the last turn.
///
/// Names of runs, venues, times, paths, messages and events are not compared. In a [`Divergence`] `recorded` is what the
/// first run has, `replayed` what the second one has.
pub fn compare_runs(one: &RecordedRun, two: &RecordedRun) -> ParityReport {
    let mut divergences: Vec<Divergence> = one
        .turns()
        .iter()
        .zip(two.turns())
        .flat_map(|(one, two)| compare_results(one, two))
        .collect();
    let shared = one.turns().len().min(two.turns().len());
    let present = |turn: &TurnResult| canonical::to_string(&turn.turn_id.to_string().into());
    for turn in one.turns().iter().skip(shared) {
        divergences.push(divergence(
            turn.turn_id,
            "/turn_id",
            present(turn),
            absent(),
        ));
    }
    for turn in two.turns().iter().skip(shared) {
        divergences.push(divergence(
            turn.turn_id,
            "/turn_id",
            absent(),
            present(turn),
        ));
    }
    if one.state_digest() != two.state_digest() {
        let quoted = |digest: Digest| canonical::to_string(&digest.to_hex().into());
        divergences.push(divergence(
            one.last_turn().max(two.last_turn()),
            "/state_digest",
            quoted(one.state_digest()),
            quoted(two.state_digest()),
        ));
    }
    let compared = one.turns().len().max(two.turns().len()) as u64;
    ParityReport::new(ParityKind::Compare, compared, divergences, Vec::new())
}

/// Compares two runs of which each may be one that cannot be compared: then the report says so, and fails.
pub(crate) fn compare_recorded(
    one: Result<RecordedRun, KernelIssue>,
    two: Result<RecordedRun, KernelIssue>,
) -> ParityReport {
    match (one, two) {
        (Ok(one), Ok(two)) => compare_runs(&one, &two),
        (one, two) => {
            let faults = one.err().into_iter().chain(two.err()).collect();
            ParityReport::new(ParityKind::Compare, 0, Vec::new(), faults)
        }
    }
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
    use super::*;
    use crate::{CONTRACT_VERSION, Code, Outcome, Pointer, event, object};

    fn turns(name: &str, count: u64) -> Vec<TurnResult> {
        (1..=count)
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
            .collect()
    }

    fn recorded(turns: Vec<TurnResult>, state: &str) -> RecordedRun {
        RecordedRun::new(turns, canonical::digest(&state.into())).unwrap()
    }

    /// A run with this many turns whose last state is this.
    fn run(name: &str, count: u64, state: &str) -> RecordedRun {
        recorded(turns(name, count), state)
    }

    #[track_caller]
    fn check(one: &RecordedRun, two: &RecordedRun, expected: &[&str]) {
        let report = compare_runs(one, two);
        let found: Vec<String> = report
            .divergences
            .iter()
            .map(|it| format!("{} {} {}", it.turn_id, it.stage, it.location))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(report.outcome == Outcome::Pass, expected.is_empty());
        assert_eq!(report.first_divergence.is_some(), !expected.is_empty());
        // The other way round the same places are named.
        assert_eq!(compare_runs(two, one).divergences.len(), expected.len());
    }

    #[test]
    fn the_name_of_a_run_and_what_it_tells_are_not_compared() {
        check(&run("a", 3, "s"), &run("b", 3, "s"), &[]);
    }

    #[test]
    fn every_divergence_is_named_by_turn_stage_and_location() {
        let mut other = turns("b", 3);
        let issue = KernelIssue::new(
            Stage::Policy,
            Code::CapabilityDenied,
            Pointer::root().key("tool_calls").index(0),
            "no",
            object! {},
        );
        other[0].outcome = Outcome::Fail;
        other[0].stage = Stage::Policy;
        other[0].events = vec![event::format(&issue)];
        other[0].issues = vec![issue];
        other[1].transition_evidence = object! { "inputs_digest" => "1" };
        check(
            &run("a", 3, "s"),
            &recorded(other, "t"),
            &[
                "turn-0001 policy /outcome",
                "turn-0001 policy /stage",
                "turn-0001 policy /issues/0",
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
