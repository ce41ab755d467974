//! The event stream: structured events for people and for audit.

use orket_kernel::canonical::Value;

/// The version that every event line carries.
pub const EVENT_VERSION: &str = "orket_event/v1";

/// One event of a run.
///
/// An event with a sequence number is durable: it was committed before it is shown. One without is narrative
/// (a token arrived, a call was judged); after a crash it is not told again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Event {
    /// [`EVENT_VERSION`].
    pub version: String,
    /// The run.
    pub run_id: String,
    /// The place in the run's stream, from 1, without gaps; `None` for narrative.
    pub seq: Option<u64>,
    /// When it was written, for people (RFC 3339, UTC).
    pub time: String,
    /// What happened: `turn_complete`, `step_end`, …
    pub event: String,
    /// The facts.
    pub data: Value,
}

/// Receives the event stream: a terminal, a file, a server.
pub trait EventSink: Send {
    /// Receives one event. A sink that cannot deliver must not stop the run.
    fn emit(&mut self, event: &Event);
}
