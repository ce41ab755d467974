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
    /// Also what takes minutes: sets ORKET_FULL=1 and ORKET_ORACLE_DOCUMENTS=50000 for the tests.
    #[arg(long)]
    full: bool,
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
}

/// Runs the steps in order up to the first that fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    require("fmt", "rustfmt")?;
    require("clippy", "clippy")?;
    let steps = steps(
        arguments.full,
        env::var_os("RUSTDOCFLAGS").unwrap_or_default(),
    );
    let start = Instant::now();
    for (index, step) in steps.iter().enumerate() {
        let number = format!("[{}/{}]", index + 1, steps.len());
        let line = step.work.line();
        talk(&format!("{number} {}: {line}", step.name));
        let step_start = Instant::now();
        let outcome = step.work.run();
        let time = seconds(step_start.elapsed());
        if let Err(error) = outcome {
            bail!(
                "{number} {} FAILED after {time}: {error:#}\n       to repeat this step alone: {line}",
                step.name
            );
        }
        talk(&format!("{number} {}: ok, {time}", step.name));
    }
    talk(&format!(
        "all {} steps passed, {}",
        steps.len(),
        seconds(start.elapsed())
    ));
    Ok(())
}

fn steps(full: bool, rustdoc_flags: OsString) -> Vec<Step> {
    let long: &[(&str, &str)] = &[("ORKET_FULL", "1"), ("ORKET_ORACLE_DOCUMENTS", "50000")];
    let for_tests = long
        .iter()
        .filter(|_| full)
        .map(|&(name, value)| (name, value.into()))
        .collect();
    let cargo = |name, line| Step {
        name,
        work: Work::Cargo {
            line,
            variables: Vec::new(),
        },
    };
    vec![
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
    ]
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
        }
    }

    fn run(&self) -> Result<()> {
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
                Ok(())
            }
            Self::Own { check, .. } => check(&Workspace::load()?),
        }
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
        steps(full, OsString::new())
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
    fn full_changes_the_test_step_only() {
        let pairs: Vec<(String, String)> = lines(false)
            .into_iter()
            .zip(lines(true))
            .filter(|(a, b)| a != b)
            .collect();
        assert_eq!(pairs.len(), 1);
        assert_eq!(
            pairs[0].1,
            "ORKET_FULL='1' ORKET_ORACLE_DOCUMENTS='50000' cargo test --workspace --locked"
        );
    }
}
