//! How much is tried, and with which chance.

use orket_testkit::SplitMix64;

/// Returns the number of tries: `short`, or `full` if the long form was asked for.
pub(crate) fn tries(short: u64, full: u64) -> u64 {
    if is_full() { full } else { short }
}

pub(crate) fn is_full() -> bool {
    std::env::var("ORKET_FULL").is_ok_and(|value| value == "1")
}

/// Returns the seed, which a failure prints.
pub(crate) fn seed() -> u64 {
    std::env::var("ORKET_SEED").map_or(20_260_404, |seed| seed.parse().unwrap())
}

/// Returns the one round that is to be played, if not all: a failure prints its number.
pub(crate) fn chosen_round() -> Option<u64> {
    let round = std::env::var("ORKET_ROUND").ok()?;
    Some(round.parse().unwrap())
}

/// Returns a number below `limit`, which must not be 0.
pub(crate) fn below(chance: &mut SplitMix64, limit: usize) -> usize {
    usize::try_from(chance.next_u64() % limit as u64).unwrap()
}

/// Returns one of several things.
pub(crate) fn any<'a, T>(chance: &mut SplitMix64, things: &'a [T]) -> &'a T {
    &things[below(chance, things.len())]
}
