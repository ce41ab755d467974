//! How much the working directory grows: no limit of the kernel is for that, so the engine looks while the program runs.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sandbox::Limits;

/// How often is looked.
const TICK: Duration = Duration::from_millis(50);
/// What part of the time may go into looking: one of so many.
const SHARE: u32 = 10;

/// What files and directories take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    bytes: u64,
    entries: u64,
}

/// The growth of a directory, as it is watched.
pub(super) struct Disk {
    directory: PathBuf,
    /// What there may be at most.
    most: Usage,
    /// By how much it may grow.
    growth: Usage,
    /// What was free at the start; others use the same file system, so this only says when not to look closer.
    free: Option<Usage>,
    next_look: Cell<Instant>,
}

impl Disk {
    /// Begins to watch a directory.
    pub(super) fn watch(directory: &Path, limits: &Limits) -> Disk {
        let growth = Usage {
            bytes: limits.disk_bytes,
            entries: limits.disk_entries,
        };
        // What cannot be measured now cannot be measured later either, and is refused then.
        let there = measure(directory, u64::MAX).unwrap_or_default();
        Disk {
            directory: directory.to_path_buf(),
            most: Usage {
                bytes: there.bytes.saturating_add(growth.bytes),
                entries: there.entries.saturating_add(growth.entries),
            },
            growth,
            free: free(directory),
            next_look: Cell::new(Instant::now() + TICK),
        }
    }

    /// Returns when to look next.
    pub(super) fn next_look(&self) -> Instant {
        self.next_look.get()
    }

    /// Tells whether the directory has grown too much; looks only as often as it should.
    pub(super) fn is_over(&self) -> bool {
        let begun = Instant::now();
        if begun < self.next_look.get() {
            return false;
        }
        let is_over = !self.has_room() && self.has_grown();
        let pause = TICK.max(begun.elapsed() * SHARE);
        self.next_look.set(Instant::now() + pause);
        is_over
    }

    /// Tells whether so little was used on the whole file system that the directory cannot be over its limit.
    fn has_room(&self) -> bool {
        let (Some(before), Some(now)) = (self.free, free(&self.directory)) else {
            return false;
        };
        before.bytes.saturating_sub(now.bytes) < self.growth.bytes
            && before.entries.saturating_sub(now.entries) < self.growth.entries
    }

    fn has_grown(&self) -> bool {
        // A program can make a directory that cannot be measured: too deep, or closed to everybody.
        measure(&self.directory, self.most.entries)
            .is_none_or(|usage| usage.bytes > self.most.bytes || usage.entries > self.most.entries)
    }
}

/// Returns what is free; `None` where a file system does not count its files.
fn free(directory: &Path) -> Option<Usage> {
    let status = rustix::fs::statvfs(directory).ok()?;
    (status.f_files > 0).then(|| Usage {
        bytes: status.f_bfree.saturating_mul(status.f_frsize),
        entries: status.f_ffree,
    })
}

/// Adds up what is below a directory, as far as there are no more than `entries_max` entries; `None` if something cannot be
/// looked at. What disappears meanwhile does not count.
fn measure(directory: &Path, entries_max: u64) -> Option<Usage> {
    let is_gone = |error: &std::io::Error| {
        matches!(
            error.kind(),
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
        )
    };
    let mut usage = Usage::default();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(directory) = pending.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if is_gone(&error) => continue,
            Err(_) => return None,
        };
        for entry in entries {
            let entry = entry.ok()?;
            usage.entries += 1;
            if usage.entries > entries_max {
                return Some(usage);
            }
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => pending.push(entry.path()),
                Ok(metadata) => usage.bytes += metadata.blocks() * 512,
                Err(error) if is_gone(&error) => {}
                Err(_) => return None,
            }
        }
    }
    Some(usage)
}
