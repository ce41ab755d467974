//! Removing rows in transactions of a bounded size.

use orket_kernel::Digest;

use crate::access::Access;
use crate::content::Content;
use crate::{StoreError, row};

/// How many rows one transaction removes at most, so that no other writer waits long.
pub(super) const ROWS_MAX: usize = 500;

/// Removes history that was superseded up to the horizon, and the lists of changes up to it, oldest first. Returns how many rows
/// of the lists went; fewer than [`ROWS_MAX`] means that nothing is left.
///
/// The list of a generation names what it superseded, so each row is found by its key. It goes after them, in the same
/// transaction: what a killed sweep left is found by the next.
pub(super) fn history(access: Access<'_>, horizon: u64) -> Result<usize, StoreError> {
    let failed = access.failed("written");
    let sql = "SELECT generation, kind, name FROM changes WHERE generation <= ?1 ORDER BY generation LIMIT ?2";
    let horizon = row::integer(horizon, "horizon")?;
    let changes: Vec<(i64, String, String)> = {
        let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
        let rows = statement
            .query_map((horizon, ROWS_MAX as i64), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .map_err(&failed)?;
        rows.collect::<Result<_, _>>().map_err(&failed)?
    };
    for (generation, kind, name) in &changes {
        let remove = match kind.as_str() {
            "triplet" => Some("DELETE FROM triplet_history WHERE stem = ?1 AND until = ?2"),
            "refs" => Some("DELETE FROM ref_history WHERE id = ?1 AND until = ?2"),
            _ => None,
        };
        if let Some(sql) = remove {
            let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
            statement.execute((name, generation)).map_err(&failed)?;
        }
        let sql = "DELETE FROM changes WHERE generation = ?1 AND kind = ?2 AND name = ?3";
        let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
        statement
            .execute((generation, kind, name))
            .map_err(&failed)?;
    }
    Ok(changes.len())
}

/// Removes contents; their files, if they have any, stay for now. Returns how many there were.
pub(super) fn contents(
    access: Access<'_>,
    content: Content,
    digests: &[(Digest, u64)],
) -> Result<u64, StoreError> {
    let failed = access.failed("written");
    let sql = match content {
        Content::Object => "DELETE FROM objects WHERE digest = ?1",
        Content::Record => "DELETE FROM records WHERE digest = ?1",
    };
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let mut removed = 0;
    for (digest, _) in digests {
        removed += statement.execute([digest.as_bytes()]).map_err(&failed)?;
    }
    Ok(removed as u64)
}
