//! `orket verify`: whether everything that is kept is as it was written.

use std::fmt::Write;
use std::path::Path;

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_lsi::{Depth, Verification};

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Checks everything that is kept, and names what is damaged
///
/// Looked at are every object, record, row, reference and retained generation, the chain of promotions, the journal, the
/// board and the browsable view. Nothing is changed or repaired. One fault per line: code, place, what is wrong.
#[derive(clap::Args)]
#[command(after_help = "Example: orket verify --quick")]
pub(crate) struct Arguments {
    /// Check only the database's pages, the chain, the ledger and the nodes of the state digest
    #[arg(long)]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let board = wire::board_to_look_at(&project)?;
    let depth = if arguments.quick {
        Depth::Quick
    } else {
        Depth::Full
    };
    let verification = board.verify(depth)?;
    let findings = &verification.findings;
    let text = if arguments.json {
        json(&verification)
    } else {
        let mut text = String::new();
        for fault in &findings.faults {
            let line = format!("{} {}: {}", fault.code, fault.place, fault.reason);
            let _ = writeln!(text, "{}", terminal::plain(&line));
        }
        text
    };
    terminal::print_bytes(text.as_bytes())?;
    for note in &findings.notes {
        terminal::say(&format!("note: {}\n", terminal::plain(note)));
    }
    terminal::say(&summary(&verification, arguments.quick));
    Ok(if findings.faults.is_empty() {
        exit::DONE
    } else {
        exit::NO
    })
}

fn summary(verification: &Verification, is_quick: bool) -> String {
    let findings = &verification.findings;
    let scope = if is_quick { " (quick)" } else { "" };
    let state = verification.newest().map_or_else(
        || "the newest generation is not readable".to_owned(),
        |(generation, digest)| format!("generation {generation}, state {digest}"),
    );
    match findings.faults.len() {
        0 => format!(
            "verified{scope}: {state}; {} thing(s) looked at, all whole\n",
            findings.looked_at
        ),
        count => format!(
            "damaged{scope}: {state}; {count} fault(s), {} thing(s) looked at; nothing was changed\n",
            findings.looked_at
        ),
    }
}

fn json(verification: &Verification) -> String {
    let findings = &verification.findings;
    let faults: Vec<Value> = findings
        .faults
        .iter()
        .map(|fault| {
            object! {
                "code" => fault.code.as_str(),
                "place" => fault.place.as_str(),
                "reason" => fault.reason.as_str(),
            }
        })
        .collect();
    let notes: Vec<Value> = findings
        .notes
        .iter()
        .map(|note| note.as_str().into())
        .collect();
    let newest = verification.newest();
    let report = object! {
        "generation" => newest.map(|(generation, _)| generation),
        "state_digest" => newest.map(|(_, digest)| digest.to_hex()),
        "whole" => findings.faults.is_empty(),
        "faults" => faults,
        "notes" => notes,
        "looked_at" => findings.looked_at,
    };
    format!("{}\n", canonical::to_string(&report))
}
