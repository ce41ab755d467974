//! The official Python clients against `orket model-double`; only with ORKET_FULL=1, for they come from PyPI.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::sample::sample;

const SCRIPT: &str = r#"{
  "settings": { "models": [{ "name": "qwen3:4b" }], "flavour": "vllm", "api_key": "key-4711", "repeats": true },
  "sequence": [
    { "content": "Good morning, Grüße 🌍.", "prompt_eval_count": 12, "eval_count": 5 },
    { "thinking": "A greeting.", "content": "Good morning, Grüße 🌍.", "prompt_eval_count": 12, "eval_count": 5 },
    { "tool_calls": [{ "name": "read_file", "arguments": { "path": "a.txt" } }] }
  ]
}"#;

/// Installs the clients into a scratch environment; says why not, if so.
fn install(directory: &Path) -> Result<(), String> {
    if std::env::var("ORKET_FULL").is_ok_and(|value| value == "1") {
        let python = directory.join("bin/python");
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(directory)
            .output();
        let made = made.map_err(|error| format!("python3 cannot be started: {error}"))?;
        if !made.status.success() {
            return Err("python3 cannot make an environment".to_owned());
        }
        let pip = ["-m", "pip", "install", "--quiet", "ollama", "openai"];
        let installed = Command::new(python).args(pip).output();
        let installed = installed.map_err(|error| format!("pip cannot be started: {error}"))?;
        if !installed.status.success() {
            let said = String::from_utf8_lossy(&installed.stderr);
            let last = said.lines().last().unwrap_or_default().to_owned();
            return Err(format!("the clients cannot be installed: {last}"));
        }
        return Ok(());
    }
    Err("ORKET_FULL is not 1".to_owned())
}

#[test]
fn the_official_clients_chat_stream_and_call() {
    let directory = tempfile::tempdir().unwrap();
    if let Err(reason) = install(directory.path()) {
        // Not a macro: the harness would swallow what those print in a test that passes.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED the_official_clients_chat_stream_and_call: {reason}"
        );
        return;
    }
    let environment = sample();
    environment.write("answers.json", SCRIPT);
    let mut command = environment.command(&["model-double", "answers.json"]);
    let mut double = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(double.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap();
    let output = Command::new(directory.path().join("bin/python"))
        .args(["-B", "-X", "utf8"])
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/cli/official_clients.py"
        ))
        .arg(url)
        .output()
        .unwrap();
    double.kill().unwrap();
    double.wait().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
