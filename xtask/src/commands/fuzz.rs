//! The step `fuzz` of `cargo xtask test --full`: every fuzz target for a while.
//!
//! Seeds lie in the repository and only grow by hand (`fuzz/README.md` says how); what a run finds on its way stays in
//! `corpus/`, which is not committed. The targets run without a sanitizer: what they run has no unsafe code for one to
//! watch, and with the address sanitizer alone a process is above the limit of 256 MB (303 MB were measured).

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::test::Outcome;
use crate::violation::talk;
use crate::workspace::Workspace;

/// A package of fuzz targets.
struct Package {
    folder: &'static str,
    targets: &'static [&'static str],
}

const PACKAGES: [Package; 2] = [
    Package {
        folder: "crates/orket-kernel/fuzz",
        targets: &["reader", "event_lines", "policies", "turn_inputs"],
    },
    Package {
        folder: "crates/orket-provider/fuzz",
        targets: &["answers"],
    },
];

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
    for package in &PACKAGES {
        fuzz(workspace, package, seconds)?;
    }
    Ok(Outcome::Passed)
}

fn fuzz(workspace: &Workspace, package: &Package, seconds: u32) -> Result<()> {
    let name = package.folder;
    let folder = workspace.root.join(name);
    for target in package.targets {
        let corpus = folder.join("corpus").join(target);
        fs::create_dir_all(&corpus)
            .with_context(|| format!("failed to create {}", corpus.display()))?;
        let line = line(target, seconds);
        talk(&format!("  in {name}: {line}"));
        let status = nightly(&["cargo"])
            .args(words(target, seconds))
            .current_dir(&folder)
            .status()
            .with_context(|| format!("failed to start {line}"))?;
        if !status.success() {
            bail!(
                "the target {target} found something ({status}); the input lies in {name}/artifacts/{target}"
            );
        }
    }
    Ok(())
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
        let replays = [
            "crates/orket-kernel/tests/fuzz_seeds/main.rs",
            "crates/orket-provider/tests/dialects/seeds.rs",
        ];
        assert_eq!(replays.len(), PACKAGES.len());
        for (package, replay) in PACKAGES.iter().zip(replays) {
            let folder = format!("{root}{}", package.folder);
            let manifest = fs::read_to_string(format!("{folder}/Cargo.toml")).unwrap();
            let replay = fs::read_to_string(format!("{root}{replay}")).unwrap();
            for target in package.targets {
                let declared = format!("name = \"{target}\"");
                assert!(manifest.contains(&declared), "{target}");
                let mut seeds = fs::read_dir(format!("{folder}/seeds/{target}")).unwrap();
                assert!(seeds.next().is_some(), "{target}");
                assert!(replay.contains(&format!("replay(\"{target}\"")), "{target}");
            }
            assert_eq!(manifest.matches("[[bin]]").count(), package.targets.len());
        }
    }
}
