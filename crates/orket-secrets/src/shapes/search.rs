//! The search for all shapes at once.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

use super::{Reading, SHAPES, Shape};

/// Finds where shapes begin, and reads them there.
pub(crate) struct Search {
    beginnings: AhoCorasick,
    texts: Vec<&'static str>,
    longest: usize,
}

/// A shape in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Where the shape begins; what stands before the secret is part of it.
    pub(crate) begin: usize,
    /// The secret.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) name: &'static str,
}

impl Search {
    pub(crate) fn new() -> Result<Search, BuildError> {
        let texts: BTreeSet<&str> = SHAPES
            .iter()
            .flat_map(|shape| shape.begins)
            .copied()
            .collect();
        let texts: Vec<&str> = texts.into_iter().collect();
        Ok(Search {
            beginnings: AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .ascii_case_insensitive(true)
                .build(&texts)?,
            longest: texts.iter().map(|text| text.len()).max().unwrap_or(0),
            texts,
        })
    }

    /// Returns the shapes in a text, and where one may begin whose end is not there yet. `before` is what stood before.
    pub(crate) fn find(
        &self,
        text: &[u8],
        before: &[u8],
        is_whole: bool,
    ) -> (Vec<Hit>, Option<usize>) {
        let mut candidates = BTreeSet::new();
        for hit in self.beginnings.find_overlapping_iter(text) {
            let begin = self.texts.get(hit.pattern().as_usize());
            let begins = |shape: &Shape| begin.is_some_and(|begin| shape.begins.contains(begin));
            let shapes = (0..).zip(SHAPES).filter(|(_, shape)| begins(shape));
            candidates.extend(shapes.map(|(number, _)| (hit.start(), number)));
        }
        let mut open = self.unfinished_beginning(text, is_whole);
        let mut hits: Vec<Hit> = Vec::new();
        // What begins inside of a find of the same shape is part of it; this also keeps the time in proportion.
        let mut read_to = BTreeMap::<usize, usize>::new();
        for (at, number) in candidates {
            let Some(shape) = SHAPES.get::<usize>(number) else {
                continue;
            };
            if read_to.get(&number).is_some_and(|end| at < *end) {
                continue;
            }
            match shape.read(text, at, before, is_whole) {
                Reading::No => {}
                Reading::Open => open = Some(open.map_or(at, |known| known.min(at))),
                Reading::Found(start, end) => {
                    read_to.insert(number, end);
                    let name = shape.name;
                    hits.push(Hit {
                        begin: at,
                        start,
                        end,
                        name,
                    });
                }
            }
        }
        (hits, open)
    }

    /// Returns where the text ends in the middle of a beginning.
    fn unfinished_beginning(&self, text: &[u8], is_whole: bool) -> Option<usize> {
        if is_whole {
            return None;
        }
        let tail = text.len().saturating_sub(self.longest.saturating_sub(1));
        (tail..text.len()).find(|at| {
            let rest = text.get(*at..).unwrap_or_default();
            let begins = |begin: &&str| {
                let start = begin.as_bytes().get(..rest.len());
                begin.len() > rest.len()
                    && start.is_some_and(|start| start.eq_ignore_ascii_case(rest))
            };
            self.texts.iter().any(begins)
        })
    }
}
