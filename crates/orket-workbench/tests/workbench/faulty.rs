//! A file system that counts its operations and fails, or ends the process, at the one it is told.

use std::cell::Cell;
use std::io;
use std::path::Path;

use orket_workbench::{Disk, Entry, Files};

/// What happens, and at which operation; they count from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault<'a> {
    /// Nothing.
    Never,
    /// This operation fails; the later ones do not.
    Once(usize),
    /// This operation and all later ones fail: the disk is gone. What is on it is what a kill there would leave.
    From(usize),
    /// The process ends.
    Abort(usize),
    /// Somebody writes this into that file, below the root, just before this operation.
    Meddle(usize, &'a Path, &'a str),
}

/// The file system of this machine with a fault. A write that it hits is half done.
pub(crate) struct Faulty<'a> {
    fault: Fault<'a>,
    count: Cell<usize>,
}

enum Hit {
    No,
    Fail,
    Abort,
}

impl<'a> Faulty<'a> {
    pub(crate) fn new(fault: Fault<'a>) -> Faulty<'a> {
        Faulty {
            fault,
            count: Cell::new(0),
        }
    }

    /// Returns how many operations there were.
    pub(crate) fn count(&self) -> usize {
        self.count.get()
    }

    fn hit(&self) -> Hit {
        let number = self.count.get();
        self.count.set(number + 1);
        match self.fault {
            Fault::Once(at) if number == at => Hit::Fail,
            Fault::From(at) if number >= at => Hit::Fail,
            Fault::Abort(at) if number == at => Hit::Abort,
            Fault::Meddle(at, path, text) if number == at => {
                std::fs::write(path, text).unwrap();
                Hit::No
            }
            _ => Hit::No,
        }
    }

    fn step(&self) -> io::Result<()> {
        match self.hit() {
            Hit::No => Ok(()),
            Hit::Fail => Err(io::Error::other("told to fail")),
            Hit::Abort => std::process::abort(),
        }
    }
}

impl Files for Faulty<'_> {
    fn look(&self, path: &Path) -> io::Result<Option<Entry>> {
        self.step()?;
        Disk.look(path)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        self.step()?;
        Disk.read(path, limit)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.step()?;
        Disk.list(path)
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Disk.make_directory(path)
    }

    fn write_new(&self, path: &Path, bytes: &[u8], like: Option<&Entry>) -> io::Result<()> {
        match self.hit() {
            Hit::No => Disk.write_new(path, bytes, like),
            hit => {
                let half = &bytes[..bytes.len() / 2];
                std::fs::write(path, half)?;
                match hit {
                    Hit::Abort => std::process::abort(),
                    _ => Err(io::Error::other("told to fail")),
                }
            }
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Disk.rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Disk.rename_new(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Disk.remove_file(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Disk.remove_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Disk.sync_directory(path)
    }
}
