//! Types, their slots, and the relationships that join them.

use std::collections::{BTreeMap, BTreeSet};

/// How many references there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cardinality {
    /// In a slot: one reference object. Of a relationship: at most one reference of the whole links object carries it.
    One,
    /// In a slot: an array of reference objects. Of a relationship: any number of references may carry it.
    Many,
}

/// One slot in the links of a type.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkSlot {
    /// How many references it holds.
    pub cardinality: Cardinality,
    /// The types that its references may name; at least one.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::wire::schema::texts::Word>", length(min = 1))
    )]
    pub targets: BTreeSet<String>,
    /// The relationship labels that its references may carry. If there are any, each reference carries one of them; if
    /// there are none, a reference needs no label, and one that it has must only fit the types it joins.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::wire::schema::texts::Word>")
    )]
    pub labels: BTreeSet<String>,
}

/// A type of object.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DtoType {
    /// The slots that its links may use; links of a type without slots are empty.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::wire::schema::texts::Word, LinkSlot>", extend("maxProperties" = crate::limits::SLOTS_PER_TYPE_MAX)))]
    pub slots: BTreeMap<String, LinkSlot>,
    /// The array slots whose order means nothing: only these may a manifest declare to be order-insensitive.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::wire::schema::texts::Word>")
    )]
    pub order_insensitive: BTreeSet<String>,
}

/// A relationship and the types it may join.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Relationship {
    /// How many references of one links object may carry the label, counted over all slots.
    pub cardinality: Cardinality,
    /// The types it may start from; `None` if it may start from any.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<Vec<crate::wire::schema::texts::Word>>",
            length(min = 1)
        )
    )]
    pub from: Option<BTreeSet<String>>,
    /// The types it may lead to; at least one.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::wire::schema::texts::Word>", length(min = 1))
    )]
    pub to: BTreeSet<String>,
}

impl Relationship {
    /// Tells whether the relationship may lead from one type to the other.
    pub fn joins(&self, from: &str, to: &str) -> bool {
        self.may_start_from(from) && self.to.contains(to)
    }

    pub(super) fn may_start_from(&self, name: &str) -> bool {
        self.from.as_ref().is_none_or(|from| from.contains(name))
    }
}
