//! Two runs staged on one base: what the first promotes is what the second is compared with.

use orket_kernel::{
    Code, CommittedView, Kernel, KernelError, StagingArea, StateStore, Stem, TurnInput,
};

use crate::housed::{Housed, envelope, run_id, turn, turn_id};

fn deleting(number: u64, name: &str) -> TurnInput {
    TurnInput {
        deletions: vec![Stem::parse(&format!("card/{name}")).unwrap()],
        ..TurnInput::empty(turn_id(number))
    }
}

#[test]
fn the_second_of_two_staged_runs_is_refused_if_the_first_changed_what_it_read() {
    let put = |cards: &[(&str, &str, Option<&str>)]| turn(1, cards);
    for (name, of_first, of_second, is_refused) in [
        (
            "apart",
            put(&[("P", "p", None)]),
            put(&[("Q", "q", Some("X"))]),
            false,
        ),
        (
            "the same card",
            put(&[("X", "first", None)]),
            put(&[("X", "second", None)]),
            true,
        ),
        (
            "one id newly defined",
            put(&[("P", "first", None)]),
            put(&[("P", "second", None)]),
            true,
        ),
        (
            "what it links to is gone",
            deleting(1, "Y"),
            put(&[("Q", "q", Some("Y"))]),
            true,
        ),
        (
            "what it deletes is linked to",
            put(&[("P", "p", Some("Y"))]),
            deleting(1, "Y"),
            true,
        ),
        (
            "what it deletes is gone",
            deleting(1, "Y"),
            deleting(1, "Y"),
            true,
        ),
    ] {
        let kernel = Kernel::new(Housed::empty());
        let mut base = kernel.start_run(&envelope("base")).unwrap();
        base.execute_turn(&turn(1, &[("X", "x", None), ("Y", "y", None)]))
            .unwrap();
        base.commit_turn(turn_id(1)).unwrap();
        // The second run is of another process.
        let other = orket_lsi::Store::open(&kernel.store().home(), &[]).unwrap();
        let other = Kernel::new(other);
        let mut first = kernel.start_run(&envelope("first")).unwrap();
        let mut second = other.start_run(&envelope("second")).unwrap();
        let staged = first.execute_turn(&of_first).unwrap();
        assert!(
            staged.staged.is_some(),
            "{name}: {:?}",
            staged.result.issues
        );
        let staged = second.execute_turn(&of_second).unwrap();
        assert!(
            staged.staged.is_some(),
            "{name}: {:?}",
            staged.result.issues
        );
        let after_first = first.commit_turn(turn_id(1)).unwrap();

        let ended = second.commit_turn(turn_id(1));
        let standing = other.store().committed().unwrap().standing().unwrap();
        if !is_refused {
            assert_eq!(ended.unwrap().generation, 3, "{name}");
            continue;
        }
        let Err(KernelError::Refused(issues)) = ended else {
            panic!("{name}: {ended:?}");
        };
        let reason = issues[0].details.get("reason").and_then(|it| it.as_str());
        assert_eq!(
            (issues[0].code, reason),
            (Code::LsiPromotionFailed, Some("stale")),
            "{name}"
        );
        // A clean failure: the state is that of the first, and what the second staged is there to look at.
        assert_eq!(standing.generation, 2, "{name}");
        assert_eq!(standing.state_digest, after_first.state_digest, "{name}");
        let staging = StateStore::staging(other.store());
        assert_eq!(
            StagingArea::staged(&staging, &run_id("second"))
                .unwrap()
                .len(),
            1
        );
        // Computed again it is judged by what is there now.
        let again = second.execute_turn(&of_second).unwrap();
        let is_still_right = of_second.deletions.is_empty() && name != "what it links to is gone";
        assert_eq!(
            again.staged.is_some(),
            is_still_right,
            "{name}: {:?}",
            again.result.issues
        );
        if is_still_right {
            assert_eq!(
                second.commit_turn(turn_id(1)).unwrap().generation,
                3,
                "{name}"
            );
        }
    }
}
