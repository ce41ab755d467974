//! The immutable records of the index (Law 5).

use crate::{Digest, Stem, TurnId};

/// The triplet record of Law 5: the newest body, links and manifest of one stem.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TripletRecord {
    /// The stem.
    pub stem: Stem,
    /// The digest of the body.
    pub body_digest: Digest,
    /// The digest of the links.
    pub links_digest: Digest,
    /// The digest of the manifest.
    pub manifest_digest: Digest,
    /// The turn that changed the stem last, within its run; not part of the state digest.
    pub updated_at_turn: TurnId,
    /// The version of the record, [`LSI_VERSION`](crate::LSI_VERSION).
    #[cfg_attr(feature = "schema", schemars(extend("const" = crate::LSI_VERSION)))]
    pub lsi_version: String,
}

/// The reference source record of Law 5: one place that references an id.
///
/// Sources sort by (stem, location, relationship, artifact digest): the order of the fields.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RefSource {
    /// The stem whose links hold the reference.
    pub stem: Stem,
    /// The pointer to the reference: `/links/<slot>` or `/links/<slot>/<index>`.
    pub location: String,
    /// The relationship label; empty if the reference has none, which only some profiles allow. A null would be another record
    /// shape than that of Law 5.
    pub relationship: String,
    /// The digest of the links object that holds the reference.
    pub artifact_digest: Digest,
}
