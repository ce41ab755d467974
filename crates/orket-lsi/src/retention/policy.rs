//! The policy: which generations stay readable, and of which runs the records stay. Pure.

use std::collections::BTreeSet;

use orket_kernel::{Digest, RunId};

/// What an operator declared. What is `None` is not bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How many of the newest generations stay readable. At least one does.
    pub generations: Option<u64>,
    /// Of how many of the newest runs the records stay. Those of open and of pinned runs stay besides.
    pub runs: Option<u64>,
    /// How many bytes objects and records may take. The oldest generations go, and the runs that ended before them, until
    /// it is enough or nothing is left that may go.
    pub bytes: Option<u64>,
}

/// What one run needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunClaims {
    /// The run.
    pub run_id: RunId,
    /// Whether it can go on: what an open run needs is never dropped.
    pub is_open: bool,
    /// The generations of its first and last promoted turn; `None` if it has none.
    pub generations: Option<(u64, u64)>,
    /// Its turn records, and what they name.
    pub records: BTreeSet<Digest>,
    /// The objects that a replay of its turns reads.
    pub objects: BTreeSet<Digest>,
}

/// What the policy comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The oldest generation that stays readable.
    pub(super) horizon: u64,
    /// The runs whose records go.
    pub(super) dropped: BTreeSet<RunId>,
}

/// Where things stand before the choice.
pub(super) struct Situation<'a> {
    pub(super) newest: u64,
    pub(super) horizon: u64,
    pub(super) pinned: &'a BTreeSet<RunId>,
    /// In the order in which they began, without those that were dropped before.
    pub(super) runs: &'a [RunClaims],
}

/// Applies a policy. `weigh` returns the bytes that a choice leaves.
pub(super) fn choose(
    policy: &Retention,
    situation: &Situation<'_>,
    weigh: impl Fn(&Choice) -> u64,
) -> Choice {
    let mut choice = Choice {
        horizon: situation.horizon,
        dropped: BTreeSet::new(),
    };
    if let Some(generations) = policy.generations {
        let oldest = (situation.newest + 1).saturating_sub(generations.max(1));
        choice.horizon = situation.horizon_at(oldest);
    }
    if let Some(runs) = policy.runs {
        let runs = usize::try_from(runs).unwrap_or(usize::MAX);
        let older = situation.runs.len().saturating_sub(runs);
        let older = situation.runs.iter().take(older);
        choice.dropped.extend(
            older
                .filter(|run| situation.may_drop(run))
                .map(|run| run.run_id.clone()),
        );
    }
    let Some(bytes) = policy.bytes else {
        return choice;
    };
    if weigh(&choice) <= bytes {
        return choice;
    }
    // The older the cut, the more stays, so the oldest cut that is enough can be found by halving.
    let (mut oldest, mut enough) = (choice.horizon, situation.newest);
    while oldest < enough {
        let middle = oldest + (enough - oldest) / 2;
        if weigh(&situation.cut(&choice, middle)) <= bytes {
            enough = middle;
        } else {
            oldest = middle + 1;
        }
    }
    situation.cut(&choice, enough)
}

impl Situation<'_> {
    /// Drops what is older than a generation, beside what a choice drops already.
    fn cut(&self, choice: &Choice, generation: u64) -> Choice {
        let ended = |run: &&RunClaims| run.generations.is_none_or(|(_, last)| last <= generation);
        let older = self.runs.iter().filter(ended);
        let older = older.filter(|run| self.may_drop(run));
        Choice {
            horizon: choice.horizon.max(self.horizon_at(generation)),
            dropped: older
                .map(|run| run.run_id.clone())
                .chain(choice.dropped.iter().cloned())
                .collect(),
        }
    }

    fn may_drop(&self, run: &RunClaims) -> bool {
        !run.is_open && !self.pinned.contains(&run.run_id)
    }

    /// The horizon if a generation is to be the oldest: not before where it is, and not beyond the state that the first
    /// turn of a pinned run was computed on.
    fn horizon_at(&self, generation: u64) -> u64 {
        let pinned = self
            .runs
            .iter()
            .filter(|run| self.pinned.contains(&run.run_id));
        let first = pinned.filter_map(|run| run.generations.map(|(first, _)| first));
        let held = first
            .min()
            .map_or(u64::MAX, |first| first.saturating_sub(1));
        generation.min(held).min(self.newest).max(self.horizon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five closed runs of two generations each, the last one open.
    fn runs() -> Vec<RunClaims> {
        (0..5)
            .map(|number| RunClaims {
                run_id: name(number),
                is_open: number == 4,
                generations: Some((number * 2 + 1, number * 2 + 2)),
                records: BTreeSet::new(),
                objects: BTreeSet::new(),
            })
            .collect()
    }

    fn name(number: u64) -> RunId {
        RunId::parse(&format!("r{number}")).unwrap()
    }

    /// A run weighs 10, a retained generation before the newest 1.
    fn weigh(choice: &Choice) -> u64 {
        (5 - choice.dropped.len() as u64) * 10 + (10 - choice.horizon)
    }

    fn chosen(policy: Retention, pinned: &[u64]) -> (u64, Vec<u64>) {
        let pinned = pinned.iter().copied().map(name).collect();
        let runs = runs();
        let situation = Situation {
            newest: 10,
            horizon: 1,
            pinned: &pinned,
            runs: &runs,
        };
        let choice = choose(&policy, &situation, weigh);
        let dropped = (0..5).filter(|number| choice.dropped.contains(&name(*number)));
        (choice.horizon, dropped.collect())
    }

    #[test]
    fn a_policy_drops_what_is_oldest_and_never_what_is_open_or_pinned() {
        let policy = |generations, runs, bytes| Retention {
            generations,
            runs,
            bytes,
        };
        for (name, policy, pinned, expected) in [
            (
                "nothing is declared",
                policy(None, None, None),
                &[][..],
                (1, vec![]),
            ),
            ("generations", policy(Some(3), None, None), &[], (8, vec![])),
            (
                "no generation is one",
                policy(Some(0), None, None),
                &[],
                (10, vec![]),
            ),
            (
                "more than there are",
                policy(Some(99), None, None),
                &[],
                (1, vec![]),
            ),
            (
                "a pin holds history",
                policy(Some(3), None, None),
                &[1],
                (2, vec![]),
            ),
            ("runs", policy(None, Some(2), None), &[], (1, vec![0, 1, 2])),
            (
                "an open run stays",
                policy(None, Some(0), None),
                &[],
                (1, vec![0, 1, 2, 3]),
            ),
            (
                "a pinned run stays",
                policy(None, Some(0), None),
                &[2],
                (1, vec![0, 1, 3]),
            ),
            (
                "more runs than there are",
                policy(None, Some(9), None),
                &[],
                (1, vec![]),
            ),
            (
                "bytes that are enough",
                policy(None, None, Some(59)),
                &[],
                (1, vec![]),
            ),
            // Cut at 2: one run goes and one generation: 40 + 8.
            (
                "bytes, one run",
                policy(None, None, Some(48)),
                &[],
                (2, vec![0]),
            ),
            (
                "bytes, between",
                policy(None, None, Some(40)),
                &[],
                (4, vec![0, 1]),
            ),
            // Not to be reached: all goes that may.
            (
                "bytes, too few",
                policy(None, None, Some(1)),
                &[],
                (10, vec![0, 1, 2, 3]),
            ),
            (
                "bytes and a pin",
                policy(None, None, Some(1)),
                &[1],
                (2, vec![0, 2, 3]),
            ),
            (
                "all three",
                policy(Some(5), Some(4), Some(40)),
                &[],
                (6, vec![0, 1, 2]),
            ),
        ] {
            assert_eq!(chosen(policy, pinned), expected, "{name}");
        }
    }
}
