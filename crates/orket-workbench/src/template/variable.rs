//! The variables of a template.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Error;

const LIMIT_BYTES: usize = 200;

/// A variable: one line of text without quotes and backslashes, so that it can stand in any file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    name: String,
    about: String,
    /// Without one, the variable has to be given.
    default: Option<String>,
    /// The only values that it can have; any if empty.
    #[serde(default)]
    one_of: Vec<String>,
}

impl Variable {
    /// Says what is wrong with the declaration, if something is.
    pub(super) fn check(&self) -> Result<(), String> {
        let name = &self.name;
        let is_word = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !is_word || ["name", "snake"].contains(&name.as_str()) {
            return Err(format!("{name:?} cannot be a variable"));
        }
        if self.about.is_empty() {
            return Err(format!("{name} does not say what it is about"));
        }
        match &self.default {
            Some(value) => self
                .objection(value)
                .map_or(Ok(()), |it| Err(format!("the default of {name}: {it}"))),
            None => Ok(()),
        }
    }

    fn objection(&self, value: &str) -> Option<String> {
        if value.len() > LIMIT_BYTES {
            return Some(format!("it is longer than {LIMIT_BYTES} bytes"));
        }
        if let Some(bad) = value
            .chars()
            .find(|it| it.is_control() || "\"'\\`{}".contains(*it))
        {
            return Some(format!("it holds {bad:?}"));
        }
        let is_other = !self.one_of.is_empty() && !self.one_of.iter().any(|it| it == value);
        is_other.then(|| format!("it can be {}", self.one_of.join(", ")))
    }
}

/// Returns the values of all variables.
pub(super) fn values(
    variables: &[Variable],
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Error> {
    let invalid = |name: &str, reason: String| Error::VariableInvalid {
        name: name.to_owned(),
        reason,
    };
    for name in given.keys() {
        if !variables.iter().any(|it| it.name == *name) {
            let names: Vec<String> = variables
                .iter()
                .map(|it| format!("{} ({})", it.name, it.about))
                .collect();
            let reason = match names.len() {
                0 => "the template has no variables".to_owned(),
                _ => format!(
                    "the template has no such variable; it has {}",
                    names.join(", ")
                ),
            };
            return Err(invalid(name, reason));
        }
    }
    let mut values = BTreeMap::new();
    for variable in variables {
        let name = &variable.name;
        let value = given.get(name).or(variable.default.as_ref());
        let value = value
            .ok_or_else(|| invalid(name, format!("it has to be given: {}", variable.about)))?;
        if let Some(reason) = variable.objection(value) {
            return Err(invalid(name, reason));
        }
        values.insert(name.clone(), value.clone());
    }
    Ok(values)
}
