//! The schema against the steps that made it. SQLite believes the text of it: a damaged constraint refuses what is right, or
//! takes what is wrong.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::Findings;
use crate::access::Access;
use crate::{Migration, StoreError, migration};

/// By type and name the table that it belongs to, and its text; an index that SQLite makes itself has none.
type Schema = BTreeMap<(String, String), (String, Option<String>)>;

pub(super) fn check(
    access: Access<'_>,
    findings: &mut Findings,
    steps: &[Migration],
) -> Result<(), StoreError> {
    let failed = access.failed("read");
    let mut model = Connection::open_in_memory().map_err(&failed)?;
    migration::apply(&mut model, steps, &access.home.database())?;
    let expected = read(&model).map_err(&failed)?;
    let found = read(access.connection).map_err(&failed)?;
    findings.looked_at += found.len() as u64;
    for (key, made) in &expected {
        let place = format!("the schema, {} {}", key.0, key.1);
        match found.get(key) {
            None => findings.corrupt(place, "it is missing"),
            Some(it) if it != made => {
                findings.corrupt(place, "it is not the one that the schema steps made");
            }
            Some(_) => {}
        }
    }
    for (kind, name) in found.keys().filter(|key| !expected.contains_key(*key)) {
        findings.corrupt(
            format!("the schema, {kind} {name}"),
            "no schema step made it",
        );
    }
    Ok(())
}

fn read(connection: &Connection) -> rusqlite::Result<Schema> {
    let sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?)))
    })?;
    rows.collect()
}
