//! The version that every request and answer names.

use crate::CONTRACT_VERSION;

/// The text `kernel_api/v1`. A request that names another version, or none, cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContractVersion;

impl serde::Serialize for ContractVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(CONTRACT_VERSION)
    }
}

impl<'de> serde::Deserialize<'de> for ContractVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        if text == CONTRACT_VERSION {
            return Ok(ContractVersion);
        }
        Err(serde::de::Error::custom(format!(
            "the contract version {text:?} is not supported; it must be {CONTRACT_VERSION:?}"
        )))
    }
}
