//! Why a file was not opened.

use std::path::PathBuf;

use rustix::io::Errno;

use super::Kind;

/// Says why something was not done with a path: one variant per thing that the caller could do differently.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Nothing has this name.
    #[error("{} could not be {tried}: it does not exist", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
        /// What was tried, as a participle: `read`, `written`.
        tried: &'static str,
    },
    /// The path or a part of it is a symbolic link.
    #[error("{} was not {tried}: it is a symbolic link or leads through one", path.display())]
    Link {
        /// The path.
        path: PathBuf,
        /// What was tried, as a participle.
        tried: &'static str,
    },
    /// The path leads out of the directory or onto another file system.
    #[error("{} was not {tried}: it leads elsewhere or onto another file system", path.display())]
    Elsewhere {
        /// The path.
        path: PathBuf,
        /// What was tried, as a participle.
        tried: &'static str,
    },
    /// What stands there is not what the operation is for.
    #[error("{} was not {tried}: it is a {found}", path.display())]
    WrongKind {
        /// The path.
        path: PathBuf,
        /// What was tried, as a participle.
        tried: &'static str,
        /// What stands there.
        found: Kind,
    },
    /// The file has another name somewhere, perhaps outside.
    #[error("{} was not {tried}: it has more than one hard link", path.display())]
    HardLink {
        /// The path.
        path: PathBuf,
        /// What was tried, as a participle.
        tried: &'static str,
    },
    /// A part of the path that should be a directory is something else.
    #[error("{} could not be {tried}: a part of it is not a directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
        /// What was tried, as a participle.
        tried: &'static str,
    },
    /// The file has more bytes than the caller takes.
    #[error("{} was not read: it has more than {limit_bytes} bytes", path.display())]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// The limit of the caller.
        limit_bytes: u64,
    },
    /// There are more entries than a walk visits.
    #[error("{} was not walked: it holds more than {limit} entries", path.display())]
    TooMany {
        /// The directory.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// Somebody kept changing the directories while the path was looked up.
    #[error("{} could not be {tried}: the directories above it kept changing", path.display())]
    Raced {
        /// The path.
        path: PathBuf,
        /// What was tried, as a participle.
        tried: &'static str,
    },
    /// The system said no for another reason.
    #[error("{} could not be {tried}", path.display())]
    System {
        /// The path.
        path: PathBuf,
        /// What was tried, as a participle.
        tried: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl PathError {
    /// Returns the error for what the system said while `path` was `tried`.
    pub(super) fn system(path: PathBuf, tried: &'static str, errno: Errno) -> PathError {
        match errno {
            Errno::NOENT => PathError::NotFound { path, tried },
            Errno::LOOP => PathError::Link { path, tried },
            Errno::XDEV => PathError::Elsewhere { path, tried },
            Errno::NOTDIR => PathError::NotADirectory { path, tried },
            Errno::ISDIR => PathError::WrongKind {
                path,
                tried,
                found: Kind::Directory,
            },
            Errno::AGAIN => PathError::Raced { path, tried },
            // A FIFO without a reader, a socket, a device without a driver.
            Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP => PathError::WrongKind {
                path,
                tried,
                found: Kind::Other,
            },
            errno => PathError::System {
                path,
                tried,
                source: errno.into(),
            },
        }
    }

    /// Tells whether nothing stands at the path.
    pub fn is_not_found(&self) -> bool {
        matches!(self, PathError::NotFound { .. })
    }
}
