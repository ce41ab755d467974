//! One broken rule at one place, and the only two functions of xtask that print.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what a command-line chore is for"
)]

use anyhow::{Result, bail};

/// One broken rule: where, what is wrong, and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// A file, `file:line`, or the edge `a -> b`.
    pub(crate) place: String,
    /// What was found there.
    pub(crate) found: String,
    /// The rule, as a sentence that says what to do instead.
    pub(crate) rule: String,
}

impl Violation {
    /// A violation from its three parts.
    pub(crate) fn new(
        place: impl Into<String>,
        found: impl Into<String>,
        rule: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            found: found.into(),
            rule: rule.into(),
        }
    }
}

/// Prints every violation to stdout, sorted by place; any violation makes the command fail.
pub(crate) fn settle(command: &str, mut violations: Vec<Violation>) -> Result<()> {
    violations.sort();
    for violation in &violations {
        println!(
            "{}: {}\n    rule: {}",
            violation.place, violation.found, violation.rule
        );
    }
    if violations.is_empty() {
        talk(&format!("{command}: no violations"));
        return Ok(());
    }
    bail!("{command}: {} violation(s), listed above", violations.len())
}

/// Prints one line of talk to stderr.
pub(crate) fn talk(line: &str) {
    eprintln!("{line}");
}
