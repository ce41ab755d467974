//! Limits at the border of the kernel: how much one turn, one profile and one envelope may hold.
//!
//! What goes beyond a limit of a turn is refused by the stage `base_shape` with the reason `too_many`, before anything else
//! of the turn is looked at; a profile or an envelope beyond its limits cannot be made at all.

/// How many triplets one turn may stage.
pub const TRIPLETS_MAX: usize = 10_000;
/// How many stems one turn may delete.
pub const DELETIONS_MAX: usize = 10_000;
/// How many tool calls one turn may make.
pub const TOOL_CALLS_MAX: usize = 1_000;
/// How many refusals of the host's gate one turn may carry.
pub const REFUSALS_MAX: usize = 10_000;
/// How many recorded outcomes one turn may carry.
pub const OUTCOMES_MAX: usize = 10_000;
/// How many attachments one turn may bring.
pub const ATTACHMENTS_MAX: usize = 100_000;
/// How long one attachment may be, in bytes: 4 GiB.
pub const ATTACHMENT_LENGTH_MAX_BYTES: u64 = 4 << 30;
/// How many references the links of one triplet may hold, over all slots.
pub const LINKS_PER_TRIPLET_MAX: usize = 100_000;
/// How many forbidden id keys of one triplet are told; further ones change nothing about the verdict.
pub const RAW_IDS_TOLD_MAX: usize = 100;
/// How many artifacts one call of `write_trace_artifacts` may keep.
pub const TRACE_ARTIFACTS_MAX: usize = 1_000;

/// How many types a profile may have.
pub const TYPES_MAX: usize = 256;
/// How many slots a type may have.
pub const SLOTS_PER_TYPE_MAX: usize = 64;
/// How many relationships a profile may have.
pub const RELATIONSHIPS_MAX: usize = 256;
/// How many id keys a profile may forbid.
pub const RAW_ID_KEYS_MAX: usize = 256;
/// At how many places a manifest may declare its order-insensitive links.
pub const DECLARED_PLACES_MAX: usize = 16;
/// How long a word of a profile (a type, a slot, a label, an id key) may be, in bytes.
pub const WORD_LENGTH_MAX_BYTES: usize = 64;
/// How long the name of a profile may be, in bytes.
pub const PROFILE_NAME_LENGTH_MAX_BYTES: usize = 128;
/// How long a pointer in a profile may be, in bytes.
pub const POINTER_LENGTH_MAX_BYTES: usize = 1_024;

/// How many plugins an envelope may list.
pub const PLUGINS_MAX: usize = 1_000;
/// How long the id or the version of a plugin may be, in bytes.
pub const PLUGIN_TEXT_LENGTH_MAX_BYTES: usize = 128;
