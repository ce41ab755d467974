//! What is stopped, cut and failed: scenarios of the driver, and the program itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::crash::place::{Place, copy, files};
use crate::crash::tracer::{End, Observer, Traced};

/// The scenarios of the driver; they stand in its `scenario.rs`.
pub(crate) const SCENARIOS: &[&str] = &[
    "first",
    "one",
    "hundred",
    "deletion",
    "batch",
    "large",
    "streamed",
    "checkpoint",
    "view",
    "rebuild",
    "recovery",
    "collect",
];

/// The sample epic with recorded answers, by the program itself.
pub(crate) const RUN: &str = "run";

/// What runs leave in a project.
const LEFTOVERS: &[&str] = &[".orket", "agent_output", "workspace"];

/// The programs under test and the sample project.
pub(crate) struct Programs {
    pub(crate) driver: PathBuf,
    pub(crate) orket: PathBuf,
    pub(crate) sample: PathBuf,
}

/// One thing that is done to a disk.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) name: &'a str,
}

/// What a home holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    pub(crate) generation: u64,
    /// The state digest of every generation.
    pub(crate) states: BTreeMap<u64, String>,
    /// What does not agree.
    pub(crate) faults: Vec<String>,
}

/// What a subject makes when nothing disturbs it.
pub(crate) struct Undisturbed {
    /// Before.
    pub(crate) base: u64,
    /// After.
    pub(crate) look: Look,
    /// The projections after.
    pub(crate) projections: BTreeMap<PathBuf, Vec<u8>>,
    /// How many calls change the tree.
    pub(crate) calls: usize,
    /// The numbers of those that wait for the medium.
    pub(crate) syncs: Vec<usize>,
    /// Whether it acknowledges each commit in words that are understood here.
    pub(crate) acknowledges: bool,
}

impl Subject<'_> {
    pub(crate) fn is_run(&self) -> bool {
        self.name == RUN
    }

    /// Makes the tree as it is before.
    pub(crate) fn prepare(&self, place: &Place) -> Result<()> {
        if self.is_run() {
            let project = place.tree().join("project");
            copy(&self.programs.sample, &project)?;
            // The sample runs in place too, and what somebody's runs left in it is none of this.
            for left in LEFTOVERS.iter().map(|left| project.join(left)) {
                if left.is_dir() {
                    fs::remove_dir_all(&left)?;
                }
            }
            return Ok(());
        }
        let home = self.home(place);
        let output = self.drive(&["prepare", self.name, &shown(&home)])?;
        ensure!(
            output.is_ok(),
            "failed to prepare {}: {output:?}",
            self.name
        );
        Ok(())
    }

    pub(crate) fn home(&self, place: &Place) -> PathBuf {
        match self.is_run() {
            true => place.tree().join("project/.orket"),
            false => place.tree().join("home"),
        }
    }

    /// Carries the subject out, or what is left of it.
    pub(crate) fn act(&self, place: &Place, observer: &mut dyn Observer) -> Result<End> {
        let (program, arguments, directory) = if self.is_run() {
            let arguments = ["run", "--epic", "first_light", "--venue", "recorded"];
            let project = place.tree().join("project");
            (
                &self.programs.orket,
                arguments.map(str::to_owned).to_vec(),
                project,
            )
        } else {
            let home = shown(&self.home(place));
            let arguments = ["act".to_owned(), self.name.to_owned(), home];
            (&self.programs.driver, arguments.to_vec(), place.tree())
        };
        let variable = |name: &str, value: String| (name.to_owned(), value);
        let mut variables = vec![
            variable("TMPDIR", shown(&place.temporary())),
            variable("HOME", shown(&place.temporary())),
            variable("ORKET_CLOCK", "2026-01-01T00:00:00Z".to_owned()),
        ];
        if let Ok(path) = std::env::var("PATH") {
            variables.push(variable("PATH", path));
        }
        Traced {
            program,
            arguments,
            variables,
            directory: &directory,
            stdout: place.stdout(),
            stderr: place.stderr(),
            root: &place.tree(),
        }
        .run(observer)
    }

    /// Opens what is left, and looks at all of it.
    pub(crate) fn look(&self, place: &Place) -> Result<Look> {
        let text = match self.drive(&["check", &shown(&self.home(place))])? {
            Ok(text) => text,
            Err(said) => {
                return Ok(Look {
                    faults: vec![format!("it cannot be opened: {said}")],
                    ..Look::default()
                });
            }
        };
        self.parse(&text)
    }

    /// Reads what the driver's `check` printed.
    pub(crate) fn parse(&self, text: &str) -> Result<Look> {
        let mut look = Look::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("generation", number)) => look.generation = number.parse()?,
                Some(("at", row)) => {
                    let (number, digest) = row.split_once(' ').context("a row without digest")?;
                    look.states.insert(number.parse()?, digest.to_owned());
                }
                Some(("fault", fault)) => look.faults.push(fault.to_owned()),
                _ => bail!("the driver said {line:?}"),
            }
        }
        Ok(look)
    }

    /// What is derived from the truth.
    pub(crate) fn projections(&self, place: &Place) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
        let mut found = files(&place.tree())?;
        found.retain(|path, _| {
            !path.components().any(|part| part.as_os_str() == "durable")
                && path.extension().is_none_or(|it| it != "lock")
        });
        Ok(found)
    }

    /// Returns what the driver printed, or what it said instead.
    fn drive(&self, arguments: &[&str]) -> Result<Result<String, String>> {
        let output = Command::new(&self.programs.driver)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .context("failed to start the driver")?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if output.status.success() {
            return Ok(Ok(String::from_utf8(output.stdout)?));
        }
        Ok(Err(format!("{}: {said}", output.status)))
    }
}

impl Undisturbed {
    /// What is wrong with a home that was left with `acknowledged` as the last word of its command.
    pub(crate) fn judge(
        &self,
        look: &Look,
        acknowledged: Option<u64>,
        may_be_new: bool,
    ) -> Vec<String> {
        let mut wrong = look.faults.clone();
        let least = acknowledged.unwrap_or(self.base);
        let most = match (self.acknowledges, may_be_new) {
            (false, _) => self.look.generation,
            (true, true) => least + 1,
            (true, false) => least,
        };
        if !(least..=most).contains(&look.generation) {
            wrong.push(format!(
                "generation {} after the acknowledgement of {least}, which may be at most {most}",
                look.generation
            ));
        }
        wrong.extend(self.other_states(look));
        wrong
    }

    /// What is wrong with a home in which everything was carried out in the end.
    pub(crate) fn judge_end(&self, look: &Look) -> Vec<String> {
        let mut wrong = look.faults.clone();
        if look.generation != self.look.generation {
            wrong.push(format!(
                "generation {} in the end, not {}",
                look.generation, self.look.generation
            ));
        }
        wrong.extend(self.other_states(look));
        wrong
    }

    /// Every generation must be the one of the undisturbed run.
    pub(crate) fn other_states(&self, look: &Look) -> Option<String> {
        look.states
            .iter()
            .find(|(generation, state)| self.look.states.get(generation) != Some(state))
            .map(|(generation, state)| format!("generation {generation} has the state {state}"))
    }

    /// Which projections are not those of the undisturbed run.
    pub(crate) fn other_projections(&self, found: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<String> {
        let mut paths: Vec<&PathBuf> = self.projections.keys().chain(found.keys()).collect();
        paths.sort();
        paths.dedup();
        paths
            .into_iter()
            .filter(|path| self.projections.get(*path) != found.get(*path))
            .map(|path| format!("{} is not as it should be", path.display()))
            .collect()
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
