//! The vocabulary of triplets as data: which types there are, how they may link, and which rules their parts keep.

mod check;
mod draft;
mod error;
mod orket;
mod reference;
mod rules;
mod vocabulary;

use crate::canonical::{self, Value};

pub use draft::ProfileDraft;
pub use error::{ProfileError, ProfileFault};
pub use rules::{DeterminismRules, LabelRule, RawIdRules, ReferenceRules};
pub use vocabulary::{Cardinality, DtoType, LinkSlot, Relationship};

/// The version of the format of profiles.
pub const PROFILE_VERSION: &str = "profile/v1";

/// A checked vocabulary with its rules, fixed in the envelope of a run; the five stages read everything from it.
///
/// There is no way to hold one that was not checked: it is made from a [`ProfileDraft`], or read by serde, which checks too.
/// `docs/kernel/profiles.md` describes the format for people.
///
/// ```
/// use orket_kernel::{Profile, canonical};
///
/// let text = br#"{"profile_version": "profile/v1", "name": "notes/v1",
///     "types": {"note": {"slots": {"next": {"cardinality": "one", "targets": ["note"], "labels": ["follows"]}},
///                        "order_insensitive": []}},
///     "relationships": {"follows": {"cardinality": "one", "from": ["note"], "to": ["note"]}},
///     "references": {"label": "required"},
///     "raw_ids": {"keys": ["note_id"], "allowed_at": null},
///     "determinism": {"declared_at": ["/order_insensitive"], "required": true, "sorted": true}}"#;
/// let profile = Profile::from_value(&canonical::parse(text)?)?;
/// assert_eq!(profile.name(), "notes/v1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "ProfileDraft", into = "ProfileDraft")]
#[cfg_attr(
    feature = "schema",
    schemars(
        with = "ProfileDraft",
        description = "A vocabulary of triplets with its rules. Beyond its form: labels, slots and types that are named must be there, and a label must fit the types it joins."
    )
)]
pub struct Profile(ProfileDraft);

impl Profile {
    /// Reads a profile from its JSON form.
    ///
    /// # Errors
    /// Names the place that is wrong, what is wrong with it and what to do. Only the first fault is told.
    pub fn from_value(value: &Value) -> Result<Profile, ProfileError> {
        let draft: ProfileDraft = canonical::from_value(value.clone()).map_err(|error| {
            ProfileError::new(
                crate::Pointer::root(),
                ProfileFault::Shape(error.to_string()),
            )
        })?;
        draft.check()
    }

    /// Returns the name of the profile.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the type of this name, if the profile has it.
    pub fn dto_type(&self, name: &str) -> Option<&DtoType> {
        self.0.types.get(name)
    }

    /// Returns the relationship of this label, if the profile has it.
    pub fn relationship(&self, label: &str) -> Option<&Relationship> {
        self.0.relationships.get(label)
    }

    /// Returns what a reference must carry.
    pub fn references(&self) -> &ReferenceRules {
        &self.0.references
    }

    /// Returns which id keys are forbidden.
    pub fn raw_ids(&self) -> &RawIdRules {
        &self.0.raw_ids
    }

    /// Returns what a manifest must declare about order.
    pub fn determinism(&self) -> &DeterminismRules {
        &self.0.determinism
    }

    /// Returns the profile as a draft, to make another from it.
    pub fn to_draft(&self) -> ProfileDraft {
        self.0.clone()
    }
}

impl TryFrom<ProfileDraft> for Profile {
    type Error = ProfileError;

    fn try_from(draft: ProfileDraft) -> Result<Profile, ProfileError> {
        draft.check()
    }
}

impl From<Profile> for ProfileDraft {
    fn from(profile: Profile) -> ProfileDraft {
        profile.0
    }
}
