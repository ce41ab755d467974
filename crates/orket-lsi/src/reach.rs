//! Which objects a state is made of.

use std::collections::BTreeSet;

use orket_kernel::Digest;
use orket_kernel::canonical::{self, Value};

use crate::access::Access;
use crate::content::{self, Content};
use crate::past::Past;
use crate::{StoreError, history};

/// Returns the objects of a generation, sorted: the documents of its triplets, and every kept object whose digest stands as
/// a text in one of them.
pub(crate) fn objects(access: Access<'_>, past: &Past<'_>) -> Result<BTreeSet<Digest>, StoreError> {
    let mut reached = BTreeSet::new();
    for stem in history::stems(access, "", past.head().generation)? {
        let Some(record) = past.record(&stem)? else {
            continue;
        };
        for digest in [
            record.body_digest,
            record.links_digest,
            record.manifest_digest,
        ] {
            if !reached.insert(digest) {
                continue;
            }
            let bytes = past.document(&digest)?.ok_or_else(|| {
                StoreError::corrupt(format!("triplets {stem}"), "one of its objects is not kept")
            })?;
            let document = canonical::parse(&bytes).map_err(|error| {
                StoreError::corrupt(format!("objects {digest}"), error.to_string())
            })?;
            for named in named(&document) {
                if content::exists(access, Content::Object, &named)? {
                    reached.insert(named);
                }
            }
        }
    }
    Ok(reached)
}

/// Returns the digests that stand as texts in a document.
pub(crate) fn named(document: &Value) -> BTreeSet<Digest> {
    let mut digests = BTreeSet::new();
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => digests.extend(Digest::parse(text).ok()),
            Value::Array(elements) => open.extend(elements),
            Value::Object(members) => open.extend(members.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    digests
}
