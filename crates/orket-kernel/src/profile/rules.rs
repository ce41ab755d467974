//! Rules of a profile that hold for every type.

use std::collections::BTreeSet;

/// Whether a reference must carry a relationship label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LabelRule {
    /// Every reference carries one.
    Required,
    /// A reference may leave it out, unless its slot lists labels.
    Optional,
}

/// What a reference must carry.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReferenceRules {
    /// Whether it must carry a relationship label.
    pub label: LabelRule,
}

/// Which keys look like references that go round the links, and hence are forbidden in bodies and links.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RawIdRules {
    /// The keys; forbidden are these and every key that ends in `_` and one of these, at any depth.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::wire::schema::texts::Word>", length(max = crate::limits::RAW_ID_KEYS_MAX)))]
    pub keys: BTreeSet<String>,
    /// The pointer to the place in a manifest that may list keys which the triplet may have nevertheless; `None` if
    /// nothing can be allowed.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::wire::schema::texts::ManifestPlace>")
    )]
    pub allowed_at: Option<String>,
}

impl RawIdRules {
    /// Tells whether a key is forbidden, apart from what a manifest allows.
    pub fn forbids(&self, key: &str) -> bool {
        let mut rest = key;
        if self.keys.contains(rest) {
            return true;
        }
        while let Some((_, after)) = rest.split_once('_') {
            if self.keys.contains(after) {
                return true;
            }
            rest = after;
        }
        false
    }
}

/// What a manifest must declare about the order of arrays in the links.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(extend("if" = { "properties": { "required": { "const": true } } }, "then" = { "properties": { "declared_at": { "minItems": 1 } } })))]
pub struct DeterminismRules {
    /// The pointers to the places in a manifest that may list slots whose order means nothing; each one that is there counts.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::wire::schema::texts::ManifestPlace>", length(max = crate::limits::DECLARED_PLACES_MAX), extend("uniqueItems" = true)))]
    pub declared_at: Vec<String>,
    /// Whether at least one of the places must be there, if only with an empty list.
    pub required: bool,
    /// Whether a declared array must be sorted by the canonical bytes of its items, without repetition.
    pub sorted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_forbidden_exactly_or_after_an_underscore() {
        let rules = RawIdRules {
            keys: ["skill_id".to_owned(), "workspace_id".to_owned()].into(),
            allowed_at: None,
        };
        for key in ["skill_id", "my_skill_id", "a_b_skill_id", "_skill_id"] {
            assert!(rules.forbids(key), "{key}");
        }
        for key in [
            "id",
            "_id",
            "skill_ids",
            "myskill_id",
            "skill-id",
            "Skill_id",
            "skill_id_",
        ] {
            assert!(!rules.forbids(key), "{key}");
        }
    }

    #[test]
    fn a_key_of_a_million_underscores_is_judged_quickly_enough() {
        let rules = RawIdRules {
            keys: ["x".to_owned()].into(),
            allowed_at: None,
        };
        assert!(rules.forbids(&format!("{}x", "_".repeat(1_000_000))));
        assert!(!rules.forbids(&"_".repeat(1_000_000)));
    }
}
