//! `cargo xtask bench SUBJECT`: measures and writes the table into `docs/benchmarks.md`.
//!
//! What is measured, and against what, stands in the benches of the crate; here the result only finds its page.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, ensure};

use crate::violation::talk;
use crate::workspace::{Workspace, cargo, read};

const PAGE: &str = "docs/benchmarks.md";

/// Flags of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure.
    #[arg(value_enum)]
    subject: Subject,
    /// Measure also what takes many minutes: an index of a million stems.
    #[arg(long)]
    full: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Subject {
    /// Canonical JSON and digests, against SHA-256, serde_json, serde_jcs and CPython.
    Kernel,
    /// Durable promotions and reads of the index, against the disk, SQLite and git.
    Lsi,
    /// Calls in the text of long answers, against checking the text for UTF-8 and against SHA-256.
    Calls,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Subject::Kernel => "kernel",
            Subject::Lsi => "lsi",
            Subject::Calls => "calls",
        }
    }

    fn cargo_line(self) -> &'static [&'static str] {
        match self {
            Subject::Kernel => &[
                "bench",
                "--locked",
                "--manifest-path",
                "crates/orket-kernel/benches/Cargo.toml",
                "--target-dir",
                "target",
                "--bench",
                "canonical",
            ],
            Subject::Lsi => &[
                "bench",
                "--locked",
                "--manifest-path",
                "crates/orket-lsi/benches/Cargo.toml",
                "--target-dir",
                "target",
                "--bench",
                "promotion",
            ],
            Subject::Calls => &[
                "bench",
                "--locked",
                "--manifest-path",
                "crates/orket-provider/benches/Cargo.toml",
                "--target-dir",
                "target",
                "--bench",
                "calls",
            ],
        }
    }
}

/// Measures the subject, prints its table and puts it into the page.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::load()?;
    let output = Command::new(cargo())
        .args(arguments.subject.cargo_line())
        .args(
            arguments
                .full
                .then_some(["--", "--full"])
                .into_iter()
                .flatten(),
        )
        .current_dir(&workspace.root)
        .stderr(Stdio::inherit())
        .output()
        .context("failed to start cargo bench")?;
    ensure!(output.status.success(), "the benchmark failed");
    let table = String::from_utf8(output.stdout).context("the benchmark printed no text")?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let result = format!(
        "Measured on a machine with {cores} cores.\n\n{}",
        table.trim()
    );

    let path = workspace.root.join(PAGE);
    let page = with_result(&read(&path)?, arguments.subject.name(), &result)?;
    fs::write(&path, page).with_context(|| format!("failed to write {}", path.display()))?;
    talk(&result);
    talk(&format!("written into {PAGE}"));
    Ok(())
}

/// Puts `result` between the two comments of the page that name the subject.
fn with_result(page: &str, subject: &str, result: &str) -> Result<String> {
    let begin = format!("<!-- bench {subject} -->\n");
    let end = format!("<!-- end of bench {subject} -->\n");
    let lacks = |mark: &str| format!("{PAGE} lacks the line {}", mark.trim());
    let (before, rest) = page.split_once(&begin).with_context(|| lacks(&begin))?;
    let (_, after) = rest.split_once(&end).with_context(|| lacks(&end))?;
    Ok(format!("{before}{begin}\n{result}\n\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::with_result;

    #[test]
    fn only_what_stands_between_the_comments_is_replaced() {
        let page = "Title\n<!-- bench a -->\nold\n<!-- end of bench a -->\nRest\n";
        assert_eq!(
            with_result(page, "a", "new").unwrap(),
            "Title\n<!-- bench a -->\n\nnew\n\n<!-- end of bench a -->\nRest\n"
        );
        assert!(with_result(page, "b", "new").is_err());
    }
}
