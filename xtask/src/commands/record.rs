//! `cargo xtask record`: records the sample epic's exchanges anew.
//!
//! The answers are written by hand in `fixtures/scripts/first_light.json`. A change of a prompt changes the requests,
//! and with them the digests under which the recordings lie; then this writes them again.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::violation::talk;

const SAMPLE: &str = "fixtures/first_light";
const SCRIPT: &str = "fixtures/scripts/first_light.json";
const SCRATCH: &str = "target/record";

/// Plays the sample against the scripted model server and keeps what was said.
pub(crate) fn run() -> Result<()> {
    cargo(&["build", "--locked", "-p", "orket-cli"])?;
    cargo(&[
        "build",
        "--locked",
        "-p",
        "orket-model-double",
        "--example",
        "record",
    ])?;
    let project = Path::new(SCRATCH).join("project");
    let recordings = Path::new(SCRATCH).join("cassettes");
    if Path::new(SCRATCH).exists() {
        std::fs::remove_dir_all(SCRATCH)
            .context("failed to remove what an earlier recording left")?;
    }
    std::fs::create_dir_all(&recordings)?;
    for part in ["orket.toml", "model", "verification"] {
        copy(&Path::new(SAMPLE).join(part), &project.join(part))?;
    }
    let status = Command::new("target/debug/examples/record")
        .arg(SCRIPT)
        .arg(&recordings)
        .arg("target/debug/orket")
        .arg("--project")
        .arg(&project)
        .args(["run", "--epic", "first_light", "--venue", "ollama"])
        .status()
        .context("failed to start the recorder")?;
    ensure!(
        status.success(),
        "the sample did not reach its end; nothing was recorded"
    );
    let kept = Path::new(SAMPLE).join("cassettes");
    std::fs::remove_dir_all(&kept)?;
    copy(&recordings, &kept)?;
    talk("recorded; look at `git diff fixtures/first_light/cassettes` before you commit it");
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(arguments)
        .status()
        .context("failed to start cargo")?;
    ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        std::fs::create_dir_all(to)?;
        for entry in from.read_dir()? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::copy(from, to).with_context(|| format!("failed to copy {}", from.display()))?;
    }
    Ok(())
}
