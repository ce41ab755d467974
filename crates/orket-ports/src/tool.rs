//! Tools: what a role can do, and the scope of a turn in which it does it.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_kernel::{Payload, object};

use crate::space_policy::SpacePolicy;
use crate::verifier::{ArtifactFile, LeastTier};

/// The type of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentType {
    /// A text of at most this many bytes.
    Text {
        /// The limit.
        max_bytes: usize,
    },
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// `true` or `false`.
    Truth,
    /// A whole number in this range, both ends included.
    Integer {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// A list of texts in an order.
    Texts {
        /// The fewest texts.
        min_items: usize,
        /// The most texts.
        max_items: usize,
        /// The most bytes of each.
        max_bytes: usize,
        /// Whether each may be given once only.
        distinct: bool,
    },
}

impl ArgumentType {
    /// Returns the JSON Schema of an argument of this type. A limit in bytes is not part of it: JSON Schema counts characters.
    fn schema(self, description: &str) -> Value {
        match self {
            ArgumentType::Text { .. } => {
                object! { "type" => "string", "description" => description }
            }
            ArgumentType::OneOf(texts) => {
                let texts: Vec<Value> = texts.iter().map(|text| Value::from(*text)).collect();
                object! { "type" => "string", "enum" => texts, "description" => description }
            }
            ArgumentType::Truth => object! { "type" => "boolean", "description" => description },
            ArgumentType::Integer { min, max } => object! {
                "type" => "integer",
                "minimum" => min,
                "maximum" => max,
                "description" => description,
            },
            ArgumentType::Texts {
                min_items,
                max_items,
                distinct,
                ..
            } => object! {
                "type" => "array",
                "items" => object! { "type" => "string" },
                "minItems" => min_items as u64,
                "maxItems" => max_items as u64,
                "uniqueItems" => distinct,
                "description" => description,
            },
        }
    }

    /// Says what a value breaks; `None` if it is of this type.
    fn fault(self, value: &Value) -> Option<String> {
        match self {
            ArgumentType::Text { max_bytes } => match value.as_str() {
                None => Some("must be a text".into()),
                Some(text) if text.len() > max_bytes => {
                    Some(format!("is longer than {max_bytes} bytes"))
                }
                Some(_) => None,
            },
            ArgumentType::OneOf(texts) => {
                let is_one = value.as_str().is_some_and(|text| texts.contains(&text));
                (!is_one).then(|| format!("must be one of {}", texts.join(", ")))
            }
            ArgumentType::Truth => value
                .as_bool()
                .is_none()
                .then(|| "must be true or false".into()),
            ArgumentType::Integer { min, max } => {
                let is_inside = value
                    .as_u64()
                    .is_some_and(|number| (min..=max).contains(&number));
                (!is_inside).then(|| format!("must be a whole number from {min} to {max}"))
            }
            ArgumentType::Texts {
                min_items,
                max_items,
                max_bytes,
                distinct,
            } => {
                let Some(items) = value.as_array() else {
                    return Some("must be a list of texts".into());
                };
                if items.len() > max_items {
                    return Some(format!("has more than {max_items} members"));
                }
                if items.len() < min_items {
                    return Some(format!("has fewer than {min_items} members"));
                }
                let mut seen = BTreeSet::new();
                items.iter().find_map(|item| match item.as_str() {
                    None => Some("must be a list of texts".to_owned()),
                    Some(text) if text.len() > max_bytes => {
                        Some(format!("has a member of more than {max_bytes} bytes"))
                    }
                    Some(text) if distinct && !seen.insert(text) => {
                        Some(format!("has the member {text:?} twice"))
                    }
                    Some(_) => None,
                })
            }
        }
    }
}

/// One argument of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Its type.
    pub argument_type: ArgumentType,
    /// Whether it must be given.
    pub required: bool,
}

/// A limit of what a tool does or tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited, and what becomes of the rest.
    pub what: &'static str,
    /// The most of it.
    pub most: u64,
    /// What is counted: `bytes`, for instance.
    pub unit: &'static str,
}

/// What a tool is; the schema shown to the model and the check of its arguments come from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// The kind of effect of its calls, for the capability policy.
    pub action: Action,
    /// What it does, for the model.
    pub description: &'static str,
    /// Its arguments.
    pub parameters: &'static [Parameter],
    /// What limits its work and its results, for people.
    pub limits: &'static [Limit],
    /// Arguments of a call that passes the tool's own check, as JSON.
    pub example: &'static str,
}

impl ToolSpec {
    /// Returns the JSON Schema of the arguments.
    pub fn schema(&self) -> Value {
        let mut properties = BTreeMap::new();
        let mut required = Vec::new();
        for parameter in self.parameters {
            let schema = parameter.argument_type.schema(parameter.description);
            properties.insert(parameter.name.to_owned(), schema);
            if parameter.required {
                required.push(Value::from(parameter.name));
            }
        }
        object! {
            "type" => "object",
            "properties" => properties,
            "required" => required,
            "additionalProperties" => false,
        }
    }

    /// Checks arguments against the parameters.
    ///
    /// # Errors
    /// Names the first argument that is missing, unknown or of the wrong type.
    pub fn check(&self, arguments: &Value) -> Result<(), Refusal> {
        let malformed = |message: String| {
            Err(Refusal::malformed(
                "arguments",
                format!("{}: {message}", self.name),
            ))
        };
        let Some(given) = arguments.as_object() else {
            return malformed("the arguments must be a JSON object".into());
        };
        for name in given.keys() {
            if !self
                .parameters
                .iter()
                .any(|parameter| parameter.name == name)
            {
                return malformed(format!("there is no argument {name:?}"));
            }
        }
        for parameter in self.parameters {
            let name = parameter.name;
            let fault = match given.get(name) {
                None if parameter.required => {
                    return malformed(format!("the argument {name:?} is missing"));
                }
                None => None,
                Some(value) => parameter.argument_type.fault(value),
            };
            if let Some(fault) = fault {
                return malformed(format!("{name:?} {fault}"));
            }
        }
        Ok(())
    }
}

/// Whether the model can put a refusal right in a corrective answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The answer does not have the form that was asked for; one corrective re-prompt is given.
    Malformed,
    /// The answer asks for what is not allowed; the attempt ends.
    Forbidden,
}

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("{message}")]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Whether it can be put right.
    pub kind: RefusalKind,
    /// A stable word for the rule.
    pub reason: String,
    /// What was refused and what to do instead, for the model and for people.
    pub message: String,
}

impl Refusal {
    /// Refuses what has the wrong form.
    pub fn malformed(reason: &str, message: impl Into<String>) -> Refusal {
        Refusal {
            kind: RefusalKind::Malformed,
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// Refuses what is not allowed.
    pub fn forbidden(reason: &str, message: impl Into<String>) -> Refusal {
        Refusal {
            kind: RefusalKind::Forbidden,
            reason: reason.into(),
            message: message.into(),
        }
    }
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// What the model is told.
    pub told: Value,
    /// The artefacts that it changed, by path below `agent_output/`; `None` for one that it removed. A refusal, if one thing
    /// that it did cannot be staged.
    pub changes: Result<BTreeMap<String, Option<ArtifactFile>>, Refusal>,
    /// What confined it, in words. Part of the record, and told to nobody: the model is asked the same wherever it runs.
    pub tier: String,
}

/// Runs a command over private copies of artefacts (by path below `agent_output/`), confined at least as much as is said.
pub type RunCommand<'a> =
    dyn FnMut(&BTreeMap<String, ArtifactFile>, LeastTier) -> Result<Ran, Refusal> + 'a;

/// A card that a role wants to have made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewCard {
    /// What it is, in a line.
    pub title: String,
    /// What is to be done.
    pub description: String,
    /// The role that is to do it.
    pub seat: String,
    /// How much it matters; as a card of an asset if `None`.
    pub priority: Option<u64>,
    /// The cards that must be done first.
    pub depends_on: Vec<String>,
    /// The artefacts it promises: paths below `agent_output/`.
    pub artifacts: Vec<String>,
    /// The fixtures that check it; those that the epic gives to created cards if there are none.
    pub checks: Vec<String>,
}

/// The scope of one turn: all that a tool can reach. Every effect is staged; nothing is written before the commit.
pub trait TurnScope {
    /// Returns the bytes of an artefact, as the turn sees it; the path is below `agent_output/`. It may be too long to hold.
    fn artifact(&mut self, path: &str) -> Result<Option<Payload>, Refusal>;

    /// Lists the paths of all artefacts, below `agent_output/`, sorted.
    fn artifacts(&mut self) -> Result<Vec<String>, Refusal>;

    /// Tells whether an artefact is a program; `false` if there is no such artefact.
    fn is_executable(&mut self, path: &str) -> Result<bool, Refusal>;

    /// Stages an artefact of at most [`ATTACHMENT_LENGTH_MAX_BYTES`](orket_kernel::limits::ATTACHMENT_LENGTH_MAX_BYTES).
    /// Where a stream comes from must stay as it is until the turn is committed; the turn fails if it does not.
    fn write_artifact(
        &mut self,
        path: &str,
        payload: Payload,
        executable: bool,
    ) -> Result<(), Refusal>;

    /// Stages that an artefact is no more; whoever asks for it later in the turn does not find it.
    fn remove_artifact(&mut self, path: &str) -> Result<(), Refusal>;

    /// Returns what the policy of the run lets agents read and write. The artefacts of the turn are guarded by the scope
    /// itself; a tool that reads elsewhere asks first.
    fn space_policy(&self) -> &SpacePolicy;

    /// Moves a card (the turn's own if `None`) to another status, through the transition table.
    fn move_card(
        &mut self,
        card: Option<&str>,
        status: &str,
        wait_reason: Option<&str>,
    ) -> Result<(), Refusal>;

    /// Adds a comment to the turn's card.
    fn comment(&mut self, text: &str) -> Result<(), Refusal>;

    /// Runs a command over all artefacts as the turn sees them, stages what it changed and records both; a replay stages what
    /// is recorded instead. Returns what the model is told.
    fn command(&mut self, run: &mut RunCommand<'_>) -> Result<Value, Refusal>;
    /// Returns the facts of a card of the epic (the turn's own if `None`) as the turn sees them: the card, what it depends on,
    /// what waits for it and what became of its artefacts. They name no time and no run.
    fn issue_context(&mut self, card: Option<&str>) -> Result<Value, Refusal>;

    /// Stages a new card of the epic and returns its id, which follows from what the card says.
    fn create_card(&mut self, card: NewCard) -> Result<String, Refusal>;

    /// Runs `work`, whose outcome a replay cannot compute, and records it; a replay returns the record instead.
    fn recorded(
        &mut self,
        work: &mut dyn FnMut() -> Result<Value, Refusal>,
    ) -> Result<Value, Refusal>;
}

/// Something a role can do.
pub trait Tool: Send + Sync {
    /// Returns what the tool is.
    fn spec(&self) -> &ToolSpec;

    /// Decides what can be decided from checked arguments alone, before any call of the turn runs.
    ///
    /// # Errors
    /// Says why the call is refused.
    fn validate(&self, arguments: &Value) -> Result<(), Refusal>;

    /// Carries the call out inside the turn and returns what the model is told.
    ///
    /// # Errors
    /// A refusal refuses the whole turn.
    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal>;
}
