//! `run_command`.

use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_ports::tool::{ArgumentType, Limit, Parameter, ToolSpec};
use orket_ports::{Refusal, Tool, TurnScope};

use crate::command::{Command, Commands};

/// How long a command may take that says nothing, in seconds.
const TIMEOUT_SECONDS: u64 = 60;
/// How long a command may take at most, in seconds.
const TIMEOUT_MAX_SECONDS: u64 = 300;
/// The most words of a command, the program included.
const WORDS_MAX: usize = 256;
/// The longest word, in bytes: a script for a shell is one.
const WORD_MAX_BYTES: usize = 32 * 1024;
/// The most bytes of all words together.
const WORDS_MAX_BYTES: usize = 64 * 1024;

static SPEC: ToolSpec = ToolSpec {
    name: "run_command",
    action: Action::RUN,
    description: "Run a program over a private copy of agent_output/, without network. It starts in agent_output/ and sees \
                  nothing else of the project. What it changes there is kept if it ends by itself; build outputs are not.",
    parameters: &[
        Parameter {
            name: "command",
            description: "The program and its arguments, one text each; for a shell: [\"sh\", \"-c\", \"…\"]",
            argument_type: ArgumentType::Texts {
                min_items: 1,
                max_items: WORDS_MAX,
                max_bytes: WORD_MAX_BYTES,
                distinct: false,
            },
            required: true,
        },
        Parameter {
            name: "timeout_seconds",
            description: "How long it may take; 60 if left out",
            argument_type: ArgumentType::Integer {
                min: 1,
                max: TIMEOUT_MAX_SECONDS,
            },
            required: false,
        },
    ],
    limits: &[Limit {
        what: "all words of the command together",
        most: WORDS_MAX_BYTES as u64,
        unit: "bytes",
    }],
    example: r#"{"command":["sh","-c","sh run.sh 5"],"timeout_seconds":10}"#,
};

pub(super) struct RunCommand {
    pub(super) commands: Commands,
}

impl Tool for RunCommand {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, arguments: &Value) -> Result<(), Refusal> {
        command(arguments).map(drop)
    }

    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        let command = command(arguments)?;
        scope.command(&mut |files, least| self.commands.run(&command, files, least))
    }
}

/// Reads arguments that the specification checked.
fn command(arguments: &Value) -> Result<Command, Refusal> {
    let words = arguments.get("command").and_then(Value::as_array);
    let words = words.into_iter().flatten().filter_map(Value::as_str);
    let command = Command {
        words: words.map(str::to_owned).collect(),
        timeout_seconds: arguments
            .get("timeout_seconds")
            .and_then(Value::as_u64)
            .unwrap_or(TIMEOUT_SECONDS),
    };
    let malformed = |message: &str| {
        Err(Refusal::malformed(
            "command",
            format!("run_command: {message}"),
        ))
    };
    if command.words.first().is_none_or(String::is_empty) {
        return malformed("the command has no program");
    }
    if command.words.iter().any(|word| word.contains('\0')) {
        return malformed("no word of a command may hold the character NUL");
    }
    if command.words.iter().map(String::len).sum::<usize>() > WORDS_MAX_BYTES {
        return malformed("the words of the command are more than 64 KiB together");
    }
    Ok(command)
}
