//! Random histories of two runs over one store, against a model of maps.

mod action;
mod check;
mod medium;
mod model;
mod play;

use orket_kernel::{Kernel, StateStore};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

pub use medium::{Medium, random_histories_on_a_medium_agree_with_the_model};

/// A fixed seed: a run of the suite is the same everywhere.
pub(super) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x0_0e7),
        ..ProptestConfig::default()
    }
}

/// Whatever two runs execute, promote, delete and finish in whatever order: the store shows what the model says after every
/// step, a snapshot shows what the model said when it was taken, and every run replays.
pub fn random_histories_agree_with_the_model<S: StateStore>(empty: impl Fn() -> S) {
    let mut runner = TestRunner::new(config(24));
    let result = runner.run(&action::actions(), |actions| {
        let kernel = Kernel::new(empty());
        let mut play = play::Play::new(&kernel);
        for action in &actions {
            play.act(action);
        }
        play.end();
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
}
