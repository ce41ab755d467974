//! The times of one contestant.

use std::io;
use std::time::{Duration, Instant};

/// What was measured in each round.
#[derive(Clone, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) const fn new() -> Times {
        Times(Vec::new())
    }

    pub(crate) fn keep(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Does the work once and keeps its time.
    pub(crate) fn time<T, E>(&mut self, work: impl FnOnce() -> Result<T, E>) -> io::Result<()>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let start = Instant::now();
        let done = work();
        self.keep(start.elapsed());
        done.map(|_| ()).map_err(io::Error::other)
    }

    /// Returns the time of the best round, in milliseconds.
    pub(crate) fn best(&self) -> Option<f64> {
        self.0.iter().min().map(|time| millis(*time))
    }

    /// Returns the time that half of the rounds stayed below, in milliseconds.
    pub(crate) fn median(&self) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).map(|time| millis(*time))
    }

    /// Returns the time of all rounds by their number, in milliseconds.
    pub(crate) fn mean(&self) -> Option<f64> {
        let count = u32::try_from(self.0.len())
            .ok()
            .filter(|count| *count > 0)?;
        Some(millis(self.0.iter().sum::<Duration>() / count))
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
