//! `read_file`.

use std::sync::Arc;

use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_kernel::object;
use orket_ports::tool::{ArgumentType, Limit, Parameter, ToolSpec};
use orket_ports::{Refusal, Tool, TurnScope};

use super::{cut, text};
use crate::spaces::{Place, Spaces, why};

/// The most bytes of a file that are shown.
pub(super) const SHOWN_MAX_BYTES: usize = 256 * 1024;

/// The most bytes that a file may have of which the beginning is shown: all of it is read, for its digest is checked.
pub(super) const READ_MAX_BYTES: u64 = 8 * 1024 * 1024;

static SPEC: ToolSpec = ToolSpec {
    name: "read_file",
    action: Action::READ,
    description: "Read a text file of the project. Files that you or others produced lie below agent_output/.",
    parameters: &[Parameter {
        name: "path",
        description: "The path, relative to the project: agent_output/lib/phase.sh",
        argument_type: ArgumentType::Text { max_bytes: 1024 },
        required: true,
    }],
    limits: &[
        Limit {
            what: "the content that is shown; of a longer file the beginning is shown and the result says so",
            most: SHOWN_MAX_BYTES as u64,
            unit: "bytes",
        },
        Limit {
            what: "the file; a longer one is not read and the result says so",
            most: READ_MAX_BYTES,
            unit: "bytes",
        },
    ],
    example: r#"{"path":"agent_output/notes.txt"}"#,
};

pub(super) struct ReadFile {
    pub(super) spaces: Arc<Spaces>,
}

impl Tool for ReadFile {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, arguments: &Value) -> Result<(), Refusal> {
        self.spaces.readable(text(arguments, "path")).map(|_| ())
    }

    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        let path = text(arguments, "path");
        match self.spaces.readable(path)? {
            Place::Artifact(below) => match scope.artifact(below.as_str())? {
                None => Ok(object! { "error" => format!("{path} does not exist") }),
                Some(payload) if payload.length_bytes() > READ_MAX_BYTES => Ok(too_long(path)),
                Some(payload) => match payload.into_bytes() {
                    Ok(bytes) => Ok(shown(path, bytes)),
                    Err(error) => {
                        let message = format!("{path} cannot be read: {error}");
                        Err(Refusal::forbidden("unreadable_state", message))
                    }
                },
            },
            Place::Output => Ok(object! { "error" => format!("{path} is a directory") }),
            Place::Disk(location) => {
                location.check(scope)?;
                scope.recorded(&mut || {
                    Ok(match self.spaces.read(&location, READ_MAX_BYTES) {
                        Ok(Some(bytes)) => shown(path, bytes),
                        Ok(None) => object! { "error" => format!("{path} does not exist") },
                        Err(error) => {
                            object! { "error" => format!("{path} cannot be read: {}", why(&error)) }
                        }
                    })
                })
            }
        }
    }
}

fn too_long(path: &str) -> Value {
    object! { "error" => format!("{path} is longer than {READ_MAX_BYTES} bytes") }
}

fn shown(path: &str, bytes: Vec<u8>) -> Value {
    if bytes.len() as u64 > READ_MAX_BYTES {
        return too_long(path);
    }
    match String::from_utf8(bytes) {
        Ok(content) if content.len() > SHOWN_MAX_BYTES => {
            let head = cut::head(&content, SHOWN_MAX_BYTES);
            let cut = cut::statement(head.len(), content.len(), "bytes");
            object! { "content" => head, "cut" => cut }
        }
        Ok(content) => object! { "content" => content },
        Err(_) => object! { "error" => format!("{path} is not a text") },
    }
}
