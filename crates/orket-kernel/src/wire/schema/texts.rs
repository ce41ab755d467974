//! Schemas of what is a text on the wire and more than that in the sources.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::capability::Action;
use crate::wire::request::HexBytes;
use crate::{Digest, Pointer, RunId, Stem, TurnId, capability, limits};

/// A name in a policy.
pub(crate) struct Name;
/// The place of an argument in a policy.
pub(crate) struct ArgumentPlace;
/// A word of a profile.
pub(crate) struct Word;
/// The place of a declaration in a manifest.
pub(crate) struct ManifestPlace;
/// A prefix of paths in a policy.
pub(crate) struct Prefix;
/// A pattern of hosts in a policy.
pub(crate) struct HostPattern;

/// Characters that no name may hold: control characters, the backslash and direction marks.
macro_rules! unsafe_characters {
    () => {
        "\\u0000-\\u001f\\u007f-\\u009f\\\\\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"
    };
}

/// Characters that no segment of a portable path may hold.
macro_rules! unportable_characters {
    () => {
        concat!(unsafe_characters!(), "/:*?\"<>|")
    };
}

/// Segments that are not empty, not `.` and not `..`, at least two of them.
const STEM: &str = concat!(
    "^([^/.",
    unsafe_characters!(),
    "][^/",
    unsafe_characters!(),
    "]*",
    "|\\.[^/.",
    unsafe_characters!(),
    "][^/",
    unsafe_characters!(),
    "]*",
    "|\\.\\.[^/",
    unsafe_characters!(),
    "]+)",
    "(/([^/.",
    unsafe_characters!(),
    "][^/",
    unsafe_characters!(),
    "]*",
    "|\\.[^/.",
    unsafe_characters!(),
    "][^/",
    unsafe_characters!(),
    "]*",
    "|\\.\\.[^/",
    unsafe_characters!(),
    "]+))+$"
);

/// A dot, or segments that end neither with a dot nor with a blank; the first does not begin with a tilde.
const PREFIX: &str = concat!(
    "^(\\.|",
    "([^~. ",
    unportable_characters!(),
    "]|[^~",
    unportable_characters!(),
    "][^",
    unportable_characters!(),
    "]*[^. ",
    unportable_characters!(),
    "])",
    "(/[^",
    unportable_characters!(),
    "]*[^. ",
    unportable_characters!(),
    "])*)$"
);

const POINTER: &str = "^(/([^~/]|~[01])*)*$";

/// `turn-`, and a number from 1 in at least four digits.
const TURN_ID: &str = "^turn-(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3,19})$";

const HOST_PATTERN: &str =
    "^(\\*\\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$";

macro_rules! texts {
    ($($type:ty, $name:literal, $inline:literal, $($member:literal: $value:expr),+;)+) => {$(
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                $inline
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", $($member: $value),+ })
            }
        }
    )+};
}

texts! {
    Digest, "Digest", false,
        "description": "A SHA-256 digest: 64 lower-case hexadecimal digits.",
        "pattern": "^[0-9a-f]{64}$";
    Stem, "Stem", false,
        "description": "The path-like name of one object: a kind, a slash and a name, such as `card/FL-1`; at most 1,024 bytes.",
        "pattern": STEM, "maxLength": 1024;
    RunId, "RunId", false,
        "description": "The id of a run.",
        "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";
    TurnId, "TurnId", false,
        "description": "The place of a turn in its run, counted from 1, in at least four digits: `turn-0001`. The number has at most 64 bits.",
        "pattern": TURN_ID;
    Pointer, "Pointer", false,
        "description": "A JSON pointer (RFC 6901); the whole document is the empty text.",
        "pattern": POINTER;
    Action, "Action", false,
        "description": "The kind of effect of a tool call, as the host names it.",
        "pattern": "^[a-z][a-z0-9_.]{0,63}$";
    HexBytes, "HexBytes", false,
        "description": "Bytes in lower-case hexadecimal digits.",
        "pattern": "^([0-9a-f]{2})*$";
    Name, "Name", true,
        "minLength": 1, "maxLength": capability::limits::TEXT_MAX_BYTES;
    ArgumentPlace, "ArgumentPlace", true,
        "pattern": POINTER;
    Word, "Word", true,
        "pattern": "^[a-z][a-z0-9_]{0,63}$";
    ManifestPlace, "ManifestPlace", true,
        "pattern": "^(/([^~/]|~[01])*)+$", "maxLength": limits::POINTER_LENGTH_MAX_BYTES;
    Prefix, "Prefix", true,
        "pattern": PREFIX, "maxLength": capability::limits::TEXT_MAX_BYTES;
    HostPattern, "HostPattern", true,
        "pattern": HOST_PATTERN, "maxLength": 255;
}
