//! Every retained generation: its rows must have the state digest that the chain says.
//!
//! The trees of the oldest one are made from its rows and then changed generation by generation, so that the whole costs
//! as much as all promotions did. What changes in each is known from the rows, which are read key by key.

use std::collections::BTreeMap;

use orket_kernel::{Digest, RefSource};

use super::Findings;
use super::spans::{self, Fact, Rows, Turnover};
use crate::access::Access;
use crate::promotion::{self, Head};
use crate::tree::{self, Node, Nodes};
use crate::{StoreError, horizon, state};

/// How many changes are held in memory, each 80 bytes. With more the rows are read once more for the generations that are left.
const CHANGES_MAX: usize = 4_000_000;

pub(super) fn check(
    access: Access<'_>,
    findings: &mut Findings,
    head: Head,
) -> Result<(), StoreError> {
    let mut states = States {
        access,
        head,
        oldest: horizon::read(access)?,
        trees: [Memory::default(), Memory::default()],
    };
    let mut from = states.oldest;
    while from <= head.generation {
        let window = states.collect(findings, from, CHANGES_MAX)?;
        from = window.until;
        states.replay(findings, window)?;
    }
    Ok(())
}

/// What the generations from `from` to before `until` change.
struct Window {
    from: u64,
    until: u64,
    /// Of the triplets, and of the refs.
    changes: BTreeMap<u64, [Vec<tree::Change>; 2]>,
    count: usize,
    count_max: usize,
}

impl Window {
    fn holds(&self, generation: u64) -> bool {
        (self.from..self.until).contains(&generation)
    }

    /// Keeps a change; if there are too many the window ends earlier, though never before its second generation.
    fn keep(&mut self, tree: usize, generation: u64, change: tree::Change) {
        let changes = self.changes.entry(generation).or_default();
        changes
            .get_mut(tree)
            .into_iter()
            .for_each(|it| it.push(change));
        self.count += 1;
        while self.count > self.count_max && self.changes.len() > 1 {
            if let Some((last, dropped)) = self.changes.pop_last() {
                self.count -= dropped.iter().map(Vec::len).sum::<usize>();
                self.until = last;
            }
        }
    }
}

const TRIPLETS: usize = 0;
const REFS: usize = 1;

/// The trees, brought from generation to generation.
struct States<'a> {
    access: Access<'a>,
    head: Head,
    oldest: u64,
    trees: [Memory; 2],
}

impl States<'_> {
    fn collect(
        &self,
        findings: &mut Findings,
        from: u64,
        count_max: usize,
    ) -> Result<Window, StoreError> {
        let mut window = Window {
            from,
            until: self.head.generation.saturating_add(1),
            changes: BTreeMap::new(),
            count: 0,
            count_max,
        };
        spans::of_stems(self.access, findings, Rows::All, |_, stem, found| {
            let key = tree::key_hash(stem);
            let place = format!("triplets {stem}");
            spans::sweep(&place, &found, self.oldest, |generation, leaves, _| {
                if leaves.len() > 1 {
                    let reason = format!("two rows hold at generation {generation}");
                    return Err(StoreError::corrupt(&place, reason));
                }
                if window.holds(generation) {
                    window.keep(
                        TRIPLETS,
                        generation,
                        (key, leaves.first().copied().copied()),
                    );
                }
                Ok(())
            })
        })?;
        spans::of_ids(self.access, findings, Rows::All, |_, id, found| {
            let key = tree::key_hash(id);
            let place = format!("refs {id:?}");
            let mut sources = Sources::default();
            spans::sweep(
                &place,
                &found,
                self.oldest,
                |generation, facts, turnover| {
                    sources.apply(&place, turnover)?;
                    if window.holds(generation) {
                        let defined_by = spans::definition(id, facts.iter().copied())?;
                        let leaf = state::ref_leaf(id, defined_by, &sources.tree.root);
                        window.keep(REFS, generation, (key, leaf));
                    }
                    Ok(())
                },
            )
        })?;
        Ok(window)
    }

    fn replay(&mut self, findings: &mut Findings, mut window: Window) -> Result<(), StoreError> {
        for generation in window.from..window.until {
            let changes = window.changes.remove(&generation).unwrap_or_default();
            for (tree, changes) in self.trees.iter_mut().zip(changes) {
                tree.apply(&changes.into_iter().collect());
            }
            let expected = match generation {
                0 => Head::empty(),
                // A row of the chain that is damaged is told with the chain.
                _ => match promotion::at(self.access, generation) {
                    Ok(Some(row)) => Head::of(&row),
                    _ => continue,
                },
            };
            let [triplets, refs] = &self.trees;
            let place = format!("generation {generation}");
            if triplets.root != expected.triplet_root {
                findings.corrupt(&place, "its triplets do not match the state digest");
            }
            if refs.root != expected.ref_root {
                findings.corrupt(&place, "its refs do not match the state digest");
            }
        }
        Ok(())
    }
}

/// The sources of one id, brought from generation to generation.
#[derive(Default)]
struct Sources {
    held: BTreeMap<Digest, Digest>,
    tree: Memory,
}

impl Sources {
    fn apply(&mut self, place: &str, turnover: &[Turnover<'_, Fact>]) -> Result<(), StoreError> {
        let mut changes = BTreeMap::new();
        for Turnover { begins, fact } in turnover {
            let Some(source) = fact.source() else {
                continue;
            };
            let (key, leaf) = state::source_entry(source);
            if !begins {
                self.held.remove(&key);
                changes.insert(key, None);
            } else if self.held.insert(key, leaf).is_none() {
                changes.insert(key, Some(leaf));
            } else {
                let RefSource { stem, location, .. } = source;
                let reason = format!("two references of {stem} hold at once at {location}");
                return Err(StoreError::corrupt(place, reason));
            }
        }
        self.tree.apply(&changes);
        Ok(())
    }
}

/// A tree in memory.
struct Memory {
    nodes: BTreeMap<String, Node>,
    root: Digest,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory {
            nodes: BTreeMap::new(),
            root: tree::empty_root(),
        }
    }
}

impl Memory {
    fn apply(&mut self, changes: &BTreeMap<Digest, Option<Digest>>) {
        let root = self.root;
        if let Ok(root) = tree::apply(self, root, changes) {
            self.root = root;
        }
    }
}

/// A node that is not the one its parent names, which no apply in memory leaves behind.
struct Damaged;

impl Nodes for Memory {
    type Error = Damaged;

    fn load(&self, path: &str) -> Result<Option<Node>, Damaged> {
        Ok(self.nodes.get(path).cloned())
    }

    fn store(&mut self, path: &str, node: &Node) -> Result<(), Damaged> {
        self.nodes.insert(path.to_owned(), node.clone());
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), Damaged> {
        self.nodes.remove(path);
        Ok(())
    }

    fn damaged(&self, _: &str) -> Damaged {
        Damaged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_for_a_window_is_left_for_the_next() {
        let change = |text: &str| (tree::key_hash(text), None);
        let kept = |from| {
            let mut window = Window {
                from,
                until: 6,
                changes: BTreeMap::new(),
                count: 0,
                count_max: 3,
            };
            // Keys come in any order of generations; the fourth has more changes than a window takes.
            for (tree, generation, key) in [
                (TRIPLETS, 4, "a"),
                (REFS, 4, "a"),
                (TRIPLETS, 1, "b"),
                (REFS, 5, "c"),
                (TRIPLETS, 2, "d"),
                (REFS, 4, "e"),
                (REFS, 2, "f"),
                (REFS, 4, "g"),
            ] {
                if window.holds(generation) {
                    window.keep(tree, generation, change(key));
                }
            }
            let [generations, counts] = [0, 1].map(|part| {
                let of = |(generation, it): (&u64, &[Vec<tree::Change>; 2])| match part {
                    0 => *generation,
                    _ => it.iter().map(|changes| changes.len() as u64).sum(),
                };
                window.changes.iter().map(of).collect::<Vec<u64>>()
            });
            (window.until, generations, counts)
        };
        assert_eq!(kept(1), (4, vec![1, 2], vec![1, 2]));
        assert_eq!(kept(4), (5, vec![4], vec![4]));
        assert_eq!(kept(5), (6, vec![5], vec![1]));
    }
}
