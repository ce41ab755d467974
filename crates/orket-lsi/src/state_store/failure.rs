//! Errors of the index in the words of the port.

use orket_kernel::StoreFailure;

use crate::StoreError;

/// Damage and refusals are matters of the law. Everything else is the medium's: the [`StoreError`] is then the source of
/// [`StoreFailure::Unavailable`], so that [`StoreError::Poisoned`] can still be told from a full disk.
impl From<StoreError> for StoreFailure {
    fn from(error: StoreError) -> StoreFailure {
        let message = error.to_string();
        let reason = match error {
            StoreError::Corrupt { place, reason } => {
                return StoreFailure::Corrupt { place, reason };
            }
            StoreError::OlderThanView { path, .. } => {
                let place = path.display().to_string();
                return StoreFailure::Corrupt {
                    place,
                    reason: message,
                };
            }
            StoreError::Busy { .. } => return StoreFailure::Busy { message },
            StoreError::OutOfOrder { .. } => "turn_order",
            StoreError::Conflict { .. } => "stale",
            StoreError::InvalidPlan { .. } => "invalid_plan",
            StoreError::UnknownRun { .. } => "unknown_run",
            StoreError::EnvelopeDiffers { .. } => "envelope_differs",
            StoreError::RunFinished { .. } => "run_finished",
            StoreError::ArtifactExists { .. } => "artifact_exists",
            StoreError::Undone { .. } => "undone",
            other => {
                return StoreFailure::Unavailable {
                    place: "the index".to_owned(),
                    source: other.into(),
                };
            }
        };
        StoreFailure::Refused { reason, message }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_poisoned_store_can_be_told_from_a_full_disk() {
        let path = PathBuf::from("db");
        let cause = || std::io::Error::other("the disk is gone");
        let poisoned = StoreError::Poisoned {
            path: path.clone(),
            source: Arc::new(cause()),
        };
        let full = StoreError::Full {
            path,
            source: cause().into(),
        };
        for (error, is_poisoned) in [(poisoned, true), (full, false)] {
            let StoreFailure::Unavailable { source, .. } = StoreFailure::from(error) else {
                panic!("no failure of the medium");
            };
            let error = source.downcast_ref::<StoreError>();
            assert_eq!(
                matches!(error, Some(StoreError::Poisoned { .. })),
                is_poisoned
            );
        }
    }
}
