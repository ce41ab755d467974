//! The tokens of a run, as `orket show run` shows them.

use std::fmt::Write;

use orket_cards::Tokens;
use orket_flow::Ledger;
use orket_kernel::canonical::Value;
use orket_kernel::object;

use crate::terminal;

/// Returns one line for each role and model, and what is missing.
pub(super) fn text(ledger: &Ledger) -> String {
    let mut text = String::new();
    let width = |it: fn(&orket_flow::LedgerRow) -> &str| {
        ledger
            .rows
            .iter()
            .map(|row| it(row).len())
            .max()
            .unwrap_or(0)
    };
    let (roles, models) = (width(|row| &row.role), width(|row| &row.model));
    for row in &ledger.rows {
        let (role, model) = (terminal::plain(&row.role), terminal::plain(&row.model));
        let _ = writeln!(
            text,
            "tokens {role:roles$}  {model:models$}  {}, {}",
            count(row.answers, "answer"),
            spent(row.tokens)
        );
    }
    if ledger.rows.len() > 1 {
        let _ = writeln!(text, "tokens in all: {}", spent(ledger.total()));
    }
    if ledger.not_retained > 0 {
        let records = count(ledger.not_retained, "record");
        let _ = writeln!(
            text,
            "tokens of {records} that are not retained are not counted"
        );
    }
    text
}

fn count(number: u64, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

fn spent(tokens: Tokens) -> String {
    let mut text = format!("{} in", tokens.prompt);
    if tokens.cached > 0 {
        let _ = write!(text, " ({} cached)", tokens.cached);
    }
    let _ = write!(text, ", {} out", tokens.completion);
    if tokens.estimated > 0 {
        let _ = write!(text, ", {} of them estimated", tokens.estimated);
    }
    text
}

/// Returns the ledger as `--json` prints it.
pub(super) fn json(ledger: &Ledger) -> Value {
    let rows = ledger.rows.iter().map(|row| {
        object! {
            "role" => row.role.as_str(),
            "model" => row.model.as_str(),
            "answers" => row.answers,
            "prompt" => row.tokens.prompt,
            "completion" => row.tokens.completion,
            "cached" => row.tokens.cached,
            "estimated" => row.tokens.estimated,
        }
    });
    object! {
        "rows" => rows.collect::<Vec<_>>(),
        "records_not_retained" => ledger.not_retained,
    }
}
