//! Stage 4, of each triplet: ids of other objects stand in references, not under keys of their own.

use std::collections::{BTreeSet, btree_map};
use std::iter::Enumerate;
use std::slice;

use crate::canonical::Value;
use crate::limits::RAW_IDS_TOLD_MAX;
use crate::{Code, KernelIssue, Pointer, Profile, Stage, Triplet, event};

pub(super) fn check(
    profile: &Profile,
    place: &Pointer,
    triplet: &Triplet,
    issues: &mut Vec<KernelIssue>,
) {
    let rules = profile.raw_ids();
    if rules.keys.is_empty() {
        return;
    }
    let mut allowed = BTreeSet::new();
    if let Some(pointer) = &rules.allowed_at
        && let Some(listed) = triplet.manifest.pointer(pointer)
    {
        match texts(listed) {
            Some(listed) => allowed = listed,
            None => {
                let place = place.key("manifest").join(pointer);
                let details = event::details([("reason", "allowed_ids".into())]);
                let message = "the allowed id keys must be an array of texts".to_owned();
                issues.push(issue(place, message, details));
            }
        }
    }
    let mut told = 0;
    let mut tell = |key: &str, place: Pointer| {
        told += 1;
        if told <= RAW_IDS_TOLD_MAX {
            let details = event::details([("key", key.into())]);
            let message = format!("the key {key} holds a raw id; use a reference");
            issues.push(issue(place, message, details));
        }
    };
    let is_raw = |key: &str| rules.forbids(key) && !allowed.contains(key);
    let mut keys = Keys::of(&triplet.body);
    while let Some(key) = keys.next_key() {
        if is_raw(key) && !keys.is_identity() {
            tell(key, keys.place(&place.key("body")));
        }
    }
    // The members of a reference are fixed by the base shape; of the links only the names of the slots can be raw ids.
    for slot in triplet
        .links
        .as_object()
        .into_iter()
        .flatten()
        .map(|(slot, _)| slot)
    {
        if is_raw(slot) {
            tell(slot, place.key("links").key(slot));
        }
    }
}

fn texts(value: &Value) -> Option<BTreeSet<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// Walks over every key of a value, depth first. It keeps its own stack: a value may be 992 levels deep, a thread's stack small.
struct Keys<'a> {
    open: Vec<Level<'a>>,
    /// The way to the key that was returned last: one step per open level.
    path: Vec<Step<'a>>,
    /// What the last step led to and has still to be opened.
    next: Option<&'a Value>,
}

enum Level<'a> {
    Members(btree_map::Iter<'a, String, Value>),
    Elements(Enumerate<slice::Iter<'a, Value>>),
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Keys<'a> {
    fn of(value: &'a Value) -> Keys<'a> {
        Keys {
            open: Vec::new(),
            path: Vec::new(),
            next: Some(value),
        }
    }

    fn next_key(&mut self) -> Option<&'a str> {
        loop {
            match self.next.take() {
                Some(Value::Object(members)) => self.open.push(Level::Members(members.iter())),
                Some(Value::Array(elements)) => {
                    self.open.push(Level::Elements(elements.iter().enumerate()));
                }
                _ => {
                    self.path.pop();
                }
            }
            match self.open.last_mut()? {
                Level::Members(members) => match members.next() {
                    Some((key, value)) => {
                        self.path.push(Step::Key(key));
                        self.next = Some(value);
                        return Some(key);
                    }
                    None => self.open.truncate(self.open.len() - 1),
                },
                Level::Elements(elements) => match elements.next() {
                    Some((index, value)) => {
                        self.path.push(Step::Index(index));
                        self.next = Some(value);
                    }
                    None => self.open.truncate(self.open.len() - 1),
                },
            }
        }
    }

    /// Tells whether the key is one of the two that every body has for itself.
    fn is_identity(&self) -> bool {
        matches!(self.path[..], [Step::Key("id" | "dto_type")])
    }

    fn place(&self, body: &Pointer) -> Pointer {
        let steps = self.path.iter();
        steps.fold(body.clone(), |place, step| match step {
            Step::Key(key) => place.key(key),
            Step::Index(index) => place.index(*index),
        })
    }
}

fn issue(location: Pointer, message: String, details: Value) -> KernelIssue {
    KernelIssue::new(
        Stage::Policy,
        Code::PolicyRawIdForbidden,
        location,
        message,
        details,
    )
}
