//! The profile of Orket's own triplets.

use std::collections::BTreeMap;

use super::Cardinality::{self, Many, One};
use super::{
    DeterminismRules, DtoType, LabelRule, LinkSlot, PROFILE_VERSION, Profile, ProfileDraft,
    RawIdRules, ReferenceRules, Relationship,
};

/// Type, slot, what it holds, what it leads to, and by which relationship.
const SLOTS: &[(&str, &str, Cardinality, &str, &str)] = &[
    ("card", "epic", One, "epic", "part_of"),
    ("card", "depends_on", Many, "card", "depends_on"),
    ("card", "evidence", Many, "evidence", "verified_by"),
    ("artifact", "card", One, "card", "produced_by"),
    ("evidence", "card", One, "card", "verifies"),
    ("evidence", "artifacts", Many, "artifact", "rests_on"),
];

impl Profile {
    /// Returns the profile of Orket's own triplets: epics, cards, artefacts and evidence.
    ///
    /// Every reference carries the one label of its slot, and a declared array is sorted. No id key is forbidden: the bodies are
    /// written by Orket itself, which links by references only, and hold texts of users under fixed keys.
    pub fn orket() -> Profile {
        let mut types: BTreeMap<String, DtoType> = BTreeMap::new();
        types.insert("epic".into(), DtoType::default());
        let mut relationships = BTreeMap::new();
        for (from, slot, cardinality, to, label) in SLOTS {
            let dto_type = types.entry((*from).into()).or_default();
            if *cardinality == Many {
                dto_type.order_insensitive.insert((*slot).into());
            }
            let held = LinkSlot {
                cardinality: *cardinality,
                targets: [(*to).into()].into(),
                labels: [(*label).into()].into(),
            };
            dto_type.slots.insert((*slot).into(), held);
            let ends = Relationship {
                cardinality: *cardinality,
                from: Some([(*from).into()].into()),
                to: [(*to).into()].into(),
            };
            relationships.insert((*label).into(), ends);
        }
        // A test checks that it passes the check.
        Profile(ProfileDraft {
            profile_version: PROFILE_VERSION.into(),
            name: "orket/v1".into(),
            types,
            relationships,
            references: ReferenceRules {
                label: LabelRule::Required,
            },
            raw_ids: RawIdRules {
                keys: [].into(),
                allowed_at: None,
            },
            determinism: DeterminismRules {
                declared_at: vec!["/order_insensitive".into()],
                required: true,
                sorted: true,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profiles_pass_the_check() {
        for profile in [Profile::orket(), Profile::reference()] {
            assert_eq!(profile.to_draft().check(), Ok(profile));
        }
    }
}
