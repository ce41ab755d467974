//! A deadline for what could hang.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(1);

/// Does some work on a thread of its own. What is late is done a second time, for a machine with much to do may be late
/// once; what hangs is late again.
///
/// # Panics
/// By the name of the case if the work is late twice, or panics.
pub(crate) fn within_a_second<T: Send + 'static>(
    name: &str,
    work: impl Fn() -> T + Send + Sync + 'static,
) -> T {
    let work = Arc::new(work);
    for _ in 0..2 {
        let (sender, receiver) = channel();
        let work = Arc::clone(&work);
        thread::spawn(move || {
            // Nobody listens any more if it is late.
            let _ = sender.send(work());
        });
        match receiver.recv_timeout(DEADLINE) {
            Ok(done) => return done,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => panic!("{name}: it panicked"),
        }
    }
    panic!("{name}: it took more than a second, twice");
}

#[test]
#[should_panic(expected = "the case: it took more than a second, twice")]
fn what_hangs_fails_by_its_name() {
    within_a_second("the case", || {
        let (_sender, receiver) = channel::<()>();
        receiver.recv()
    })
    .unwrap();
}
