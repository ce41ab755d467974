//! `orket doctor`: whether a project can be worked on this machine, and what to do where it cannot.

mod look;

use std::fmt::Write;
use std::path::Path;

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;

use crate::exit::{self, Code, Failure};
use crate::terminal;

/// Looks at the project and this machine, and says what is well, what to know and what is wrong
///
/// Looked at are the project's settings, the database (quickly), the room on the disk, permissions, the sandbox, what each
/// venue needs, and the clock. Nothing is changed. The servers of the venues are asked what they offer; nothing else uses the
/// network. Exits with 1 if something is wrong; what is only worth knowing is no reason.
#[derive(clap::Args)]
#[command(after_help = "Example: orket doctor --json")]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Ok,
    Warning,
    Fault,
}

/// What was found about one thing.
struct Finding {
    standing: Standing,
    /// What was looked at.
    subject: String,
    /// What was found.
    found: String,
    /// What to do about it; empty where nothing is to be done.
    remedy: String,
}

impl Standing {
    const fn as_str(self) -> &'static str {
        match self {
            Standing::Ok => "ok",
            Standing::Warning => "warning",
            Standing::Fault => "fault",
        }
    }
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let findings = look::around(project);
    let text = if arguments.json {
        let findings: Vec<Value> = findings.iter().map(json).collect();
        format!("{}\n", canonical::to_string(&Value::from(findings)))
    } else {
        lines(&findings)
    };
    terminal::print_bytes(text.as_bytes())?;
    let worst = findings.iter().map(|finding| finding.standing).max();
    Ok(match worst {
        Some(Standing::Fault) => exit::NO,
        _ => exit::DONE,
    })
}

fn lines(findings: &[Finding]) -> String {
    let width = findings
        .iter()
        .map(|it| it.subject.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for finding in findings {
        let (standing, subject) = (finding.standing.as_str(), &finding.subject);
        let found = terminal::plain(&finding.found);
        let _ = writeln!(text, "{standing:7}  {subject:width$}  {found}");
        if !finding.remedy.is_empty() {
            let _ = writeln!(text, "{:7}  {:width$}  → {}", "", "", finding.remedy);
        }
    }
    text
}

fn json(finding: &Finding) -> Value {
    object! {
        "standing" => finding.standing.as_str(),
        "subject" => finding.subject.as_str(),
        "found" => finding.found.as_str(),
        "remedy" => finding.remedy.as_str(),
    }
}
