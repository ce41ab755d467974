//! Waiting for a condition that nothing announces.

use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long the world gets to become as it should.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_millis(2);

/// Returns as soon as the condition holds.
///
/// # Panics
/// If it does not hold within half a minute; `what` says what was waited for.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        if begin.elapsed() > PATIENCE {
            panic!("{what}: not so within {} s", PATIENCE.as_secs());
        }
        pause(INTERVAL);
    }
}

/// Lets a while pass in which nothing can be waited for.
fn pause(while_long: Duration) {
    let (keep, silent) = mpsc::channel::<()>();
    let _ = silent.recv_timeout(while_long);
    drop(keep);
}
