//! What the commands that change a user's tree share: the tree, the scope, the question, the report.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_tools::sandbox::Sandbox;
use orket_workbench::verification::{Verdict, VerifyConfig, verify};
use orket_workbench::{Before, Change, Error, Plan, Scope, Workbench};

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::terminal;
use crate::wire;

/// The flags of every such command.
#[derive(clap::Args)]
pub(super) struct Flags {
    /// What the command may touch: a file or a directory; may be repeated
    #[arg(long, value_name = "PATH")]
    scope: Vec<PathBuf>,
    /// Change it without asking
    #[arg(long)]
    yes: bool,
    /// Show what would change, and change nothing, also with --yes
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// The tree of a command: that of the project, or the working directory where there is none.
pub(super) struct Tree {
    pub(super) root: PathBuf,
    verify: VerifyConfig,
}

/// What a command is about to do, and what it says besides.
pub(super) struct Proposal {
    pub(super) command: &'static str,
    pub(super) plan: Plan,
    /// What a repeated command finds: there is nothing to do.
    pub(super) nothing: &'static str,
    pub(super) advisories: Vec<String>,
    /// Facts of the command, for `--json`.
    pub(super) facts: Vec<(&'static str, Value)>,
    /// The error for a verification that fails: command, how it ended, what it printed.
    pub(super) refusal: fn(String, String, String) -> Error,
}

/// Why a command stopped: with a code, or before the workbench was asked.
pub(super) enum Stop {
    Coded(Error),
    Plain(Failure),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Coded(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Plain(failure)
    }
}

impl Tree {
    pub(super) fn find(given: Option<&Path>) -> Result<Tree, Failure> {
        let here = given.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        let holds_project = given.is_none() || here.join(crate::project::CONFIG).is_file();
        let project = if holds_project {
            Project::find_if_any(given)?
        } else {
            None
        };
        if let Some(project) = project {
            return Ok(Tree {
                root: project.root,
                verify: project.config.verify,
            });
        }
        let root = here.canonicalize().map_err(|error| {
            let message = format!("{} cannot be opened: {error}", here.display());
            Failure::new(exit::INVALID, message)
        })?;
        Ok(Tree {
            root,
            verify: VerifyConfig::default(),
        })
    }

    /// Takes the tree, and tells what an interrupted command left in it.
    pub(super) fn open(&self) -> Result<Workbench<'static>, Error> {
        let (workbench, recovered) = Workbench::open(&self.root, wire::files())?;
        for path in recovered.0 {
            terminal::say(&format!(
                "an interrupted command was undone: {}\n",
                terminal::plain(&path)
            ));
        }
        Ok(workbench)
    }

    pub(super) fn scope(&self, flags: &Flags) -> Result<Scope, Stop> {
        let here = std::env::current_dir().and_then(|it| it.canonicalize());
        let here = here.map_err(|error| {
            let message = format!("the current directory cannot be found: {error}");
            Failure::new(exit::INVALID, message)
        })?;
        Ok(Scope::new(&self.root, &here, &flags.scope, wire::files())?)
    }

    /// Shows a proposal, asks, verifies and carries it out, as the flags say.
    pub(super) fn settle(
        &self,
        workbench: &Workbench<'_>,
        flags: &Flags,
        proposal: Proposal,
    ) -> Result<Code, Stop> {
        if proposal.plan.is_empty() {
            let report = Report::new(&proposal, false, None);
            return Ok(report.print(flags, || format!("{}\n", proposal.nothing))?);
        }
        if flags.dry_run {
            let report = Report::new(&proposal, false, None);
            return Ok(report.print(flags, || proposal.plan.diff())?);
        }
        if !flags.yes {
            ask(&proposal.plan)?;
        }
        let sandbox: Sandbox = wire::sandbox()?;
        let verdict = verify(&self.root, &proposal.plan, &self.verify, &sandbox)?;
        if let Verdict::Failed {
            command,
            ended,
            tail,
        } = verdict
        {
            return Err((proposal.refusal)(command, ended, tail).into());
        }
        workbench.execute(&proposal.plan)?;
        let report = Report::new(&proposal, true, Some(&verdict));
        Ok(report.print(flags, || proposal.plan.changes().iter().map(line).collect())?)
    }
}

/// Ends a command that stopped: its code as JSON if that is asked for, and the end of what a verification printed.
pub(super) fn stop(command: &str, is_json: bool, stop: Stop) -> Failure {
    let error = match stop {
        Stop::Plain(failure) => return failure,
        Stop::Coded(error) => error,
    };
    if is_json {
        let mut fields = vec![
            ("command", Value::from(command)),
            ("ok", Value::from(false)),
            ("code", Value::from(error.code().as_str())),
            ("message", Value::from(error.to_string())),
        ];
        if let Some(tail) = error.tail() {
            fields.push(("verify_output_tail", Value::from(tail)));
        }
        if let Err(failure) = print_object(fields) {
            return failure;
        }
    } else if let Some(tail) = error.tail() {
        terminal::say(&format!("{}\n", terminal::plain_lines(tail)));
    }
    error.into()
}

/// Asks a person whether a plan is carried out.
fn ask(plan: &Plan) -> Result<(), Stop> {
    terminal::say(&format!("{}\n", terminal::plain_lines(&plan.diff())));
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(Error::ConfirmationRequired.into());
    }
    terminal::say("Change this? [y/N] ");
    if is_yes(&mut std::io::stdin().lock()) {
        return Ok(());
    }
    Err(Error::ConfirmationDeclined.into())
}

fn is_yes(input: &mut dyn BufRead) -> bool {
    let mut answer = String::new();
    let is_read = input.read_line(&mut answer).is_ok();
    is_read && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

/// What a command that came to an end says.
struct Report {
    fields: Vec<(&'static str, Value)>,
    talk: String,
}

impl Report {
    fn new(proposal: &Proposal, is_applied: bool, verdict: Option<&Verdict>) -> Report {
        let plan = &proposal.plan;
        let mut fields = vec![
            ("command", Value::from(proposal.command)),
            ("ok", Value::from(true)),
            ("code", Value::from("OK")),
            ("applied", Value::from(is_applied)),
            (
                "changes",
                Value::from(plan.changes().iter().map(json).collect::<Vec<_>>()),
            ),
            ("diff", Value::from(plan.diff())),
            (
                "advisories",
                Value::from(
                    proposal
                        .advisories
                        .iter()
                        .map(|it| Value::from(it.as_str()))
                        .collect::<Vec<_>>(),
                ),
            ),
        ];
        fields.extend(proposal.facts.iter().cloned());
        let mut talk: String = proposal
            .advisories
            .iter()
            .map(|it| format!("note: {it}\n"))
            .collect();
        if let Some(verdict) = verdict {
            let (told, word) = told(verdict);
            fields.push(("verification", Value::from(word)));
            talk.push_str(&format!("verification: {told}\n"));
        }
        Report { fields, talk }
    }

    fn print(self, flags: &Flags, text: impl FnOnce() -> String) -> Result<Code, Failure> {
        terminal::say(&self.talk);
        if flags.json {
            return print_object(self.fields);
        }
        terminal::print_bytes(text().as_bytes())
    }
}

pub(super) fn print_object(fields: Vec<(&'static str, Value)>) -> Result<Code, Failure> {
    let fields = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    let text = canonical::to_string(&Value::Object(fields.collect()));
    let mut line = Vec::from(text);
    let _ = line.write_all(b"\n");
    terminal::print_bytes(&line)
}

fn told(verdict: &Verdict) -> (String, &'static str) {
    match verdict {
        Verdict::NotConfigured => (
            "none, for [verify] of orket.toml names no commands".to_owned(),
            "not configured",
        ),
        Verdict::Passed {
            commands,
            confinement,
        } => {
            let noun = if *commands == 1 {
                "command"
            } else {
                "commands"
            };
            (format!("{commands} {noun} passed, {confinement}"), "passed")
        }
        Verdict::Failed { ended, .. } => (ended.clone(), "failed"),
    }
}

fn json(change: &Change) -> Value {
    let (added, removed) = change.lines();
    object! {
        "path" => change.path.as_str(),
        "kind" => kind(change),
        "added" => added as u64,
        "removed" => removed as u64,
    }
}

fn line(change: &Change) -> String {
    let (added, removed) = change.lines();
    let path = terminal::plain(change.path.as_str());
    format!("{:7}  {path}  +{added} -{removed}\n", kind(change))
}

fn kind(change: &Change) -> &'static str {
    match change.before {
        Before::Absent => "made",
        Before::File(_) => "changed",
    }
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_a_clear_yes_is_one() {
        for answer in ["y\n", "Yes\n", " y \r\n", "YES"] {
            assert!(is_yes(&mut answer.as_bytes()), "{answer:?}");
        }
        for answer in ["", "\n", "n\n", "yess\n", "no\ny\n", "ja\n"] {
            assert!(!is_yes(&mut answer.as_bytes()), "{answer:?}");
        }
        assert!(!is_yes(&mut &b"\xff\n"[..]));
    }
}
