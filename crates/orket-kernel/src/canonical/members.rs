//! Follows the keys of open objects and brings their members into order when they close.

use std::cmp::Ordering;
use std::ops::Range;

use super::order::Order;

/// A member of an object that is not closed yet.
struct Member {
    /// The first eight bytes of the key, so that most comparisons need no more.
    prefix: u64,
    /// Where the key lies among the [`Keys`].
    key: Range<usize>,
    /// Where the member lies in the text; its end is not known before the object's.
    place: Range<usize>,
    /// How many objects were noted before it.
    noted: usize,
}

/// An object that is not closed yet.
#[derive(Clone, Copy)]
pub(super) struct OpenObject {
    /// Where its members begin among those of all open objects.
    first_member: usize,
    /// The index under which its order is noted.
    noted: usize,
    /// Whether each key so far came after the one before it.
    is_sorted: bool,
}

/// The members of all open objects, those of the innermost one last.
#[derive(Default)]
pub(super) struct Members {
    members: Vec<Member>,
}

impl Members {
    /// Opens an object whose members begin at `start` of the text.
    pub(super) fn open(&self, start: usize, order: &mut Order) -> OpenObject {
        OpenObject {
            first_member: self.members.len(),
            noted: order.open(start),
            is_sorted: true,
        }
    }

    /// Adds a member to the innermost object, with its key among the `keys` and its `start` in the text.
    #[inline]
    pub(super) fn add(
        &mut self,
        object: &mut OpenObject,
        key: Range<usize>,
        start: usize,
        keys: Keys<'_>,
        order: &Order,
    ) {
        let member = Member {
            prefix: prefix(keys.of(&key)),
            key,
            place: start..start,
            noted: order.noted(),
        };
        if let Some(last) = self.members[object.first_member..].last() {
            object.is_sorted &= keys.compare(last, &member).is_lt();
        }
        self.members.push(member);
    }

    /// Closes the innermost object, whose last member ends at `end` of the text, unless a key is there twice.
    #[inline]
    pub(super) fn close(
        &mut self,
        object: OpenObject,
        end: usize,
        keys: Keys<'_>,
        order: &mut Order,
    ) -> Option<()> {
        if object.is_sorted {
            order.close(object.noted);
        } else {
            self.sort(object, end, keys, order)?;
        }
        self.members.truncate(object.first_member);
        Some(())
    }

    #[inline(never)]
    fn sort(
        &mut self,
        object: OpenObject,
        end: usize,
        keys: Keys<'_>,
        order: &mut Order,
    ) -> Option<()> {
        let members = &mut self.members[object.first_member..];
        let mut member_end = end;
        for member in members.iter_mut().rev() {
            member.place.end = member_end;
            // A comma stands between two members.
            member_end = member.place.start.saturating_sub(1);
        }
        members.sort_unstable_by(|left, right| keys.compare(left, right));
        if !members.is_sorted_by(|left, right| keys.compare(left, right).is_lt()) {
            return None;
        }
        let places = members
            .iter()
            .map(|member| (member.place.clone(), member.noted));
        order.close_sorted(object.noted, end, places);
        Some(())
    }
}

/// The decoded keys: those without escapes lie in the input, the others behind it, as one row of bytes.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    pub(super) input: &'a [u8],
    pub(super) decoded: &'a [u8],
}

impl Keys<'_> {
    #[inline]
    fn of(&self, key: &Range<usize>) -> &[u8] {
        match key.start.checked_sub(self.input.len()) {
            None => &self.input[key.clone()],
            Some(start) => &self.decoded[start..start + key.len()],
        }
    }

    /// Compares by bytes, which for UTF-8 is to compare by code points.
    #[inline]
    fn compare(&self, left: &Member, right: &Member) -> Ordering {
        left.prefix
            .cmp(&right.prefix)
            .then_with(|| self.of(&left.key).cmp(self.of(&right.key)))
    }
}

/// Returns the first eight bytes of a key as a number that sorts as they do; what is missing counts as zero.
#[inline]
fn prefix(key: &[u8]) -> u64 {
    match key.first_chunk::<8>() {
        Some(first) => u64::from_be_bytes(*first),
        None => key
            .iter()
            .rev()
            .fold(0, |prefix, byte| prefix >> 8 | u64::from(*byte) << 56),
    }
}
