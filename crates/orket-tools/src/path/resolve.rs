//! How a name is looked up below a directory without leaving it.

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::RelativePath;

/// How often a look-up is begun again when somebody changes the directories meanwhile.
const ATTEMPTS: usize = 64;

/// Who looks up a name: both give the same answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The kernel in one call, `openat2` of Linux 5.6.
    Kernel,
    /// One `openat` per component, none of which may be a link.
    StepByStep,
}

impl Resolution {
    /// Returns the stronger resolution that works on this system.
    pub(super) fn best(root: BorrowedFd<'_>) -> Resolution {
        match open_in_kernel(root, ".", OFlags::PATH | OFlags::DIRECTORY, Mode::empty()) {
            Ok(_) => Resolution::Kernel,
            Err(_) => Resolution::StepByStep,
        }
    }
}

/// Opens what `path` names below `root`, never through a link and never on another file system.
pub(super) fn open_beneath(
    resolution: Resolution,
    root: BorrowedFd<'_>,
    path: &RelativePath,
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC;
    let mut result = Err(Errno::AGAIN);
    for _ in 0..ATTEMPTS {
        result = match resolution {
            Resolution::Kernel => open_in_kernel(root, path.as_str(), flags, mode),
            Resolution::StepByStep => open_step_by_step(root, path, flags, mode),
        };
        if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    result
}

#[cfg(target_os = "linux")]
fn open_in_kernel(
    root: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    let resolve = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV;
    rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, mode, resolve)
}

#[cfg(not(target_os = "linux"))]
fn open_in_kernel(_: BorrowedFd<'_>, _: &str, _: OFlags, _: Mode) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

fn open_step_by_step(
    root: BorrowedFd<'_>,
    path: &RelativePath,
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::NOFOLLOW;
    let mount = mount_of(root)?;
    let mut above: Option<OwnedFd> = None;
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        let directory = above.as_ref().map_or(root, OwnedFd::as_fd);
        let last = components.peek().is_none();
        let opened = if last {
            rustix::fs::openat(directory, component, flags, mode)
        } else {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(directory, component, flags, Mode::empty())
        };
        let opened = opened.map_err(|errno| tell_link(directory, component, errno))?;
        if mount_of(opened.as_fd())? != mount {
            return Err(Errno::XDEV);
        }
        if last {
            return Ok(opened);
        }
        above = Some(opened);
    }
    Err(Errno::NOENT)
}

/// Returns the file system of an opened file and, where the system says it, the number of the mount through which the file
/// was reached: a bind mount is on the same file system.
fn mount_of(handle: BorrowedFd<'_>) -> Result<(rustix::fs::Dev, Option<String>), Errno> {
    let device = rustix::fs::fstat(handle)?.st_dev;
    // There since Linux 3.15, so on every system that has no `openat2`; only where `/proc` is not mounted it is not told.
    let told = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", handle.as_raw_fd()));
    let number = told.ok().and_then(|told| {
        let line = told.lines().find_map(|line| line.strip_prefix("mnt_id:"));
        line.map(|number| number.trim().to_owned())
    });
    Ok((device, number))
}

/// With `O_DIRECTORY` the system says of a link that it is not a directory; `openat2` says that it is a link.
fn tell_link(directory: BorrowedFd<'_>, component: &str, errno: Errno) -> Errno {
    use rustix::fs::{AtFlags, FileType};
    if errno != Errno::NOTDIR {
        return errno;
    }
    match rustix::fs::statat(directory, component, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => Errno::LOOP,
        _ => errno,
    }
}
