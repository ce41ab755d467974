//! The lease of a run: a lock that the system takes back when its holder dies, and a fencing number.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use orket_cards::{Lease, OutputLock, StoreFault};
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

/// The sole right to compare and write `agent_output/`.
pub(crate) struct FileLock {
    /// Locked for as long as it is open.
    _file: File,
}

impl OutputLock for FileLock {}

/// Locks the lease file of a run; refused while somebody else holds it.
pub(crate) fn lock(home: &Path, run_id: &RunId) -> Result<File, StoreFault> {
    let (file, path) = open(home, &token(run_id.as_str()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreFault::Busy {
            what: format!("the run {run_id}"),
            hint: "another orket works on it; wait for it to end, or end it".into(),
        }),
        Err(TryLockError::Error(error)) => Err(failed(&path, &error)),
    }
}

/// Waits for the sole right to `agent_output/`. It is held for some file writes only, and a holder that dies loses it.
pub(crate) fn lock_output(home: &Path) -> Result<FileLock, StoreFault> {
    // No run is called like this: a run id does not begin with a dot.
    let (file, path) = open(home, ".output")?;
    file.lock().map_err(|error| failed(&path, &error))?;
    Ok(FileLock { _file: file })
}

fn open(home: &Path, name: &str) -> Result<(File, PathBuf), StoreFault> {
    let directory = home.join("durable").join("leases");
    let path = directory.join(format!("{name}.lock"));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .map_err(|error| failed(&directory, &error))?;
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| failed(&path, &error))?;
    Ok((file, path))
}

fn failed(path: &Path, error: &std::io::Error) -> StoreFault {
    StoreFault::Unusable {
        reason: format!("{} could not be locked: {error}", path.display()),
    }
}
