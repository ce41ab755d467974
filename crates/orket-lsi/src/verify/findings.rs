//! What a verification found: faults, and what is worth knowing but is none.

use std::collections::BTreeSet;

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
    /// What stands in `faults`: a damaged index may have as many as rows, so asking must not cost a pass over them.
    known: BTreeSet<Fault>,
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
        if self.known.insert(fault.clone()) {
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
        each: impl FnMut(&mut Findings, &Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each_row_to_end(access, table, sql, each).map(drop)
    }

    /// As [`Findings::each_row`], and tells whether the query came to its end.
    pub(super) fn each_row_to_end(
        &mut self,
        access: Access<'_>,
        table: &str,
        sql: &str,
        mut each: impl FnMut(&mut Findings, &Row<'_>) -> Result<(), StoreError>,
    ) -> Result<bool, StoreError> {
        let failed = access.failed("read");
        let mut go = |findings: &mut Findings| {
            let mut statement = access.connection.prepare(sql).map_err(&failed)?;
            let mut rows = statement.query([]).map_err(&failed)?;
            while let Some(row) = rows.next().map_err(&failed)? {
                findings.looked_at += 1;
                let result = each(findings, row);
                findings.take(table, result)?;
            }
            Ok(())
        };
        let ended = go(self);
        let is_whole = ended.is_ok();
        self.take(table, ended)?;
        Ok(is_whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_checks_come_upon_is_told_once() {
        let mut findings = Findings::default();
        for place in ["b", "a", "b"] {
            findings.corrupt(place, "it is gone");
        }
        findings.corrupt("a", "it is torn");
        let found: Vec<(&str, &str)> = findings
            .faults
            .iter()
            .map(|fault| (fault.place.as_str(), fault.reason.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("b", "it is gone"),
                ("a", "it is gone"),
                ("a", "it is torn")
            ]
        );
    }
}
