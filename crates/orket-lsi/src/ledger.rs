//! The ledger: the last promoted turn of each run (Law 2).

use orket_kernel::{RunId, TurnId};
use rusqlite::OptionalExtension;

use crate::access::Access;
use crate::{StoreError, row};

/// Returns the last promoted turn of a run; `None` if none was.
///
/// The ledger and the chain say the same twice; where they do not, neither is believed.
pub(crate) fn last_turn(access: Access<'_>, run_id: &RunId) -> Result<Option<TurnId>, StoreError> {
    let place = format!("ledger {run_id}");
    let failed = access.failed("read");
    let sql = "SELECT last_turn FROM ledger WHERE run_id = ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let kept: Option<i64> = statement
        .query_row([run_id.as_str()], |row| row.get(0))
        .optional()
        .map_err(&failed)?;
    let sql = "SELECT max(turn) FROM promotions WHERE run_id = ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let chained: Option<i64> = statement
        .query_row([run_id.as_str()], |row| row.get(0))
        .map_err(&failed)?;
    if kept != chained {
        let text =
            |turn: Option<i64>| turn.map_or("no turn".to_owned(), |turn| format!("turn {turn}"));
        let reason = format!("it ends at {}, the chain at {}", text(kept), text(chained));
        return Err(StoreError::corrupt(place, reason));
    }
    kept.map(|turn| row::turn(turn, &place)).transpose()
}

/// Refuses every turn but the next one of its run.
pub(crate) fn check_order(
    access: Access<'_>,
    run_id: &RunId,
    found: TurnId,
) -> Result<(), StoreError> {
    let expected = last_turn(access, run_id)?.map_or(TurnId::FIRST, TurnId::next);
    if found == expected {
        return Ok(());
    }
    Err(StoreError::OutOfOrder {
        run_id: run_id.clone(),
        expected,
        found,
    })
}

/// Notes that a turn was promoted.
pub(crate) fn advance(
    access: Access<'_>,
    run_id: &RunId,
    turn_id: TurnId,
) -> Result<(), StoreError> {
    let failed = access.failed("written");
    let sql = "INSERT INTO ledger (run_id, last_turn) VALUES (?1, ?2)
        ON CONFLICT (run_id) DO UPDATE SET last_turn = excluded.last_turn";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let turn = row::integer(turn_id.number(), "turn")?;
    statement
        .execute((run_id.as_str(), turn))
        .map_err(&failed)?;
    Ok(())
}
