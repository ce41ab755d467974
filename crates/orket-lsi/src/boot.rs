//! Which start of the machine this is: what was written and not synced is lost only between two of them.

use std::fs;
use std::path::Path;

use crate::StoreError;
use crate::home::Home;
use crate::whole_file::{self, Durability};

/// The file beside the view that says during which start of the machine its files were written.
const FILE: &str = "committed.boot";
const SYSTEM: &str = "/proc/sys/kernel/random/boot_id";

/// Tells whether the view was written, as far as it is known, since the machine was started. Only then are its files, which
/// are never synced, all on the disk or in memory.
///
/// # Limitations
/// Where the system gives no such id, every start counts as the same one, and `orket rebuild` mends what a power cut tore.
pub(crate) fn is_same(home: &Home) -> Result<bool, StoreError> {
    let Some(now) = now() else {
        return Ok(true);
    };
    let path = home.index().join(FILE);
    let then = whole_file::read(&path).map_err(|error| StoreError::file(&path, "read", error))?;
    Ok(then.is_some_and(|then| then == now))
}

/// Notes that the view is whole and was written since the machine was started. What says so already is left alone: a write
/// that is cut short would leave its draft behind, and nobody would have a reason to write again.
pub(crate) fn note(home: &Home) -> Result<(), StoreError> {
    let Some(now) = now() else {
        return Ok(());
    };
    if is_same(home)? {
        return Ok(());
    }
    let path = home.index().join(FILE);
    whole_file::write(&path, &now, Durability::Unsynced)
        .map_err(|error| StoreError::file(&path, "written", error))
}

/// Notes that the view may not be whole until it is said again.
pub(crate) fn forget(home: &Home) -> Result<(), StoreError> {
    let path = home.index().join(FILE);
    let removed = whole_file::remove(&path);
    removed
        .map(|_| ())
        .map_err(|error| StoreError::file(&path, "removed", error))
}

fn now() -> Option<Vec<u8>> {
    fs::read(Path::new(SYSTEM)).ok().filter(|id| !id.is_empty())
}
