//! A profile as it is written, before it is checked.

use std::collections::BTreeMap;

use super::{DeterminismRules, DtoType, Profile, ProfileError, RawIdRules, ReferenceRules};
use super::{Relationship, check};

/// A profile as it is written: the wire form, not checked yet. [`ProfileDraft::check`] makes a [`Profile`] of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    schemars(extend(
        "if" = { "properties": { "references": { "properties": { "label": { "const": "required" } } } } },
        "then" = { "properties": { "types": { "additionalProperties": { "properties": { "slots": {
            "additionalProperties": { "properties": { "labels": { "minItems": 1 } } } } } } } } }
    ))
)]
pub struct ProfileDraft {
    /// [`PROFILE_VERSION`](super::PROFILE_VERSION).
    #[cfg_attr(feature = "schema", schemars(extend("const" = super::PROFILE_VERSION)))]
    pub profile_version: String,
    /// The name of the profile.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = crate::limits::PROFILE_NAME_LENGTH_MAX_BYTES), pattern("^[^\\u0000-\\u001f\\u007f-\\u009f]*$")))]
    pub name: String,
    /// The types by name; the name is the kind of their stems.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::wire::schema::texts::Word, DtoType>", extend("maxProperties" = crate::limits::TYPES_MAX)))]
    pub types: BTreeMap<String, DtoType>,
    /// The relationships by label.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::wire::schema::texts::Word, Relationship>", extend("maxProperties" = crate::limits::RELATIONSHIPS_MAX)))]
    pub relationships: BTreeMap<String, Relationship>,
    /// What a reference must carry.
    pub references: ReferenceRules,
    /// Which id keys are forbidden.
    pub raw_ids: RawIdRules,
    /// What a manifest must declare about order.
    pub determinism: DeterminismRules,
}

impl ProfileDraft {
    /// Checks the draft.
    ///
    /// # Errors
    /// Names the first fault: the place, what is wrong with it and what to do.
    pub fn check(self) -> Result<Profile, ProfileError> {
        check::check(&self)?;
        Ok(Profile(self))
    }
}
