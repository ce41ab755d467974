//! Kernel decision 13: the state digest depends on what is committed, and on nothing else.

use orket_kernel::{
    CommittedView, Digest, Finish, Kernel, MemoryStore, Outcome, Run, StateStore, TurnId, TurnInput,
};
use proptest::prelude::*;

use crate::world::{CARDS, TurnText, card, config, envelope, turn, turns};

fn state_digest(kernel: &Kernel<MemoryStore>) -> Digest {
    let committed = kernel.store().committed().unwrap();
    committed.standing().unwrap().state_digest
}

/// Executes turns and promotes each that passes; returns the turn that comes next.
fn go_on(run: &mut Run<'_, MemoryStore>, texts: &[TurnText]) -> TurnId {
    let all = CARDS.map(|name| card(name, &[], "old")).to_vec();
    let mut inputs = vec![turn(1, all, &[])];
    inputs.extend(texts.iter().map(|text| text.input(1)));
    let mut next = TurnId::FIRST;
    for input in inputs {
        let input = TurnInput {
            turn_id: next,
            ..input
        };
        if run.execute_turn(&input).unwrap().result.outcome == Outcome::Pass {
            run.commit_turn(next).unwrap();
            next = next.next();
        }
    }
    next
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn law_6_an_empty_turn_leaves_the_state_digest(texts in turns()) {
        let kernel = Kernel::new(MemoryStore::new());
        let mut run = kernel.start_run(&envelope("run")).unwrap();
        let next = go_on(&mut run, &texts);
        let before = state_digest(&kernel);
        run.execute_turn(&TurnInput::empty(next)).unwrap();
        prop_assert_eq!(state_digest(&kernel), before, "executing changed it");
        let report = run.commit_turn(next).unwrap();
        prop_assert_eq!(report.state_digest, before);
        prop_assert_eq!(state_digest(&kernel), before);
    }

    #[test]
    fn decision_13_turn_by_turn_and_all_at_once_reach_one_digest(texts in turns()) {
        let stepwise = Kernel::new(MemoryStore::new());
        let mut run = stepwise.start_run(&envelope("one")).unwrap();
        let next = go_on(&mut run, &texts);

        let at_once = Kernel::new(MemoryStore::new());
        let mut other = at_once.start_run(&envelope("two")).unwrap();
        for number in 1..next.number() {
            let turn_id = TurnId::new(number).unwrap();
            let record = stepwise.store().committed().unwrap().turn_record(&run.handle().run_id, turn_id).unwrap();
            let trace = orket_kernel::TurnTrace::parse(&record.unwrap()).unwrap();
            let again = other.execute_turn(&trace.turn_input).unwrap().result;
            prop_assert_eq!(again.structural_digest(), trace.result_digest);
        }
        let summary = other.finish(Finish::Commit).unwrap();
        prop_assert_eq!(summary.state_digest, state_digest(&stepwise));
    }
}
