//! Runs a command against a scripted model server and keeps what was said as recordings.
//!
//! ```text
//! record SCRIPT DIRECTORY COMMAND [ARGUMENT…]
//! ```
//!
//! The command finds the server in the environment variable ORKET_OLLAMA_URL. One file per exchange is written into
//! the directory; the example ends with the command's exit code.
#![allow(
    clippy::print_stderr,
    reason = "an example talks to the person who started it"
)]

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};

use orket_model_double::{ModelDouble, Script, digest};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [script, directory, program, rest @ ..] = arguments.as_slice() else {
        return Err("usage: record SCRIPT DIRECTORY COMMAND [ARGUMENT...]".into());
    };
    let double = ModelDouble::start(Script::from_json(&std::fs::read(script)?)?)?;
    let status = Command::new(program)
        .args(rest)
        .env("ORKET_OLLAMA_URL", double.url())
        .status()?;
    for exchange in double.exchanges() {
        let digest = digest(&exchange.request);
        let cassette = serde_json::json!({
            "version": "orket_cassette/v1",
            "request_digest": digest,
            "request": exchange.request,
            "response": { "status": exchange.status, "lines": exchange.lines },
        });
        let path = Path::new(directory).join(format!("{}.json", &digest[..16]));
        std::fs::write(path, serde_json::to_string_pretty(&cassette)? + "\n")?;
    }
    eprintln!("{} exchanges recorded", double.exchanges().len());
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1))?))
}
