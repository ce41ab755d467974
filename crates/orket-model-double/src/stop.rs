//! The signal that ends the server.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A signal that is given once and that a scripted delay waits for.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    is_given: Mutex<bool>,
    given: Condvar,
}

impl Stop {
    pub(crate) fn give(&self) {
        *self.is_given.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.given.notify_all();
    }

    pub(crate) fn is_given(&self) -> bool {
        *self.is_given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `delay` pass unless the signal comes first.
    pub(crate) fn wait(&self, delay: Duration) {
        if delay.is_zero() {
            return;
        }
        let is_given = self.is_given.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = self
            .given
            .wait_timeout_while(is_given, delay, |is_given| !*is_given);
        drop(passed);
    }
}
