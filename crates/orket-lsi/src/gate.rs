//! The gate before the writer connection: one holder at a time, and a wait that ends.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A lock with a bounded wait, which `Mutex` lacks.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_taken: Mutex<bool>,
    freed: Condvar,
}

/// Holds the gate until it is dropped.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    gate: &'a Gate,
}

impl Gate {
    /// Waits at most `timeout` for the gate; `None` if it did not become free.
    pub(crate) fn enter(&self, timeout: Duration) -> Option<Pass<'_>> {
        let taken = self.lock();
        let waited = self
            .freed
            .wait_timeout_while(taken, timeout, |is_taken| *is_taken);
        let (mut is_taken, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        if outcome.timed_out() && *is_taken {
            return None;
        }
        *is_taken = true;
        Some(Pass { gate: self })
    }

    // A flag has no state between two writes that a panic could leave behind.
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.gate.lock() = false;
        self.gate.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_the_wait_ends() {
        let gate = Gate::default();
        let pass = gate.enter(Duration::ZERO).unwrap();
        assert!(gate.enter(Duration::from_millis(1)).is_none());
        drop(pass);
        assert!(gate.enter(Duration::ZERO).is_some());
    }

    #[test]
    fn who_waits_is_let_in() {
        let gate = Gate::default();
        let pass = gate.enter(Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.enter(Duration::from_secs(60)).is_some());
            drop(pass);
            assert!(waiting.join().unwrap());
        });
    }
}
