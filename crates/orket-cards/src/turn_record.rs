//! The record of a turn: everything that is needed to execute it again without a model.

use orket_kernel::canonical::Value;
use orket_kernel::capability::Decision;
use orket_kernel::{Digest, TurnId, TurnResult};

use crate::{Author, CardId, CommandOutcome, OperatorAction};

/// The version that every turn record carries.
pub const TURN_RECORD_VERSION: &str = "orket_turn/v1";

/// What made a turn happen.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cause {
    /// The epic's cards were loaded.
    Load,
    /// A model answered; the last exchange is the one that was judged.
    Answer,
    /// A state was imported from files.
    Import {
        /// The generation that it had where it was exported.
        generation: u64,
        /// The digest of the state.
        state_digest: Digest,
    },
    /// The last attempt failed and the engine blocked the card.
    GiveUp {
        /// Why the last attempt failed.
        reasons: Vec<String>,
        /// The cards of the epic that no asset defines.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        created: Vec<CardId>,
    },
    /// A person did something.
    Operator {
        /// Who.
        author: Author,
        /// What.
        action: OperatorAction,
    },
}

/// One request to a model and its answer, each kept as a record of its own.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRecord {
    /// The digest of the request.
    pub request: Digest,
    /// The digest of the answer; `None` if no whole answer came.
    pub answer: Option<Digest>,
    /// The audit records of the answer's calls, if another answer was judged in its place; else they are those of the turn.
    pub decisions: Vec<Decision>,
}

/// One tool call with what became of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRecord {
    /// The tool.
    pub tool: String,
    /// The arguments.
    pub arguments: Value,
    /// What the model is told: the tool's result.
    pub result: Value,
}

/// Tokens that a turn used, as far as the server counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// Of the prompts.
    pub prompt: u64,
    /// Of the answers.
    pub completion: u64,
    /// Of those of the prompts, what the server still knew from before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached: u64,
    /// Of all of them, what no server counted: a guess from the length of the text.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub estimated: u64,
}

impl Tokens {
    /// Adds what something else used.
    pub fn add(&mut self, other: Tokens) {
        self.prompt += other.prompt;
        self.completion += other.completion;
        self.cached += other.cached;
        self.estimated += other.estimated;
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The record of one promoted turn, or of one failed attempt at it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnRecord {
    /// [`TURN_RECORD_VERSION`].
    pub version: String,
    /// The run.
    pub run_id: String,
    /// The turn.
    pub turn_id: TurnId,
    /// The attempt, counted from 1.
    pub attempt: u64,
    /// The card, or `None` for a turn on no card or on several.
    pub card: Option<CardId>,
    /// The role that acted; `engine` for the engine itself.
    pub role: String,
    /// The Score step.
    pub step: String,
    /// What made the turn happen.
    pub cause: Cause,
    /// The exchanges with the model, in order.
    pub exchanges: Vec<ExchangeRecord>,
    /// Whether an answer was judged; `false` if none came, and for turns of the engine.
    pub judged: bool,
    /// What the model said beside its tool calls, in the judged answer.
    pub said: String,
    /// The tool calls of the judged answer, in order.
    pub calls: Vec<CallRecord>,
    /// The audit records of the capability jail.
    pub decisions: Vec<Decision>,
    /// Outcomes that a replay feeds instead of computing, in order.
    pub outcomes: Vec<Value>,
    /// What the turn read.
    pub reads: Value,
    /// The result; `None` if the attempt never reached the kernel.
    pub result: Option<TurnResult>,
    /// Why the attempt was refused, one sentence each; empty for a promoted turn.
    pub refusals: Vec<String>,
    /// Tokens used.
    pub tokens: Tokens,
    /// Narrative for people that is part of no digest of a turn: the tier of the sandbox, for instance.
    pub notes: Value,
}

impl TurnRecord {
    /// Returns the digests of what commands wrote in the turn.
    pub fn command_contents(&self) -> Vec<Digest> {
        let commands = self.outcomes.iter().filter_map(CommandOutcome::from_value);
        let written = commands.flat_map(|outcome| outcome.written);
        written.map(|file| file.content_digest).collect()
    }
}
