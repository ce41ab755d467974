//! Two runs computed on one base: the second is refused, and computed again it is judged by what is there now.

use orket_board::Board;
use orket_cards::{StoreFault, TurnStore};
use orket_kernel::TurnInput;
use orket_lsi::Depth;

use crate::project::{Worker, card, epic, turn};

/// A title, what the first run does, what the second does on the same base, and whether its work is still right afterwards.
type Case = (&'static str, TurnInput, TurnInput, bool);

fn cases() -> [Case; 5] {
    [
        (
            "the first touches nothing that the second reads",
            turn(1, vec![card("B", 1, "changed", &[])], &[]),
            turn(1, vec![card("P", 5, "new", &["A"])], &[]),
            true,
        ),
        (
            "the first changes the card that the second changes",
            turn(1, vec![card("A", 0, "changed", &[])], &[]),
            turn(1, vec![card("A", 0, "changed otherwise", &[])], &[]),
            true,
        ),
        (
            "the first takes away what the second links to",
            turn(1, vec![], &["card/B"]),
            turn(1, vec![card("P", 5, "new", &["B"])], &[]),
            false,
        ),
        (
            "the first links to what the second takes away",
            turn(1, vec![card("P", 5, "new", &["B"])], &[]),
            turn(1, vec![], &["card/B"]),
            false,
        ),
        (
            "both take away the same",
            turn(1, vec![], &["card/B"]),
            turn(1, vec![], &["card/B"]),
            false,
        ),
    ]
}

#[test]
fn the_second_of_two_runs_on_one_base_is_refused_and_judged_again() {
    for (name, of_first, of_second, is_still_right) in cases() {
        let directory = tempfile::tempdir().unwrap();
        let board = Board::open(&directory.path().join("home")).unwrap();
        let loader = Worker::begin(&board, "load").unwrap();
        let cards = vec![epic(), card("A", 0, "a", &[]), card("B", 1, "b", &[])];
        loader.turn(&turn(1, cards, &[])).unwrap();
        // Two commands, each with a board of its own.
        let other = Board::open(&directory.path().join("home")).unwrap();
        let (first, second) = (
            Worker::begin(&board, "first").unwrap(),
            Worker::begin(&other, "second").unwrap(),
        );
        let drafted = second.draft(&of_second).unwrap();
        let promoted = first.turn(&of_first).unwrap();

        match other.commit(&drafted.commit) {
            Err(StoreFault::Conflict { expected, found }) => {
                assert_eq!((expected, found), (1, 2), "{name}");
            }
            ended => panic!("{name}: {ended:?}"),
        }
        // A base that is only said to be the newest does not help: the plan itself is compared with what is there.
        let mut forged = drafted.commit.clone();
        forged.base_generation = 2;
        if !is_still_right {
            assert!(other.commit(&forged).is_err(), "{name}");
        }
        let snapshot = other.snapshot().unwrap();
        assert_eq!(snapshot.state_digest(), promoted.state_digest, "{name}");
        assert!(
            snapshot.turns(second.run_id()).unwrap().is_empty(),
            "{name}"
        );
        drop(snapshot);

        let again = second.draft(&of_second);
        assert_eq!(again.is_ok(), is_still_right, "{name}");
        if let Ok(again) = again {
            assert_eq!(other.commit(&again.commit).unwrap().generation, 3, "{name}");
        }
        let verification = board.verify(Depth::Full).unwrap();
        assert_eq!(verification.findings.faults, [], "{name}");
    }
}
