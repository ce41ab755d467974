//! A profile as it is written, before it is checked.

use std::collections::BTreeMap;

use super::{DeterminismRules, DtoType, Profile, ProfileError, RawIdRules, ReferenceRules};
use super::{Relationship, check};

/// A profile as it is written: the wire form, not checked yet. [`ProfileDraft::check`] makes a [`Profile`] of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileDraft {
    /// [`PROFILE_VERSION`](super::PROFILE_VERSION).
    pub profile_version: String,
    /// The name of the profile.
    pub name: String,
    /// The types by name; the name is the kind of their stems.
    pub types: BTreeMap<String, DtoType>,
    /// The relationships by label.
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
