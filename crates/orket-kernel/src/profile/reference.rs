//! The profile that the earlier kernel applied to its triplets.

use super::Cardinality::{self, Many, One};
use super::{
    DeterminismRules, DtoType, LabelRule, LinkSlot, PROFILE_VERSION, Profile, ProfileDraft,
    RawIdRules, ReferenceRules, Relationship,
};

/// Types without slots: their links are empty.
const PLAIN_TYPES: &[&str] = &[
    "skill",
    "entrypoint",
    "tool_profile",
    "artifact",
    "trace_event",
];

/// Type, slot, what it holds, and what it leads to.
const SLOTS: &[(&str, &str, Cardinality, &str)] = &[
    ("invocation", "skill", One, "skill"),
    ("invocation", "entrypoint", One, "entrypoint"),
    ("invocation", "validation_result", One, "validation_result"),
    ("invocation", "trace_events", Many, "trace_event"),
    ("validation_result", "skill", One, "skill"),
    ("validation_result", "entrypoint", One, "entrypoint"),
    ("validation_result", "tool_profile", One, "tool_profile"),
    ("validation_result", "invocation", One, "invocation"),
    ("validation_result", "artifacts", Many, "artifact"),
    ("validation_result", "trace_events", Many, "trace_event"),
];

/// Label, how often in one links object, from which type (empty: from any), and to which types.
const LABELS: &[(&str, Cardinality, &str, &[&str])] = &[
    (
        "declares",
        One,
        "",
        &["skill", "entrypoint", "tool_profile"],
    ),
    ("derives_from", Many, "validation_result", &["artifact"]),
    ("validates", One, "validation_result", &["invocation"]),
    ("produces", Many, "", &["trace_event"]),
    ("causes", Many, "", &["trace_event", "artifact"]),
];

const RAW_IDS: &[&str] = &[
    "skill_id",
    "entrypoint_id",
    "validation_result_id",
    "invocation_id",
    "artifact_id",
    "trace_event_id",
    "tool_profile_id",
    "workspace_id",
    "pending_gate_request_id",
];

impl Profile {
    /// Returns the profile of the earlier kernel: invocations, validation results and what they link to.
    ///
    /// Labels may be left out, raw ids are forbidden unless a manifest lists them at `/policy/allowed_local_ids`, and a manifest
    /// declares its order-insensitive links at one of two places.
    ///
    /// # Limitations
    /// The kernel's own law of identity is stricter than the earlier kernel was: a body has `dto_type`, which is the kind of
    /// its stem (`body.type`, a type named by the manifest and a type guessed from the stem do not count), and an `id`, which only
    /// one stem of any type defines. A reference has no members besides `type`, `id` and `relationship`, and must lead to a
    /// visible object. A type that the profile does not list is refused. `docs/kernel/profiles.md` has the whole list.
    pub fn reference() -> Profile {
        let mut profile = ProfileDraft {
            profile_version: PROFILE_VERSION.into(),
            name: "reference/v1".into(),
            types: [].into(),
            relationships: [].into(),
            references: ReferenceRules {
                label: LabelRule::Optional,
            },
            raw_ids: RawIdRules {
                keys: RAW_IDS.iter().map(|key| (*key).into()).collect(),
                allowed_at: Some("/policy/allowed_local_ids".into()),
            },
            determinism: DeterminismRules {
                declared_at: vec![
                    "/order_insensitive".into(),
                    "/determinism/order_insensitive".into(),
                ],
                required: true,
                sorted: false,
            },
        };
        for name in PLAIN_TYPES {
            profile.types.insert((*name).into(), DtoType::default());
        }
        for (from, slot, cardinality, to) in SLOTS {
            let dto_type = profile.types.entry((*from).into()).or_default();
            if *cardinality == Many {
                dto_type.order_insensitive.insert((*slot).into());
            }
            let held = LinkSlot {
                cardinality: *cardinality,
                targets: [(*to).into()].into(),
                labels: [].into(),
            };
            dto_type.slots.insert((*slot).into(), held);
        }
        for (label, cardinality, from, to) in LABELS {
            let ends = Relationship {
                cardinality: *cardinality,
                from: (!from.is_empty()).then(|| [(*from).into()].into()),
                to: to.iter().map(|name| (*name).into()).collect(),
            };
            profile.relationships.insert((*label).into(), ends);
        }
        // Checked by the test beside `Profile::orket`.
        Profile(profile)
    }
}
