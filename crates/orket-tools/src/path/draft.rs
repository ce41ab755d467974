//! Drafts: the files that hold new bytes until they are renamed into place.

use orket_kernel::Digest;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::RelativePath;

/// How often the draft of a file is tried to be made.
const NAME_ATTEMPTS: usize = 16;

/// How the names of drafts begin.
const PREFIX: &str = ".orket-new-";

/// Tells whether a file is the draft of another one: a killed write left it.
pub fn is_draft(path: &RelativePath) -> bool {
    path.file_name().starts_with(PREFIX)
}

/// Makes a new file for the draft of `name`. The draft of a file always has the same name, so that the next write takes
/// away what a killed one left; it is made anew each time and never opened, so a link that somebody puts there is removed
/// and not followed.
pub(super) fn create(
    parent: BorrowedFd<'_>,
    name: &str,
    mode: Mode,
) -> Result<(String, OwnedFd), Errno> {
    let draft = format!(
        "{PREFIX}{}",
        &Digest::of_bytes(name.as_bytes()).to_hex()[..32]
    );
    for _ in 0..NAME_ATTEMPTS {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(parent, &draft, flags, mode) {
            Ok(handle) => return Ok((draft, handle)),
            Err(Errno::INTR) => {}
            Err(Errno::EXIST) => match rustix::fs::unlinkat(parent, &draft, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT | Errno::INTR) => {}
                Err(errno) => return Err(errno),
            },
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::EXIST)
}
