//! The vocabulary of triplets as data: which types there are, and how they may link.

use std::collections::{BTreeMap, BTreeSet};

/// How many references a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cardinality {
    /// One reference object.
    One,
    /// An array of reference objects.
    Many,
}

/// One slot in the links of a type.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSlot {
    /// How many references it holds.
    pub cardinality: Cardinality,
    /// The type that its references must have.
    pub target: String,
    /// The relationship label that its references must carry.
    pub relationship: String,
}

/// A type of object.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DtoType {
    /// The slots that its links may use.
    pub slots: BTreeMap<String, LinkSlot>,
}

/// A relationship label and the types it may join.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relationship {
    /// Types it may start from.
    pub from: BTreeSet<String>,
    /// Types it may lead to.
    pub to: BTreeSet<String>,
}

/// A vocabulary: the types and relationships that a run may use, fixed in its envelope.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name of the vocabulary.
    pub name: String,
    /// The types.
    pub types: BTreeMap<String, DtoType>,
    /// The relationship labels.
    pub relationships: BTreeMap<String, Relationship>,
}

impl Profile {
    /// Returns the vocabulary of Orket's own triplets: epics, cards, artefacts and evidence.
    pub fn orket() -> Profile {
        use Cardinality::{Many, One};
        const SLOTS: &[(&str, &str, Cardinality, &str, &str)] = &[
            ("card", "epic", One, "epic", "part_of"),
            ("card", "depends_on", Many, "card", "depends_on"),
            ("card", "evidence", Many, "evidence", "verified_by"),
            ("artifact", "card", One, "card", "produced_by"),
            ("evidence", "card", One, "card", "verifies"),
            ("evidence", "artifacts", Many, "artifact", "rests_on"),
        ];
        let mut profile = Profile {
            name: "orket/v1".into(),
            types: BTreeMap::from([("epic".into(), DtoType::default())]),
            relationships: BTreeMap::new(),
        };
        for (from, slot, cardinality, to, relationship) in SLOTS {
            let slots = &mut profile.types.entry((*from).into()).or_default().slots;
            slots.insert(
                (*slot).into(),
                LinkSlot {
                    cardinality: *cardinality,
                    target: (*to).into(),
                    relationship: (*relationship).into(),
                },
            );
            let ends = profile
                .relationships
                .entry((*relationship).into())
                .or_insert_with(|| Relationship {
                    from: BTreeSet::new(),
                    to: BTreeSet::new(),
                });
            ends.from.insert((*from).into());
            ends.to.insert((*to).into());
        }
        profile
    }
}
