//! Entries of an archive: how they are written, and how strictly they are read.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use orket_kernel::Digest;
use sha2::{Digest as _, Sha256};

/// How much is in memory at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Returns the header of a regular file. Owner, mode and time are the same for all.
pub(super) fn header(name: &str, length_bytes: u64) -> std::io::Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(length_bytes);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

/// Copies everything and returns the length and the digest of it.
pub(super) fn copy(
    source: &mut dyn Read,
    target: &mut dyn Write,
) -> std::io::Result<(u64, Digest)> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut hasher = Sha256::new();
    let mut length = 0;
    loop {
        let read = source.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Ok((length, Digest::from_bytes(hasher.finalize().into())));
        };
        hasher.update(bytes);
        target.write_all(bytes)?;
        length += bytes.len() as u64;
    }
}

/// Lets a reader pass and digests what went through.
pub(super) struct Digesting<R> {
    inner: R,
    hasher: Sha256,
}

impl<R: Read> Digesting<R> {
    pub(super) fn new(inner: R) -> Digesting<R> {
        Digesting {
            inner,
            hasher: Sha256::new(),
        }
    }

    pub(super) fn finish(self) -> Digest {
        Digest::from_bytes(self.hasher.finalize().into())
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Makes a file that must not be there.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}
