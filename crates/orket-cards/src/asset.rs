//! The assets of the board: rocks, epics and their cards, as a person writes them.

use std::collections::BTreeMap;

use orket_kernel::canonical;
use orket_kernel::{Digest, object};

use crate::{
    Card, CardId, CreatedCardsAsset, DependencyFault, Status, Verification, VerificationState,
};

/// Says why an asset cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {reason}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct AssetError {
    /// The file, relative to the project.
    pub file: String,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

/// A goal: an ordered list of epics.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RockAsset {
    /// The name, which is also the name of the file.
    pub name: String,
    /// What is to be reached.
    pub description: String,
    /// The epics, in the order in which they run.
    pub epics: Vec<String>,
}

/// A set of cards that one Flow works on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpicAsset {
    /// The name, which is also the name of the file.
    pub name: String,
    /// What the cards are for, together.
    pub description: String,
    /// The flow.
    pub flow: String,
    /// The cards, oldest first.
    pub cards: Vec<CardAsset>,
    /// Artefacts that may be executed where no sandbox can be had, if the venue accepts that: the path below
    /// `agent_output/` and the digests that its bytes may have.
    #[serde(default)]
    pub pins: BTreeMap<String, Vec<Digest>>,
    /// What roles may create; nothing if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_cards: Option<CreatedCardsAsset>,
}

/// A card as its epic defines it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardAsset {
    /// The id; one is derived from the content where it is left out.
    #[serde(default)]
    pub id: Option<CardId>,
    /// What it is, in a line.
    pub title: String,
    /// What is to be done.
    pub description: String,
    /// The role that does the work.
    pub seat: String,
    /// How much it matters; higher goes first.
    #[serde(default = "default_priority")]
    pub priority: u64,
    /// The cards that must be done first.
    #[serde(default)]
    pub depends_on: Vec<CardId>,
    /// The artefacts it promises: paths below `agent_output/`.
    #[serde(default)]
    pub artifacts: Vec<String>,
    /// How the work is checked.
    pub verification: VerificationAsset,
}

/// The priority of a card that names none.
pub const DEFAULT_PRIORITY: u64 = 2;

fn default_priority() -> u64 {
    DEFAULT_PRIORITY
}

/// How a card's work is checked: exactly one of the two.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerificationAsset {
    /// Fixtures below `verification/`, run in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<String>>,
    /// Why there are no checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none: Option<String>,
}

const VERIFICATION_HINT: &str =
    "give either \"checks\" (fixtures to run) or \"none\" (why there are none)";

impl VerificationAsset {
    /// Returns how a card is checked; `None` unless exactly one of the two is given and says something.
    pub fn verification(&self) -> Option<Verification> {
        match (&self.checks, &self.none) {
            (Some(checks), None) if !checks.is_empty() => {
                Some(Verification::Checks(checks.clone()))
            }
            (None, Some(reason)) if !reason.is_empty() => Some(Verification::None(reason.clone())),
            _ => None,
        }
    }
}

/// Reads an asset from the bytes of its file.
///
/// # Errors
/// Names the file, the line where the JSON is broken, and what is wrong.
pub fn parse_asset<T: serde::de::DeserializeOwned>(
    file: &str,
    bytes: &[u8],
) -> Result<T, AssetError> {
    let value = canonical::parse(bytes).map_err(|error| {
        let before = &bytes[..error.byte_offset.min(bytes.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        AssetError {
            file: file.into(),
            line: Some(line),
            reason: error.to_string(),
        }
    })?;
    canonical::from_value(value).map_err(|error| AssetError {
        file: file.into(),
        line: None,
        reason: error.to_string(),
    })
}

impl EpicAsset {
    /// Returns the cards as they are before any work, checked against each other.
    ///
    /// # Errors
    /// Names the file and the first card that cannot be used.
    pub fn cards(&self, file: &str) -> Result<Vec<Card>, AssetError> {
        let fault = |reason: String| AssetError {
            file: file.into(),
            line: None,
            reason,
        };
        let mut cards = Vec::new();
        for (ordinal, asset) in self.cards.iter().enumerate() {
            let place = format!("/cards/{ordinal}");
            let verification = asset
                .verification
                .verification()
                .ok_or_else(|| fault(format!("{place}/verification: {VERIFICATION_HINT}")))?;
            let id = asset.id.clone().unwrap_or_else(|| self.derived_id(asset));
            cards.push(self.fresh_card(asset, id, ordinal as u64, verification));
        }
        if let Some(rules) = &self.created_cards
            && rules.verification.verification().is_none()
        {
            let reason = format!("/created_cards/verification: {VERIFICATION_HINT}");
            return Err(fault(reason));
        }
        crate::check_dependencies(&cards)
            .map_err(|error: DependencyFault| fault(error.to_string()))?;
        Ok(cards)
    }

    /// Returns a card as it is before any work.
    pub(crate) fn fresh_card(
        &self,
        asset: &CardAsset,
        id: CardId,
        ordinal: u64,
        verification: Verification,
    ) -> Card {
        let mut depends_on = asset.depends_on.clone();
        depends_on.sort();
        depends_on.dedup();
        Card {
            id,
            epic: self.name.clone(),
            ordinal,
            title: asset.title.clone(),
            description: asset.description.clone(),
            seat: asset.seat.clone(),
            priority: asset.priority,
            depends_on,
            artifacts: asset.artifacts.clone(),
            verified: match verification {
                Verification::Checks(_) => VerificationState::NotRun,
                Verification::None(_) => VerificationState::NoChecks,
            },
            verification,
            status: Status::Ready,
            wait_reason: None,
            authors: Vec::new(),
            comments: Vec::new(),
            has_evidence: false,
            created_by: None,
        }
    }

    /// Derives a stable id from what the card says (lesson 9: random ids duplicated cards at every load).
    pub(crate) fn derived_id(&self, asset: &CardAsset) -> CardId {
        let digest = canonical::digest(&object! {
            "epic" => self.name.as_str(),
            "title" => asset.title.as_str(),
            "description" => asset.description.as_str(),
            "seat" => asset.seat.as_str(),
        });
        CardId::derived(&digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epic(cards: &str) -> Result<Vec<Card>, AssetError> {
        let text = format!(r#"{{"name":"e","description":"d","flow":"f","cards":[{cards}]}}"#);
        parse_asset::<EpicAsset>("model/epics/e.json", text.as_bytes())?.cards("model/epics/e.json")
    }

    #[test]
    fn broken_assets_name_the_file_and_the_line() {
        let error =
            parse_asset::<EpicAsset>("model/epics/e.json", b"{\n \"name\": \n}").unwrap_err();
        assert_eq!(error.line, Some(3));
        assert!(
            error.to_string().starts_with("model/epics/e.json:3: "),
            "{error}"
        );
        let error = parse_asset::<EpicAsset>("e.json", b"{\"nam\":1}").unwrap_err();
        assert!(error.to_string().contains("nam"), "{error}");
    }

    #[test]
    fn a_card_without_an_id_gets_the_same_one_at_every_load() {
        let card = r#"{"title":"t","description":"d","seat":"coder","verification":{"none":"r"}}"#;
        let one = epic(card).unwrap();
        assert_eq!(one, epic(card).unwrap());
        assert!(one[0].id.as_str().starts_with("card-"));
    }

    #[test]
    fn a_card_says_how_it_is_checked_or_why_not() {
        for verification in [
            "{}",
            r#"{"checks":[]}"#,
            r#"{"none":""}"#,
            r#"{"checks":["a"],"none":"b"}"#,
        ] {
            let card = format!(
                r#"{{"title":"t","description":"d","seat":"coder","verification":{verification}}}"#
            );
            let error = epic(&card).unwrap_err();
            assert!(error.reason.starts_with("/cards/0/verification"), "{error}");
        }
    }
}
