//! One damage: what a medium, a crash or a careless hand does to a file.

use std::fmt;
use std::path::PathBuf;

use orket_testkit::SplitMix64;

use super::Files;
use crate::chance::{any, below};

/// Databases and file systems lose blocks of such sizes.
const BLOCKS: [usize; 3] = [64, 512, 4096];

enum What {
    Flip {
        at: Vec<(usize, u8)>,
    },
    Truncate {
        length: usize,
    },
    Zero {
        from: usize,
        to: usize,
    },
    Swap {
        one: usize,
        other: usize,
        block: usize,
    },
    Delete,
}

pub(super) struct Harm {
    pub(super) path: PathBuf,
    what: What,
}

impl Harm {
    pub(super) fn any(chance: &mut SplitMix64, files: &Files) -> Harm {
        let kind = any(
            chance,
            &[
                "orket_persistence.db",
                "orket_persistence.db",
                "orket_persistence.db-wal",
                "orket_persistence.db-wal",
                "orket_persistence.db-shm",
                "/blobs/",
                "/committed/",
                "/committed/VIEW",
                "/staging/",
            ],
        );
        let is_meant = |path: &&PathBuf| {
            let path = format!("/{}", path.display());
            if kind.starts_with('/') {
                path.contains(kind)
            } else {
                path.ends_with(kind)
            }
        };
        let meant: Vec<&PathBuf> = files.keys().filter(is_meant).collect();
        if meant.is_empty() {
            return Harm::any(chance, files);
        }
        let path = (*any(chance, &meant)).clone();
        let length = files[&path].len();
        let what = match below(chance, 12) {
            _ if length == 0 => What::Delete,
            0..=3 => What::Flip {
                at: (0..=below(chance, 4))
                    .map(|_| (below(chance, length), 1 << below(chance, 8)))
                    .collect(),
            },
            4..=5 => What::Truncate {
                length: below(chance, length),
            },
            6..=7 => {
                let block = *any(chance, &BLOCKS);
                let from = below(chance, length) / block * block;
                What::Zero {
                    from,
                    to: (from + block).min(length),
                }
            }
            8..=10 if length >= 2 * BLOCKS[0] => {
                let fitting = BLOCKS.iter().filter(|block| length >= 2 * **block);
                let fitting: Vec<&usize> = fitting.collect();
                let block = **any(chance, &fitting);
                let blocks = length / block;
                let one = below(chance, blocks);
                let other = (one + 1 + below(chance, blocks - 1)) % blocks;
                What::Swap {
                    one: one * block,
                    other: other * block,
                    block,
                }
            }
            _ => What::Delete,
        };
        Harm { path, what }
    }

    pub(super) fn apply(&self, files: &mut Files) {
        if matches!(self.what, What::Delete) {
            files.remove(&self.path);
            return;
        }
        let bytes = files.get_mut(&self.path).unwrap();
        match &self.what {
            What::Flip { at } => at.iter().for_each(|(at, bit)| bytes[*at] ^= bit),
            What::Truncate { length } => bytes.truncate(*length),
            What::Zero { from, to } => bytes[*from..*to].fill(0),
            What::Swap { one, other, block } => {
                let kept = bytes[*one..one + block].to_vec();
                bytes.copy_within(*other..other + block, *one);
                bytes[*other..other + block].copy_from_slice(&kept);
            }
            What::Delete => {}
        }
    }

    /// Tells whether a file below this part of the home was harmed.
    pub(super) fn is_of(&self, part: &str) -> bool {
        self.path.to_string_lossy().contains(part)
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.what {
            What::Flip { .. } => "flip",
            What::Truncate { .. } => "truncate",
            What::Zero { .. } => "zero",
            What::Swap { .. } => "swap",
            What::Delete => "delete",
        }
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.kind(), self.path.display())?;
        match &self.what {
            What::Flip { at } => write!(formatter, " at {at:?}"),
            What::Truncate { length } => write!(formatter, " to {length} bytes"),
            What::Zero { from, to } => write!(formatter, " from {from} to {to}"),
            What::Swap { one, other, block } => {
                write!(formatter, " of {block} bytes at {one} and {other}")
            }
            What::Delete => Ok(()),
        }
    }
}
