//! `cargo xtask test`: everything a change must pass, in the order in which failing is cheapest.

use std::env;
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::violation::talk;
use crate::workspace::{Workspace, cargo};

/// Flags of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also what takes minutes: sets ORKET_FULL=1 and ORKET_ORACLE_DOCUMENTS=50000 for the tests, thousands of kills,
    /// power cuts and faults, and fuzzes the kernel and the reader of answers.
    #[arg(long)]
    full: bool,
    /// How long each fuzz target runs, with --full.
    #[arg(long, value_name = "N", default_value_t = 600, requires = "full")]
    fuzz_seconds: u32,
}

/// One step: its name and what it runs.
struct Step {
    name: &'static str,
    work: Work,
}

enum Work {
    /// A cargo command line and variables added to its environment.
    Cargo {
        line: &'static [&'static str],
        variables: Vec<(&'static str, OsString)>,
    },
    /// A command of ours, in this process.
    Own {
        name: &'static str,
        check: fn(&Workspace) -> Result<()>,
    },
    /// Kills, power cuts and faults.
    Crash { full: bool },
    /// Every fuzz target, for so many seconds each.
    Fuzz { seconds: u32 },
}

/// What came of a step that did not fail.
pub(super) enum Outcome {
    Passed,
    /// It could not be taken here; why, and what to do.
    Skipped(String),
}

/// Runs the steps in order up to the first that fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    require("fmt", "rustfmt")?;
    require("clippy", "clippy")?;
    let steps = steps(arguments, env::var_os("RUSTDOCFLAGS").unwrap_or_default());
    let start = Instant::now();
    let mut skipped = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let number = format!("[{}/{}]", index + 1, steps.len());
        let line = step.work.line();
        talk(&format!("{number} {}: {line}", step.name));
        let step_start = Instant::now();
        let outcome = step.work.run();
        let time = seconds(step_start.elapsed());
        let name = step.name;
        match outcome {
            Ok(Outcome::Passed) => talk(&format!("{number} {name}: ok, {time}")),
            Ok(Outcome::Skipped(reason)) => {
                talk(&format!("{number} {name}: SKIPPED: {reason}"));
                skipped.push(name);
            }
            Err(error) => bail!(
                "{number} {name} FAILED after {time}: {error:#}\n       to repeat this step alone: {line}"
            ),
        }
    }
    let time = seconds(start.elapsed());
    if skipped.is_empty() {
        talk(&format!("all {} steps passed, {time}", steps.len()));
    } else {
        let passed = steps.len() - skipped.len();
        let skipped = skipped.join(", ");
        talk(&format!(
            "{passed} steps passed, {time}; SKIPPED: {skipped}"
        ));
    }
    Ok(())
}

fn steps(arguments: &Arguments, rustdoc_flags: OsString) -> Vec<Step> {
    let long: &[(&str, &str)] = &[("ORKET_FULL", "1"), ("ORKET_ORACLE_DOCUMENTS", "50000")];
    let for_tests = long
        .iter()
        .filter(|_| arguments.full)
        .map(|&(name, value)| (name, value.into()))
        .collect();
    let cargo = |name, line| Step {
        name,
        work: Work::Cargo {
            line,
            variables: Vec::new(),
        },
    };
    let mut steps = vec![
        cargo("format", &["fmt", "--all", "--check"]),
        cargo(
            "lints",
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
        ),
        // Without --all-targets, which would leave out the examples in the API documentation.
        Step {
            name: "tests",
            work: Work::Cargo {
                line: &["test", "--workspace", "--locked"],
                variables: for_tests,
            },
        },
        Step {
            name: "api docs",
            work: Work::Cargo {
                line: &["doc", "--workspace", "--no-deps", "--locked"],
                variables: vec![deny_warnings(rustdoc_flags)],
            },
        },
        Step {
            name: "layers",
            work: Work::Own {
                name: "layers",
                check: super::layers::check,
            },
        },
        Step {
            name: "documents",
            work: Work::Own {
                name: "docs",
                check: super::docs::check,
            },
        },
        Step {
            name: "crashes",
            work: Work::Crash {
                full: arguments.full,
            },
        },
    ];
    if arguments.full {
        let seconds = arguments.fuzz_seconds;
        let work = Work::Fuzz { seconds };
        steps.push(Step { name: "fuzz", work });
    }
    steps
}

/// The flags as they are, and warnings as errors.
fn deny_warnings(mut rustdoc_flags: OsString) -> (&'static str, OsString) {
    if !rustdoc_flags.is_empty() {
        rustdoc_flags.push(" ");
    }
    rustdoc_flags.push("-D warnings");
    ("RUSTDOCFLAGS", rustdoc_flags)
}

impl Work {
    /// What a person would type.
    fn line(&self) -> String {
        match self {
            Self::Cargo { line, variables } => {
                let variables = variables
                    .iter()
                    .map(|(name, value)| format!("{name}='{}' ", value.to_string_lossy()));
                format!("{}cargo {}", variables.collect::<String>(), line.join(" "))
            }
            Self::Own { name, .. } => format!("cargo xtask {name}"),
            Self::Crash { full: false } => "cargo xtask crash".to_owned(),
            Self::Crash { full: true } => "cargo xtask crash --full".to_owned(),
            Self::Fuzz { seconds } => super::fuzz::line("TARGET", *seconds),
        }
    }

    fn run(&self) -> Result<Outcome> {
        match self {
            Self::Cargo { line, variables } => {
                let mut command = Command::new(cargo());
                command
                    .args(*line)
                    // A test must not change what it compares with.
                    .env("INSTA_UPDATE", "no")
                    .envs(variables.iter().map(|(name, value)| (name, value)));
                let status = command
                    .status()
                    .with_context(|| format!("failed to start cargo {}", line.join(" ")))?;
                if !status.success() {
                    bail!("{status}");
                }
            }
            Self::Own { check, .. } => check(&Workspace::load()?)?,
            Self::Crash { full } => {
                return super::crash::run(&super::crash::Arguments::step(*full));
            }
            Self::Fuzz { seconds } => return super::fuzz::run(&Workspace::load()?, *seconds),
        }
        Ok(Outcome::Passed)
    }
}

/// Fails with what to type if the toolchain lacks a component.
fn require(subcommand: &str, component: &str) -> Result<()> {
    let mut probe = Command::new(cargo());
    probe
        .args([subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = probe
        .status()
        .with_context(|| format!("failed to start cargo {subcommand} --version"))?;
    if !status.success() {
        bail!("the component {component} is missing; type: rustup component add {component}");
    }
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(full: bool) -> Vec<String> {
        let arguments = Arguments {
            full,
            fuzz_seconds: 7,
        };
        steps(&arguments, OsString::new())
            .iter()
            .map(|step| step.work.line())
            .collect()
    }

    #[test]
    fn the_steps_are_those_of_contributing() {
        let page = include_str!("../../../CONTRIBUTING.md");
        for line in lines(false) {
            assert!(
                page.contains(&line),
                "CONTRIBUTING.md does not list: {line}"
            );
        }
    }

    #[test]
    fn full_changes_the_long_steps_and_adds_fuzzing() {
        let (short, full) = (lines(false), lines(true));
        let changed: Vec<&String> = full.iter().filter(|line| !short.contains(line)).collect();
        assert_eq!(
            changed,
            [
                "ORKET_FULL='1' ORKET_ORACLE_DOCUMENTS='50000' cargo test --workspace --locked",
                "cargo xtask crash --full",
                "cargo +nightly fuzz run -s none TARGET corpus/TARGET seeds/TARGET -- \
                 -dict=json.dict -max_len=4096 -max_total_time=7 -rss_limit_mb=256 -timeout=10"
            ]
        );
        assert_eq!(full.len(), short.len() + 1);
    }
}
