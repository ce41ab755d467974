//! Why a profile is refused.

use super::PROFILE_VERSION;
use crate::Pointer;
use crate::limits::{PROFILE_NAME_LENGTH_MAX_BYTES, WORD_LENGTH_MAX_BYTES};

/// Says where a profile is wrong, what is wrong there and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profile is not valid at {pointer:?}: {fault}", pointer = .pointer.as_str())]
pub struct ProfileError {
    /// The place in the profile.
    pub pointer: Pointer,
    /// What is wrong there.
    pub fault: ProfileFault,
}

impl ProfileError {
    pub(super) fn new(pointer: Pointer, fault: ProfileFault) -> ProfileError {
        ProfileError { pointer, fault }
    }
}

/// What can be wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileFault {
    /// The JSON has not the form of a profile.
    #[error("{0}; write it as docs/kernel/profiles.md shows")]
    Shape(String),
    /// The version of the format is not known.
    #[error("the version {0:?} is not known; write {PROFILE_VERSION:?}")]
    Version(String),
    /// The name is empty, too long or holds a control character.
    #[error(
        "the name {0:?} is empty, longer than {PROFILE_NAME_LENGTH_MAX_BYTES} bytes or holds a control character; give another"
    )]
    Name(String),
    /// There are more members than may be.
    #[error("{count} {what} are more than {limit}; take some away or split the profile")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A type, slot, label or id key is no word.
    #[error(
        "{0:?} is no word; use a small letter and then small letters, digits and underscores, at most {WORD_LENGTH_MAX_BYTES} bytes"
    )]
    Word(String),
    /// A type is named that the profile does not have.
    #[error("there is no type {0:?}; add it to types, or take the name away")]
    UnknownType(String),
    /// A label is named that the profile does not have.
    #[error("there is no relationship {0:?}; add it to relationships, or take the label away")]
    UnknownLabel(String),
    /// A set of types is empty, so that nothing could fit.
    #[error("no type is listed, so nothing could fit; list at least one")]
    NoTypes,
    /// Every reference must carry a label, but the slot lists none.
    #[error(
        "every reference must carry a label; list those that the slot allows, or make labels optional"
    )]
    NoLabels,
    /// A label can never stand in the slot that lists it.
    #[error(
        "the relationship {0:?} joins this type to none of the targets; correct its ends, or take the label away"
    )]
    LabelNeverFits(String),
    /// An order-insensitive slot is not a slot of the type.
    #[error("{0:?} is no slot of the type; add the slot, or take the name away")]
    NotASlot(String),
    /// An order-insensitive slot holds no array.
    #[error("the slot {0:?} holds one reference, which has no order; take the name away")]
    NotAnArraySlot(String),
    /// A pointer has not the syntax of RFC 6901, is the root or is too long.
    #[error(
        "{0:?} is no pointer to a member of a manifest; write it as /policy/allowed_local_ids is written"
    )]
    Pointer(String),
    /// A pointer is listed twice.
    #[error("the pointer {0:?} is listed twice; take one away")]
    RepeatedPointer(String),
    /// A declaration is required, but there is no place for it.
    #[error("a declaration is required, but there is no place for it; list one in declared_at")]
    NoPlace,
}

impl ProfileFault {
    /// Returns the stable word for the fault.
    pub const fn reason(&self) -> &'static str {
        match self {
            ProfileFault::Shape(_) => "shape",
            ProfileFault::Version(_) => "version",
            ProfileFault::Name(_) => "name",
            ProfileFault::TooMany { .. } => "too_many",
            ProfileFault::Word(_) => "word",
            ProfileFault::UnknownType(_) => "unknown_type",
            ProfileFault::UnknownLabel(_) => "unknown_label",
            ProfileFault::NoTypes => "no_types",
            ProfileFault::NoLabels => "no_labels",
            ProfileFault::LabelNeverFits(_) => "label_never_fits",
            ProfileFault::NotASlot(_) => "not_a_slot",
            ProfileFault::NotAnArraySlot(_) => "not_an_array_slot",
            ProfileFault::Pointer(_) => "pointer",
            ProfileFault::RepeatedPointer(_) => "repeated_pointer",
            ProfileFault::NoPlace => "no_place",
        }
    }
}
