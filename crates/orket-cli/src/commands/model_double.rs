//! `orket model-double`: a model server that answers from a script.

use std::path::PathBuf;

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_model_double::{ModelDouble, Received, Scenario};

use crate::exit::{self, Code, Failure};
use crate::terminal;

/// Serves scripted answers as Ollama, llama.cpp or vLLM would, for tests of your own
///
/// The first line of output is the address, on this machine only. The server runs until the command is ended. What a
/// script holds stands in docs/model-double.md.
#[derive(clap::Args)]
#[command(after_help = "Example: orket model-double answers.json --port 11500 --requests")]
pub(crate) struct Arguments {
    /// The script, a JSON file
    script: PathBuf,
    /// The port; a free one if it is left out
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Print each request as a JSON line
    #[arg(long)]
    requests: bool,
}

pub(crate) fn execute(arguments: &Arguments) -> Result<Code, Failure> {
    let place = arguments.script.display();
    let invalid = |reason: String| Failure::new(exit::INVALID, format!("{place}: {reason}"));
    let bytes = std::fs::read(&arguments.script).map_err(|error| invalid(error.to_string()))?;
    let scenario = Scenario::from_json(&bytes).map_err(|error| invalid(error.to_string()))?;
    let double = ModelDouble::start_at(scenario, arguments.port).map_err(|error| {
        let message = format!("port {} cannot be served: {error}", arguments.port);
        Failure::new(exit::USAGE, message)
    })?;
    terminal::print_bytes(format!("{}\n", double.url()).as_bytes())?;
    for number in 0.. {
        let request = double.request(number);
        if arguments.requests {
            terminal::print_bytes(line(&request).as_bytes())?;
        }
    }
    Ok(exit::DONE)
}

/// Returns a request as a line; a body that is no JSON is shown as text.
fn line(request: &Received) -> String {
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let body = match canonical::parse(&request.body) {
        Ok(body) => body,
        Err(_) if text.is_empty() => Value::Null,
        Err(_) => Value::from(text),
    };
    let digest = request.digest.as_deref();
    let line = object! {
        "method" => request.method.as_str(),
        "path" => request.path.as_str(),
        "digest" => digest.map_or(Value::Null, Value::from),
        "body" => body,
    };
    format!("{}\n", canonical::to_string(&line))
}
