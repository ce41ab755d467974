//! What is kept, as those see it who say what they need of it.

use std::collections::BTreeMap;

use orket_kernel::{Digest, RunId};
use rusqlite::Connection;

use crate::access::Access;
use crate::content::{self, Content};
use crate::promotion::{self, Head};
use crate::{StoreError, row};

/// The database at one moment, inside a transaction.
#[derive(Clone, Copy)]
pub struct Kept<'a> {
    access: Access<'a>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(access: Access<'a>) -> Kept<'a> {
        Kept { access }
    }

    /// Returns the connection, for reads of the tables of other crates.
    pub fn connection(&self) -> &Connection {
        self.access.connection
    }

    /// Returns where the index stands.
    ///
    /// # Errors
    /// Fails if the chain cannot be read or does not verify.
    pub fn head(&self) -> Result<Head, StoreError> {
        promotion::head(self.access)
    }

    /// Returns the bytes of a record, checked against the digest; `None` if it is not kept.
    ///
    /// # Errors
    /// Fails if they cannot be read or do not match.
    pub fn record(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        content::read(self.access, Content::Record, digest)
    }

    /// Tells whether the records of a run were dropped.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub fn is_dropped(&self, run_id: &RunId) -> Result<bool, StoreError> {
        super::mark::is_dropped(self.access, run_id)
    }
}

/// Returns all contents of one store with their lengths in bytes.
pub(super) fn lengths(
    access: Access<'_>,
    content: Content,
) -> Result<BTreeMap<Digest, u64>, StoreError> {
    let failed = access.failed("read");
    let sql = match content {
        Content::Object => "SELECT digest, length_bytes FROM objects",
        Content::Record => "SELECT digest, length_bytes FROM records",
    };
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement
        .query_map([], |row| Ok((row::digest(row.get(0)?), row.get(1)?)))
        .map_err(&failed)?;
    rows.map(|found| {
        let (digest, length) = found.map_err(&failed)?;
        Ok((digest, row::count(length, content.name())?))
    })
    .collect()
}
