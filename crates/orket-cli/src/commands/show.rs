//! `orket show card|run|turn|state`: one thing, whole.

use std::fmt::Write;
use std::path::Path;

use orket_cards::{
    AttemptRow, Card, CardId, RunRow, StoreFault, TurnRow, TurnSnapshot, TurnStore, Verification,
};
use orket_flow::{EvidenceState, check_evidence, token_ledger};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{RunId, object};
use orket_ports::Workspace;

use super::{ledger, state};
use crate::exit::{self, Code, Failure};
use crate::place::{StatePlace, TurnPlace};
use crate::project::Project;
use crate::{terminal, wire};

/// Shows a card, a run, a turn or the state, whole
#[derive(clap::Args)]
#[command(
    after_help = "Examples: orket show card FL-1; orket show run first_light-1; orket show turn first_light-1:FL-1:2"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// A card: its facts, its comments, its turns
    Card {
        /// The card's id
        id: CardId,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// A run with its turns; all runs if no id is given
    Run {
        /// The run's id
        id: Option<RunId>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The record of a turn
    Turn {
        /// The turn: RUN:ISSUE:TURN or RUN:ISSUE:TURN:ROLE
        #[arg(value_name = "RUN:ISSUE:TURN[:ROLE]")]
        id: TurnPlace,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The committed state: its digest and its stems
    State {
        /// The state after this turn, RUN:TURN, or @GENERATION (default: now)
        #[arg(
            long,
            value_name = "RUN:TURN",
            default_value = "now",
            hide_default_value = true
        )]
        at: StatePlace,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let board = wire::board_to_look_at(&project)?;
    let text = match &arguments.what {
        What::Card { id, json } => {
            let workspace = wire::workspace(&project)?;
            card(board.snapshot()?.as_ref(), &workspace, id, *json)?
        }
        What::Run { id: Some(id), json } => run(board.snapshot()?.as_ref(), id, *json)?,
        What::Run { id: None, json } => runs(board.snapshot()?.as_ref(), *json)?,
        What::Turn { id, json } => turn(board.snapshot()?.as_ref(), id, *json)?,
        What::State { at, json } => {
            let snapshot = board.index().snapshot().map_err(wire::store_failure)?;
            state::show(&snapshot, at, *json)?
        }
    };
    terminal::print_bytes(text.as_bytes())
}

fn card(
    snapshot: &dyn TurnSnapshot,
    workspace: &dyn Workspace,
    id: &CardId,
    json: bool,
) -> Result<String, Failure> {
    let cards = snapshot.cards(None)?;
    let card = cards.iter().find(|card| card.id == *id).ok_or_else(|| {
        Failure::new(
            exit::NO,
            format!("there is no card {id} on the board; `orket board` lists the cards"),
        )
    })?;
    if json {
        return Ok(format!("{}\n", canonical::to_string(&card_json(card))));
    }
    let mut text = String::new();
    let _ = writeln!(text, "{} {}", card.id, terminal::plain(&card.title));
    let _ = writeln!(text, "epic         {}", card.epic);
    let wait = card
        .wait_reason
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    let _ = writeln!(text, "status       {}{wait}", card.status);
    let _ = writeln!(text, "seat         {}", card.seat);
    let _ = writeln!(text, "priority     {}", card.priority);
    let depends: Vec<&str> = card.depends_on.iter().map(CardId::as_str).collect();
    let _ = writeln!(text, "depends on   {}", list(&depends));
    let _ = writeln!(text, "authors      {}", list(&card.authors));
    let checks = match &card.verification {
        Verification::Checks(fixtures) => list(fixtures),
        Verification::None(reason) => format!("no checks: {}", terminal::plain(reason)),
    };
    let _ = writeln!(text, "verification {} ({checks})", card.verified.as_str());
    if let Some(by) = &card.created_by {
        let role = terminal::plain(&by.role);
        let _ = writeln!(text, "created by   {role} on {}", by.card);
    }
    match check_evidence(snapshot.state(), workspace, card)? {
        EvidenceState::Absent => {}
        EvidenceState::Holds => {
            let _ = writeln!(text, "evidence     evidence/{id} holds");
        }
        EvidenceState::Broken(changes) => {
            let changes = terminal::plain(&changes.join(", "));
            let _ = writeln!(
                text,
                "evidence     evidence/{id} no longer holds: {changes}"
            );
        }
    }
    for path in &card.artifacts {
        let _ = writeln!(text, "promises     agent_output/{}", terminal::plain(path));
    }
    let _ = writeln!(text, "\n{}", terminal::plain_lines(&card.description));
    for comment in &card.comments {
        let _ = writeln!(
            text,
            "\n{}: {}",
            comment.author,
            terminal::plain_lines(&comment.text)
        );
    }
    let mut head = "\nturns\n";
    for run in snapshot.runs(Some(&card.epic))? {
        for turn in snapshot
            .turns(&run.run_id)?
            .iter()
            .filter(|turn| turn.card.as_ref() == Some(id))
        {
            text.push_str(std::mem::take(&mut head));
            let _ = writeln!(text, "  {}", turn_line(&run.run_id, turn));
        }
    }
    Ok(text)
}

fn list<T: AsRef<str>>(items: &[T]) -> String {
    if items.is_empty() {
        return "-".into();
    }
    items
        .iter()
        .map(|item| terminal::plain(item.as_ref()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Returns a card with all its facts.
pub(super) fn card_json(card: &Card) -> Value {
    // A card always has a canonical form: it was read from one.
    canonical::to_value(card).unwrap_or_default()
}

fn find_run(snapshot: &dyn TurnSnapshot, id: &RunId) -> Result<RunRow, Failure> {
    snapshot.run(id)?.ok_or_else(|| {
        Failure::new(
            exit::NO,
            format!("there is no run {id}; `orket show run` lists the runs"),
        )
    })
}

fn runs(snapshot: &dyn TurnSnapshot, json: bool) -> Result<String, Failure> {
    let runs = snapshot.runs(None)?;
    if json {
        let rows: Vec<Value> = runs.iter().map(run_json).collect();
        return Ok(format!("{}\n", canonical::to_string(&Value::from(rows))));
    }
    let mut text = String::new();
    for run in runs {
        let last = run.last_turn.map_or("-".into(), |turn| turn.to_string());
        let _ = writeln!(
            text,
            "{:24} {:7} epic {}, last turn {last}",
            run.run_id.as_str(),
            run.state.as_str(),
            run.epic
        );
    }
    Ok(text)
}

fn run_json(run: &RunRow) -> Value {
    object! {
        "run_id" => run.run_id.as_str(),
        "epic" => run.epic.as_str(),
        "state" => run.state.as_str(),
        "begun_with_venue" => run.envelope.model_profile.as_str(),
        "last_turn" => run.last_turn.map_or(Value::Null, |turn| turn.to_string().into()),
    }
}

fn run(snapshot: &dyn TurnSnapshot, id: &RunId, json: bool) -> Result<String, Failure> {
    let run = find_run(snapshot, id)?;
    let turns = snapshot.turns(id)?;
    let attempts = snapshot.attempts(id)?;
    if json {
        let mut row = run_json(&run);
        if let Value::Object(fields) = &mut row {
            let shown: Vec<Value> = turns.iter().map(|turn| turn_json(id, turn)).collect();
            fields.insert("turns".into(), Value::from(shown));
            fields.insert(
                "refused_attempts".into(),
                Value::from(attempts.len() as u64),
            );
            let digest = turns.last().map(|turn| turn.state_digest.to_hex());
            let ledger = ledger::json(&token_ledger(snapshot, id)?);
            fields.insert("tokens".into(), ledger);
            fields.insert(
                "state_digest".into(),
                digest.map_or(Value::Null, Value::from),
            );
        }
        return Ok(format!("{}\n", canonical::to_string(&row)));
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "run {} ({}), epic {}, begun with the venue {}",
        run.run_id,
        run.state.as_str(),
        run.epic,
        run.envelope.model_profile
    );
    for turn in &turns {
        for attempt in attempts
            .iter()
            .filter(|attempt| attempt.turn_id == turn.turn_id)
        {
            text.push_str(&attempt_line(snapshot, attempt)?);
        }
        let _ = writeln!(text, "  {}", turn_line(id, turn));
    }
    for attempt in attempts
        .iter()
        .filter(|a| turns.iter().all(|turn| turn.turn_id != a.turn_id))
    {
        text.push_str(&attempt_line(snapshot, attempt)?);
    }
    text.push_str(&ledger::text(&token_ledger(snapshot, id)?));
    if let Some(last) = turns.last() {
        let _ = writeln!(text, "state after {}: {}", last.turn_id, last.state_digest);
    }
    Ok(text)
}

fn attempt_line(snapshot: &dyn TurnSnapshot, attempt: &AttemptRow) -> Result<String, Failure> {
    let record = match snapshot.turn_record(&attempt.record_digest) {
        Ok(record) => record,
        Err(StoreFault::NotRetained { .. }) => {
            return Ok(format!(
                "  {} attempt {} refused; its record is not retained\n",
                attempt.turn_id, attempt.attempt
            ));
        }
        Err(fault) => return Err(fault.into()),
    };
    let card = record.card.as_ref().map_or("-", CardId::as_str);
    let reasons = terminal::shortened(&record.refusals.join("; "));
    Ok(format!(
        "  {} {card} attempt {} refused: {reasons}\n",
        attempt.turn_id, attempt.attempt
    ))
}

/// Names a turn as the commands take it.
pub(super) fn turn_name(run_id: &RunId, turn: &TurnRow) -> String {
    let card = turn.card.as_ref().map_or("-", CardId::as_str);
    format!("{run_id}:{card}:{}:{}", turn.turn_id.number(), turn.role)
}

fn turn_line(run_id: &RunId, turn: &TurnRow) -> String {
    let digest = turn.result_digest.to_hex();
    format!(
        "{:46} {:7} {}",
        turn_name(run_id, turn),
        turn.step,
        &digest[..16]
    )
}

fn turn_json(run_id: &RunId, turn: &TurnRow) -> Value {
    object! {
        "name" => turn_name(run_id, turn),
        "turn" => turn.turn_id.to_string(),
        "issue_id" => turn.card.as_ref().map_or("-", CardId::as_str),
        "role" => turn.role.as_str(),
        "step" => turn.step.as_str(),
        "attempt" => turn.attempt,
        "result_digest" => turn.result_digest.to_hex(),
        "state_digest" => turn.state_digest.to_hex(),
        "record_digest" => turn.record_digest.to_hex(),
    }
}

fn turn(snapshot: &dyn TurnSnapshot, place: &TurnPlace, json: bool) -> Result<String, Failure> {
    let run = find_run(snapshot, &place.run_id)?;
    let turns = snapshot.turns(&run.run_id)?;
    let row = turns
        .iter()
        .find(|turn| turn.turn_id == place.turn_id)
        .ok_or_else(|| {
            let message = format!(
                "the run {0} has no promoted {1}; `orket show run {0}` lists its turns",
                run.run_id, place.turn_id
            );
            Failure::new(exit::NO, message)
        })?;
    if let Some(mismatch) = place.mismatch(row.card.as_ref().map(CardId::as_str), &row.role) {
        return Err(Failure::new(exit::USAGE, mismatch));
    }
    let record = snapshot.turn_record(&row.record_digest)?;
    if json {
        let value = canonical::to_value(&record)
            .map_err(|error| Failure::new(exit::BUG, error.to_string()))?;
        return Ok(format!("{}\n", canonical::to_string(&value)));
    }
    let mut text = String::new();
    let _ = writeln!(text, "{}", turn_name(&run.run_id, row));
    let _ = writeln!(
        text,
        "step          {}, attempt {}",
        record.step, record.attempt
    );
    let _ = writeln!(text, "result        {}", row.result_digest);
    let _ = writeln!(text, "state after   {}", row.state_digest);
    let _ = writeln!(text, "record        {}", row.record_digest);
    let _ = writeln!(
        text,
        "tokens        {} in, {} out, {} exchange(s) with the model",
        record.tokens.prompt,
        record.tokens.completion,
        record.exchanges.len()
    );
    if let Some(venue) = record.notes.get("venue").and_then(Value::as_str) {
        let _ = writeln!(text, "venue         {venue}");
    }
    let probed = record.notes.get("sandbox_tier").and_then(Value::as_str);
    if let Some(tier) = probed {
        let _ = writeln!(text, "sandbox       {tier}");
    }
    for (name, what) in [
        ("checks_confined", "checks"),
        ("commands_confined", "commands"),
    ] {
        let tiers = record.notes.get(name).and_then(Value::as_array);
        let tiers = tiers.into_iter().flatten().filter_map(Value::as_str);
        // What the probe told is not told again.
        for tier in tiers.filter(|tier| Some(*tier) != probed) {
            let _ = writeln!(text, "{what:13} confined: {tier}");
        }
    }
    if !record.said.is_empty() {
        let _ = writeln!(text, "\n{}", terminal::plain_lines(&record.said));
    }
    for call in &record.calls {
        let _ = writeln!(
            text,
            "\n{} {}\n  -> {}",
            call.tool,
            terminal::shortened(&canonical::to_string(&call.arguments)),
            terminal::shortened(&canonical::to_string(&call.result))
        );
    }
    if let Some(result) = &record.result {
        let _ = writeln!(
            text,
            "\n{} {}",
            result.outcome,
            canonical::to_string(&result.transition_evidence)
        );
        for event in &result.events {
            let _ = writeln!(text, "{}", terminal::plain(event));
        }
    }
    Ok(text)
}
