//! From rows to the types of the kernel; a row that does not fit is a damaged record.

use orket_kernel::{Digest, RunId, Stem, TurnId};

use crate::StoreError;

/// Why a row with a digest of its own is not believed.
pub(crate) const CHANGED: &str = "the fields do not match the digest of the row";

/// Takes a text column as a stem.
pub(crate) fn stem(text: &str) -> Result<Stem, StoreError> {
    Stem::parse(text)
        .map_err(|error| StoreError::corrupt(format!("triplets {text:?}"), error.to_string()))
}

/// Takes a text column as the id of a run.
pub(crate) fn run_id(text: &str) -> Result<RunId, StoreError> {
    RunId::parse(text)
        .map_err(|error| StoreError::corrupt(format!("runs {text:?}"), error.to_string()))
}

/// Takes an integer column as a turn.
pub(crate) fn turn(number: i64, place: &str) -> Result<TurnId, StoreError> {
    u64::try_from(number)
        .ok()
        .and_then(TurnId::new)
        .ok_or_else(|| StoreError::corrupt(place, format!("{number} is no number of a turn")))
}

/// Takes an integer column as a count.
pub(crate) fn count(number: i64, place: &str) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::corrupt(place, format!("{number} is no count")))
}

/// Gives a count as an integer column.
pub(crate) fn integer(number: u64, place: &str) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::corrupt(place, format!("{number} is too large")))
}

/// Takes a column of 32 bytes as a digest.
pub(crate) fn digest(bytes: [u8; 32]) -> Digest {
    Digest::from_bytes(bytes)
}
