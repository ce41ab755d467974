//! Repeating a call for which the server has no room now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use orket_kernel::Digest;
use orket_ports::model::{Cancellation, Delta, ModelError, RetryClass};

/// The pause before the first repetition; each further one is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause, unless the server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Lets time pass between two calls.
pub trait Pause: Send + Sync {
    /// Lets `duration` pass unless the call is cancelled before; tells whether all of it passed.
    fn pause(&self, duration: Duration, cancellation: &Cancellation) -> bool;
}

/// Waits for real; a cancellation ends the wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealPause;

impl Pause for RealPause {
    fn pause(&self, duration: Duration, cancellation: &Cancellation) -> bool {
        cancellation.wait(duration)
    }
}

/// How long an answer may take, pauses and repetitions included, and how pauses are made.
///
/// A call is repeated while the server says that it is busy or still loads, as long as nothing of an answer was shown and
/// the time is not over. Each pause is between half and the whole of its length; what is drawn follows from the request,
/// so that equal runs pause equally and different requests do not come back together.
#[derive(Clone)]
pub(crate) struct Patience {
    budget: Duration,
    /// `None` if a call is made once.
    pause: Option<Arc<dyn Pause>>,
}

impl std::fmt::Debug for Patience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Patience")
            .field("budget", &self.budget)
            .field("repeats", &self.pause.is_some())
            .finish()
    }
}

impl Patience {
    pub(crate) fn new(budget: Duration) -> Patience {
        Patience {
            budget,
            pause: Some(Arc::new(RealPause)),
        }
    }

    pub(crate) fn with_pause(self, pause: Option<Arc<dyn Pause>>) -> Patience {
        Patience { pause, ..self }
    }

    /// Returns the time for all of a call.
    pub(crate) fn budget(&self) -> Duration {
        self.budget
    }

    /// Calls `once`, which gets the time that is left, until it has an answer or an error that a pause does not help.
    pub(crate) fn call<T>(
        &self,
        seed: &Digest,
        on_delta: &mut dyn FnMut(Delta),
        cancellation: &Cancellation,
        mut once: impl FnMut(Duration, &mut dyn FnMut(Delta)) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let mut was_shown = false;
        let mut spent = Duration::ZERO;
        let mut random = Random::new(seed);
        let mut longest = FIRST_PAUSE;
        loop {
            let started = Instant::now();
            let left = self.budget.saturating_sub(spent);
            let outcome = once(left, &mut |delta| {
                was_shown = true;
                on_delta(delta);
            });
            spent += started.elapsed();
            let error = match outcome {
                Ok(answer) => return Ok(answer),
                // What is left of the time is no deadline that anybody set.
                Err(ModelError::Timeout { seconds }) if seconds >= whole_seconds(left) => {
                    return Err(ModelError::Timeout {
                        seconds: whole_seconds(self.budget),
                    });
                }
                Err(error) => error,
            };
            let Some(pauses) = &self.pause else {
                return Err(error);
            };
            if was_shown || error.retry_class() != RetryClass::AfterPause {
                return Err(error);
            }
            let asked = match &error {
                ModelError::Overloaded {
                    retry_after_seconds: Some(seconds),
                    ..
                } => Duration::from_secs(*seconds),
                _ => Duration::ZERO,
            };
            let pause = random.between_half_and(longest).max(asked);
            if spent + pause >= self.budget {
                return Err(error);
            }
            if !pauses.pause(pause, cancellation) {
                return Err(ModelError::Cancelled);
            }
            spent += pause;
            longest = (longest * 2).min(LONGEST_PAUSE);
        }
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs_f64().ceil() as u64
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn new(seed: &Digest) -> Random {
        let hex = seed.to_hex();
        // A digest has 64 hexadecimal characters, so the first 16 are a number.
        Random(u64::from_str_radix(hex.get(..16).unwrap_or_default(), 16).unwrap_or_default())
    }

    fn between_half_and(&mut self, whole: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        whole.mul_f64(0.5 + share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use orket_ports::model::ModelAnswer;

    use super::*;

    /// Lets no time pass and keeps what was asked for.
    #[derive(Default)]
    struct Noted(Mutex<Vec<Duration>>);

    impl Pause for Noted {
        fn pause(&self, duration: Duration, cancellation: &Cancellation) -> bool {
            self.0.lock().unwrap().push(duration);
            !cancellation.is_cancelled()
        }
    }

    fn busy(retry_after_seconds: Option<u64>) -> ModelError {
        ModelError::Overloaded {
            reason: "busy".to_owned(),
            retry_after_seconds,
        }
    }

    /// Calls with what the server says one after the other; returns the pauses, the number of calls and the outcome.
    fn call(
        seed: &str,
        budget_seconds: u64,
        mut says: impl FnMut(usize) -> Result<ModelAnswer, ModelError>,
    ) -> (Vec<Duration>, usize, Result<ModelAnswer, ModelError>) {
        let noted = Arc::new(Noted::default());
        let patience = Patience::new(Duration::from_secs(budget_seconds))
            .with_pause(Some(Arc::clone(&noted) as Arc<dyn Pause>));
        let mut calls = 0;
        let outcome: Result<ModelAnswer, _> = patience.call(
            &Digest::of_bytes(seed.as_bytes()),
            &mut |_| {},
            &Cancellation::new(),
            |_, _| {
                calls += 1;
                says(calls)
            },
        );
        let pauses = noted.0.lock().unwrap().clone();
        (pauses, calls, outcome)
    }

    #[test]
    fn pauses_grow_within_their_bounds_and_follow_from_the_request() {
        let says = |number| match number {
            1..=7 => Err(busy(None)),
            _ => Ok(ModelAnswer::default()),
        };
        let (pauses, calls, outcome) = call("a", 300, says);
        assert!(outcome.is_ok());
        assert_eq!(calls, 8);
        let wholes = [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0];
        for (pause, whole) in pauses.iter().zip(wholes) {
            let seconds = pause.as_secs_f64();
            assert!(
                (whole / 2.0..=whole).contains(&seconds),
                "{seconds} of {whole}"
            );
        }
        assert_eq!(call("a", 300, says).0, pauses);
        assert_ne!(call("b", 300, says).0, pauses);
    }

    #[test]
    fn no_pause_goes_beyond_the_time_that_a_call_may_take() {
        let (pauses, calls, outcome) = call("a", 10, |_| Err(busy(None)));
        let all: Duration = pauses.iter().sum();
        assert!(all < Duration::from_secs(10), "{all:?}");
        assert_eq!(calls, pauses.len() + 1);
        assert!(matches!(outcome, Err(ModelError::Overloaded { .. })));

        let (pauses, calls, _) = call("a", 10, |_| Err(busy(Some(10))));
        assert_eq!((pauses.len(), calls), (0, 1));
        let (pauses, _, _) = call("a", 10, |_| Err(busy(Some(4))));
        assert_eq!(pauses, [Duration::from_secs(4); 2]);
    }

    #[test]
    fn only_what_a_pause_helps_is_repeated() {
        for error in [
            ModelError::Cancelled,
            ModelError::Timeout { seconds: 1 },
            ModelError::Truncated {
                reason: String::new(),
            },
            ModelError::Refused {
                status: 401,
                reason: String::new(),
            },
        ] {
            let code = error.code();
            let (pauses, calls, outcome) = call("a", 10, move |_| Err(error.clone()));
            assert_eq!((pauses.len(), calls), (0, 1), "{code}");
            assert_eq!(outcome.unwrap_err().code(), code);
        }
    }

    #[test]
    fn what_was_shown_is_not_shown_again() {
        let noted = Arc::new(Noted::default());
        let patience = Patience::new(Duration::from_secs(60)).with_pause(Some(noted));
        let mut calls = 0;
        let outcome: Result<ModelAnswer, _> = patience.call(
            &Digest::of_bytes(b""),
            &mut |_| {},
            &Cancellation::new(),
            |_, on_delta| {
                calls += 1;
                on_delta(Delta::Content("half".to_owned()));
                Err(busy(None))
            },
        );
        assert_eq!(calls, 1);
        assert!(matches!(outcome, Err(ModelError::Overloaded { .. })));
    }

    #[test]
    fn a_cancellation_ends_the_pause() {
        let cancellation = Cancellation::new();
        let patience = Patience::new(Duration::from_secs(3600));
        let switch = cancellation.clone();
        let outcome: Result<ModelAnswer, _> = patience.call(
            &Digest::of_bytes(b""),
            &mut |_| {},
            &cancellation,
            |_, _| {
                switch.cancel();
                Err(busy(Some(1800)))
            },
        );
        assert!(matches!(outcome, Err(ModelError::Cancelled)));
    }
}
