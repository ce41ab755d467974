//! Opening: several commands may begin on a fresh project in the same moment.

use std::sync::Barrier;
use std::thread;

use orket_board::Board;

const ROUNDS: usize = 200;

/// While one command made the database, the other was refused at once as busy, and told that it had waited.
#[test]
fn two_commands_that_open_a_fresh_home_at_once_both_get_it() {
    let mut refused = Vec::new();
    for _ in 0..ROUNDS {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        let together = Barrier::new(2);
        thread::scope(|scope| {
            let open = || {
                together.wait();
                Board::open(&home).map(drop)
            };
            let both = [scope.spawn(open), scope.spawn(open)];
            for opened in both {
                refused.extend(opened.join().unwrap().err());
            }
        });
    }
    assert!(
        refused.is_empty(),
        "{} of {ROUNDS} rounds, the first: {}",
        refused.len(),
        refused[0]
    );
}
