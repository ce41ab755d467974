//! `list_directory`.

use std::collections::BTreeSet;
use std::sync::Arc;

use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_kernel::object;
use orket_ports::tool::{ArgumentType, Limit, Parameter, ToolSpec};
use orket_ports::{Refusal, Tool, TurnScope};

use super::{cut, text};
use crate::spaces::{Place, Spaces, why};

/// The most entries that are listed.
pub(super) const ENTRIES_MAX: usize = 1000;

static SPEC: ToolSpec = ToolSpec {
    name: "list_directory",
    action: Action::READ,
    description: "List a directory of the project, sorted. Directories end in a slash.",
    parameters: &[Parameter {
        name: "path",
        description: "The path, relative to the project; agent_output if left out",
        argument_type: ArgumentType::Text { max_bytes: 1024 },
        required: false,
    }],
    limits: &[Limit {
        what: "the entries; of more, the first are shown and the result says so",
        most: ENTRIES_MAX as u64,
        unit: "entries",
    }],
    example: r#"{"path":"agent_output"}"#,
};

pub(super) struct ListDirectory {
    pub(super) spaces: Arc<Spaces>,
}

impl ListDirectory {
    fn place(&self, arguments: &Value) -> Result<Place, Refusal> {
        match text(arguments, "path") {
            "" => Ok(Place::Output),
            path => self.spaces.readable(path),
        }
    }
}

impl Tool for ListDirectory {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, arguments: &Value) -> Result<(), Refusal> {
        self.place(arguments).map(|_| ())
    }

    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        let path = text(arguments, "path");
        let prefix = match self.place(arguments)? {
            Place::Output => String::new(),
            Place::Artifact(below) => format!("{}/", below.as_str()),
            Place::Disk(location) => {
                location.check(scope)?;
                return scope.recorded(&mut || {
                    Ok(match self.spaces.list(&location) {
                        Ok(Some(entries)) => listing(entries),
                        Ok(None) => object! { "error" => format!("{path} is not a directory") },
                        Err(error) => {
                            object! { "error" => format!("{path} cannot be listed: {}", why(&error)) }
                        }
                    })
                });
            }
        };
        let entries: BTreeSet<String> = scope
            .artifacts()?
            .iter()
            .filter_map(|artifact| artifact.strip_prefix(&prefix))
            .map(|rest| match rest.split_once('/') {
                Some((directory, _)) => format!("{directory}/"),
                None => rest.to_owned(),
            })
            .collect();
        if entries.is_empty() && !prefix.is_empty() {
            return Ok(object! { "error" => format!("{path} is not a directory") });
        }
        Ok(listing(entries))
    }
}

fn listing(entries: BTreeSet<String>) -> Value {
    let total = entries.len();
    let shown: Vec<Value> = entries
        .into_iter()
        .take(ENTRIES_MAX)
        .map(Value::from)
        .collect();
    if total > ENTRIES_MAX {
        let cut = cut::statement(ENTRIES_MAX, total, "entries");
        return object! { "entries" => shown, "cut" => cut };
    }
    object! { "entries" => shown }
}
