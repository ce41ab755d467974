//! Random histories in which the store is closed, killed, swept and carried elsewhere.

use std::cell::Cell;

use orket_kernel::{Digest, Kernel, StateStore};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::action::{Action, action};
use super::config;
use super::play::{Memory, Play};

/// Where a store lies, so that more can happen to it than its port knows.
pub trait Medium {
    /// The store.
    type Store: StateStore;

    /// Opens what lies there; at first an empty store.
    fn open(&self) -> Self::Store;

    /// Makes what lies there what a kill in the middle of a commit would leave: the next opening meets it.
    fn kill(&self, store: &Self::Store);

    /// Lets retention remove all that it may.
    fn collect(&self, store: &Self::Store);

    /// Carries the newest generation to an empty store and returns the state digest that it has there.
    fn carry(&self, store: &Self::Store) -> Digest;
}

#[derive(Clone, Debug)]
enum Step {
    Act(Action),
    Reopen,
    Kill,
    Collect,
    Carry,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        20 => action().prop_map(Step::Act),
        1 => Just(Step::Reopen),
        2 => Just(Step::Kill),
        1 => Just(Step::Collect),
        1 => Just(Step::Carry),
    ];
    prop::collection::vec(step, 12..40)
}

/// As [`random_histories_agree_with_the_model`](super::random_histories_agree_with_the_model), over `cases` histories in which
/// the store is closed, killed, swept and carried elsewhere too. Returns how many steps there were.
pub fn random_histories_on_a_medium_agree_with_the_model<M: Medium>(
    empty: impl Fn() -> M,
    cases: u32,
) -> u64 {
    let played = Cell::new(0);
    let mut runner = TestRunner::new(config(cases));
    let result = runner.run(&steps(), |steps| {
        let medium = empty();
        let mut memory = Memory::default();
        for segment in steps.split_inclusive(|step| matches!(step, Step::Reopen | Step::Kill)) {
            let kernel = Kernel::new(medium.open());
            let mut play = Play::resume(&kernel, memory);
            play.check();
            for step in segment {
                match step {
                    Step::Act(action) => play.act(action),
                    Step::Collect => {
                        medium.collect(kernel.store());
                        play.collected();
                    }
                    Step::Carry => {
                        assert_eq!(medium.carry(kernel.store()), play.state_digest());
                    }
                    Step::Kill => medium.kill(kernel.store()),
                    Step::Reopen => {}
                }
                played.set(played.get() + 1);
            }
            memory = play.suspend();
        }
        let kernel = Kernel::new(medium.open());
        let play = Play::resume(&kernel, memory);
        play.check();
        play.end();
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
    played.get()
}
