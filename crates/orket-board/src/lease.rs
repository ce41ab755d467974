//! The lease of a run: a lock that the system takes back when its holder dies, and a fencing number.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use orket_cards::{Lease, StoreFault};
use orket_kernel::RunId;
use orket_lsi::token;

/// A held lease.
pub(crate) struct FileLease {
    /// Locked for as long as it is open.
    pub(crate) _file: File,
    pub(crate) fence: u64,
}

impl Lease for FileLease {
    fn fence(&self) -> u64 {
        self.fence
    }
}

/// Locks the lease file of a run.
pub(crate) fn lock(home: &Path, run_id: &RunId) -> Result<File, StoreFault> {
    let directory = home.join("durable").join("leases");
    let path = directory.join(format!("{}.lock", token(run_id.as_str())));
    let failed = |error: std::io::Error| StoreFault::Unusable {
        reason: format!("{} could not be opened: {error}", path.display()),
    };
    fs::create_dir_all(&directory).map_err(failed)?;
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreFault::Busy {
            what: format!("the run {run_id}"),
            hint: "another orket works on it; wait for it to end, or end it".into(),
        }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
