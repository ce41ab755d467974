//! What the engine and the stages of the child say to each other: one order downwards, reports upwards.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::sandbox::Feature;

/// What the child is to do. Paths are absolute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    /// The executable of the child; another path once there is a private root.
    pub(super) child: PathBuf,
    /// What is not to be tried.
    pub(super) avoided: Vec<Feature>,
    /// Get ready, but run nothing.
    pub(super) probe: bool,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    /// Relative to `work_dir`.
    pub(super) places: BTreeMap<String, PathBuf>,
    pub(super) work_dir: Root,
    /// Relative to `work_dir`.
    pub(super) start_in: PathBuf,
    pub(super) readable: Vec<Root>,
    pub(super) cpu_seconds: u64,
    pub(super) memory_bytes: u64,
    pub(super) file_bytes: u64,
    pub(super) open_files: u64,
    pub(super) processes: u64,
    /// Whether the supervisor is in a user namespace of its own, where the kernel counts only this job's processes.
    pub(super) counts_alone: bool,
}

/// A file or directory that is given to the program.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Root {
    /// As the program knows it.
    pub(super) path: PathBuf,
    /// The same without links.
    pub(super) real: PathBuf,
}

impl Order {
    /// Tells whether a feature is to be tried.
    pub(super) fn wants(&self, feature: Feature) -> bool {
        !self.avoided.contains(&feature)
    }
}

/// What a stage tells the one above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Report {
    /// A feature cannot be had here; the stage ends.
    Lacks {
        feature: Feature,
        reason: String,
    },
    /// Something else failed; the stage ends.
    Failed {
        step: String,
        reason: String,
    },
    /// Everything is in force, the program comes next.
    Ready,
    Exited(i32),
    Signaled(i32),
}

/// Sends an order and what the program reads.
pub(super) fn send_order(mut to: impl Write, order: &Order, stdin: &[u8]) -> io::Result<()> {
    let order = serde_json::to_vec(order)?;
    for part in [order.as_slice(), stdin] {
        to.write_all(&(part.len() as u64).to_le_bytes())?;
        to.write_all(part)?;
    }
    Ok(())
}

/// Receives an order and what the program reads.
pub(super) fn receive_order(mut from: impl Read) -> io::Result<(Order, Vec<u8>)> {
    let mut part = || -> io::Result<Vec<u8>> {
        let mut length = [0; 8];
        from.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        let mut bytes = Vec::new();
        if from.by_ref().take(length).read_to_end(&mut bytes)? as u64 == length {
            Ok(bytes)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    };
    let order = serde_json::from_slice(&part()?)?;
    Ok((order, part()?))
}

/// Sends a report, one line.
pub(super) fn send_report(mut to: impl Write, report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// Takes the whole lines from the front of what was received.
pub(super) fn take_reports(received: &mut Vec<u8>) -> io::Result<Vec<Report>> {
    let Some(end) = received.iter().rposition(|&byte| byte == b'\n') else {
        return Ok(Vec::new());
    };
    let rest = received.split_off(end + 1);
    let lines = std::mem::replace(received, rest);
    let lines = lines
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).map_err(io::Error::from))
        .collect()
}
