//! Schema steps: each is applied once, in a transaction together with the note that it was.

use std::path::Path;

use orket_kernel::Digest;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::StoreError;

/// One schema step. A released step never changes.
///
/// Numbers are one line for the whole database, in blocks: 1 to 99 are those of this crate, other crates take a block
/// of hundreds each. Steps are applied in the order of their numbers, but one that is released later may be applied
/// after a higher number of another block, so a step relies only on what its own block and step 1 made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The number of the step.
    pub version: u32,
    /// What it does: statements without `BEGIN` and `COMMIT`.
    pub sql: &'static str,
}

/// The steps of this crate.
pub(crate) const OWN: &[Migration] = &[
    Migration {
        version: 1,
        sql: include_str!("schema/0001_index.sql"),
    },
    Migration {
        version: 2,
        sql: include_str!("schema/0002_retention.sql"),
    },
    Migration {
        version: 10,
        sql: include_str!("schema/0010_kernel_runs.sql"),
    },
];

/// Marks a database as one of Orket: "ORKT".
pub(crate) const APPLICATION_ID: i32 = 0x4f52_4b54;

const NOTES: &str = "CREATE TABLE IF NOT EXISTS migrations (
    version INTEGER NOT NULL PRIMARY KEY CHECK (version > 0),
    sql_digest BLOB NOT NULL CHECK (length(sql_digest) = 32)
) STRICT";

/// All steps that this program knows, in order.
pub(crate) fn all(others: &[Migration], path: &Path) -> Result<Vec<Migration>, StoreError> {
    let mut steps = [OWN, others].concat();
    steps.sort_by_key(|step| step.version);
    match steps
        .windows(2)
        .find(|pair| pair[0].version == pair[1].version)
    {
        None => Ok(steps),
        Some(pair) => Err(StoreError::Migration {
            path: path.to_path_buf(),
            version: pair[0].version,
            reason: "two steps have this number".to_owned(),
        }),
    }
}

/// What a look at a database says about the steps.
pub(crate) enum Progress {
    /// There is nothing in it yet.
    Empty,
    /// All known steps are applied, and no other.
    Complete,
    /// Known steps are missing, the first of them is this.
    Lacks(u32),
}

/// Looks which steps are applied. Refuses a file that is no database of Orket, and one that a newer Orket wrote.
pub(crate) fn examine(
    connection: &Connection,
    steps: &[Migration],
    path: &Path,
) -> Result<Progress, StoreError> {
    let failed = |error| StoreError::sqlite(path, "examined", error);
    let application_id: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(failed)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    if application_id == 0 && tables == 0 {
        return Ok(Progress::Empty);
    }
    if application_id != APPLICATION_ID {
        let reason = format!("its application id is {application_id:#x}, not {APPLICATION_ID:#x}");
        return Err(StoreError::Foreign {
            path: path.to_path_buf(),
            reason,
        });
    }
    let applied = applied(connection).map_err(failed)?;
    for (version, digest) in &applied {
        let Some(step) = steps.iter().find(|step| step.version == *version) else {
            let known: Vec<String> = steps.iter().map(|step| step.version.to_string()).collect();
            let known = known.join(", ");
            return Err(StoreError::Newer {
                path: path.to_path_buf(),
                found: *version,
                known,
            });
        };
        if Digest::of_bytes(step.sql.as_bytes()).as_bytes() != digest {
            let reason = "the database was made with another text of this step".to_owned();
            return Err(StoreError::Migration {
                path: path.to_path_buf(),
                version: *version,
                reason,
            });
        }
    }
    let is_applied =
        |step: &&Migration| applied.iter().any(|(version, _)| *version == step.version);
    let missing = steps.iter().find(|step| !is_applied(step));
    Ok(missing.map_or(Progress::Complete, |step| Progress::Lacks(step.version)))
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<(u32, [u8; 32])>> {
    let mut statement =
        connection.prepare("SELECT version, sql_digest FROM migrations ORDER BY version")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Applies the steps that are missing. Another process may do the same at the same time: each step is looked for
/// again inside its transaction.
pub(crate) fn apply(
    connection: &mut Connection,
    steps: &[Migration],
    path: &Path,
) -> Result<(), StoreError> {
    for step in steps {
        let applied = apply_one(connection, step);
        applied.map_err(
            |error| match StoreError::sqlite(path, "brought forward", error) {
                StoreError::Database { path, source, .. } => StoreError::Migration {
                    path,
                    version: step.version,
                    reason: source.to_string(),
                },
                other => other,
            },
        )?;
    }
    Ok(())
}

fn apply_one(connection: &mut Connection, step: &Migration) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.execute_batch(NOTES)?;
    let find = "SELECT 1 FROM migrations WHERE version = ?1";
    if transaction
        .query_row(find, [step.version], |_| Ok(()))
        .optional()?
        .is_some()
    {
        return transaction.rollback();
    }
    transaction.execute_batch(step.sql)?;
    transaction.execute(
        "INSERT INTO migrations (version, sql_digest) VALUES (?1, ?2)",
        (
            step.version,
            Digest::of_bytes(step.sql.as_bytes()).as_bytes(),
        ),
    )?;
    let steps: i64 =
        transaction.query_row("SELECT count(*) FROM migrations", [], |row| row.get(0))?;
    transaction.pragma_update(None, "user_version", steps)?;
    transaction.commit()
}
