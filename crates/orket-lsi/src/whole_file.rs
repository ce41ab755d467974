//! Files that are there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use orket_kernel::{Digest, Payload, PayloadSource, Stream};

use crate::content::INLINE_LENGTH_MAX_BYTES;

/// How much of a copy is in memory at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Whether the bytes must survive a power cut or only the end of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Survives a kill of the process.
    Unsynced,
    /// Survives a power cut: file and directory are synced before the call returns.
    Synced,
}

/// Writes `bytes` beside `path` and renames them into place; directories on the way are made.
pub(crate) fn write(path: &Path, bytes: &[u8], durability: Durability) -> std::io::Result<()> {
    write_with(path, durability, |file| file.write_all(bytes))
}

/// As [`write`], with all that a reader still holds, a piece at a time.
pub(crate) fn copy(
    reader: &mut dyn Read,
    path: &Path,
    durability: Durability,
) -> Result<(), CopyError> {
    write_with(path, durability, |file| {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(CopyError::Read(error)),
            };
            file.write_all(buffer.get(..read).unwrap_or_default())?;
        }
    })
}

/// Says which side of a copy failed.
#[derive(Debug)]
pub(crate) enum CopyError {
    /// What was copied.
    Read(std::io::Error),
    /// What it was copied to.
    Write(std::io::Error),
}

impl From<std::io::Error> for CopyError {
    fn from(error: std::io::Error) -> CopyError {
        CopyError::Write(error)
    }
}

fn write_with<E: From<std::io::Error>>(
    path: &Path,
    durability: Durability,
    fill: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let parent = path
        .parent()
        .ok_or_else(|| std::io::Error::from(ErrorKind::InvalidInput))?;
    let (temporary, mut file) = match create_temporary(parent, path, durability) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::DirBuilder::new()
                .mode(0o700)
                .recursive(true)
                .create(parent)?;
            create_temporary(parent, path, durability)?
        }
        other => other?,
    };
    let written = fill(&mut file).and_then(|()| match durability {
        Durability::Unsynced => Ok(()),
        Durability::Synced => Ok(file.sync_all()?),
    });
    let renamed = written.and_then(|()| Ok(fs::rename(&temporary, path)?));
    if let Err(error) = renamed {
        // The name is of no use to anyone; if it cannot be removed either, the first error still tells why.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    if durability == Durability::Synced {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// The bytes of a file that has this name whenever they are asked for.
#[derive(Debug)]
pub(crate) struct FileSource(pub(crate) PathBuf);

impl PayloadSource for FileSource {
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.0)?))
    }
}

/// Tells whether a file name is one of an unfinished write.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(".new-")
}

/// Makes a new file beside `path`. Its name can be guessed, but only its owner can write the directory it is made in.
///
/// An unsynced file is a projection's or a staging area's, which has one writer at a time: its draft has one name, so that
/// the next write takes away what a killed one left. Synced ones are contents that two processes may write at once; their
/// drafts have names of their own.
fn create_temporary(
    directory: &Path,
    path: &Path,
    durability: Durability,
) -> std::io::Result<(PathBuf, File)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let name = match durability {
            Durability::Unsynced => {
                let name = path.file_name().unwrap_or_default().as_encoded_bytes();
                format!(".new-{}", &Digest::of_bytes(name).to_hex()[..16])
            }
            Durability::Synced => {
                let number = COUNTER.fetch_add(1, Ordering::Relaxed);
                format!(".new-{}-{number}", std::process::id())
            }
        };
        let draft = directory.join(name);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
        {
            Ok(file) => return Ok((draft, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if durability == Durability::Unsynced {
                    fs::remove_file(&draft)?;
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Reads a whole file; `None` if there is none.
pub(crate) fn read(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns what a file holds, in memory if it is short; `None` if there is none. A long file is read once and digested.
pub(crate) fn payload(path: &Path) -> std::io::Result<Option<Payload>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() <= INLINE_LENGTH_MAX_BYTES as u64 => {
            Ok(read(path)?.map(Payload::Held))
        }
        Ok(_) => {
            let source = Arc::new(FileSource(path.to_path_buf()));
            let stream = Stream::measure(source, u64::MAX)?;
            Ok(stream.map(Payload::Streamed))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Removes a file or a directory with all it holds; tells whether there was one.
pub(crate) fn remove(path: &Path) -> std::io::Result<bool> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Lists a directory, sorted; one that is not there is empty.
pub(crate) fn entries(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let listed = match fs::read_dir(directory) {
        Ok(listed) => listed,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut paths = listed
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
