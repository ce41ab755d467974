//! How much a policy may hold.

/// How many rules it may have.
pub(crate) const RULES_MAX: usize = 1000;
/// How many arguments a rule may limit.
pub(crate) const ARGUMENTS_MAX: usize = 64;
/// How many members a list in a rule may have.
pub(crate) const MEMBERS_MAX: usize = 256;
/// How long a text, or a value as canonical JSON, may be, in bytes.
pub(crate) const TEXT_MAX_BYTES: usize = 4096;
