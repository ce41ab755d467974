//! `orket gc`: removes what the retention policy lets go and nothing needs.

use std::fmt::Write;
use std::path::Path;

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_lsi::{Collected, Sweep};

use crate::exit::{self, Code, Failure};
use crate::project::{Project, RetentionConfig};
use crate::{terminal, wire};

/// Removes what retention lets go; without --apply it only says what that would be
///
/// The policy stands in orket.toml, in the table retention: `generations`, `runs`, `bytes`. Without a bound everything is kept that
/// something names, and only leftovers go. What an open or pinned run needs always stays, and so does the present state: its
/// digest does not change.
#[derive(clap::Args)]
#[command(after_help = "Examples: orket gc; orket gc --apply")]
pub(crate) struct Arguments {
    /// Remove it
    #[arg(long)]
    apply: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let looked_at = wire::board_to_look_at(&project)?;
    let policy = &project.config.retention;
    let collected = if arguments.apply {
        drop(looked_at);
        wire::board(&project)?.collect(&policy.policy(), Sweep::Apply)?
    } else {
        looked_at.collect(&policy.policy(), Sweep::DryRun)?
    };
    let text = if arguments.json {
        json(&collected, arguments.apply)
    } else {
        report(&collected, policy, arguments.apply)
    };
    terminal::print_bytes(text.as_bytes())?;
    for note in &collected.notes {
        terminal::say(&format!("note: {note}\n"));
    }
    if !arguments.apply && !arguments.json && !collected.is_empty() {
        terminal::say("nothing was removed; `orket gc --apply` does it\n");
    }
    Ok(exit::DONE)
}

/// Applies the policy after a run, if the project says so. It only tells: a run that is done stays done.
pub(super) fn after_run(project: &Project, board: &orket_board::Board) {
    if !project.config.retention.auto {
        return;
    }
    match board.collect(&project.config.retention.policy(), Sweep::Apply) {
        Ok(collected) if collected.is_empty() => {}
        Ok(collected) => terminal::say(&format!("retention: {}\n", summary(&collected, true))),
        Err(fault) => {
            let failure = Failure::from(fault);
            let reason = terminal::plain(&failure.message);
            terminal::say(&format!("retention was not applied: {reason}\n"));
        }
    }
}

fn summary(collected: &Collected, is_done: bool) -> String {
    let went = if is_done { "went" } else { "would go" };
    let bytes = collected.content_bytes + collected.leftover_bytes;
    let mut text = format!(
        "{} object(s) and {} record(s) {went}, {bytes} bytes with all leftovers",
        collected.objects, collected.records
    );
    if is_done {
        let _ = write!(
            text,
            "; the database is {} bytes smaller",
            collected.given_back_bytes
        );
    }
    text
}

fn report(collected: &Collected, policy: &RetentionConfig, is_done: bool) -> String {
    let mut text = String::new();
    let bound = |bound: Option<u64>| bound.map_or("all".to_owned(), |bound| bound.to_string());
    let _ = writeln!(
        text,
        "policy        generations {}, runs {}, bytes {}",
        bound(policy.generations),
        bound(policy.runs),
        bound(policy.bytes)
    );
    if collected.is_empty() {
        let _ = writeln!(
            text,
            "nothing to remove; {} bytes in objects and records are kept",
            collected.bytes_left
        );
        return text;
    }
    let went = if is_done { "went" } else { "would go" };
    let stay = if is_done { "can" } else { "could" };
    let _ = writeln!(
        text,
        "generations   {} to {} {stay} be read (before: from {})",
        collected.horizon, collected.newest, collected.horizon_before
    );
    for run in &collected.runs {
        let _ = writeln!(text, "run           {run}: its records {went}");
    }
    let _ = writeln!(
        text,
        "history       {} superseded row(s) {went}",
        collected.history_rows
    );
    let _ = writeln!(
        text,
        "contents      {} object(s) and {} record(s) {went}, {} bytes",
        collected.objects, collected.records, collected.content_bytes
    );
    let _ = writeln!(
        text,
        "leftovers     {} file(s) {went}, {} bytes",
        collected.leftovers, collected.leftover_bytes
    );
    let _ = writeln!(
        text,
        "view          {} file(s) {went}",
        collected.view_files
    );
    let _ = writeln!(
        text,
        "kept          {} bytes in objects and records",
        collected.bytes_left
    );
    if is_done {
        let _ = writeln!(
            text,
            "given back    {} bytes of the database",
            collected.given_back_bytes
        );
    }
    text
}

fn json(collected: &Collected, is_done: bool) -> String {
    let runs: Vec<Value> = collected
        .runs
        .iter()
        .map(|run| run.as_str().into())
        .collect();
    let notes: Vec<Value> = collected
        .notes
        .iter()
        .map(|note| note.as_str().into())
        .collect();
    let report = object! {
        "applied" => is_done,
        "newest_generation" => collected.newest,
        "oldest_generation" => collected.horizon,
        "oldest_generation_before" => collected.horizon_before,
        "runs" => runs,
        "history_rows" => collected.history_rows,
        "objects" => collected.objects,
        "records" => collected.records,
        "content_bytes" => collected.content_bytes,
        "leftover_files" => collected.leftovers,
        "leftover_bytes" => collected.leftover_bytes,
        "view_files" => collected.view_files,
        "bytes_left" => collected.bytes_left,
        "given_back_bytes" => collected.given_back_bytes,
        "notes" => notes,
    };
    format!("{}\n", canonical::to_string(&report))
}
