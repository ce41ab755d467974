//! The processes below a process, as `/proc` tells them.

use std::collections::BTreeMap;
use std::fs;

use rustix::process::{Pid, Signal};

/// How often the tree is looked at again. On a busy machine what was killed takes its time to end, and a child of which the parent
/// ended meanwhile is seen only by a later look; so this is far more than a tree that shrinks needs.
const ROUNDS: usize = 20_000;

/// Kills all descendants of a process until none is left, or they grow faster than they are killed.
pub(super) fn kill_descendants(root: Pid) {
    for _ in 0..ROUNDS {
        let descendants = living_descendants(root);
        if descendants.is_empty() {
            return;
        }
        for process in descendants {
            // It may have ended meanwhile; what is left is seen in the next round.
            let _ = rustix::process::kill_process(process, Signal::KILL);
        }
        std::thread::yield_now();
    }
}

/// Returns how many threads a user has.
pub(super) fn threads_of(user: u32) -> u64 {
    let mut threads = 0;
    for process in processes() {
        let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else {
            continue;
        };
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.split_whitespace().next()?.parse::<u64>().ok()
        };
        if field("Uid:") == Some(u64::from(user)) {
            threads += field("Threads:").unwrap_or(1);
        }
    }
    threads
}

/// A process that has ended but was not waited for can no longer do anything: it does not count.
fn living_descendants(root: Pid) -> Vec<Pid> {
    let mut parents = BTreeMap::new();
    for process in processes() {
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else {
            continue;
        };
        // The name of the program is in parentheses and may itself hold some.
        let Some((_, fields)) = stat.rsplit_once(')') else {
            continue;
        };
        let mut fields = fields.split_whitespace();
        let (state, parent) = (
            fields.next(),
            fields.next().and_then(|parent| parent.parse::<i32>().ok()),
        );
        if let Some(parent) = parent {
            parents.insert(process, (parent, matches!(state, Some("Z" | "X"))));
        }
    }
    let root = root.as_raw_pid();
    let is_below = |mut process: i32| {
        // A loop cannot be there, but the tree is read while it changes.
        for _ in 0..=parents.len() {
            match parents.get(&process) {
                Some((parent, _)) if *parent == root => return true,
                Some((parent, _)) => process = *parent,
                None => return false,
            }
        }
        false
    };
    let living = parents.iter().filter(|(_, (_, ended))| !ended);
    living
        .filter(|(process, _)| is_below(**process))
        .filter_map(|(process, _)| Pid::from_raw(*process))
        .collect()
}

fn processes() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}
