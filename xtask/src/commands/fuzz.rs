//! The step `fuzz` of `cargo xtask test --full`: every fuzz target of the kernel for a while.
//!
//! Seeds lie in the repository and only grow by hand (`fuzz/README.md` says how); what a run finds on its way stays in
//! `corpus/`, which is not committed. The targets run without a sanitizer: the kernel has no unsafe code for one to
//! watch, and with the address sanitizer alone a process is above the limit of 256 MB (303 MB were measured).

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::test::Outcome;
use crate::violation::talk;
use crate::workspace::Workspace;

const FOLDER: &str = "crates/orket-kernel/fuzz";
const TARGETS: [&str; 4] = ["reader", "event_lines", "policies", "turn_inputs"];

/// What follows `cargo` and its toolchain.
fn words(target: &str, seconds: u32) -> Vec<String> {
    let line = format!(
        "fuzz run -s none {target} corpus/{target} seeds/{target} -- \
         -dict=json.dict -max_len=4096 -max_total_time={seconds} -rss_limit_mb=256 -timeout=10"
    );
    line.split(' ').map(str::to_owned).collect()
}

/// What a person would type in the folder of the targets.
pub(super) fn line(target: &str, seconds: u32) -> String {
    format!("cargo +nightly {}", words(target, seconds).join(" "))
}

/// Runs the targets one after the other, up to the first that finds something.
pub(super) fn run(workspace: &Workspace, seconds: u32) -> Result<Outcome> {
    let probes: [(&[&str], &str); 2] = [
        (
            &["cargo", "--version"],
            "there is no nightly toolchain; type: rustup toolchain install nightly",
        ),
        (
            &["cargo", "fuzz", "--version"],
            "there is no cargo-fuzz; type: cargo install cargo-fuzz --locked",
        ),
    ];
    for (words, reason) in probes {
        let status = nightly(words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return Ok(Outcome::Skipped(reason.to_owned()));
        }
    }
    let folder = workspace.root.join(FOLDER);
    for target in TARGETS {
        let corpus = folder.join("corpus").join(target);
        fs::create_dir_all(&corpus)
            .with_context(|| format!("failed to create {}", corpus.display()))?;
        let line = line(target, seconds);
        talk(&format!("  in {FOLDER}: {line}"));
        let status = nightly(&["cargo"])
            .args(words(target, seconds))
            .current_dir(&folder)
            .status()
            .with_context(|| format!("failed to start {line}"))?;
        if !status.success() {
            bail!(
                "the target {target} found something ({status}); the input lies in {FOLDER}/artifacts/{target}"
            );
        }
    }
    Ok(Outcome::Passed)
}

/// A command of the nightly toolchain, whatever toolchain this process was started with.
fn nightly(words: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_declared_has_seeds_and_is_replayed() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
        let manifest = fs::read_to_string(format!("{root}{FOLDER}/Cargo.toml")).unwrap();
        let replay = format!("{root}crates/orket-kernel/tests/fuzz_seeds/main.rs");
        let replay = fs::read_to_string(replay).unwrap();
        for target in TARGETS {
            assert!(
                manifest.contains(&format!("name = \"{target}\"")),
                "{target}"
            );
            assert!(
                fs::read_dir(format!("{root}{FOLDER}/seeds/{target}"))
                    .unwrap()
                    .next()
                    .is_some()
            );
            assert!(replay.contains(&format!("replay(\"{target}\"")), "{target}");
        }
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    }
}
