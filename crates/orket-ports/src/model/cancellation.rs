//! The switch that ends calls early.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A switch that ends a call early.
///
/// Turning it on runs at once whatever was hung on it (a call closes its connection that way) and ends every wait.
///
/// ```
/// use std::sync::mpsc;
/// use orket_ports::model::Cancellation;
///
/// let cancellation = Cancellation::new();
/// let (sender, receiver) = mpsc::channel();
/// let hook = cancellation.on_cancel(move || sender.send("closed").unwrap());
/// cancellation.cancel();
/// assert_eq!(receiver.recv(), Ok("closed"));
/// drop(hook);
/// ```
#[derive(Clone, Default)]
pub struct Cancellation(Arc<Switch>);

#[derive(Default)]
struct Switch {
    state: Mutex<State>,
    turned: Condvar,
}

#[derive(Default)]
struct State {
    is_on: bool,
    next: u64,
    hooks: BTreeMap<u64, Box<dyn FnOnce() + Send>>,
}

impl Cancellation {
    /// Returns a switch that is off.
    pub fn new() -> Cancellation {
        Cancellation::default()
    }

    /// Turns the switch on, for good.
    pub fn cancel(&self) {
        let hooks = {
            let mut state = self.0.state();
            state.is_on = true;
            std::mem::take(&mut state.hooks)
        };
        self.0.turned.notify_all();
        // Outside the lock: what a hook does may look at the switch.
        for hook in hooks.into_values() {
            hook();
        }
    }

    /// Tells whether the switch is on.
    pub fn is_cancelled(&self) -> bool {
        self.0.state().is_on
    }

    /// Has `hook` run when the switch is turned on, on the thread that does it; now, if it is on already. Dropping what is
    /// returned takes the hook away unless it ran.
    pub fn on_cancel(&self, hook: impl FnOnce() + Send + 'static) -> Hook {
        let mut state = self.0.state();
        let number = state.next;
        state.next += 1;
        if state.is_on {
            drop(state);
            hook();
        } else {
            state.hooks.insert(number, Box::new(hook));
        }
        Hook {
            switch: self.clone(),
            number,
        }
    }

    /// Lets `duration` pass unless the switch is turned on before; tells whether all of it passed.
    pub fn wait(&self, duration: Duration) -> bool {
        let state = self.0.state();
        let (state, _) = self
            .0
            .turned
            .wait_timeout_while(state, duration, |state| !state.is_on)
            .unwrap_or_else(PoisonError::into_inner);
        !state.is_on
    }

    /// Returns how many hooks hang on the switch.
    pub fn hooks(&self) -> usize {
        self.0.state().hooks.len()
    }
}

impl Switch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancellation")
            .field(&self.is_cancelled())
            .finish()
    }
}

/// What hangs on a [`Cancellation`]; dropping it takes it away.
#[must_use = "dropping it takes the hook away"]
#[derive(Debug)]
pub struct Hook {
    switch: Cancellation,
    number: u64,
}

impl Drop for Hook {
    fn drop(&mut self) {
        let hook = self.switch.0.state().hooks.remove(&self.number);
        // Outside the lock: what the hook holds may be dropped with it.
        drop(hook);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_hook_runs_once_or_never() {
        let runs = Arc::new(AtomicU32::new(0));
        let count = |runs: &Arc<AtomicU32>| {
            let runs = Arc::clone(runs);
            move || {
                runs.fetch_add(1, Ordering::SeqCst);
            }
        };
        let cancellation = Cancellation::new();
        drop(cancellation.on_cancel(count(&runs)));
        let kept = cancellation.on_cancel(count(&runs));
        assert_eq!(cancellation.hooks(), 1);
        cancellation.cancel();
        cancellation.cancel();
        assert_eq!((runs.load(Ordering::SeqCst), cancellation.hooks()), (1, 0));
        let late = cancellation.on_cancel(count(&runs));
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        drop((kept, late));
    }

    #[test]
    fn a_wait_ends_with_the_switch() {
        let cancellation = Cancellation::new();
        assert!(cancellation.wait(Duration::from_nanos(1)));
        let switch = cancellation.clone();
        let waiting = std::thread::spawn(move || switch.wait(Duration::from_secs(3600)));
        cancellation.cancel();
        assert!(!waiting.join().unwrap());
        assert!(!cancellation.wait(Duration::from_secs(3600)));
    }
}
