//! What is allowed to come of damage.

use std::path::Path;

use orket_board::Board;
use orket_cards::{StoreFault, TurnStore};
use orket_lsi::Depth;

use super::harm::Harm;
use super::home::{Prepared, next_turn, take};
use crate::facts::{Facts, facts};
use crate::project::Worker;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Judgement {
    /// The home is not opened, and it is said why.
    Refused,
    /// A verification names it.
    Named,
    /// Everything reads as before.
    Harmless,
    /// The newest commits are gone, and nothing bears a later generation: a documented limitation.
    Older,
}

/// Reads one copy of a harmed home, writes to another, and compares.
pub(super) fn judge(home: &Prepared, harm: &Harm, read: &Path, written: &Path) -> Judgement {
    let of_reader = match Board::open_read_only(read) {
        Ok(Some(board)) => look(home, harm, &board, read),
        Ok(None) => {
            assert!(harm.is_of(".db"), "there is no database any more");
            Judgement::Refused
        }
        Err(fault) => refused(&fault),
    };
    let of_writer = match Board::open(written) {
        Ok(board) => {
            let judgement = look(home, harm, &board, written);
            go_on(home, judgement, &board);
            if harm.is_of("index/committed/") {
                rebuild(home, harm, written);
            }
            judgement
        }
        Err(fault) => refused(&fault),
    };
    // A reader may refuse a log that only a writer can bring in order.
    if of_reader == Judgement::Refused {
        of_writer
    } else {
        assert!(
            of_writer == of_reader || of_writer == Judgement::Refused,
            "read: {of_reader:?}, written: {of_writer:?}"
        );
        of_reader
    }
}

fn refused(fault: &StoreFault) -> Judgement {
    let text = fault.to_string();
    assert!(
        text.contains("orket_persistence.db") || text.contains("board"),
        "no place: {text}"
    );
    Judgement::Refused
}

/// Verifies and reads all of it.
fn look(home: &Prepared, harm: &Harm, board: &Board, place: &Path) -> Judgement {
    let now = facts(board, &home.known);
    check_staging(home, harm, &now);
    let verification = match board.verify(Depth::Full) {
        Ok(verification) => verification,
        Err(fault) => return refused(&fault),
    };
    let faults = &verification.findings.faults;
    if !faults.is_empty() {
        for fault in faults {
            assert!(
                !fault.place.is_empty() && !fault.reason.is_empty(),
                "{fault:?}"
            );
        }
        check_answers(
            home,
            &now,
            faults.iter().any(|fault| is_about_age(&fault.reason)),
        );
        return Judgement::Named;
    }
    // What is staged was looked at already.
    let matches = |one: &Facts| {
        one.iter()
            .zip(&now)
            .all(|((name, one), (_, other))| name.starts_with("staging") || one == other)
    };
    if matches(home.now()) {
        check_view(home, harm, place);
        return Judgement::Harmless;
    }
    let moments = home.moments.iter().zip(&home.generations).rev();
    for (moment, generation) in moments {
        if matches(moment) {
            assert!(
                harm.is_of(".db"),
                "commits went without the database being touched"
            );
            let marker = place.join("index/committed/VIEW");
            assert!(
                *generation >= home.view || !marker.exists(),
                "the view shows {}, and generation {generation} passes for the newest",
                home.view
            );
            return Judgement::Older;
        }
    }
    panic!("accepted in silence:\n{}", differences(home.now(), &now));
}

fn is_about_age(reason: &str) -> bool {
    reason.contains("older than what it acknowledged")
}

/// What is told by name is right or an error, also where a verification finds faults. Where the newest commits are gone,
/// it is what an earlier moment told.
fn check_answers(home: &Prepared, now: &Facts, is_older: bool) {
    let is_strict = |name: &str| {
        !["list", "content", "staging"]
            .iter()
            .any(|it| name.starts_with(it))
    };
    let is_right = |moment: &Facts| {
        now.iter()
            .filter(|(name, _)| is_strict(name))
            .all(|(name, value)| {
                value.is_err() || moment.get(name).is_none_or(|before| before == value)
            })
    };
    let moments = home.moments.iter().rev();
    let moments = moments.take(if is_older {
        usize::MAX
    } else {
        home.moments.len()
    });
    let mut moments = moments;
    assert!(
        moments.any(is_right),
        "told wrongly:\n{}",
        differences(home.now(), now)
    );
    for (name, value) in now.iter().filter(|(name, _)| name.starts_with("content")) {
        let before = &home.now()[name];
        let is_absent = value.as_deref() == Ok("None");
        assert!(
            value.is_err() || is_absent || value == before,
            "{name}: {value:?}"
        );
    }
}

/// A staged turn is what it was, is damaged, or is not staged.
fn check_staging(home: &Prepared, harm: &Harm, now: &Facts) {
    for (name, value) in now.iter().filter(|(name, _)| name.starts_with("staging")) {
        let before = &home.now()[name];
        let is_none = harm.is_of("deletions.json") && value.as_deref() == Ok("[]");
        let is_told = harm.is_of("/staging/") && value.is_err();
        assert!(value == before || is_told || is_none, "{name}: {value:?}");
    }
}

/// A view that a verification found nothing wrong with is the one that was there, or none, which is told.
fn check_view(home: &Prepared, harm: &Harm, place: &Path) {
    if !harm.is_of("index/committed/") {
        return;
    }
    let (before, now) = (view(&home.files), view(&take(place)));
    let marker = Path::new("index/committed/VIEW");
    if !now.iter().any(|(path, _)| path == marker) {
        return;
    }
    // What a later generation changes may be in any of both forms.
    let is_lagging = home.view < *home.generations.last().unwrap();
    assert!(before == now || is_lagging, "another view is accepted");
}

fn view(files: &super::Files) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let files = files.iter();
    let files = files.filter(|(path, _)| path.starts_with("index/committed"));
    files
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect()
}

/// The next turn leads to the state that it leads to without the damage, or fails.
fn go_on(home: &Prepared, judgement: Judgement, board: &Board) {
    let Ok(head) = board.index().head() else {
        return;
    };
    let is_newest = head.generation == *home.generations.last().unwrap();
    let turn = (|| {
        let worker = Worker::begin(board, "b")?;
        worker.next()?;
        worker.turn(&next_turn(&worker))
    })();
    match turn {
        Ok(committed) if is_newest => assert_eq!(committed.state_digest, home.next_digest),
        Ok(_) => {}
        Err(fault) => assert_ne!(judgement, Judgement::Harmless, "{fault:?}"),
    }
    if judgement == Judgement::Harmless {
        let verification = board.verify(Depth::Full).unwrap();
        assert_eq!(verification.findings.faults, []);
    }
}

/// A damaged view is written anew, whatever was done to it.
fn rebuild(home: &Prepared, harm: &Harm, place: &Path) {
    let board = Board::open(place).unwrap();
    board.rebuild_view(true).unwrap();
    let verification = board.verify(Depth::Full).unwrap();
    assert_eq!(verification.findings.faults, [], "{harm}");
    assert!(home.view <= board.index().head().unwrap().generation);
}

fn differences(before: &Facts, now: &Facts) -> String {
    let differ = before
        .iter()
        .filter(|(name, value)| now.get(*name) != Some(value));
    let lines = differ.map(|(name, value)| {
        let cut = |value: &Result<String, String>| -> String {
            format!("{value:?}").chars().take(200).collect()
        };
        let now = now.get(name).map(cut);
        format!("{name}\n  was {}\n  is  {now:?}", cut(value))
    });
    lines.take(8).collect::<Vec<_>>().join("\n")
}
