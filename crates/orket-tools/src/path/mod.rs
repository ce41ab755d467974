//! The path authority: the one way in which files of a project are opened.
//!
//! A [`RelativePath`] is a name that means the same on every system; a [`Directory`] is an opened directory below which
//! such a name is looked up. Nothing here ever follows a symbolic link, leaves the directory, or reads something that
//! is not a regular file with exactly one link.
//!
//! ```
//! use orket_tools::path::{Directory, RelativePath};
//!
//! # let scratch = tempfile::tempdir()?;
//! let directory = Directory::open(scratch.path())?;
//! let path: RelativePath = "notes/today.txt".parse()?;
//! directory.write(&path, b"hello", false)?;
//! assert_eq!(directory.read(&path, 1024)?, b"hello");
//! assert!("../outside".parse::<RelativePath>().is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//!
//! - A directory that somebody moves elsewhere between its opening and the use of its handle is used where it is then.
//! - Nothing is synced to the disk: what is written survives a kill of the process, not a power cut.
//! - A kill during a write can leave a file named `.orket-new-…` behind; the next write of the same path takes it away.
//!   Until then it is listed like any other file. Only one process at a time may write one path.
//! - Two names that differ in case or in Unicode normalisation are two names, although some file systems make them one.
//! - Where both `openat2` and `/proc` are missing, a bind mount of the same file system is not seen as a crossing.

mod directory;
mod draft;
mod error;
mod name;
mod payload;
mod resolve;

pub use directory::{Directory, Entry, FoundFile, Kind, Walk};
pub use draft::is_draft;
pub use error::PathError;
pub(crate) use name::is_hidden;
pub use name::{ComponentRule, RelativePath, RelativePathError};
pub use resolve::Resolution;
