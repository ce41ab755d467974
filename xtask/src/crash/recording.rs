//! What a command did to a tree, in order, with every byte that it wrote.

use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::Pid;

use crate::crash::call::{self, Call, Kind};
use crate::crash::place::acknowledgement;
use crate::crash::tracer::{Observer, Verdict};

/// One thing that happened. Paths are relative to the tree; that of the tree itself is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    MakeFile(PathBuf),
    MakeDirectory(PathBuf),
    Write {
        path: PathBuf,
        offset: u64,
        bytes: Vec<u8>,
    },
    Truncate(PathBuf, u64),
    /// File or directory is on the medium when this has happened.
    Sync(PathBuf),
    Rename(PathBuf, PathBuf),
    Unlink(PathBuf),
    RemoveDirectory(PathBuf),
    /// A generation was acknowledged.
    Acknowledge(u64),
}

/// Writes down what happens below a tree.
pub(crate) struct Recorder {
    root: PathBuf,
    stdout: PathBuf,
    /// The opened file was there before.
    is_known: bool,
    pub(crate) events: Vec<Event>,
    /// What could not be written down; a recording with such gaps proves nothing.
    pub(crate) gaps: Vec<String>,
}

impl Recorder {
    pub(crate) fn new(root: PathBuf, stdout: PathBuf) -> Recorder {
        Recorder {
            root,
            stdout,
            is_known: false,
            events: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn relative(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.root).ok().map(Path::to_path_buf)
    }

    fn record(&mut self, pid: Pid, call: &Call, result: i64) -> Result<(), String> {
        let Some(named) = call.paths.first() else {
            return Ok(());
        };
        if *named == self.stdout {
            let bytes = self.written(pid, call, result)?;
            let line = String::from_utf8_lossy(&bytes);
            self.events
                .extend(acknowledgement(line.trim_end()).map(Event::Acknowledge));
            return Ok(());
        }
        let path = self.relative(named).ok_or("it leads out of the tree")?;
        let event = match call.kind {
            Kind::Open if !self.is_known => Event::MakeFile(path),
            Kind::Open if call.flags & libc::O_TRUNC != 0 => Event::Truncate(path, 0),
            Kind::Open | Kind::Attribute => return Ok(()),
            Kind::Write | Kind::WriteVector => {
                let bytes = self.written(pid, call, result)?;
                let end = call::position(pid, call.arguments[0] as i32)
                    .ok_or("its place in the file is not known")?;
                let offset = end - bytes.len() as u64;
                Event::Write {
                    path,
                    offset,
                    bytes,
                }
            }
            Kind::WriteAt => Event::Write {
                path,
                offset: call.arguments[3],
                bytes: self.written(pid, call, result)?,
            },
            Kind::Truncate => Event::Truncate(path, call.arguments[1]),
            Kind::Sync => Event::Sync(path),
            Kind::Rename => {
                let to = call.paths.get(1).and_then(|to| self.relative(to));
                Event::Rename(path, to.ok_or("its target is out of the tree")?)
            }
            Kind::Unlink => Event::Unlink(path),
            Kind::MakeDirectory => Event::MakeDirectory(path),
            Kind::RemoveDirectory => Event::RemoveDirectory(path),
            Kind::Other => return Err("it is a call that a recording does not know".into()),
        };
        self.events.push(event);
        Ok(())
    }

    fn written(&self, pid: Pid, call: &Call, result: i64) -> Result<Vec<u8>, String> {
        let length = usize::try_from(result).map_err(|error| error.to_string())?;
        let read =
            |address, length| call::memory(pid, address, length).map_err(|error| error.to_string());
        if call.kind != Kind::WriteVector {
            return read(call.arguments[1], length);
        }
        let mut bytes = Vec::new();
        for piece in 0..call.arguments[2] {
            // Address and length, eight bytes each.
            let vector = read(call.arguments[1] + piece * 16, 16)?;
            let number = |from: usize| {
                let bytes = vector[from..from + 8].try_into().unwrap_or_default();
                u64::from_ne_bytes(bytes)
            };
            bytes.extend(read(number(0), number(8) as usize)?);
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

impl Observer for Recorder {
    fn before(&mut self, _pid: Pid, call: &Call) -> Verdict {
        self.is_known = call.paths.first().is_some_and(|path| path.exists());
        Verdict::Go
    }

    fn after(&mut self, pid: Pid, call: &Call, result: i64) {
        if result < 0 {
            return;
        }
        if let Err(reason) = self.record(pid, call, result) {
            self.gaps
                .push(format!("{} {:?}: {reason}", call.name, call.paths));
        }
    }
}
