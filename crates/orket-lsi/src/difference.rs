//! What changed between two generations, in proportion to the changes.

use std::collections::BTreeSet;

use orket_kernel::{Stem, TripletRecord};

use crate::access::Access;
use crate::past::Past;
use crate::{StoreError, history, row};

/// One stem whose content differs between two generations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StemDifference {
    /// The stem.
    pub stem: Stem,
    /// Its record at the first generation; `None` if there was none.
    pub before: Option<TripletRecord>,
    /// Its record at the second generation; `None` if there is none.
    pub after: Option<TripletRecord>,
}

/// Compares two generations by the stems that the promotions between them changed; sorted by stem. A stem that came
/// back to the content it had is not listed.
pub(crate) fn between(
    access: Access<'_>,
    from: &Past<'_>,
    to: &Past<'_>,
) -> Result<Vec<StemDifference>, StoreError> {
    let ends = [from.head().generation, to.head().generation];
    let (first, last) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    let names = history::changed(access, "triplet", first, last)?;
    let stems = names
        .iter()
        .map(|name| row::stem(name))
        .collect::<Result<BTreeSet<_>, _>>()?;
    let mut differences = Vec::new();
    for stem in stems {
        let (before, after) = (from.record(&stem)?, to.record(&stem)?);
        if content_of(before.as_ref()) != content_of(after.as_ref()) {
            differences.push(StemDifference {
                stem,
                before,
                after,
            });
        }
    }
    Ok(differences)
}

fn content_of(record: Option<&TripletRecord>) -> Option<[&orket_kernel::Digest; 3]> {
    record.map(|record| {
        [
            &record.body_digest,
            &record.links_digest,
            &record.manifest_digest,
        ]
    })
}
