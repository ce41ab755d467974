//! Reads of the committed state, as of one moment.

use std::path::Path;

use orket_kernel::{
    Digest, Payload, ReadError, RefSource, RunEnvelope, RunId, StateView, Stem, TripletRecord,
    TurnId,
};
use rusqlite::Connection;

use crate::access::Access;
use crate::believed::Believed;
use crate::checked::Checked;
use crate::committed::Committed;
use crate::content::{self, Content};
use crate::difference::{self, StemDifference};
use crate::home::Home;
use crate::past::Past;
use crate::promotion::{self, Head, PromotionRow};
use crate::retention::mark;
use crate::{StoreError, export, history, horizon, ledger, row, run};

/// The committed state at one generation: a read transaction on a connection that cannot write.
///
/// Promotions that are committed while it lives do not show in it. It keeps the write-ahead log from being emptied,
/// so hold it no longer than a turn.
pub struct Snapshot {
    connection: Connection,
    home: Home,
    head: Head,
    believed: Believed,
    checked: Checked,
}

impl Snapshot {
    pub(crate) fn begin(connection: Connection, home: Home) -> Result<Snapshot, StoreError> {
        let access = Access {
            connection: &connection,
            home: &home,
            believed: None,
            checked: None,
        };
        connection
            .execute_batch("BEGIN")
            .map_err(access.failed("read"))?;
        // The first read is what fixes the moment.
        let head = promotion::head(access)?;
        Ok(Snapshot {
            connection,
            home,
            head,
            believed: Believed::default(),
            checked: Checked::default(),
        })
    }

    /// Returns the connection, for reads of the tables of other crates.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns where the index stands.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Returns the ids of all runs, sorted.
    ///
    /// # Errors
    /// Fails if they cannot be read.
    pub fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        run::all(self.access())
    }

    /// Returns the envelope of a run, checked against its digest; `None` if there is no such run.
    ///
    /// # Errors
    /// Fails if it cannot be read or is damaged, or is missing while other rows name the run.
    pub fn envelope(&self, run_id: &RunId) -> Result<Option<RunEnvelope>, StoreError> {
        let found = run::envelope(self.access(), run_id)?;
        if found.is_none() {
            run::check_never_named(self.access(), run_id)?;
        }
        Ok(found)
    }

    /// Returns the last promoted turn of a run; `None` if none was promoted.
    ///
    /// # Errors
    /// Fails if the ledger cannot be read or does not agree with the chain.
    pub fn ledger(&self, run_id: &RunId) -> Result<Option<TurnId>, StoreError> {
        ledger::last_turn(self.access(), run_id)
    }

    /// Returns the promotions of a run, in the order of its turns.
    ///
    /// # Errors
    /// Fails if a row cannot be read or does not match its digest.
    pub fn promotions(&self, run_id: &RunId) -> Result<Vec<PromotionRow>, StoreError> {
        promotion::of_run(self.access(), run_id)
    }

    /// Returns the promotion of one turn; `None` if it was not promoted.
    ///
    /// # Errors
    /// As [`Snapshot::promotions`].
    pub fn promotion(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<PromotionRow>, StoreError> {
        promotion::of_turn(self.access(), run_id, turn_id)
    }

    /// Returns the promotion that made a generation; `None` if there is no such generation.
    ///
    /// # Errors
    /// As [`Snapshot::promotions`].
    pub fn promotion_at(&self, generation: u64) -> Result<Option<PromotionRow>, StoreError> {
        promotion::at(self.access(), generation)
    }

    /// Returns the bytes of a record, checked against the digest; `None` if it is not kept.
    ///
    /// # Errors
    /// Fails if they cannot be read or do not match.
    pub fn record(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        content::read(self.access(), Content::Record, digest)
    }

    /// Walks the whole chain of promotions and returns where it ends. Costs time in proportion to its length.
    ///
    /// # Errors
    /// Fails at the first row that does not match its digest or does not follow the one before.
    pub fn verify_chain(&self) -> Result<Head, StoreError> {
        promotion::verify_chain(self.access())
    }

    /// Computes the state digest from all rows, without the stored nodes. Costs time in proportion to the state.
    ///
    /// # Errors
    /// Fails if a row cannot be read or is malformed.
    pub fn recompute_state_digest(&self) -> Result<Digest, StoreError> {
        Past::open(self.access(), self.head, self.head.generation)?.state_digest()
    }

    /// Returns the state as it was at a generation; generation 0 is the empty state.
    ///
    /// # Errors
    /// [`StoreError::NotRetained`] below the horizon, [`StoreError::NoGeneration`] above the newest generation, and if
    /// the promotion that made it is damaged.
    pub fn at(&self, generation: u64) -> Result<Past<'_>, StoreError> {
        Past::open(self.access(), self.head, generation)
    }

    /// Returns the state as it was after a turn of a run.
    ///
    /// # Errors
    /// [`StoreError::NotPromoted`] if the turn was not promoted, and as [`Snapshot::at`].
    pub fn at_turn(&self, run_id: &RunId, turn_id: TurnId) -> Result<Past<'_>, StoreError> {
        match self.promotion(run_id, turn_id)? {
            Some(row) => self.at(row.generation),
            None => Err(StoreError::NotPromoted {
                run_id: run_id.clone(),
                turn_id,
            }),
        }
    }

    /// Returns the oldest generation that [`Snapshot::at`] can read.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub fn horizon(&self) -> Result<u64, StoreError> {
        horizon::read(self.access())
    }

    /// Tells whether retention dropped the records of a run.
    ///
    /// # Errors
    /// Fails if it cannot be read, or if its row does not match the digest.
    pub fn is_dropped(&self, run_id: &RunId) -> Result<bool, StoreError> {
        mark::is_dropped(self.access(), run_id)
    }

    /// Lists the stems that the promotions after the generation `after` up to `until` changed, sorted. What retention let go
    /// is not among them.
    ///
    /// # Errors
    /// Fails if a row cannot be read.
    pub fn changed(&self, after: u64, until: u64) -> Result<Vec<Stem>, StoreError> {
        let names = history::changed(self.access(), "triplet", after, until)?;
        names.iter().map(|name| row::stem(name)).collect()
    }

    /// Lists the stems whose content differs between two generations, sorted. Costs time in proportion to what the
    /// promotions between them changed.
    ///
    /// # Errors
    /// Fails if a row cannot be read.
    pub fn difference(
        &self,
        from: &Past<'_>,
        to: &Past<'_>,
    ) -> Result<Vec<StemDifference>, StoreError> {
        difference::between(self.access(), from, to)
    }

    /// Writes the state of a generation as the files of Spec-002 into `directory`, which must be missing or empty, and
    /// returns how many files there are. The directory is there whole or not at all, and durable.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`] if the place is taken, [`StoreError::Corrupt`] if the rows of the generation do not have its
    /// state digest, [`StoreError::File`] if a file cannot be written.
    ///
    /// # Limitations
    /// A killed export leaves a directory `<name>.new-<process>` beside the place. Records of turns are not exported.
    pub fn export(&self, past: &Past<'_>, directory: &Path) -> Result<u64, StoreError> {
        export::write(self.access(), past, directory)
    }

    pub(crate) fn access(&self) -> Access<'_> {
        Access {
            connection: &self.connection,
            home: &self.home,
            believed: Some(&self.believed),
            checked: Some(&self.checked),
        }
    }

    pub(crate) fn committed(&self) -> Committed<'_> {
        Committed::new(self.access(), self.head)
    }
}

impl StateView for Snapshot {
    fn triplet(&self, stem: &Stem) -> Result<Option<TripletRecord>, ReadError> {
        self.committed().triplet(stem)
    }

    fn definition(&self, id: &str) -> Result<Option<Stem>, ReadError> {
        self.committed().definition(id)
    }

    fn sources(&self, id: &str) -> Result<Vec<RefSource>, ReadError> {
        self.committed().sources(id)
    }

    fn source_count(&self, id: &str) -> Result<u64, ReadError> {
        self.committed().source_count(id)
    }

    fn payload(&self, digest: &Digest) -> Result<Option<Payload>, ReadError> {
        self.committed().payload(digest)
    }

    fn stems(&self, prefix: &str) -> Result<Vec<Stem>, ReadError> {
        self.committed().stems(prefix)
    }
}
