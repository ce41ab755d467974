//! What a verification found: faults, and what is worth knowing but is none.

use orket_kernel::Code;
use rusqlite::Row;

use crate::StoreError;
use crate::access::Access;

/// One thing that is damaged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The code of the law that it breaks.
    pub code: Code,
    /// Where: a table and its key, a file, a generation.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What is damaged.
    pub faults: Vec<Fault>,
    /// What is no damage, one sentence each: a view that lags, leftovers.
    pub notes: Vec<String>,
    /// How many rows, objects, records and files were looked at.
    pub looked_at: u64,
}

impl Findings {
    /// Adds a damaged record.
    pub fn corrupt(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        self.fault(Code::LsiCorruptRecord, place, reason);
    }

    /// Adds a fault.
    pub fn fault(&mut self, code: Code, place: impl Into<String>, reason: impl Into<String>) {
        let fault = Fault {
            code,
            place: place.into(),
            reason: reason.into(),
        };
        // Two checks may come upon one thing.
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Adds what is worth knowing but is no damage.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Carries out one part; damage that ends it becomes a fault, and only what says nothing about the records ends the
    /// verification.
    pub(super) fn part(
        &mut self,
        place: &str,
        check: impl FnOnce(&mut Findings) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let result = check(self);
        self.take(place, result)
    }

    /// Turns damage into a fault.
    pub(super) fn take(
        &mut self,
        place: &str,
        result: Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match result {
            Ok(()) => Ok(()),
            Err(StoreError::Corrupt { place, reason }) => {
                self.corrupt(place, reason);
                Ok(())
            }
            Err(error) if error.is_damage() => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                self.corrupt(place, cause.unwrap_or_else(|| error.to_string()));
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    /// Calls `each` for every row of a query; one that fails is a fault, and the next is looked at. A query that cannot go
    /// on is a fault of its own.
    pub(super) fn each_row(
        &mut self,
        access: Access<'_>,
        table: &str,
        sql: &str,
        mut each: impl FnMut(&mut Findings, &Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let failed = access.failed("read");
        let mut statement = match access.connection.prepare(sql) {
            Ok(statement) => statement,
            Err(error) => return self.take(table, Err(failed(error))),
        };
        let mut rows = match statement.query([]) {
            Ok(rows) => rows,
            Err(error) => return self.take(table, Err(failed(error))),
        };
        loop {
            match rows.next() {
                Ok(None) => return Ok(()),
                Ok(Some(row)) => {
                    self.looked_at += 1;
                    let result = each(self, row);
                    self.take(table, result)?;
                }
                Err(error) => return self.take(table, Err(failed(error))),
            }
        }
    }
}
