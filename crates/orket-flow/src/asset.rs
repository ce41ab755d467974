//! The assets of a flow, as a person writes them.

use std::collections::BTreeMap;

use orket_cards::Status;
use orket_ports::model::ModelOptions;
use orket_ports::verifier::LeastTier;

/// Names one Band, one Venue and one Score.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowAsset {
    /// The name, which is also the name of the file.
    pub name: String,
    /// The band.
    pub band: String,
    /// The venue, unless the command names another.
    pub venue: String,
    /// The score.
    pub score: String,
}

/// The roles of a flow.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandAsset {
    /// The name, which is also the name of the file.
    pub name: String,
    /// The roles.
    pub roles: BTreeMap<String, RoleAsset>,
}

/// One role.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleAsset {
    /// Who the role is and how it works; the beginning of its prompt.
    pub prompt: String,
    /// The tools it may use; a tool that is not listed is denied.
    pub tools: Vec<String>,
}

/// Which ModelProvider a venue uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Answers come from the recordings in `cassettes/`.
    Recorded,
    /// Answers come from an Ollama server.
    Ollama,
    /// Answers come from a server with the chat protocol of OpenAI: llama.cpp, vLLM, LM Studio.
    OpenaiCompatible,
}

impl ProviderKind {
    /// Returns the word that a venue names it by.
    pub fn as_str(self) -> &'static str {
        match self {
            ProviderKind::Recorded => "recorded",
            ProviderKind::Ollama => "ollama",
            ProviderKind::OpenaiCompatible => "openai_compatible",
        }
    }
}

/// How far away the server of a venue may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VenueReach {
    /// On this machine.
    #[default]
    Loopback,
    /// Anywhere: prompts may leave this machine.
    Anywhere,
}

impl VenueReach {
    fn is_loopback(&self) -> bool {
        *self == VenueReach::Loopback
    }
}

/// A model backend and its parameters.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenueAsset {
    /// The name, which is also the name of the file.
    pub name: String,
    /// The provider.
    pub provider: ProviderKind,
    /// Where the server is; only for providers that call one.
    #[serde(default)]
    pub base_url: Option<String>,
    /// How far away the server may be.
    #[serde(default, skip_serializing_if = "VenueReach::is_loopback")]
    pub reach: VenueReach,
    /// The name under which `.env` or the environment hold the key of the server; never the key itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// The model.
    pub model: String,
    /// Sampling and window.
    pub options: ModelOptions,
    /// The longest time one answer may take, in seconds.
    pub timeout_seconds: u64,
    /// The least confinement in which checks may run.
    pub least_tier: LeastTier,
}

/// Ordered steps.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreAsset {
    /// The name, which is also the name of the file.
    pub name: String,
    /// The steps; the first that fits a card is its next.
    pub steps: Vec<StepAsset>,
    /// How many attempts a turn gets before the engine blocks its card.
    #[serde(default = "default_attempts")]
    pub attempts_per_turn: u64,
    /// How many turns a card may take in a run.
    #[serde(default = "default_turns")]
    pub turns_per_card: u64,
    /// What becomes of an answer of which the gate refuses a call.
    #[serde(default, skip_serializing_if = "RefusedCalls::is_default")]
    pub refused_calls: RefusedCalls,
}

/// What becomes of an answer of which the gate refuses a call that the capability policy grants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedCalls {
    /// None of its calls has an effect.
    #[default]
    RefuseTurn,
    /// That call has no effect, and its refusal is its result; the other calls are carried out.
    Skip,
}

impl RefusedCalls {
    fn is_default(&self) -> bool {
        *self == RefusedCalls::default()
    }
}

fn default_attempts() -> u64 {
    3
}

fn default_turns() -> u64 {
    20
}

/// One step of a Score.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepAsset {
    /// The name; also the task of the capability policy.
    pub name: String,
    /// The role that acts; `$seat` stands for the card's own seat.
    pub role: String,
    /// The statuses of a card in which the step acts.
    pub statuses: Vec<Status>,
}

/// The role of a step that stands for the card's own seat.
const SEAT: &str = "$seat";

impl StepAsset {
    /// Tells whether the step is the card's own work, not a judgement of it.
    pub fn is_work(&self) -> bool {
        self.role == SEAT
    }
}
