//! The three system calls for which there is no safe function. The only unsafe code of this crate.

#![expect(
    unsafe_code,
    reason = "close_range, mount_setattr and unshare have no safe wrapper"
)]

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::thread::UnshareFlags;

/// Lets every descriptor above the first three be closed when a program is executed.
pub(super) fn close_others_on_exec() -> io::Result<()> {
    // SAFETY: the call takes three numbers and changes a flag of descriptors. No descriptor is closed under its owner:
    // that happens only when this program is replaced by another one.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3_u32,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// What to set on a mount.
#[derive(Clone, Copy, Debug)]
pub(super) struct MountAttributes {
    pub(super) read_only: bool,
    pub(super) no_devices: bool,
    /// Also on the mounts below it.
    pub(super) recursive: bool,
}

/// Sets attributes of a mount and takes none away; set-user-id programs lose their effect in any case.
pub(super) fn set_mount_attributes(path: &Path, attributes: MountAttributes) -> io::Result<()> {
    let mut set = libc::MOUNT_ATTR_NOSUID;
    if attributes.read_only {
        set |= libc::MOUNT_ATTR_RDONLY;
    }
    if attributes.no_devices {
        set |= libc::MOUNT_ATTR_NODEV;
    }
    let flags = if attributes.recursive {
        libc::AT_RECURSIVE
    } else {
        0
    };
    let path = CString::new(path.as_os_str().as_bytes())?;
    let argument = libc::mount_attr {
        attr_set: set,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: `path` ends with NUL, `argument` is a struct mount_attr of the size that is told, and both live until the
    // call returns. The kernel only reads them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const argument,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Leaves namespaces. Descriptors stay shared: `flags` never holds `FILES`, which is what would make this unsafe.
pub(super) fn leave_namespaces(flags: UnshareFlags) -> io::Result<()> {
    let flags = flags.difference(UnshareFlags::FILES);
    // SAFETY: the table of descriptors is not unshared, see above.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(io::Error::from)
}
