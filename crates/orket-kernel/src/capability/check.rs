//! Checking a policy: limits, patterns, examples.

use super::limits::{ARGUMENTS_MAX, MEMBERS_MAX, RULES_MAX, TEXT_MAX_BYTES};
use super::rule::Misfit;
use super::{
    Action, Example, Matcher, POLICY_VERSION, PolicyDocument, PolicyError, PolicyFault, Rule, host,
    path,
};
use crate::Pointer;
use crate::canonical::{self, Value};

/// Checks a document and returns it with its sets sorted and its examples completed.
pub(super) fn document(mut document: PolicyDocument) -> Result<PolicyDocument, PolicyError> {
    version(&document.policy_version)?;
    let rules = Pointer::root().key("rules");
    let found = document.rules.len();
    if found > RULES_MAX {
        let limit = RULES_MAX;
        return Err(PolicyError::new(
            rules,
            PolicyFault::TooManyRules { found, limit },
        ));
    }
    for (index, own) in document.rules.iter_mut().enumerate() {
        rule(own, &rules.index(index))?;
    }
    Ok(document)
}

pub(super) fn version(found: &str) -> Result<(), PolicyError> {
    if found == POLICY_VERSION {
        return Ok(());
    }
    let found = found.chars().take(80).collect();
    Err(PolicyError::new(
        Pointer::root().key("policy_version"),
        PolicyFault::Version { found },
    ))
}

fn rule(rule: &mut Rule, place: &Pointer) -> Result<(), PolicyError> {
    name(&rule.role, &place.key("role"))?;
    name(&rule.task, &place.key("task"))?;
    let tools = place.key("tools");
    set(&mut rule.tools, &tools, String::clone, |tool, at| {
        name(tool, at)
    })?;
    if let Some(actions) = &mut rule.actions {
        // The type of an action holds its own limit.
        set(actions, &place.key("actions"), Action::clone, |_, _| Ok(()))?;
    }
    let arguments = place.key("arguments");
    limit(rule.arguments.len(), ARGUMENTS_MAX, &arguments)?;
    for (key, matcher) in &mut rule.arguments {
        let at = arguments.key(key);
        text(key, &at)?;
        if Pointer::parse(key).is_none() {
            return Err(PolicyError::new(at, PolicyFault::NoPointer));
        }
        check_matcher(matcher, &at)?;
    }
    for (key, must_match) in [("match", true), ("no_match", false)] {
        let mut examples = if must_match {
            std::mem::take(&mut rule.matches)
        } else {
            std::mem::take(&mut rule.no_match)
        };
        let place = place.key(key);
        limit(examples.len(), MEMBERS_MAX, &place)?;
        for (index, example) in examples.iter_mut().enumerate() {
            check_example(rule, example, must_match, &place.index(index))?;
        }
        if must_match {
            rule.matches = examples;
        } else {
            rule.no_match = examples;
        }
    }
    Ok(())
}

fn check_matcher(matcher: &mut Matcher, place: &Pointer) -> Result<(), PolicyError> {
    match matcher {
        Matcher::PathUnder(prefixes) => set(
            prefixes,
            &place.key("path_under"),
            String::clone,
            |it, at| {
                text(it, at)?;
                if path::is_prefix(it) {
                    return Ok(());
                }
                Err(PolicyError::new(at.clone(), PolicyFault::Prefix))
            },
        ),
        Matcher::HostIn(patterns) => {
            set(patterns, &place.key("host_in"), String::clone, |it, at| {
                text(it, at)?;
                match host::fault_of_pattern(it) {
                    None => Ok(()),
                    Some(fault) => Err(PolicyError::new(at.clone(), PolicyFault::Host(fault))),
                }
            })
        }
        Matcher::StartsWith(first) => {
            let place = place.key("starts_with");
            members(first.len(), &place)?;
            let mut elements = first.iter().enumerate();
            elements.try_for_each(|(index, element)| value(element, &place.index(index)))
        }
        Matcher::OneOf(values) => set(values, &place.key("one_of"), canonical::to_bytes, value),
    }
}

fn check_example(
    rule: &Rule,
    example: &mut Example,
    must_match: bool,
    place: &Pointer,
) -> Result<(), PolicyError> {
    let refused = |fault| Err(PolicyError::new(place.clone(), fault));
    let tool = match (&example.tool, rule.tools.as_slice()) {
        (Some(tool), _) => tool.clone(),
        (None, [only]) => only.clone(),
        (None, _) => return refused(PolicyFault::ExampleWithoutTool),
    };
    let action = match (&example.action, rule.actions.as_deref()) {
        (Some(action), _) => action.clone(),
        (None, None) => Action::CALL,
        (None, Some([only])) => only.clone(),
        (None, Some(_)) => return refused(PolicyFault::ExampleWithoutAction),
    };
    name(&tool, &place.key("tool"))?;
    value(&example.arguments, &place.key("arguments"))?;
    let misfit = rule.misfit_of_call(&tool, &action, &example.arguments);
    let why = match misfit {
        None if must_match => None,
        None => return refused(PolicyFault::Matched),
        Some(_) if !must_match => None,
        Some(Misfit::Elsewhere) => Some(format!("it does not list the tool {tool:?}")),
        Some(Misfit::Action) => Some(format!("it does not list the action {action}")),
        Some(Misfit::Argument(at)) => Some(format!(
            "the argument at {:?} is missing or does not fit",
            at.as_str()
        )),
    };
    if let Some(why) = why {
        return refused(PolicyFault::Unmatched { why });
    }
    example.tool = Some(tool);
    example.action = Some(action);
    Ok(())
}

/// Checks a list that is a set, member by member, and sorts it.
fn set<T, K: Ord>(
    list: &mut [T],
    place: &Pointer,
    order: impl Fn(&T) -> K,
    check: impl Fn(&T, &Pointer) -> Result<(), PolicyError>,
) -> Result<(), PolicyError> {
    members(list.len(), place)?;
    let mut seen = std::collections::BTreeSet::new();
    for (index, member) in list.iter().enumerate() {
        let at = place.index(index);
        check(member, &at)?;
        if !seen.insert(order(member)) {
            return Err(PolicyError::new(at, PolicyFault::Duplicate));
        }
    }
    list.sort_by_cached_key(order);
    Ok(())
}

fn members(found: usize, place: &Pointer) -> Result<(), PolicyError> {
    if found == 0 {
        return Err(PolicyError::new(place.clone(), PolicyFault::EmptyList));
    }
    limit(found, MEMBERS_MAX, place)
}

fn limit(found: usize, limit: usize, place: &Pointer) -> Result<(), PolicyError> {
    if found > limit {
        let fault = PolicyFault::TooMany { found, limit };
        return Err(PolicyError::new(place.clone(), fault));
    }
    Ok(())
}

fn name(name: &str, place: &Pointer) -> Result<(), PolicyError> {
    if name.is_empty() {
        return Err(PolicyError::new(place.clone(), PolicyFault::EmptyText));
    }
    text(name, place)
}

fn text(text: &str, place: &Pointer) -> Result<(), PolicyError> {
    length(text.len(), place)
}

fn value(value: &Value, place: &Pointer) -> Result<(), PolicyError> {
    length(canonical::to_bytes(value).len(), place)
}

fn length(bytes: usize, place: &Pointer) -> Result<(), PolicyError> {
    if bytes > TEXT_MAX_BYTES {
        let limit = TEXT_MAX_BYTES;
        let fault = PolicyFault::TooLong { bytes, limit };
        return Err(PolicyError::new(place.clone(), fault));
    }
    Ok(())
}
