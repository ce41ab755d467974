//! An opened directory and what can be done below it.

use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::draft;
use super::resolve::open_beneath;
use super::{PathError, RelativePath, Resolution};

/// The number of entries a walk visits.
const WALK_ENTRIES: usize = 100_000;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file with exactly one link.
    File,
    /// A directory on the same file system.
    Directory,
    /// Anything else, which is never opened: a symbolic link, a file with several hard links, a FIFO, a socket, a
    /// device, a mount point, or something whose name is no [`RelativePath`].
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::File => "file",
            Kind::Directory => "directory",
            Kind::Other => "link or special file",
        })
    }
}

/// What the system notes of a file; it changes whenever somebody writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The number of the file on its file system.
    pub file: u64,
    /// The length in bytes.
    pub length_bytes: u64,
    /// When the content changed, in seconds and nanoseconds.
    pub modified: (i64, u64),
    /// When anything of the file changed, its mode for instance.
    pub changed: (i64, u64),
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name; what is not UTF-8 in it is replaced, and its kind is then [`Kind::Other`].
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// A regular file that a walk found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// Its path below the directory.
    pub path: RelativePath,
    /// Its size.
    pub length_bytes: u64,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// Everything below a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The regular files, ordered by the bytes of their paths.
    pub files: Vec<FoundFile>,
    /// The paths of everything else that is not a directory, for messages only, in the same order.
    pub others: Vec<String>,
}

/// An opened directory: the authority over the files below it.
#[derive(Debug)]
pub struct Directory {
    handle: OwnedFd,
    /// What the directory was called when it was opened; for messages only.
    name: PathBuf,
    device: rustix::fs::Dev,
    resolution: Resolution,
}

impl Directory {
    /// Opens a directory. The path is trusted: links in it are followed.
    ///
    /// # Errors
    ///
    /// When there is no such directory, or it cannot be read.
    pub fn open(path: &Path) -> Result<Directory, PathError> {
        let mut directory = Directory::open_with(path, Resolution::StepByStep)?;
        directory.resolution = Resolution::best(directory.handle.as_fd());
        Ok(directory)
    }

    /// Opens a directory below which names are looked up in the given way, so that a test can choose it.
    ///
    /// # Errors
    ///
    /// When there is no such directory, or it cannot be read.
    pub fn open_with(path: &Path, resolution: Resolution) -> Result<Directory, PathError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        let opened = opened.and_then(|handle| Ok((rustix::fs::fstat(&handle)?.st_dev, handle)));
        let (device, handle) =
            opened.map_err(|errno| PathError::system(path.to_path_buf(), "opened", errno))?;
        Ok(Directory {
            handle,
            name: path.to_path_buf(),
            device,
            resolution,
        })
    }

    /// Returns the way in which names are looked up.
    pub fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Returns the bytes of a regular file.
    ///
    /// # Errors
    ///
    /// When it does not exist, is not a regular file with one link, or has more than `limit_bytes` bytes.
    pub fn read(&self, path: &RelativePath, limit_bytes: u64) -> Result<Vec<u8>, PathError> {
        const TRIED: &str = "read";
        // Without O_NONBLOCK, opening a FIFO would wait for its writer.
        let handle = self.open_beneath(
            path,
            OFlags::RDONLY | OFlags::NONBLOCK,
            Mode::empty(),
            TRIED,
        )?;
        let stat = self.check_plain(path, &handle, TRIED)?;
        let too_large = || self.too_large(path, limit_bytes);
        let length_bytes = length_bytes(&stat);
        if length_bytes > limit_bytes {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length_bytes).unwrap_or(0));
        let read = std::fs::File::from(handle)
            .take(limit_bytes.saturating_add(1))
            .read_to_end(&mut bytes);
        read.map_err(|source| self.failed(path, TRIED, source))?;
        // The file may have grown since its size was asked.
        if bytes.len() as u64 > limit_bytes {
            return Err(too_large());
        }
        Ok(bytes)
    }

    /// Writes a regular file and makes the directories above it. Whoever reads it meanwhile sees the old file or the
    /// new one. Whether it may be written by others is left to the umask.
    ///
    /// # Errors
    ///
    /// When something stands at the path that is not a regular file with one link: it has to be removed first.
    pub fn write(
        &self,
        path: &RelativePath,
        bytes: &[u8],
        executable: bool,
    ) -> Result<(), PathError> {
        self.write_with(path, executable, |file| file.write_all(bytes))
    }

    /// Writes a regular file with what `fill` puts into it; nothing is written if that fails.
    pub(super) fn write_with(
        &self,
        path: &RelativePath,
        executable: bool,
        fill: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>,
    ) -> Result<(), PathError> {
        const TRIED: &str = "written";
        let parent = self.make_parent(path, TRIED)?;
        let parent = parent.as_ref().map_or(self.handle.as_fd(), OwnedFd::as_fd);
        match self.entry_kind(parent, path.file_name()) {
            Ok(None | Some(Kind::File)) => {}
            Ok(Some(found)) => {
                return Err(PathError::WrongKind {
                    path: self.name.join(path.as_str()),
                    tried: TRIED,
                    found,
                });
            }
            Err(errno) => return Err(self.refused(path, TRIED, errno)),
        }
        let mode = if executable { 0o777 } else { 0o666 };
        let (temporary, handle) =
            draft::create(parent, path.file_name(), Mode::from_raw_mode(mode))
                .map_err(|errno| self.refused(path, TRIED, errno))?;
        let written = fill(&mut std::fs::File::from(handle));
        let renamed = written.and_then(|()| {
            // A rename replaces what has the name, be it a link by now; it never follows one.
            rustix::fs::renameat(parent, &temporary, parent, path.file_name())
                .map_err(std::io::Error::from)
        });
        renamed.map_err(|source| {
            // If the name cannot be removed either, the first error still tells why.
            let _ = rustix::fs::unlinkat(parent, &temporary, AtFlags::empty());
            self.failed(path, TRIED, source)
        })
    }

    /// Appends to a regular file, which is made if there is none, and makes the directories above it.
    ///
    /// # Errors
    ///
    /// When something stands at the path that is not a regular file with one link.
    pub fn append(&self, path: &RelativePath, bytes: &[u8]) -> Result<(), PathError> {
        const TRIED: &str = "appended to";
        drop(self.make_parent(path, TRIED)?);
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NONBLOCK;
        let handle = self.open_beneath(path, flags, Mode::from_raw_mode(0o666), TRIED)?;
        self.check_plain(path, &handle, TRIED)?;
        std::fs::File::from(handle)
            .write_all(bytes)
            .map_err(|source| self.failed(path, TRIED, source))
    }

    /// Removes a name that is not a directory, whatever it names, and then the directories above it that became empty.
    ///
    /// # Errors
    ///
    /// When there is no such name, or it is a directory.
    pub fn remove(&self, path: &RelativePath) -> Result<(), PathError> {
        const TRIED: &str = "removed";
        let parent = self.open_parent(path, TRIED)?;
        let handle = parent.as_ref().map_or(self.handle.as_fd(), OwnedFd::as_fd);
        rustix::fs::unlinkat(handle, path.file_name(), AtFlags::empty()).map_err(|errno| {
            match errno {
                // What POSIX says of a directory, and what Linux says.
                Errno::PERM
                    if matches!(
                        self.entry_kind(handle, path.file_name()),
                        Ok(Some(Kind::Directory))
                    ) =>
                {
                    self.refused(path, TRIED, Errno::ISDIR)
                }
                errno => self.refused(path, TRIED, errno),
            }
        })?;
        self.remove_emptied(path)
    }

    /// Removes the directories above a path, up to the first that is not empty or is in use.
    ///
    /// # Errors
    ///
    /// When one of them cannot be looked up.
    pub fn remove_emptied(&self, path: &RelativePath) -> Result<(), PathError> {
        let mut emptied = path.parent();
        while let Some(directory) = emptied {
            let above = match self.open_parent(&directory, "removed") {
                Err(error) if error.is_not_found() => {
                    emptied = directory.parent();
                    continue;
                }
                above => above?,
            };
            let handle = above.as_ref().map_or(self.handle.as_fd(), OwnedFd::as_fd);
            match rustix::fs::unlinkat(handle, directory.file_name(), AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => emptied = directory.parent(),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Returns the entries of the directory itself or of one below it, ordered by the bytes of their names.
    ///
    /// # Errors
    ///
    /// When there is no such directory, or it cannot be read.
    pub fn list(&self, path: Option<&RelativePath>) -> Result<Vec<Entry>, PathError> {
        let listed = self.list_with_stat(path)?;
        Ok(listed.into_iter().map(|(entry, _)| entry).collect())
    }

    /// Returns everything below the directory.
    ///
    /// # Errors
    ///
    /// When a directory cannot be read, or there are more than 100,000 entries.
    pub fn walk(&self) -> Result<Walk, PathError> {
        let mut walk = Walk::default();
        let mut pending: Vec<Option<RelativePath>> = vec![None];
        let mut visited = 0;
        while let Some(directory) = pending.pop() {
            for (entry, stat) in self.list_with_stat(directory.as_ref())? {
                visited += 1;
                if visited > WALK_ENTRIES {
                    return Err(PathError::TooMany {
                        path: self.name.clone(),
                        limit: WALK_ENTRIES,
                    });
                }
                let path = match &directory {
                    None => RelativePath::try_from(entry.name.as_str()),
                    Some(directory) => directory.join(&entry.name),
                };
                match (path, entry.kind) {
                    (Ok(path), Kind::File) => walk.files.push(FoundFile {
                        path,
                        length_bytes: length_bytes(&stat),
                        executable: is_executable(&stat),
                    }),
                    (Ok(path), Kind::Directory) => pending.push(Some(path)),
                    // The name is fit, but the whole path is too long or too deep; or it is none of ours.
                    (_, _) => walk.others.push(match &directory {
                        None => entry.name,
                        Some(directory) => format!("{directory}/{}", entry.name),
                    }),
                }
            }
        }
        walk.files.sort();
        walk.others.sort();
        Ok(walk)
    }

    /// Tells whether anything stands at a path, be it a link that leads nowhere.
    ///
    /// # Errors
    ///
    /// When the path leads through a link, or cannot be looked up.
    pub fn exists(&self, path: &RelativePath) -> Result<bool, PathError> {
        self.kind(path).map(|kind| kind.is_some())
    }

    /// Tells what stands at a path, `None` if nothing.
    ///
    /// # Errors
    ///
    /// When the path leads through a link, or cannot be looked up.
    pub fn kind(&self, path: &RelativePath) -> Result<Option<Kind>, PathError> {
        const TRIED: &str = "looked up";
        let parent = match self.open_parent(path, TRIED) {
            Ok(parent) => parent,
            Err(PathError::NotFound { .. } | PathError::NotADirectory { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let handle = parent.as_ref().map_or(self.handle.as_fd(), OwnedFd::as_fd);
        self.entry_kind(handle, path.file_name())
            .map_err(|errno| self.refused(path, TRIED, errno))
    }

    /// Returns what the system notes of the entry at a path, without following it; `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// As [`Directory::kind`].
    pub fn stamp(&self, path: &RelativePath) -> Result<Option<Stamp>, PathError> {
        const TRIED: &str = "looked up";
        let parent = match self.open_parent(path, TRIED) {
            Ok(parent) => parent,
            Err(PathError::NotFound { .. } | PathError::NotADirectory { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let handle = parent.as_ref().map_or(self.handle.as_fd(), OwnedFd::as_fd);
        match rustix::fs::statat(handle, path.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Stamp {
                file: stat.st_ino,
                length_bytes: u64::try_from(stat.st_size).unwrap_or_default(),
                modified: (stat.st_mtime, stat.st_mtime_nsec),
                changed: (stat.st_ctime, stat.st_ctime_nsec),
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.refused(path, TRIED, errno)),
        }
    }

    /// Makes a directory and those above it that are missing.
    ///
    /// # Errors
    ///
    /// When something that is not a directory is in the way.
    pub fn create_dir_all(&self, path: &RelativePath) -> Result<(), PathError> {
        self.make_directory(path, "made").map(drop)
    }

    /// Opens a directory below this one, as an authority of its own.
    ///
    /// # Errors
    ///
    /// When there is no such directory, or it cannot be read.
    pub fn subdirectory(&self, path: &RelativePath) -> Result<Directory, PathError> {
        let handle = self.open_directory(path, "opened")?;
        let name = self.name.join(path.as_str());
        Ok(Directory {
            handle,
            name,
            device: self.device,
            resolution: self.resolution,
        })
    }

    fn list_with_stat(&self, path: Option<&RelativePath>) -> Result<Vec<(Entry, Stat)>, PathError> {
        const TRIED: &str = "listed";
        let name = path.map_or_else(|| self.name.clone(), |path| self.name.join(path.as_str()));
        let opened = path
            .map(|path| self.open_directory(path, TRIED))
            .transpose()?;
        let handle = opened.as_ref().map_or(self.handle.as_fd(), OwnedFd::as_fd);
        let mut listed = Vec::new();
        // A handle of its own: reading moves the position of the handle.
        for entry in rustix::fs::Dir::read_from(handle)
            .map_err(|errno| PathError::system(name.clone(), TRIED, errno))?
        {
            let entry = entry.map_err(|errno| PathError::system(name.clone(), TRIED, errno))?;
            let raw = entry.file_name();
            if matches!(raw.to_bytes(), b"." | b"..") {
                continue;
            }
            let stat = match rustix::fs::statat(handle, raw, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                // Removed since it was listed.
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(PathError::system(name.clone(), TRIED, errno)),
            };
            let text = raw.to_string_lossy();
            // A replacement character can be part of a fit name, but then it is there in the bytes as well.
            let fit =
                text.as_bytes() == raw.to_bytes() && RelativePath::try_from(text.as_ref()).is_ok();
            let kind = if fit {
                self.kind_of(&stat)
            } else {
                Kind::Other
            };
            listed.push((
                Entry {
                    name: text.into_owned(),
                    kind,
                },
                stat,
            ));
        }
        listed.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(listed)
    }

    pub(super) fn open_beneath(
        &self,
        path: &RelativePath,
        flags: OFlags,
        mode: Mode,
        tried: &'static str,
    ) -> Result<OwnedFd, PathError> {
        open_beneath(self.resolution, self.handle.as_fd(), path, flags, mode)
            .map_err(|errno| self.refused(path, tried, errno))
    }

    fn open_directory(
        &self,
        path: &RelativePath,
        tried: &'static str,
    ) -> Result<OwnedFd, PathError> {
        self.open_beneath(
            path,
            OFlags::RDONLY | OFlags::DIRECTORY,
            Mode::empty(),
            tried,
        )
    }

    /// Opens the directory that a path is in; `None` is this directory.
    fn open_parent(
        &self,
        path: &RelativePath,
        tried: &'static str,
    ) -> Result<Option<OwnedFd>, PathError> {
        path.parent()
            .map(|parent| self.open_directory(&parent, tried))
            .transpose()
    }

    /// Makes the directory that a path is in and opens it; `None` is this directory.
    fn make_parent(
        &self,
        path: &RelativePath,
        tried: &'static str,
    ) -> Result<Option<OwnedFd>, PathError> {
        path.parent()
            .map(|parent| self.make_directory(&parent, tried))
            .transpose()
    }

    /// Makes a directory component by component. One is opened from the top again after each step, so that what was
    /// swapped for a link between two steps is refused.
    fn make_directory(
        &self,
        path: &RelativePath,
        tried: &'static str,
    ) -> Result<OwnedFd, PathError> {
        match self.open_directory(path, tried) {
            Err(PathError::NotFound { .. }) => {}
            opened => return opened,
        }
        let parent = self.make_parent(path, tried)?;
        let handle = parent.as_ref().map_or(self.handle.as_fd(), OwnedFd::as_fd);
        match rustix::fs::mkdirat(handle, path.file_name(), Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => self.open_directory(path, tried),
            Err(errno) => Err(self.refused(path, tried, errno)),
        }
    }

    /// Checks that an opened file is a regular one with one link.
    pub(super) fn check_plain(
        &self,
        path: &RelativePath,
        handle: &OwnedFd,
        tried: &'static str,
    ) -> Result<Stat, PathError> {
        let stat = rustix::fs::fstat(handle).map_err(|errno| self.refused(path, tried, errno))?;
        let path = self.name.join(path.as_str());
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if stat.st_nlink > 1 => Err(PathError::HardLink { path, tried }),
            FileType::RegularFile => Ok(stat),
            FileType::Directory => Err(PathError::WrongKind {
                path,
                tried,
                found: Kind::Directory,
            }),
            _ => Err(PathError::WrongKind {
                path,
                tried,
                found: Kind::Other,
            }),
        }
    }

    fn entry_kind(&self, parent: BorrowedFd<'_>, name: &str) -> Result<Option<Kind>, Errno> {
        match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(self.kind_of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn kind_of(&self, stat: &Stat) -> Kind {
        match FileType::from_raw_mode(stat.st_mode) {
            _ if stat.st_dev != self.device => Kind::Other,
            FileType::RegularFile if stat.st_nlink == 1 => Kind::File,
            FileType::Directory => Kind::Directory,
            _ => Kind::Other,
        }
    }

    fn refused(&self, path: &RelativePath, tried: &'static str, errno: Errno) -> PathError {
        PathError::system(self.name.join(path.as_str()), tried, errno)
    }

    pub(super) fn too_large(&self, path: &RelativePath, limit_bytes: u64) -> PathError {
        PathError::TooLarge {
            path: self.name.join(path.as_str()),
            limit_bytes,
        }
    }

    pub(super) fn failed(
        &self,
        path: &RelativePath,
        tried: &'static str,
        source: std::io::Error,
    ) -> PathError {
        PathError::System {
            path: self.name.join(path.as_str()),
            tried,
            source,
        }
    }
}

pub(super) fn length_bytes(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

pub(super) fn is_executable(stat: &Stat) -> bool {
    Mode::from_raw_mode(stat.st_mode).contains(Mode::XUSR)
}
