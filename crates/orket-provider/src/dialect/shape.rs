//! What a JSON value says as a call: its tool, its arguments, and where it leaves the form that was asked for.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::canonical::{self, Limits, Value};
use orket_ports::dialect::{Dialect, RepairKind, Unreadable};

use super::extent::DEPTH_MAX;
use super::offered::Offered;

/// A call, before its surroundings are looked at.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) arguments: Value,
    pub(super) repairs: BTreeSet<RepairKind>,
}

/// Why a value that was meant as a call is none.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) reason: Unreadable,
    /// What is wrong in words; of an unknown tool only the name, for there may be any number of them.
    pub(super) message: String,
    /// The tool that was meant, if it is offered.
    pub(super) tool: Option<String>,
}

/// What a value says, in its order.
pub(super) type Drafts = Vec<Result<Draft, Fault>>;

const NAMES: [&str; 5] = ["name", "tool", "function", "tool_name", "action"];
const ARGUMENTS: [&str; 5] = ["arguments", "args", "parameters", "input", "action_input"];
const WRAPPERS: [&str; 4] = ["tool_calls", "calls", "tool_call", "function_call"];
/// Members that servers add to a call and that change nothing.
const QUIET: [&str; 5] = ["id", "type", "index", "call_id", "tool_call_id"];

/// Reads a value; `None` if it was not meant as a call. Recurses as deep as the value, which is at most 64.
pub(super) fn drafts(value: &Value, dialect: &Dialect, offered: &Offered<'_>) -> Option<Drafts> {
    match value {
        Value::Array(elements) => {
            let read: Vec<Option<Drafts>> = elements
                .iter()
                .map(|element| drafts(element, dialect, offered))
                .collect();
            if read.iter().all(Option::is_none) {
                return None;
            }
            let mut all = Vec::new();
            for (ordinal, drafts) in read.into_iter().enumerate() {
                match drafts {
                    Some(drafts) => all.extend(drafts),
                    None => all.push(Err(Fault {
                        reason: Unreadable::MixedList,
                        message: format!("element {ordinal} of a list of calls is no call"),
                        tool: None,
                    })),
                }
            }
            Some(all)
        }
        Value::Object(members) => {
            for wrapper in WRAPPERS {
                let inner = members.get(wrapper);
                if let Some(drafts) = inner.and_then(|inner| drafts(inner, dialect, offered)) {
                    return Some(unwrapped(drafts, members.len() > 1));
                }
            }
            if let Some(inner @ Value::Object(_)) = members.get("function")
                && let Some(drafts) = drafts(inner, dialect, offered)
            {
                let extra = members
                    .keys()
                    .any(|key| key != "function" && !QUIET.contains(&key.as_str()));
                return Some(unwrapped(drafts, extra));
            }
            call(members, dialect, offered).map(|draft| vec![draft])
        }
        _ => None,
    }
}

/// Tells whether a call of an offered tool lies somewhere inside a value.
pub(super) fn holds_call(value: &Value, dialect: &Dialect, offered: &Offered<'_>) -> bool {
    let inner: Vec<&Value> = match value {
        Value::Array(elements) => elements.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => return false,
    };
    inner.into_iter().any(|inner| {
        let drafts = drafts(inner, dialect, offered);
        let mut calls = drafts.iter().flatten().flatten();
        // A list of the names of tools is no list of calls.
        calls.any(|call| !call.repairs.contains(&RepairKind::ArgumentsMissing))
            || holds_call(inner, dialect, offered)
    })
}

fn unwrapped(mut drafts: Drafts, extra: bool) -> Drafts {
    for draft in drafts.iter_mut().flatten() {
        draft.repairs.insert(RepairKind::OtherMember);
        if extra {
            draft.repairs.insert(RepairKind::ExtraMember);
        }
    }
    drafts
}

fn call(
    members: &BTreeMap<String, Value>,
    dialect: &Dialect,
    offered: &Offered<'_>,
) -> Option<Result<Draft, Fault>> {
    let names: Vec<(&str, &str)> = NAMES
        .iter()
        .filter_map(|key| Some((*key, members.get(*key)?.as_str()?)))
        .collect();
    let arguments: Vec<(&str, &Value)> = ARGUMENTS
        .iter()
        .filter_map(|key| Some((*key, members.get(*key)?)))
        .collect();
    let Some(&(name_key, name)) = names.first() else {
        return keyed_by_tool(members, offered);
    };
    let known = offered.has(name);
    let fault = |reason, message: String| {
        Some(Err(Fault {
            reason,
            message,
            tool: known.then(|| name.to_owned()),
        }))
    };
    if names.iter().any(|(_, other)| *other != name) {
        let known = names.iter().find(|(_, name)| offered.has(name));
        let (_, tool) = known.filter(|_| !arguments.is_empty())?;
        return Some(Err(Fault {
            reason: Unreadable::TwoMeanings,
            message: format!(
                "the members {} name different tools",
                listed(names.iter().map(|(key, _)| *key))
            ),
            tool: Some((*tool).to_owned()),
        }));
    }
    let is_extra =
        |key: &str| !QUIET.contains(&key) && !NAMES.contains(&key) && !ARGUMENTS.contains(&key);
    let extra: Vec<&str> = members
        .keys()
        .map(String::as_str)
        .filter(|key| is_extra(key))
        .collect();
    // The definition of a tool is no call of it.
    let is_definition = members.contains_key("description")
        && arguments
            .iter()
            .all(|(_, value)| value.get("properties").is_some());
    if is_definition {
        return None;
    }
    let mut repairs = BTreeSet::new();
    if name_key != dialect.tool_member.key() || names.len() > 1 {
        repairs.insert(RepairKind::OtherMember);
    }
    if !extra.is_empty() {
        repairs.insert(RepairKind::ExtraMember);
    }
    let given = match arguments.as_slice() {
        [] if !known => return None,
        [] if !extra.is_empty() => {
            return fault(
                Unreadable::ArgumentsBeside,
                format!(
                    "{} beside {name_key:?} and not in {:?}",
                    stand(&extra),
                    dialect.arguments_member.key()
                ),
            );
        }
        // A name alone may be data of any kind.
        [] if name_key == "name" => {
            let message = format!("nothing says with which arguments {name} is called");
            return fault(Unreadable::NoArguments, message);
        }
        [] => {
            repairs.insert(RepairKind::ArgumentsMissing);
            None
        }
        [(key, value)] => {
            let is_plain = matches!(value, Value::Object(_) | Value::String(_));
            let is_vague = (name_key == "name" && !extra.is_empty())
                || matches!(*key, "input" | "action_input");
            if !known && (!is_plain || is_vague) {
                return None;
            }
            if *key != dialect.arguments_member.key() {
                repairs.insert(RepairKind::OtherMember);
            }
            Some(*value)
        }
        _ if !known => return None,
        several => {
            let keys = listed(several.iter().map(|(key, _)| *key));
            let message = format!("the members {keys} both hold arguments of {name}");
            return fault(Unreadable::TwoMeanings, message);
        }
    };
    if !known {
        return fault(Unreadable::UnknownTool, name.to_owned());
    }
    let arguments = match given {
        Some(Value::Object(members)) => Value::Object(members.clone()),
        Some(Value::String(text)) => {
            let limits = Limits {
                max_depth: DEPTH_MAX as usize,
                ..Limits::default()
            };
            match canonical::parse_with(text.as_bytes(), &limits) {
                Ok(arguments @ Value::Object(_)) => {
                    repairs.insert(RepairKind::ArgumentsAsText);
                    arguments
                }
                Ok(_) => {
                    let message = format!("the arguments of {name} are a text that is no object");
                    return fault(Unreadable::ArgumentsNotObject, message);
                }
                Err(error) => {
                    let message =
                        format!("the arguments of {name} are a text that is no JSON: {error}");
                    return fault(Unreadable::ArgumentsNotObject, message);
                }
            }
        }
        None | Some(Value::Null) => {
            repairs.insert(RepairKind::ArgumentsMissing);
            Value::Object(BTreeMap::new())
        }
        Some(_) => {
            let message = format!("the arguments of {name} are no object");
            return fault(Unreadable::ArgumentsNotObject, message);
        }
    };
    Some(Ok(Draft {
        name: name.to_owned(),
        arguments,
        repairs,
    }))
}

/// An object whose only key is a tool; it is told, but not read.
fn keyed_by_tool(
    members: &BTreeMap<String, Value>,
    offered: &Offered<'_>,
) -> Option<Result<Draft, Fault>> {
    let mut members = members.iter();
    let (Some((key, Value::Object(_))), None) = (members.next(), members.next()) else {
        return None;
    };
    offered.has(key).then(|| {
        Err(Fault {
            reason: Unreadable::UnknownForm,
            message: format!("the tool {key} is the key of its arguments"),
            tool: Some(key.clone()),
        })
    })
}

fn listed<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let keys: Vec<String> = keys.map(|key| format!("{key:?}")).collect();
    keys.join(" and ")
}

/// The first few keys, for there may be any number.
fn stand(keys: &[&str]) -> String {
    let some: Vec<String> = keys
        .iter()
        .take(3)
        .map(|key| format!("{:?}", key.chars().take(40).collect::<String>()))
        .collect();
    let verb = if keys.len() == 1 { "stands" } else { "stand" };
    format!("{} {verb}", some.join(", "))
}
