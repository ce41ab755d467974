//! The system calls that change something on a disk, and what they are about.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::Pid;

use crate::crash::registers::{ARGUMENTS, Registers};

/// Where the arguments name what is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A descriptor.
    Descriptor,
    /// A path.
    #[cfg(target_arch = "x86_64")]
    Path,
    /// A directory's descriptor and a path.
    At,
    /// Two paths.
    #[cfg(target_arch = "x86_64")]
    Paths,
    /// A directory's descriptor and a path, twice.
    TwoAt,
    /// A target that is only text, a directory's descriptor and a path.
    TextAt,
}

/// What a call does, as far as a recording tells calls apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Opens a file, which is made or emptied if the flags say so.
    Open,
    /// Writes at the place where the file stands.
    Write,
    /// Writes several pieces at the place where the file stands.
    WriteVector,
    /// Writes at a place.
    WriteAt,
    /// Cuts or extends a file.
    Truncate,
    /// Waits until a file or directory is on the medium.
    Sync,
    /// Gives another name.
    Rename,
    /// Takes a name away.
    Unlink,
    /// Makes a directory.
    MakeDirectory,
    /// Takes a directory away.
    RemoveDirectory,
    /// Changes mode, owner or times.
    Attribute,
    /// Changes something in a way that a recording cannot follow.
    Other,
}

/// A call that was entered.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    shape: Shape,
    /// Absolute; one, or two for a rename.
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) arguments: [u64; ARGUMENTS],
    /// Of an opening call.
    pub(crate) flags: i32,
}

impl Call {
    /// Returns the call that a thread has entered; `None` if it changes nothing on a disk.
    pub(crate) fn entered(pid: Pid, registers: &Registers) -> Option<Call> {
        let number = registers.number();
        let (_, name, kind, shape) = *TABLE.iter().find(|row| row.0 == number)?;
        let arguments = registers.arguments();
        let mut call = Call {
            name,
            kind,
            shape,
            paths: Vec::new(),
            arguments,
            flags: 0,
        };
        if kind == Kind::Open {
            call.flags = call.open_flags(pid);
            if call.flags & (libc::O_CREAT | libc::O_TRUNC) == 0 {
                return None;
            }
        }
        call.paths = call.named(pid);
        if kind == Kind::Unlink
            && name == "unlinkat"
            && arguments[2] as i32 & libc::AT_REMOVEDIR != 0
        {
            call.kind = Kind::RemoveDirectory;
        }
        Some(call)
    }

    fn open_flags(&self, pid: Pid) -> i32 {
        match (self.shape, self.name) {
            // The flags stand first in the structure that the third argument points at.
            (_, "openat2") => memory(pid, self.arguments[2], 4)
                .ok()
                .and_then(|bytes| Some(i32::from_ne_bytes(bytes.try_into().ok()?)))
                .unwrap_or(0),
            (Shape::At, _) => self.arguments[2] as i32,
            _ => self.arguments[1] as i32,
        }
    }

    pub(crate) fn touches(&self, root: &Path) -> bool {
        self.paths.iter().any(|path| path.starts_with(root))
    }

    /// Makes the call one that the system refuses.
    pub(crate) fn spoil(&self, registers: &mut Registers) {
        match self.shape {
            // No descriptor, and no path.
            Shape::Descriptor => registers.set_argument(0, u64::MAX),
            #[cfg(target_arch = "x86_64")]
            Shape::Path | Shape::Paths => registers.set_argument(0, 0),
            Shape::At | Shape::TwoAt => registers.set_argument(1, 0),
            Shape::TextAt => registers.set_argument(2, 0),
        }
    }

    /// Gives a spoiled call its arguments back, and the error that it is to report.
    pub(crate) fn pretend(&self, registers: &mut Registers, errno: i32) {
        for (index, argument) in self.arguments.iter().enumerate() {
            registers.set_argument(index, *argument);
        }
        registers.set_result(-i64::from(errno));
    }

    fn named(&self, pid: Pid) -> Vec<PathBuf> {
        let at = |directory: usize, path: usize| {
            resolve(
                pid,
                Some(self.arguments[directory] as i32),
                self.arguments[path],
            )
        };
        let found = match self.shape {
            Shape::Descriptor => vec![descriptor(pid, self.arguments[0] as i32)],
            #[cfg(target_arch = "x86_64")]
            Shape::Path => vec![resolve(pid, None, self.arguments[0])],
            #[cfg(target_arch = "x86_64")]
            Shape::Paths => vec![
                resolve(pid, None, self.arguments[0]),
                resolve(pid, None, self.arguments[1]),
            ],
            Shape::At => vec![at(0, 1)],
            Shape::TwoAt => vec![at(0, 1), at(2, 3)],
            Shape::TextAt => vec![at(1, 2)],
        };
        found.into_iter().flatten().collect()
    }
}

/// Returns where a descriptor of a process leads; `None` for what is no file.
pub(crate) fn descriptor(pid: Pid, number: i32) -> Option<PathBuf> {
    let path = fs::read_link(format!("/proc/{pid}/fd/{number}")).ok()?;
    path.is_absolute().then_some(path)
}

/// Returns where a descriptor of a process stands in its file.
pub(crate) fn position(pid: Pid, number: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix("pos:"))?
        .trim()
        .parse()
        .ok()
}

/// Reads the memory of a stopped process.
pub(crate) fn memory(pid: Pid, address: u64, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    File::open(format!("/proc/{pid}/mem"))?.read_exact_at(&mut bytes, address)?;
    Ok(bytes)
}

fn resolve(pid: Pid, directory: Option<i32>, address: u64) -> Option<PathBuf> {
    let text = text(pid, address)?;
    let path = Path::new(OsStr::from_bytes(&text));
    if path.is_absolute() {
        return Some(path.to_path_buf());
    }
    let from = match directory {
        None | Some(libc::AT_FDCWD) => fs::read_link(format!("/proc/{pid}/cwd")).ok()?,
        Some(directory) => descriptor(pid, directory)?,
    };
    Some(if text.is_empty() {
        from
    } else {
        from.join(path)
    })
}

/// Reads a text that ends with a zero byte.
fn text(pid: Pid, address: u64) -> Option<Vec<u8>> {
    const PIECE: u64 = 256;
    let mut text = Vec::new();
    while text.len() < libc::PATH_MAX as usize {
        let from = address + text.len() as u64;
        // Never over the end of a page: the next one may not be there.
        let length = PIECE.min(4096 - from % 4096) as usize;
        let piece = memory(pid, from, length).ok()?;
        match piece.iter().position(|byte| *byte == 0) {
            Some(end) => {
                text.extend_from_slice(&piece[..end]);
                return Some(text);
            }
            None => text.extend_from_slice(&piece),
        }
    }
    None
}

type Row = (i64, &'static str, Kind, Shape);

#[cfg(target_arch = "aarch64")]
const TABLE: &[Row] = EVERYWHERE;

#[cfg(target_arch = "x86_64")]
const TABLE: &[Row] = &{
    // The calls that newer architectures do not have any more.
    let older: [Row; 12] = [
        (libc::SYS_open, "open", Kind::Open, Shape::Path),
        (libc::SYS_creat, "creat", Kind::Other, Shape::Path),
        (libc::SYS_truncate, "truncate", Kind::Other, Shape::Path),
        (libc::SYS_rename, "rename", Kind::Rename, Shape::Paths),
        (libc::SYS_link, "link", Kind::Other, Shape::Paths),
        (libc::SYS_symlink, "symlink", Kind::Other, Shape::Paths),
        (libc::SYS_unlink, "unlink", Kind::Unlink, Shape::Path),
        (libc::SYS_mkdir, "mkdir", Kind::MakeDirectory, Shape::Path),
        (libc::SYS_rmdir, "rmdir", Kind::RemoveDirectory, Shape::Path),
        (libc::SYS_chmod, "chmod", Kind::Attribute, Shape::Path),
        (libc::SYS_chown, "chown", Kind::Attribute, Shape::Path),
        (libc::SYS_mknod, "mknod", Kind::Other, Shape::Path),
    ];
    let mut table = [older[0]; 12 + EVERYWHERE.len()];
    let mut index = 0;
    while index < table.len() {
        table[index] = if index < 12 {
            older[index]
        } else {
            EVERYWHERE[index - 12]
        };
        index += 1;
    }
    table
};

const EVERYWHERE: &[Row] = &[
    (libc::SYS_openat, "openat", Kind::Open, Shape::At),
    (libc::SYS_openat2, "openat2", Kind::Open, Shape::At),
    (libc::SYS_write, "write", Kind::Write, Shape::Descriptor),
    (
        libc::SYS_writev,
        "writev",
        Kind::WriteVector,
        Shape::Descriptor,
    ),
    (
        libc::SYS_pwrite64,
        "pwrite64",
        Kind::WriteAt,
        Shape::Descriptor,
    ),
    (libc::SYS_pwritev, "pwritev", Kind::Other, Shape::Descriptor),
    (
        libc::SYS_pwritev2,
        "pwritev2",
        Kind::Other,
        Shape::Descriptor,
    ),
    (
        libc::SYS_ftruncate,
        "ftruncate",
        Kind::Truncate,
        Shape::Descriptor,
    ),
    (
        libc::SYS_fallocate,
        "fallocate",
        Kind::Other,
        Shape::Descriptor,
    ),
    (
        libc::SYS_copy_file_range,
        "copy_file_range",
        Kind::Other,
        Shape::Descriptor,
    ),
    (
        libc::SYS_sendfile,
        "sendfile",
        Kind::Other,
        Shape::Descriptor,
    ),
    (libc::SYS_fsync, "fsync", Kind::Sync, Shape::Descriptor),
    (
        libc::SYS_fdatasync,
        "fdatasync",
        Kind::Sync,
        Shape::Descriptor,
    ),
    (
        libc::SYS_sync_file_range,
        "sync_file_range",
        Kind::Other,
        Shape::Descriptor,
    ),
    (libc::SYS_syncfs, "syncfs", Kind::Other, Shape::Descriptor),
    (libc::SYS_renameat, "renameat", Kind::Rename, Shape::TwoAt),
    (libc::SYS_renameat2, "renameat2", Kind::Rename, Shape::TwoAt),
    (libc::SYS_linkat, "linkat", Kind::Other, Shape::TwoAt),
    (libc::SYS_symlinkat, "symlinkat", Kind::Other, Shape::TextAt),
    (libc::SYS_unlinkat, "unlinkat", Kind::Unlink, Shape::At),
    (libc::SYS_mkdirat, "mkdirat", Kind::MakeDirectory, Shape::At),
    (libc::SYS_mknodat, "mknodat", Kind::Other, Shape::At),
    (
        libc::SYS_fchmod,
        "fchmod",
        Kind::Attribute,
        Shape::Descriptor,
    ),
    (libc::SYS_fchmodat, "fchmodat", Kind::Attribute, Shape::At),
    (
        libc::SYS_fchown,
        "fchown",
        Kind::Attribute,
        Shape::Descriptor,
    ),
    (libc::SYS_fchownat, "fchownat", Kind::Attribute, Shape::At),
    (libc::SYS_utimensat, "utimensat", Kind::Attribute, Shape::At),
];
