//! Stage 3: relationship labels are known and fit both of their ends.

use super::{Turn, link_pointer, references};
use crate::canonical::Value;
use crate::{Code, KernelIssue, Stage, event};

pub(super) fn check(turn: &Turn<'_>) -> Vec<KernelIssue> {
    let profile = &turn.envelope.profile;
    let mut issues = Vec::new();
    for (index, triplet) in turn.input.triplets.iter().enumerate() {
        let kind = triplet.stem.kind();
        for reference in references(&triplet.links) {
            let label = reference.relationship;
            let slot = profile
                .types
                .get(kind)
                .and_then(|dto_type| dto_type.slots.get(reference.slot));
            let reason = match profile.relationships.get(label) {
                None => Some("unknown_label"),
                Some(ends)
                    if !ends.from.contains(kind) || !ends.to.contains(reference.dto_type) =>
                {
                    Some("ends")
                }
                Some(_) if slot.is_some_and(|slot| slot.relationship != label) => Some("slot"),
                Some(_) => None,
            };
            if let Some(reason) = reason {
                issues.push(KernelIssue::new(
                    Stage::RelVocab,
                    Code::RelVocabInvalid,
                    link_pointer(index, &reference).key("relationship"),
                    format!(
                        "{label} does not join {kind} to {} here",
                        reference.dto_type
                    ),
                    event::details([
                        ("reason", Value::from(reason)),
                        ("label", Value::from(label)),
                    ]),
                ));
            }
        }
    }
    issues
}
