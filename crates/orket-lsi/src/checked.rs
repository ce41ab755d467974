//! What a transaction has checked of stems and ids: a promotion asks for the same ones when it is planned, when the plan is
//! compared with the state, and when it is applied.

use std::cell::RefCell;
use std::collections::BTreeMap;

use orket_kernel::{Digest, Stem};

use crate::triplet::TripletRow;

/// What is known of one id.
#[derive(Clone, Debug)]
pub(crate) struct IdFacts {
    /// Who defines it.
    pub(crate) defined_by: Option<Stem>,
    /// The root of the tree of its sources.
    pub(crate) source_root: Digest,
    /// How many places reference it.
    pub(crate) source_count: u64,
}

/// How many answers are kept: a few MiB at the most.
const ANSWERS_MAX: usize = 10_000;

/// Answers by the root that they were checked against. They live no longer than one transaction, for the root says nothing
/// of generations and turns.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    rows: Answers<Stem, Option<TripletRow>>,
    ids: Answers<String, IdFacts>,
}

impl Checked {
    pub(crate) fn row(&self, root: Digest, stem: &Stem) -> Option<Option<TripletRow>> {
        self.rows.get(root, stem)
    }

    pub(crate) fn keep_row(&self, root: Digest, stem: &Stem, row: &Option<TripletRow>) {
        self.rows.keep(root, stem.clone(), row.clone());
    }

    pub(crate) fn id(&self, root: Digest, id: &str) -> Option<IdFacts> {
        self.ids.get(root, id)
    }

    pub(crate) fn keep_id(&self, root: Digest, id: &str, facts: &IdFacts) {
        self.ids.keep(root, id.to_owned(), facts.clone());
    }
}

/// The answers under one root; those under another one are forgotten.
#[derive(Debug)]
struct Answers<K, A>(RefCell<Kept<K, A>>);

#[derive(Debug)]
struct Kept<K, A> {
    root: Option<Digest>,
    answers: BTreeMap<K, A>,
}

impl<K, A> Default for Answers<K, A> {
    fn default() -> Self {
        Answers(RefCell::new(Kept {
            root: None,
            answers: BTreeMap::new(),
        }))
    }
}

impl<K: Ord, A: Clone> Answers<K, A> {
    fn get<Q: Ord + ?Sized>(&self, root: Digest, key: &Q) -> Option<A>
    where
        K: std::borrow::Borrow<Q>,
    {
        let kept = self.0.borrow();
        let kept = Some(&*kept).filter(|kept| kept.root == Some(root))?;
        kept.answers.get(key).cloned()
    }

    fn keep(&self, root: Digest, key: K, answer: A) {
        let mut kept = self.0.borrow_mut();
        if kept.root != Some(root) || kept.answers.len() >= ANSWERS_MAX {
            kept.root = Some(root);
            kept.answers.clear();
        }
        kept.answers.insert(key, answer);
    }
}
