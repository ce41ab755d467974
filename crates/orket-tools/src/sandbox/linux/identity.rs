//! Who the program runs as, and in which namespaces.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::process::{DumpableBehavior, Gid, Uid};
use rustix::thread::UnshareFlags;

use super::system_calls::leave_namespaces;

/// The user and group that own nothing, on every Linux.
pub(super) const NOBODY: u32 = 65534;

/// The namespaces of a job, besides that of users.
const NAMESPACES: UnshareFlags = UnshareFlags::NEWNS
    .union(UnshareFlags::NEWPID)
    .union(UnshareFlags::NEWNET)
    .union(UnshareFlags::NEWIPC)
    .union(UnshareFlags::NEWUTS);

/// `/proc/self`, which is out of sight once there is a private root.
pub(super) struct OwnProcess(OwnedFd);

impl OwnProcess {
    pub(super) fn open() -> io::Result<OwnProcess> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(OwnProcess(rustix::fs::open(
            "/proc/self",
            flags,
            Mode::empty(),
        )?))
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let file = rustix::fs::openat(
            self.0.as_fd(),
            name,
            OFlags::WRONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        rustix::io::write(file, text.as_bytes())?;
        Ok(())
    }

    /// Gives the own user and group their names in a user namespace that was just entered.
    fn map_user(&self, inside: (u32, u32), outside: (u32, u32)) -> io::Result<()> {
        self.write("setgroups", "deny")?;
        self.write("uid_map", &format!("{} {} 1\n", inside.0, outside.0))?;
        self.write("gid_map", &format!("{} {} 1\n", inside.1, outside.1))
    }
}

/// Tells whether the process is root, and so can become somebody else.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Returns the user as whom the processes of the job are counted.
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Leaves the namespaces of the engine; without root, that of users first, which gives the right to leave the others.
pub(super) fn enter_namespaces(process: &OwnProcess) -> io::Result<()> {
    if is_root() {
        return leave_namespaces(NAMESPACES);
    }
    let own = own_ids();
    leave_namespaces(NAMESPACES | UnshareFlags::NEWUSER)?;
    process.map_user(own, own)
}

/// Becomes nobody. All capabilities go with root.
pub(super) fn become_nobody() -> io::Result<()> {
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)?;
    if rustix::process::getuid() != user || rustix::process::geteuid() != user {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(())
}

/// Enters a user namespace as nobody, so that the kernel counts the processes of this job alone. Who is still root is so
/// no longer when the next program is executed, and then has no capability left.
pub(super) fn count_alone(process: &OwnProcess) -> io::Result<()> {
    // The change of the user has made /proc/self root's.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    let own = own_ids();
    leave_namespaces(UnshareFlags::NEWUSER)?;
    process.map_user((NOBODY, NOBODY), own)
}

fn own_ids() -> (u32, u32) {
    (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    )
}

/// Gives a directory and everything in it to nobody.
///
/// Nothing else runs in it yet, and links are not followed. A file with a second name might be one of somebody else's:
/// it is refused.
pub(super) fn give_to_nobody(directory: &Path) -> io::Result<()> {
    let device = fs::symlink_metadata(directory)?.dev();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(path) = pending.pop() {
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.dev() != device {
            return Err(io::Error::other(format!(
                "{} is another file system",
                path.display()
            )));
        }
        if metadata.is_dir() {
            for entry in fs::read_dir(&path)? {
                pending.push(entry?.path());
            }
        } else if metadata.nlink() > 1 {
            return Err(io::Error::other(format!(
                "{} has more than one hard link",
                path.display()
            )));
        }
        if (metadata.uid(), metadata.gid()) != (NOBODY, NOBODY) {
            std::os::unix::fs::lchown(&path, Some(NOBODY), Some(NOBODY))?;
        }
    }
    Ok(())
}
