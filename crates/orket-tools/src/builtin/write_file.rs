//! `write_file`.

use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_kernel::object;
use orket_ports::tool::{ArgumentType, Parameter, ToolSpec};
use orket_ports::{Refusal, Tool, TurnScope};

use super::text;
use crate::spaces::writable;

/// The most bytes that one call writes.
const WRITE_MAX_BYTES: usize = 1024 * 1024;

static SPEC: ToolSpec = ToolSpec {
    name: "write_file",
    action: Action::WRITE,
    description: "Write a whole text file below agent_output/. Directories are made as needed; a file that exists is replaced.",
    parameters: &[
        Parameter {
            name: "path",
            description: "The path, relative to the project; it begins with agent_output/",
            argument_type: ArgumentType::Text { max_bytes: 1024 },
            required: true,
        },
        Parameter {
            name: "content",
            description: "The whole content of the file",
            argument_type: ArgumentType::Text {
                max_bytes: WRITE_MAX_BYTES,
            },
            required: true,
        },
        Parameter {
            name: "executable",
            description: "Whether the file is a program",
            argument_type: ArgumentType::Truth,
            required: false,
        },
    ],
    limits: &[],
    example: r#"{"path":"agent_output/notes.txt","content":"One line.\n"}"#,
};

pub(super) struct WriteFile;

impl Tool for WriteFile {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, arguments: &Value) -> Result<(), Refusal> {
        writable(text(arguments, "path")).map(|_| ())
    }

    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        let below = writable(text(arguments, "path"))?;
        let content = text(arguments, "content");
        let executable = arguments
            .get("executable")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        scope.write_artifact(
            below.as_str(),
            content.as_bytes().to_vec().into(),
            executable,
        )?;
        Ok(object! { "written" => content.len() as u64 })
    }
}
