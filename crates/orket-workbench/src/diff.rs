//! A plan as people read it.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::plan::{Before, Change};

/// Above this size a file is compared by lines no longer, because nobody reads that.
const SHOWN_BYTES: usize = 1 << 20;

/// How long the shortest difference of one file is looked for; then a longer one is shown.
const DEADLINE: Duration = Duration::from_secs(1);

/// Returns the unified diff of one change.
pub(crate) fn unified(change: &Change) -> String {
    let (old_name, old): (String, &[u8]) = match &change.before {
        Before::Absent => ("/dev/null".to_owned(), b""),
        Before::File(bytes) => (format!("a/{}", change.path), bytes),
    };
    let new_name = format!("b/{}", change.path);
    let sizes = old.len().max(change.after.len());
    let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(&change.after)) else {
        return format!("--- {old_name}\n+++ {new_name}\nContents that are not text differ\n");
    };
    if sizes > SHOWN_BYTES {
        return format!("--- {old_name}\n+++ {new_name}\nFiles too large to show differ\n");
    }
    let diff = TextDiff::configure().timeout(DEADLINE).diff_lines(old, new);
    diff.unified_diff()
        .context_radius(3)
        .header(&old_name, &new_name)
        .to_string()
}

/// Counts the lines that come and go.
pub(crate) fn count(change: &Change) -> (usize, usize) {
    let old: &[u8] = match &change.before {
        Before::Absent => b"",
        Before::File(bytes) => bytes,
    };
    let new: &[u8] = &change.after;
    let diff = TextDiff::configure().timeout(DEADLINE).diff_lines(old, new);
    let of = |tag| diff.iter_all_changes().filter(|it| it.tag() == tag).count();
    (of(ChangeTag::Insert), of(ChangeTag::Delete))
}
