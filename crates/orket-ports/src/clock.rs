//! The clock: narrative time for people, never for order and never in a digest.

/// Tells the time of day.
pub trait Clock: Send + Sync {
    /// Returns the current time as RFC 3339 in UTC with seconds: `2026-01-31T12:00:00Z`.
    fn now(&self) -> String;
}
