//! Rules: what one role may do in one step.

use std::collections::BTreeMap;

use super::{Action, Matcher, ToolRequest};
use crate::canonical::Value;
use crate::{Pointer, object};

/// Lets one role use some tools in one step, in its wire form.
///
/// A rule counts only inside a [`Policy`](super::Policy), which checks it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The role, as an exact text.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "crate::wire::schema::texts::Name")
    )]
    pub role: String,
    /// The name of the Score step, as an exact text.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "crate::wire::schema::texts::Name")
    )]
    pub task: String,
    /// The tools, as exact texts.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::wire::schema::texts::Name>", length(min = 1, max = super::limits::MEMBERS_MAX), extend("uniqueItems" = true)))]
    pub tools: Vec<String>,
    /// The actions; any action of these tools if left out. A `null` is refused: it might have been meant as none.
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Action>", length(min = 1, max = super::limits::MEMBERS_MAX), extend("uniqueItems" = true)))]
    pub actions: Option<Vec<Action>>,
    /// What the arguments must be, by RFC 6901 pointer; each must be there and fit. Others are free.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::wire::schema::texts::ArgumentPlace, Matcher>", extend("maxProperties" = super::limits::ARGUMENTS_MAX)))]
    pub arguments: BTreeMap<String, Matcher>,
    /// Calls that the rule allows, tried when the policy is loaded.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = super::limits::MEMBERS_MAX)))]
    pub matches: Vec<Example>,
    /// Calls that the rule does not allow, tried when the policy is loaded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = super::limits::MEMBERS_MAX)))]
    pub no_match: Vec<Example>,
}

/// A call of the role in the step of a rule, by which the rule is tried.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The tool; the rule's own if it has one and this is left out.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::wire::schema::texts::Name>")
    )]
    pub tool: Option<String>,
    /// The action; if left out, the rule's own if it lists one, or [`Action::CALL`] if it lists none.
    #[serde(default)]
    pub action: Option<Action>,
    /// The arguments; none if left out.
    #[serde(default = "no_arguments")]
    pub arguments: Value,
}

/// Why a rule does not match a call, in the order in which it is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// The call is of another role, of another step or of another tool.
    Elsewhere,
    /// The rule does not list the action.
    Action,
    /// The argument at this pointer is missing or does not fit.
    Argument(Pointer),
}

impl Rule {
    /// Returns a rule that limits neither actions nor arguments.
    pub fn of_tools(role: &str, task: &str, tools: &[&str]) -> Rule {
        Rule {
            role: role.to_owned(),
            task: task.to_owned(),
            tools: tools.iter().map(|tool| (*tool).to_owned()).collect(),
            actions: None,
            arguments: BTreeMap::new(),
            matches: Vec::new(),
            no_match: Vec::new(),
        }
    }

    pub(super) fn is_of(&self, role: &str, task: &str) -> bool {
        self.role == role && self.task == task
    }

    /// Tells whether the rule says nothing else than which tools.
    pub(super) fn lists_only_tools(&self) -> bool {
        self.actions.is_none()
            && self.arguments.is_empty()
            && self.matches.is_empty()
            && self.no_match.is_empty()
    }

    /// Says why the rule does not match; `None` if it does.
    pub(super) fn misfit(&self, request: &ToolRequest) -> Option<Misfit> {
        if !self.is_of(&request.role, &request.task) {
            return Some(Misfit::Elsewhere);
        }
        self.misfit_of_call(&request.tool, &request.action, &request.arguments)
    }

    /// As [`Rule::misfit`], for a call of the rule's own role in its own step.
    pub(super) fn misfit_of_call(
        &self,
        tool: &str,
        action: &Action,
        arguments: &Value,
    ) -> Option<Misfit> {
        if !self.tools.iter().any(|listed| listed == tool) {
            return Some(Misfit::Elsewhere);
        }
        let lists_action = |actions: &Vec<Action>| actions.contains(action);
        if !self.actions.as_ref().is_none_or(lists_action) {
            return Some(Misfit::Action);
        }
        let (place, _) = self.arguments.iter().find(|(place, matcher)| {
            !arguments
                .pointer(place)
                .is_some_and(|value| matcher.matches(value))
        })?;
        Some(Misfit::Argument(Pointer::parse(place).unwrap_or_default()))
    }
}

/// Reads a list that may be left out but not be `null`.
fn given<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Action>>, D::Error> {
    <Vec<Action> as serde::Deserialize>::deserialize(deserializer).map(Some)
}

fn no_arguments() -> Value {
    object! {}
}
