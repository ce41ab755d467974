//! `cargo xtask crash`: kills, power cuts and faults, each with a number of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::test::Outcome;
use crate::crash::bench::{Bench, Case};
use crate::crash::subject::{Programs, RUN, SCENARIOS};
use crate::crash::{cuts, faults, kills, small_disk, tracer};
use crate::violation::talk;
use crate::workspace::{Workspace, cargo};

/// What `--full` means, in kills, images and faults.
const FULL: [usize; 3] = [6_000, 1_500, 4_000];
/// What a change must pass every time.
const SHORT: [usize; 3] = [60, 60, 60];

/// Flags of `cargo xtask crash`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The long way: thousands of each.
    #[arg(long)]
    full: bool,
    /// How many kills.
    #[arg(long)]
    kills: Option<usize>,
    /// How many images of a disk whose power was cut.
    #[arg(long)]
    cuts: Option<usize>,
    /// How many calls that report an error.
    #[arg(long)]
    faults: Option<usize>,
    /// Leaves each sync out in turn and tells in how many of so many images that is seen; nothing else is done.
    #[arg(long, value_name = "IMAGES")]
    sites: Option<usize>,
    /// Only this scenario; may be given several times.
    #[arg(long)]
    scenario: Vec<String>,
    /// Only this call or image of the scenario, as a failure told it.
    #[arg(long)]
    at: Option<usize>,
    /// What chance begins with.
    #[arg(long, default_value_t = 20_260_101)]
    seed: u64,
}

impl Arguments {
    /// As a step of `cargo xtask test`.
    pub(crate) fn step(full: bool) -> Arguments {
        Arguments {
            full,
            kills: None,
            cuts: None,
            faults: None,
            sites: None,
            scenario: Vec::new(),
            at: None,
            seed: 20_260_101,
        }
    }
}

/// Builds the programs and makes all tries.
pub(super) fn run(arguments: &Arguments) -> Result<Outcome> {
    if let Some(reason) = tracer::refusal() {
        let reason = format!("no process can be traced here ({reason})");
        return Ok(Outcome::Skipped(reason));
    }
    let programs = build(&Workspace::load()?, arguments.full)?;
    let bench = Bench::new()?;
    let names: Vec<&str> = SCENARIOS
        .iter()
        .copied()
        .chain([RUN])
        .filter(|name| {
            arguments.scenario.is_empty() || arguments.scenario.iter().any(|it| it == name)
        })
        .collect();
    ensure!(
        !names.is_empty(),
        "there is no such scenario; there are {}, {RUN}",
        SCENARIOS.join(", ")
    );
    let cases: Vec<Case<'_>> = names
        .iter()
        .map(|name| bench.case(&programs, name))
        .collect::<Result<_>>()?;
    for case in &cases {
        talk(&format!(
            "{}: generation {} to {}, {} calls change the disk, {} of them syncs",
            case.subject.name,
            case.undisturbed.base,
            case.undisturbed.look.generation,
            case.undisturbed.calls,
            case.undisturbed.syncs.len()
        ));
    }
    if let [case] = cases.as_slice() {
        talk(&format!(
            "the syncs are the calls {:?}",
            case.undisturbed.syncs
        ));
    }
    if let Some(images) = arguments.sites {
        cuts::sites(&bench, &cases, images, arguments.seed)?;
        return Ok(Outcome::Passed);
    }
    let [kills, cuts, faults] = if arguments.full { FULL } else { SHORT };
    let is_chosen = [arguments.kills, arguments.cuts, arguments.faults]
        .iter()
        .any(Option::is_some);
    let number = |chosen: Option<usize>, otherwise| match (chosen, is_chosen) {
        (Some(number), _) => number,
        (None, true) => 0,
        (None, false) => otherwise,
    };
    let (at, seed) = (arguments.at, arguments.seed);
    let kills = number(arguments.kills, kills);
    if kills > 0 {
        kills::run(&bench, &cases, kills, at, seed)?;
    }
    let cuts = number(arguments.cuts, cuts);
    if cuts > 0 {
        cuts::run(&bench, &cases, cuts, at, seed)?;
    }
    let faults = number(arguments.faults, faults);
    if faults > 0 {
        faults::run(&bench, &cases, faults, at, seed)?;
        if at.is_none() {
            small_disk::run(&bench, &cases, faults.div_ceil(5))?;
        }
    }
    Ok(Outcome::Passed)
}

/// The command by itself: what is skipped is said.
pub(crate) fn alone(arguments: &Arguments) -> Result<()> {
    if let Outcome::Skipped(reason) = run(arguments)? {
        talk(&format!("SKIPPED: {reason}"));
    }
    Ok(())
}

/// Builds what is tried; for the long way as it ships.
fn build(workspace: &Workspace, is_release: bool) -> Result<Programs> {
    let lines: [&[&str]; 2] = [
        &[
            "build",
            "--locked",
            "-p",
            "orket-board",
            "--example",
            "crash_driver",
        ],
        &["build", "--locked", "-p", "orket-cli", "--bin", "orket"],
    ];
    let mut built = Vec::new();
    for line in lines {
        let output = Command::new(cargo())
            .args(line)
            .args(["--message-format", "json-render-diagnostics"])
            .args(is_release.then_some("--release"))
            .current_dir(&workspace.root)
            .stderr(Stdio::inherit())
            .output()
            .context("failed to start cargo build")?;
        ensure!(
            output.status.success(),
            "failed to run cargo {}",
            line.join(" ")
        );
        built.push(executable(&output.stdout)?);
    }
    let [driver, orket] = <[PathBuf; 2]>::try_from(built)
        .map_err(|built| anyhow::anyhow!("{} programs were built", built.len()))?;
    Ok(Programs {
        driver,
        orket,
        sample: workspace.root.join("fixtures/first_light"),
    })
}

/// The last executable that cargo says it built.
fn executable(messages: &[u8]) -> Result<PathBuf> {
    let mut found = None;
    for line in String::from_utf8_lossy(messages).lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        if let Some(path) = message["executable"].as_str() {
            found = Some(Path::new(path).to_path_buf());
        }
    }
    match found {
        Some(path) => Ok(path),
        None => bail!("cargo built no executable"),
    }
}
