//! Files of a directory as payloads: what is long is not held, but read again through the handle that was checked.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use orket_kernel::{Payload, PayloadSource, Stream};
use rustix::fs::{Mode, OFlags};

use super::directory::{Directory, is_executable, length_bytes};
use super::{PathError, RelativePath};

/// What is no longer than this is held: a handle for each of many small files would be more than a process may have.
const HELD_LENGTH_MAX_BYTES: u64 = 1024 * 1024;
/// How much of a copy is in memory at a time.
const BUFFER_BYTES: usize = 64 * 1024;

impl Directory {
    /// Returns the bytes of a regular file and whether its owner may execute it. A file over 1 MiB is read once, and again
    /// whenever its payload is; it stays open for as long as that lives, and must not be written meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Directory::read`].
    pub fn payload(
        &self,
        path: &RelativePath,
        limit_bytes: u64,
    ) -> Result<(Payload, bool), PathError> {
        const TRIED: &str = "read";
        // Without O_NONBLOCK, opening a FIFO would wait for its writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let handle = self.open_beneath(path, flags, Mode::empty(), TRIED)?;
        let stat = self.check_plain(path, &handle, TRIED)?;
        let opened = Opened(Arc::new(File::from(handle)));
        let failed = |source| self.failed(path, TRIED, source);
        let too_large = || self.too_large(path, limit_bytes);
        if length_bytes(&stat) > limit_bytes {
            return Err(too_large());
        }
        if length_bytes(&stat) > HELD_LENGTH_MAX_BYTES {
            let measured = Stream::measure(Arc::new(opened), limit_bytes);
            let stream = measured.map_err(failed)?.ok_or_else(too_large)?;
            return Ok((Payload::Streamed(stream), is_executable(&stat)));
        }
        let mut bytes = Vec::new();
        // The file may have grown since its size was asked.
        let most = limit_bytes.min(HELD_LENGTH_MAX_BYTES);
        let reader = opened.open().map_err(failed)?;
        let read = reader.take(most + 1).read_to_end(&mut bytes);
        read.map_err(failed)?;
        if bytes.len() as u64 > most {
            return Err(self.too_large(path, most));
        }
        Ok((Payload::Held(bytes), is_executable(&stat)))
    }

    /// As [`Directory::write`], with the bytes of a payload. One that cannot be read to its end is not written.
    ///
    /// # Errors
    ///
    /// As [`Directory::write`], and when the payload cannot be read.
    pub fn write_payload(
        &self,
        path: &RelativePath,
        payload: &Payload,
        executable: bool,
    ) -> Result<(), PathError> {
        if let Payload::Held(bytes) = payload {
            return self.write(path, bytes, executable);
        }
        self.write_with(path, executable, |file| {
            let mut reader = BufReader::with_capacity(BUFFER_BYTES, payload.open()?);
            std::io::copy(&mut reader, file).map(drop)
        })
    }
}

/// An open file. Its name may become another file, its bytes are still those of this one.
#[derive(Debug)]
struct Opened(Arc<File>);

impl PayloadSource for Opened {
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Reading {
            file: Arc::clone(&self.0),
            offset: 0,
        }))
    }
}

/// A reading of an open file, with a place of its own in it.
struct Reading {
    file: Arc<File>,
    offset: u64,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;

    use super::*;

    const MIB: usize = 1 << 20;

    /// A directory with one file, and the payload of that file.
    fn measured(bytes: &[u8]) -> (tempfile::TempDir, Directory, Payload) {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("a"), bytes).unwrap();
        let directory = Directory::open(scratch.path()).unwrap();
        let payload = directory.payload(&"a".parse().unwrap(), 2 * MIB as u64);
        let (payload, executable) = payload.unwrap();
        assert!(!executable);
        (scratch, directory, payload)
    }

    #[test]
    fn what_is_longer_than_1_mib_is_a_stream_of_the_file_that_was_opened() {
        assert!(matches!(measured(&[1; MIB]).2, Payload::Held(_)));
        let bytes = vec![1; MIB + 1];
        let (scratch, directory, payload) = measured(&bytes);
        assert!(matches!(payload, Payload::Streamed(_)));
        assert_eq!(payload, Payload::Held(bytes.clone()));
        // Another file under the name is another file.
        fs::write(scratch.path().join("b"), "other").unwrap();
        fs::rename(scratch.path().join("b"), scratch.path().join("a")).unwrap();
        for copy in ["c", "d"] {
            let path = copy.parse().unwrap();
            directory.write_payload(&path, &payload, false).unwrap();
            assert!(fs::read(scratch.path().join(copy)).unwrap() == bytes);
        }
    }

    #[test]
    fn what_was_changed_since_it_was_measured_is_not_written() {
        let (scratch, directory, payload) = measured(&[1; MIB + 1]);
        fs::write(scratch.path().join("a"), [2; MIB + 1]).unwrap();
        let path = "c".parse().unwrap();
        directory.write_payload(&path, &payload, false).unwrap_err();
        assert_eq!(payload.check().unwrap_err().kind(), ErrorKind::InvalidData);
        let left = fs::read_dir(scratch.path()).unwrap().count();
        assert_eq!(left, 1, "no draft is left");
    }

    #[test]
    fn a_file_beyond_the_limit_is_not_taken() {
        for (limit_bytes, length_bytes) in [(2, 3), (2 * MIB, 2 * MIB + 1)] {
            let scratch = tempfile::tempdir().unwrap();
            fs::write(scratch.path().join("a"), vec![1; length_bytes]).unwrap();
            let directory = Directory::open(scratch.path()).unwrap();
            let refused = directory.payload(&"a".parse().unwrap(), limit_bytes as u64);
            assert!(matches!(refused, Err(PathError::TooLarge { .. })));
        }
    }
}
