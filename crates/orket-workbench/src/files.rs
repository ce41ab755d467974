//! The port to the file system: every operation of a transaction, so that a test can fail or end at each of them.

use std::io;
use std::path::Path;

/// What stands at a path, itself and not what it links to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Its owner.
    pub user: u32,
    /// Its group.
    pub group: u32,
    /// How many names it has.
    pub links: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device.
    Special,
}

/// The file system as a transaction uses it. Paths are absolute.
///
/// # Errors
///
/// Each operation gives what the system says.
pub trait Files {
    /// Looks at a path without following a link there; `None` if nothing is there.
    fn look(&self, path: &Path) -> io::Result<Option<Entry>>;
    /// Reads a file of at most `limit` bytes; a longer one is an error.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;
    /// Lists the names in a directory, sorted. Names that are not UTF-8 are given with replacement characters.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Makes a directory whose parent exists.
    fn make_directory(&self, path: &Path) -> io::Result<()>;
    /// Makes a file that is not there, with owner and mode of another entry if one is given, and syncs it.
    fn write_new(&self, path: &Path, bytes: &[u8], like: Option<&Entry>) -> io::Result<()>;
    /// Gives a file another name; a file that has the name already is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives a file or directory another name that nothing has.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}
