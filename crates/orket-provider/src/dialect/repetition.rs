//! Calls that repeat others: models get stuck and write the same again.

use std::collections::BTreeMap;

use orket_kernel::{Digest, canonical};
use orket_ports::dialect::Duplicate;

use super::report::Found;

/// Returns for each call the ordinal of the first call that is equal to it: its own if there is none before.
pub(super) fn firsts(calls: &[Found]) -> Vec<usize> {
    if calls.len() < 2 {
        return (0..calls.len()).collect();
    }
    let mut known: BTreeMap<(&str, Digest), usize> = BTreeMap::new();
    let calls = calls.iter().enumerate();
    calls
        .map(|(ordinal, call)| {
            let arguments = canonical::digest(&call.arguments);
            *known.entry((&call.name, arguments)).or_insert(ordinal)
        })
        .collect()
}

/// Returns the ordinals of the calls that only repeat: each equal to the one right before it, and all after the first
/// round where the same calls go round and round to the end.
pub(super) fn repeated(firsts: &[usize]) -> Vec<usize> {
    let mut repeated = Vec::new();
    // The ordinal of each call that is not equal to the one before it, and the first that is equal to it.
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for (ordinal, first) in firsts.iter().copied().enumerate() {
        if kept.last().is_some_and(|(_, last)| *last == first) {
            repeated.push(ordinal);
        } else {
            kept.push((ordinal, first));
        }
    }
    let goes_round = |round: &usize| {
        let later = kept.iter().skip(*round);
        kept.len().is_multiple_of(*round)
            && kept.iter().zip(later).all(|(one, other)| one.1 == other.1)
    };
    if let Some(round) = (1..=kept.len() / 2).find(goes_round) {
        repeated.extend(kept.iter().skip(round).map(|(ordinal, _)| *ordinal));
        repeated.sort_unstable();
    }
    repeated
}

/// Lists the calls that are equal to an earlier one.
pub(super) fn duplicates(firsts: &[usize]) -> Vec<Duplicate> {
    let firsts = firsts.iter().copied().enumerate();
    firsts
        .filter(|(ordinal, first)| first < ordinal)
        .map(|(ordinal, first)| Duplicate {
            call: ordinal as u64,
            of: first as u64,
        })
        .collect()
}
