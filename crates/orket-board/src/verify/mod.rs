//! Verification of the board: its tables against what they are derived from, the journal, the records of turns.

mod attempts;
mod cards;
mod events;
mod records;
mod runs;

use orket_cards::StoreFault;
use orket_lsi::Verification;
use rusqlite::Row;

use crate::fault::from_sqlite;

/// Adds what is damaged in the tables of the board.
///
/// Every row is looked at, whatever is wrong with another.
pub(crate) fn check(verification: &mut Verification) -> Result<(), StoreFault> {
    cards::check(verification)?;
    runs::check(verification)?;
    records::check(verification)?;
    attempts::check(verification)?;
    events::check(verification)
}

/// Reads all rows of a query; a query that damage ends becomes a fault, and what came before it is returned.
fn rows<T>(
    verification: &mut Verification,
    table: &str,
    sql: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreFault> {
    let mut found = Vec::new();
    let ended = (|| {
        let mut statement = verification.connection().prepare(sql)?;
        for row in statement.query_map([], &read)? {
            found.push(row?);
        }
        Ok(())
    })();
    verification.findings.looked_at += found.len() as u64;
    match ended.map_err(from_sqlite) {
        Err(StoreFault::Busy { what, hint }) => return Err(StoreFault::Busy { what, hint }),
        Err(fault) => verification.findings.corrupt(table, fault.to_string()),
        Ok(()) => {}
    }
    Ok(found)
}
