//! The card: a unit of work with a status, and its triplet in the index.

use std::fmt;
use std::str::FromStr;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, InvalidName, Stem, Triplet, object};

use crate::{Creation, Status, WaitReason};

/// The id of a card: letters, digits, `.`, `_` and `-`, at most 64 characters, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardId(String);

impl CardId {
    /// Returns the text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id of a card that is named after the digest of what it says.
    pub(crate) fn derived(digest: &Digest) -> CardId {
        let hex: String = digest.to_hex().chars().take(8).collect();
        CardId(format!("card-{hex}"))
    }

    /// Returns the id that cards carry in the index: the text of their stem.
    pub fn index_id(&self) -> String {
        format!("card/{}", self.0)
    }
}

impl FromStr for CardId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<CardId, InvalidName> {
        let is_valid = (1..=64).contains(&text.len())
            && text.as_bytes()[0].is_ascii_alphanumeric()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if is_valid {
            return Ok(CardId(text.to_owned()));
        }
        Err(InvalidName {
            kind: "the card id",
            text: text.chars().take(80).collect(),
            reason: "it must have 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit",
        })
    }
}

impl fmt::Display for CardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl serde::Serialize for CardId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for CardId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A remark on a card.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comment {
    /// The role that wrote it.
    pub author: String,
    /// What it says.
    pub text: String,
}

/// How a card's work is checked.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// By running fixtures below `verification/`, in order.
    Checks(Vec<String>),
    /// Not at all, for this reason.
    None(String),
}

/// What a card's checks said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerificationState {
    /// They have not run over the present artefacts.
    #[default]
    NotRun,
    /// All passed.
    Passed,
    /// At least one failed.
    Failed,
    /// The asset defines none, and says why.
    NoChecks,
}

impl VerificationState {
    /// Returns the words for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            VerificationState::NotRun => "not run",
            VerificationState::Passed => "passed",
            VerificationState::Failed => "failed",
            VerificationState::NoChecks => "no checks",
        }
    }
}

/// A card with all its board facts. It holds no run id, no time and no counters.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The id.
    pub id: CardId,
    /// The epic it belongs to.
    pub epic: String,
    /// Its place in the epic, from 0: the age of the card.
    pub ordinal: u64,
    /// What it is, in a line.
    pub title: String,
    /// What is to be done.
    pub description: String,
    /// The role that does the work.
    pub seat: String,
    /// How much it matters; higher goes first.
    pub priority: u64,
    /// The cards that must be done first, sorted.
    pub depends_on: Vec<CardId>,
    /// The artefacts it promises: paths below `agent_output/`.
    pub artifacts: Vec<String>,
    /// How its work is checked.
    pub verification: Verification,
    /// Where it stands.
    pub status: Status,
    /// Why it waits, if it does.
    pub wait_reason: Option<WaitReason>,
    /// What the checks said.
    pub verified: VerificationState,
    /// The roles that authored its work, sorted.
    pub authors: Vec<String>,
    /// Remarks, oldest first.
    pub comments: Vec<Comment>,
    /// Whether evidence of a verification is in the index.
    pub has_evidence: bool,
    /// Who had it made, if no asset defines it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Creation>,
}

impl Card {
    /// Returns the stem of the card with this id.
    ///
    /// # Errors
    /// Never fails for a valid id; the kernel checks the stem once more.
    pub fn stem(id: &CardId) -> Result<Stem, InvalidName> {
        Stem::parse(&id.index_id())
    }

    /// Returns the triplet that stands for the card in the index.
    ///
    /// # Errors
    /// As [`Card::stem`].
    pub fn to_triplet(&self) -> Result<Triplet, InvalidName> {
        let stem = Card::stem(&self.id)?;
        let mut body = object! {
            "dto_type" => "card",
            "id" => self.id.index_id(),
            "epic" => self.epic.as_str(),
            "ordinal" => self.ordinal,
            "title" => self.title.as_str(),
            "description" => self.description.as_str(),
            "seat" => self.seat.as_str(),
            "priority" => self.priority,
            "depends_on" => texts(self.depends_on.iter().map(CardId::as_str)),
            "artifacts" => texts(self.artifacts.iter().map(String::as_str)),
            "verification" => match &self.verification {
                Verification::Checks(fixtures) => {
                    object! { "checks" => texts(fixtures.iter().map(String::as_str)) }
                }
                Verification::None(reason) => object! { "none" => reason.as_str() },
            },
            "status" => self.status.as_str(),
            "wait_reason" => self.wait_reason.map_or(Value::Null, |reason| reason.as_str().into()),
            "verified" => snake_case(self.verified),
            "authors" => texts(self.authors.iter().map(String::as_str)),
            "comments" => self
                .comments
                .iter()
                .map(|c| object! { "author" => c.author.as_str(), "text" => c.text.as_str() })
                .collect::<Vec<Value>>(),
            "has_evidence" => self.has_evidence,
        };
        // A card of an asset has the body that it always had.
        if let (Some(creation), Value::Object(members)) = (&self.created_by, &mut body) {
            let creation =
                object! { "role" => creation.role.as_str(), "card" => creation.card.as_str() };
            members.insert("created_by".into(), creation);
        }
        let reference = |dto_type: &str, id: String, relationship: &str| {
            object! { "type" => dto_type, "id" => id, "relationship" => relationship }
        };
        let mut depends_on: Vec<Value> = self
            .depends_on
            .iter()
            .map(|id| reference("card", id.index_id(), "depends_on"))
            .collect();
        depends_on.sort_by_cached_key(canonical::to_bytes);
        let evidence: Vec<Value> = self
            .has_evidence
            .then(|| reference("evidence", format!("evidence/{}", self.id), "verified_by"))
            .into_iter()
            .collect();
        let links = object! {
            "epic" => reference("epic", format!("epic/{}", self.epic), "part_of"),
            "depends_on" => depends_on,
            "evidence" => evidence,
        };
        let manifest = object! {
            "order_insensitive" => vec![Value::from("depends_on"), Value::from("evidence")],
        };
        Ok(Triplet {
            stem,
            body,
            links,
            manifest,
        })
    }

    /// Reads a card back from the body of its triplet.
    ///
    /// # Errors
    /// Says what is wrong with the body.
    pub fn from_body(body: &Value) -> Result<Card, String> {
        let mut fields = body
            .as_object()
            .cloned()
            .ok_or("the body is not an object")?;
        fields.remove("dto_type");
        let id = fields
            .get("id")
            .and_then(Value::as_str)
            .and_then(|id| id.strip_prefix("card/"));
        let id = id.ok_or("the body has no card id")?.to_owned();
        fields.insert("id".into(), Value::from(id));
        canonical::from_value(Value::Object(fields)).map_err(|error| error.to_string())
    }
}

fn texts<'a>(items: impl Iterator<Item = &'a str>) -> Vec<Value> {
    items.map(Value::from).collect()
}

fn snake_case(state: VerificationState) -> &'static str {
    match state {
        VerificationState::NotRun => "not_run",
        VerificationState::Passed => "passed",
        VerificationState::Failed => "failed",
        VerificationState::NoChecks => "no_checks",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn card(id: &str, depends_on: &[&str], status: Status) -> Card {
        Card {
            id: id.parse().unwrap(),
            epic: "e".into(),
            ordinal: 0,
            title: id.into(),
            description: String::new(),
            seat: "coder".into(),
            priority: 2,
            depends_on: depends_on.iter().map(|id| id.parse().unwrap()).collect(),
            artifacts: vec!["a.txt".into()],
            verification: Verification::Checks(vec!["a.sh".into()]),
            status,
            wait_reason: None,
            verified: VerificationState::NotRun,
            authors: vec![],
            comments: vec![Comment {
                author: "coder".into(),
                text: "é|\n".into(),
            }],
            has_evidence: true,
            created_by: None,
        }
    }

    #[test]
    fn a_card_is_read_back_from_its_triplet() {
        for verification in [
            Verification::Checks(vec!["x.sh".into()]),
            Verification::None("a note".into()),
        ] {
            let mut written = card("FL-1", &["FL-0"], Status::Blocked);
            written.verification = verification;
            written.wait_reason = Some(WaitReason::Dependency);
            let bare = written.to_triplet().unwrap();
            assert_eq!(bare.body.get("created_by"), None);
            assert_eq!(Card::from_body(&bare.body).as_ref(), Ok(&written));
            written.created_by = Some(Creation {
                role: "coder".into(),
                card: "FL-0".parse().unwrap(),
            });
            let triplet = written.to_triplet().unwrap();
            assert_eq!(Card::from_body(&triplet.body), Ok(written));
        }
    }
}
