//! Known values, found in whatever form they stand.

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

use crate::Vault;
use crate::encodings::forms;
use crate::views::{DEPTH, Encoding, View};

/// The forms of all known values.
pub(crate) struct Known {
    search: AhoCorasick,
    /// Sorted.
    forms: Vec<Vec<u8>>,
    /// The place in `names` for each form.
    name_of: Vec<usize>,
    pub(crate) names: Vec<String>,
    longest: usize,
}

/// What was found in a text.
#[derive(Default)]
pub(crate) struct Found {
    /// Whole finds: start, end, and the place of the name.
    pub(crate) spans: Vec<(usize, usize, usize)>,
    /// Where something may begin whose end is not there yet.
    pub(crate) open: Option<usize>,
    /// The views in which was looked, for the borders of their units.
    pub(crate) views: Vec<View>,
}

impl Known {
    pub(crate) fn new(vault: &Vault) -> Result<Known, BuildError> {
        let mut by_form = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for (name, secret) in vault.values() {
            let place = names
                .iter()
                .position(|known| known == name)
                .unwrap_or(names.len());
            if place == names.len() {
                names.push(name.to_owned());
            }
            by_form.extend(forms(secret.expose()).into_iter().map(|form| (form, place)));
        }
        by_form.sort();
        by_form.dedup_by(|later, earlier| later.0 == earlier.0);
        let (forms, name_of): (Vec<_>, Vec<_>) = by_form.into_iter().unzip();
        Ok(Known {
            search: AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .build(forms.iter().map(|form| form.as_slice()))?,
            longest: forms.iter().map(|form| form.len()).max().unwrap_or(0),
            forms,
            name_of,
            names,
        })
    }

    /// Tells whether a text holds a form as it stands.
    pub(crate) fn stands_in(&self, text: &str) -> bool {
        !self.forms.is_empty() && self.search.is_match(text)
    }

    /// Looks for every form, as it stands and below up to [`DEPTH`] encodings.
    pub(crate) fn find(&self, text: &[u8], is_whole: bool) -> Found {
        let mut found = Found::default();
        if self.forms.is_empty() {
            return found;
        }
        let mut layer = vec![View::plain(text)];
        for depth in 0..=DEPTH {
            let mut deeper = Vec::new();
            for view in layer {
                self.look(&view, is_whole, &mut found);
                if depth < DEPTH {
                    let views = Encoding::ALL
                        .iter()
                        .filter_map(|it| view.undo(*it, is_whole));
                    deeper.extend(views);
                }
                if depth > 0 {
                    found.views.push(view);
                }
            }
            layer = deeper;
        }
        found
    }

    fn look(&self, view: &View, is_whole: bool, found: &mut Found) {
        for hit in self.search.find_overlapping_iter(&view.bytes) {
            let (start, end) = view.place(hit.start(), hit.end());
            let name = self.name_of.get(hit.pattern().as_usize()).copied();
            found.spans.push((start, end, name.unwrap_or(0)));
        }
        if is_whole {
            return;
        }
        let tail = view
            .bytes
            .len()
            .saturating_sub(self.longest.saturating_sub(1));
        let begins = (tail..view.bytes.len()).find(|at| {
            let rest = view.bytes.get(*at..).unwrap_or_default();
            let next = self.forms.partition_point(|form| form.as_slice() < rest);
            let is_beginning = |form: &Vec<u8>| form.len() > rest.len() && form.starts_with(rest);
            // Sorted, what begins with the rest comes right behind it.
            let mut candidates = self.forms.get(next..).unwrap_or_default().iter();
            match candidates.next() {
                Some(form) if form.as_slice() == rest => {
                    candidates.next().is_some_and(is_beginning)
                }
                form => form.is_some_and(is_beginning),
            }
        });
        let begins = begins.map(|at| view.place(at, at + 1).0);
        for open in [begins, view.cut()].into_iter().flatten() {
            found.open = Some(found.open.map_or(open, |known| known.min(open)));
        }
    }
}
