//! Verification: looks at everything that is kept and lists what is damaged, as data. Changes nothing.
//!
//! One file per check. A damaged thing is a [`Fault`] and never stops the other checks, for what is intact must stay
//! readable and be told apart from what is not.

mod chain;
mod changes;
mod contents;
mod findings;
mod history;
mod kernel_runs;
mod marks;
mod nodes;
mod rows;
mod schema;
mod spans;
mod sqlite;
mod staging;
mod triplets;
mod view;

use orket_kernel::Digest;
use rusqlite::Connection;

use crate::access::Access;
use crate::content::{self, Content};
use crate::home::Home;
use crate::promotion::{self, Head};
use crate::{Migration, Store, StoreError};

use contents::Vetted;
pub use findings::{Fault, Findings};

/// How much of the database a verification holds in memory: it comes upon indexes in the order of other tables.
const PAGE_CACHE_KIB: i64 = 64 * 1024;

/// Checks the rows of every retained generation against the chain, and the list of what each changed against the rows.
pub(crate) fn history(access: Access<'_>, findings: &mut Findings) -> Result<(), StoreError> {
    let head = promotion::head(access)?;
    history::check(access, findings, head)?;
    changes::check(access, findings, Some(head))
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The pages of the database, the chain, the ledger and the nodes of the newest state digest.
    Quick,
    /// All of it: every byte that is kept, every row, every retained generation, the browsable view.
    Full,
}

/// A verification of one moment of the index. Other crates add what they find in their own tables.
pub struct Verification {
    connection: Connection,
    home: Home,
    head: Option<Head>,
    vetted: Vetted,
    /// What was found so far.
    pub findings: Findings,
}

impl Verification {
    /// Carries out the checks of the index.
    pub(crate) fn run(
        connection: Connection,
        store: &Store,
        depth: Depth,
    ) -> Result<Verification, StoreError> {
        let mut verification = Verification {
            connection,
            home: store.layout().clone(),
            head: None,
            vetted: Vetted::default(),
            findings: Findings::default(),
        };
        verification.check(store.steps(), depth)?;
        Ok(verification)
    }

    /// Returns the connection, inside the read transaction of the verification.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the newest generation and its state digest as the chain has them; `None` if its newest row is damaged.
    pub fn newest(&self) -> Option<(u64, Digest)> {
        self.head.map(|head| (head.generation, head.state_digest))
    }

    /// Returns the bytes of an object that is a document, checked against its digest; `None` if it is not kept.
    ///
    /// # Errors
    /// Fails if they cannot be read or do not match.
    pub fn object(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        content::read(self.access(), Content::Object, digest)
    }

    /// Returns the bytes of a record, checked against its digest; `None` if it is not kept.
    ///
    /// # Errors
    /// Fails if they cannot be read or do not match.
    pub fn record(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        content::read(self.access(), Content::Record, digest)
    }

    /// Tells whether an object is kept and matches its digest. Whoever names it may ask: its bytes are read once.
    ///
    /// # Errors
    /// Fails if the database cannot be read.
    pub fn is_object_intact(&self, digest: &Digest) -> Result<bool, StoreError> {
        self.vetted
            .is_intact(self.access(), Content::Object, digest)
    }

    /// Tells whether a record is kept and matches its digest. Its bytes are read once, as those of an object are.
    ///
    /// # Errors
    /// Fails if the database cannot be read.
    pub fn is_record_intact(&self, digest: &Digest) -> Result<bool, StoreError> {
        self.vetted
            .is_intact(self.access(), Content::Record, digest)
    }

    fn access(&self) -> Access<'_> {
        Access {
            connection: &self.connection,
            home: &self.home,
            believed: None,
            checked: None,
        }
    }

    fn check(&mut self, steps: &[Migration], depth: Depth) -> Result<(), StoreError> {
        let access = Access {
            connection: &self.connection,
            home: &self.home,
            believed: None,
            checked: None,
        };
        let findings = &mut self.findings;
        access
            .connection
            .pragma_update(None, "cache_size", -PAGE_CACHE_KIB)
            .and_then(|()| access.connection.execute_batch("BEGIN"))
            .map_err(access.failed("read"))?;
        sqlite::check(access, findings, depth)?;
        findings.part("the schema", |findings| {
            schema::check(access, findings, steps)
        })?;
        findings.part("the chain", |findings| chain::check(access, findings))?;
        findings.part("the runs of the kernel", |findings| {
            kernel_runs::check(access, findings)
        })?;
        // A fault of the newest row was noted with the chain.
        let head = match promotion::head(access) {
            Ok(head) => Some(head),
            Err(error) if error.is_damage() => None,
            Err(error) => return Err(error),
        };
        self.head = head;
        let entries = match head {
            Some(head) => nodes::check(access, findings, head)?,
            None => None,
        };
        if depth == Depth::Quick {
            return Ok(());
        }
        findings.part("marks", |findings| marks::check(access, findings))?;
        findings.part("objects", |findings| {
            self.vetted = contents::check(access, findings)?;
            Ok(())
        })?;
        findings.part("triplets", |findings| {
            triplets::check(access, findings, head)
        })?;
        findings.part("changes", |findings| changes::check(access, findings, head))?;
        if let Some(head) = head {
            findings.part("the rows of the newest generation", |findings| {
                rows::check(access, findings, head, entries)
            })?;
            findings.part("history", |findings| history::check(access, findings, head))?;
            findings.part("the view", |findings| view::check(access, findings, head))?;
        }
        findings.part("staging", |findings| staging::check(access, findings))
    }
}
