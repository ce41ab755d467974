//! Why a policy is refused.

use crate::Pointer;

/// Says why a policy is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}, at pointer {pointer:?}", pointer = .pointer.as_str())]
pub struct PolicyError {
    /// The place in the policy.
    pub pointer: Pointer,
    /// What is wrong there and what to do.
    pub fault: PolicyFault,
}

/// What is wrong in a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFault {
    /// The JSON does not have the form of a policy.
    #[error("{0}")]
    Shape(String),
    /// The version is another one.
    #[error(
        "the policy version {found:?} is not known; write {:?}",
        super::POLICY_VERSION
    )]
    Version {
        /// The version, cut to 80 characters.
        found: String,
    },
    /// A list or an object has too many members.
    #[error(
        "there are {found} members, at most {limit} are allowed; split them over several rules"
    )]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// There are too many rules.
    #[error(
        "there are {found} rules, at most {limit} are allowed; join rules that differ only in their tools"
    )]
    TooManyRules {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A text or a value is too long.
    #[error("the text has {bytes} bytes, at most {limit} are allowed; shorten it")]
    TooLong {
        /// How long it is, as canonical JSON if it is no text.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A text that names something is empty.
    #[error("the text is empty; give the exact name")]
    EmptyText,
    /// A list that would never match is empty.
    #[error("the list is empty and would match nothing; give a member or take the rule away")]
    EmptyList,
    /// A member of a set is given twice.
    #[error("this member is given twice; take one away")]
    Duplicate,
    /// The key of an argument is no pointer.
    #[error("the key is not an RFC 6901 pointer; write \"/path\" for the argument path")]
    NoPointer,
    /// A path prefix is malformed.
    #[error(
        "the prefix is not a portable relative path; write one such as src/lib without a slash at its ends, or \".\" for any"
    )]
    Prefix,
    /// A host pattern is malformed.
    #[error("the host pattern is malformed: {0}")]
    Host(&'static str),
    /// An example leaves out the tool although the rule has several.
    #[error("the example names no tool and the rule has several; name one")]
    ExampleWithoutTool,
    /// An example leaves out the action although the rule has several.
    #[error("the example names no action and the rule has several; name one")]
    ExampleWithoutAction,
    /// A `match` example is not matched.
    #[error("the rule does not match this example: {why}; put the rule or the example right")]
    Unmatched {
        /// Why not.
        why: String,
    },
    /// A `no_match` example is matched.
    #[error("the rule matches this example, which it must not; put the rule or the example right")]
    Matched,
}

impl PolicyError {
    pub(super) fn new(pointer: Pointer, fault: PolicyFault) -> PolicyError {
        PolicyError { pointer, fault }
    }
}
