//! `search_files`.

use std::collections::BTreeMap;
use std::sync::Arc;

use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_kernel::object;
use orket_ports::tool::{ArgumentType, Limit, Parameter, ToolSpec};
use orket_ports::{Refusal, Tool, TurnScope};

use super::matches::{FILE_MAX_BYTES, FILES_MAX, LINE_MAX_BYTES, MATCHES_MAX, SEARCH_MAX_BYTES};
use super::matches::{Matches, Needle};
use super::text;
use crate::path::PathError;
use crate::spaces::{Location, Place, Spaces, why};

/// The most bytes of the text that is looked for.
pub(super) const NEEDLE_MAX_BYTES: usize = 1024;

/// The most entries that are found below a directory on the disk, directories among them.
pub(super) const ENTRIES_MAX: usize = 5000;

static SPEC: ToolSpec = ToolSpec {
    name: "search_files",
    action: Action::READ,
    description: "Find the lines that hold a text, in all files below a directory. The text is taken literally; the lines are sorted by path and number.",
    parameters: &[
        Parameter {
            name: "text",
            description: "The text, within one line",
            argument_type: ArgumentType::Text {
                max_bytes: NEEDLE_MAX_BYTES,
            },
            required: true,
        },
        Parameter {
            name: "path",
            description: "The directory or file, relative to the project; agent_output if left out",
            argument_type: ArgumentType::Text { max_bytes: 1024 },
            required: false,
        },
        Parameter {
            name: "ignore_case",
            description: "Whether A to Z and a to z are the same",
            argument_type: ArgumentType::Truth,
            required: false,
        },
    ],
    limits: &[
        Limit {
            what: "the lines; of more, the first are shown and the result says so",
            most: MATCHES_MAX as u64,
            unit: "lines",
        },
        Limit {
            what: "what is shown of a line, around its first occurrence; the result says so",
            most: LINE_MAX_BYTES as u64,
            unit: "bytes",
        },
        Limit {
            what: "a file; a longer one is skipped and the result says so, as one that is not a text",
            most: FILE_MAX_BYTES as u64,
            unit: "bytes",
        },
        Limit {
            what: "all files together; the rest is not searched and the result says so",
            most: SEARCH_MAX_BYTES,
            unit: "bytes",
        },
        Limit {
            what: "what is found below a directory outside of agent_output/; the rest is not searched and the result says so",
            most: ENTRIES_MAX as u64,
            unit: "entries",
        },
        Limit {
            what: "the files; the rest is not searched and the result says so",
            most: FILES_MAX as u64,
            unit: "files",
        },
    ],
    example: r#"{"text":"TODO","path":"agent_output"}"#,
};

pub(super) struct SearchFiles {
    pub(super) spaces: Arc<Spaces>,
}

impl SearchFiles {
    fn place(&self, arguments: &Value) -> Result<Place, Refusal> {
        match text(arguments, "path") {
            "" => Ok(Place::Output),
            path => self.spaces.readable(path),
        }
    }
}

impl Tool for SearchFiles {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, arguments: &Value) -> Result<(), Refusal> {
        let needle = text(arguments, "text");
        if needle.is_empty() || needle.contains(['\n', '\r']) {
            let message = "search_files: text must be one line of at least one character";
            return Err(Refusal::malformed("search", message));
        }
        self.place(arguments).map(|_| ())
    }

    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        let path = text(arguments, "path");
        let ignore_case = arguments.get("ignore_case").and_then(Value::as_bool) == Some(true);
        let needle = Needle::new(text(arguments, "text"), ignore_case);
        match self.place(arguments)? {
            Place::Output => artifacts(scope, "", needle),
            Place::Artifact(below) => {
                if scope.artifact(below.as_str())?.is_some() {
                    let mut matches = Matches::new(needle, 1);
                    artifact(scope, below.as_str(), &mut matches)?;
                    return Ok(matches.into_value());
                }
                let prefix = format!("{below}/");
                if !scope
                    .artifacts()?
                    .iter()
                    .any(|known| known.starts_with(&prefix))
                {
                    return Ok(absent(path));
                }
                artifacts(scope, &prefix, needle)
            }
            Place::Disk(location) => {
                location.check(scope)?;
                scope.recorded(&mut || Ok(self.disk(&location, needle.clone())))
            }
        }
    }
}

fn absent(path: &str) -> Value {
    object! { "error" => format!("{path} does not exist") }
}

/// Searches the artefacts whose paths begin with `prefix`.
fn artifacts(scope: &mut dyn TurnScope, prefix: &str, needle: Needle) -> Result<Value, Refusal> {
    let mut paths = scope.artifacts()?;
    paths.retain(|path| path.starts_with(prefix));
    let mut matches = Matches::new(needle, paths.len());
    for path in &paths {
        if matches.is_full() {
            break;
        }
        artifact(scope, path, &mut matches)?;
    }
    Ok(matches.into_value())
}

fn artifact(scope: &mut dyn TurnScope, path: &str, matches: &mut Matches) -> Result<(), Refusal> {
    let shown = format!("agent_output/{path}");
    let Some(payload) = scope.artifact(path)? else {
        return Ok(());
    };
    if !matches.admits(&shown, payload.length_bytes()) {
        return Ok(());
    }
    let bytes = payload.into_bytes().map_err(|error| {
        let message = format!("{shown} cannot be read: {error}");
        Refusal::forbidden("unreadable_state", message)
    })?;
    matches.look(&shown, &bytes);
    Ok(())
}

impl SearchFiles {
    /// Searches a file or directory of a space that is read from the disk.
    fn disk(&self, place: &Location, needle: Needle) -> Value {
        let mut skipped = Vec::new();
        let files = match self.spaces.list(place) {
            Ok(Some(_)) => self.files_below(place, &mut skipped),
            Ok(None) => return absent(&place.to_string()),
            Err(PathError::NotADirectory { .. } | PathError::WrongKind { .. }) => {
                BTreeMap::from([(place.to_string(), place.clone())])
            }
            Err(error) => {
                return object! { "error" => format!("{place} cannot be searched: {}", why(&error)) };
            }
        };
        let mut matches = Matches::new(needle, files.len());
        for (path, location) in &files {
            if matches.is_full() {
                break;
            }
            match self.spaces.read(location, FILE_MAX_BYTES as u64) {
                Ok(Some(bytes)) => {
                    if matches.admits(path, bytes.len() as u64) {
                        matches.look(path, &bytes);
                    }
                }
                Ok(None) => matches.skip(path, "it does not exist"),
                Err(error) => matches.skip(path, why(&error)),
            }
        }
        for (path, reason) in skipped {
            matches.note(&path, reason);
        }
        matches.into_value()
    }

    /// Returns the readable files below a directory, in the order of their paths.
    fn files_below(
        &self,
        place: &Location,
        skipped: &mut Vec<(String, &'static str)>,
    ) -> BTreeMap<String, Location> {
        let mut files = BTreeMap::new();
        let mut pending = vec![place.clone()];
        let mut found = 0;
        while let Some(directory) = pending.pop() {
            let entries = match self.spaces.list(&directory) {
                Ok(entries) => entries.unwrap_or_default(),
                Err(error) => {
                    skipped.push((directory.to_string(), why(&error)));
                    continue;
                }
            };
            for entry in entries {
                found += 1;
                if found > ENTRIES_MAX {
                    skipped.push((
                        place.to_string(),
                        "it holds too many entries to find them all",
                    ));
                    return files;
                }
                let is_directory = entry.ends_with('/');
                let path = directory.entry(entry.trim_end_matches('/'));
                // What lies in a readable directory may belong to Orket itself all the same.
                match self.spaces.readable(&path) {
                    Ok(Place::Disk(location)) if is_directory => pending.push(location),
                    Ok(Place::Disk(location)) => {
                        files.insert(path, location);
                    }
                    _ => skipped.push((path, "it may not be read")),
                }
            }
        }
        files
    }
}
