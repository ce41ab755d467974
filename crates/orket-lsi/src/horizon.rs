//! The horizon: the oldest generation that can still be read.

use crate::access::Access;
use crate::{StoreError, row};

/// Returns the oldest retained generation; 0, the empty state, until history is dropped.
pub(crate) fn read(access: Access<'_>) -> Result<u64, StoreError> {
    const PLACE: &str = "horizon";
    let failed = access.failed("read");
    let sql = "SELECT generation FROM horizon WHERE only = 1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    match statement.query_row([], |row| row.get(0)) {
        Ok(generation) => row::count(generation, PLACE),
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            Err(StoreError::corrupt(PLACE, "the table has no row"))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Raises the horizon; a lower one than it is changes nothing, for what is gone does not come back.
pub(crate) fn raise(access: Access<'_>, generation: u64) -> Result<(), StoreError> {
    let failed = access.failed("written");
    let sql = "UPDATE horizon SET generation = ?1 WHERE only = 1 AND generation < ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .execute([row::integer(generation, "horizon")?])
        .map_err(&failed)?;
    Ok(())
}
