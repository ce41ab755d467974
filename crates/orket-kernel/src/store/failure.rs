//! What can keep a store from doing what it was asked.

use crate::canonical::Value;
use crate::{Code, KernelIssue, Pointer, ReadError, Stage, event};

/// Says why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreFailure {
    /// A record is malformed or does not match its digest.
    #[error("the record {place} is damaged: {reason}")]
    Corrupt {
        /// Which record.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store refuses by its own law and has changed nothing.
    #[error("{message}")]
    Refused {
        /// A stable word for the rule: `unknown_run`, `envelope_differs`, `run_finished`, `turn_order`, `stale`,
        /// `invalid_plan`, `artifact_exists` or `undone`.
        reason: &'static str,
        /// What was refused and why.
        message: String,
    },
    /// Another writer holds the store.
    #[error("the store is busy: {message}")]
    Busy {
        /// Who holds it and for how long it was waited.
        message: String,
    },
    /// The medium could not be used. What is durable is the old state or the new one.
    #[error("the state could not be used at {place}")]
    Unavailable {
        /// What was read or written.
        place: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreFailure {
    /// Returns the issue that stands for the failure, as far as the law has one: damage and refusals. A medium that is busy
    /// or fails is no matter of the law.
    pub fn issue(&self) -> Option<KernelIssue> {
        let (stage, code, reason) = match self {
            StoreFailure::Corrupt { .. } => {
                (Stage::BaseShape, Code::LsiCorruptRecord, "damaged_record")
            }
            StoreFailure::Refused { reason, .. } => {
                (Stage::Determinism, Code::LsiPromotionFailed, *reason)
            }
            StoreFailure::Busy { .. } | StoreFailure::Unavailable { .. } => return None,
        };
        let details = event::details([("reason", Value::from(reason))]);
        Some(KernelIssue::new(
            stage,
            code,
            Pointer::root(),
            self.to_string(),
            details,
        ))
    }
}

impl From<ReadError> for StoreFailure {
    fn from(error: ReadError) -> StoreFailure {
        match error {
            ReadError::Corrupt { place, reason } => StoreFailure::Corrupt { place, reason },
            ReadError::Unavailable { place, source } => StoreFailure::Unavailable { place, source },
            ReadError::NotRecorded { place } => StoreFailure::Corrupt {
                place,
                reason: "it was not read by the recorded turn".to_owned(),
            },
        }
    }
}
