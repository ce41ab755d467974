//! Calls that repeat others: models get stuck and write the same again.

use orket_ports::dialect::Duplicate;

use super::report::Found;

fn is_same(one: &Found, other: &Found) -> bool {
    one.name == other.name && one.arguments == other.arguments
}

/// Returns the ordinals of the calls that only repeat: each equal to the one right before it, and all after the first
/// round where the same calls go round and round to the end.
pub(super) fn repeated(calls: &[Found]) -> Vec<usize> {
    let mut repeated = Vec::new();
    let mut kept: Vec<usize> = Vec::new();
    for (ordinal, call) in calls.iter().enumerate() {
        let last = kept.last().and_then(|last| calls.get(*last));
        if last.is_some_and(|last| is_same(last, call)) {
            repeated.push(ordinal);
        } else {
            kept.push(ordinal);
        }
    }
    let call = |place: usize| kept.get(place).and_then(|ordinal| calls.get(*ordinal));
    let goes_round = |round: &usize| {
        kept.len().is_multiple_of(*round)
            && (*round..kept.len()).all(|place| {
                matches!((call(place), call(place - round)), (Some(one), Some(other)) if is_same(one, other))
            })
    };
    if let Some(round) = (1..=kept.len() / 2).find(goes_round) {
        repeated.extend(kept.iter().skip(round));
        repeated.sort_unstable();
    }
    repeated
}

/// Lists the calls that are equal to an earlier one.
pub(super) fn duplicates(calls: &[Found]) -> Vec<Duplicate> {
    let mut duplicates = Vec::new();
    for (ordinal, call) in calls.iter().enumerate() {
        let earlier = calls.iter().take(ordinal);
        if let Some(of) = earlier.enumerate().find(|(_, other)| is_same(other, call)) {
            duplicates.push(Duplicate {
                call: ordinal as u64,
                of: of.0 as u64,
            });
        }
    }
    duplicates
}
