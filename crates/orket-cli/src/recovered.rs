//! What opening a project found and cleaned up after an interruption. Nothing is told when there was nothing.

use orket_board::Board;
use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::event::EVENT_VERSION;

use crate::exit::Failure;
use crate::terminal;

/// Tells it to a person.
pub(crate) fn tell(board: &Board) -> Result<(), Failure> {
    let (found, output_behind) = board.recovery()?;
    for path in &found.removed {
        let path = terminal::plain(&path.display().to_string());
        terminal::say(&format!("recovered: removed what was left at {path}\n"));
    }
    for (run, turn) in &found.uncommitted {
        terminal::say(&format!(
            "recovered: {turn} of the run {run} was staged and not committed; the state is the one before it\n"
        ));
    }
    for (projection, behind) in [
        ("agent_output/", output_behind),
        ("the browsable view", found.view_behind),
    ] {
        if behind > 0 {
            terminal::say(&format!(
                "recovered: {projection} is {behind} generation(s) behind and will be brought forward\n"
            ));
        }
    }
    Ok(())
}

/// Returns it as a line of the event stream.
pub(crate) fn line(board: &Board, time: &str) -> Result<Option<String>, Failure> {
    let (found, output_behind) = board.recovery()?;
    let is_nothing = found.removed.is_empty() && found.uncommitted.is_empty();
    if is_nothing && found.view_behind + output_behind == 0 {
        return Ok(None);
    }
    let removed: Vec<Value> = found
        .removed
        .iter()
        .map(|path| path.display().to_string().into())
        .collect();
    let uncommitted: Vec<Value> = found
        .uncommitted
        .iter()
        .map(|(run, turn)| object! { "run_id" => run.as_str(), "turn" => turn.to_string() })
        .collect();
    let line = object! {
        "version" => EVENT_VERSION,
        "event" => "recovered",
        "run_id" => Value::Null,
        "seq" => Value::Null,
        "time" => time,
        "data" => object! {
            "removed" => removed,
            "uncommitted" => uncommitted,
            "output_behind" => output_behind,
            "view_behind" => found.view_behind,
        },
    };
    Ok(Some(format!("{}\n", canonical::to_string(&line))))
}
