//! The horizon: the oldest generation that can still be read.

use orket_kernel::{Digest, LSI_VERSION, canonical, object};

use crate::access::Access;
use crate::{StoreError, row};

const PLACE: &str = "horizon";

/// Returns the oldest retained generation; 0, the empty state, until history is dropped.
pub(crate) fn read(access: Access<'_>) -> Result<u64, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT generation, digest FROM horizon WHERE only = 1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let found = statement.query_row([], |row| Ok((row.get(0)?, row.get::<_, [u8; 32]>(1)?)));
    let (generation, kept) = match found {
        Ok(found) => found,
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            return Err(StoreError::corrupt(PLACE, "the table has no row"));
        }
        Err(error) => return Err(failed(error)),
    };
    let generation = row::count(generation, PLACE)?;
    // A horizon that rises unnoticed hides generations, and what is wrong with them.
    if digest(generation).as_bytes() != &kept {
        return Err(StoreError::corrupt(PLACE, row::CHANGED));
    }
    Ok(generation)
}

/// Raises the horizon; a lower one than it is changes nothing, for what is gone does not come back.
pub(crate) fn raise(access: Access<'_>, generation: u64) -> Result<(), StoreError> {
    let failed = access.failed("written");
    let sql = "UPDATE horizon SET generation = ?1, digest = ?2 WHERE only = 1 AND generation < ?1";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .execute((
            row::integer(generation, PLACE)?,
            digest(generation).as_bytes(),
        ))
        .map_err(&failed)?;
    Ok(())
}

fn digest(generation: u64) -> Digest {
    canonical::digest(&object! { "generation" => generation, "lsi_version" => LSI_VERSION })
}
