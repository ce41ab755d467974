//! The transaction that writes.

use std::cell::Cell;
use std::sync::MutexGuard;

use orket_kernel::{Digest, Outcome, PromotionPlan, RunEnvelope, RunHandle, RunId};
use rusqlite::Connection;

use crate::access::Access;
use crate::checked::Checked;
use crate::committed::Committed;
use crate::content::{self, Content};
use crate::gate::Pass;
use crate::promotion::{self, Head};
use crate::store::Writer;
use crate::{Store, StoreError, checkpoint, finish, promote, room, run, trace_artifact};

/// One `IMMEDIATE` transaction: everything in it becomes durable at [`CommitTransaction::commit`], or nothing does.
///
/// Dropping it undoes all of it. Once a call on it has failed it can only be dropped: a part of that call could
/// otherwise become durable.
pub struct CommitTransaction<'a> {
    store: &'a Store,
    // Fields are dropped in this order: the connection is free before the next writer is let in.
    writer: MutexGuard<'a, Writer>,
    _pass: Pass<'a>,
    has_failed: Cell<bool>,
    checked: Checked,
    head: Cell<Option<Head>>,
}

/// What a promotion reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promoted {
    /// The generation that the promotion made.
    pub generation: u64,
    /// The digest of the whole committed state after it.
    pub state_digest: Digest,
}

impl<'a> CommitTransaction<'a> {
    pub(crate) fn new(
        store: &'a Store,
        writer: MutexGuard<'a, Writer>,
        pass: Pass<'a>,
    ) -> CommitTransaction<'a> {
        CommitTransaction {
            store,
            writer,
            _pass: pass,
            has_failed: Cell::new(false),
            checked: Checked::default(),
            head: Cell::new(None),
        }
    }

    /// Returns the connection, for the tables of other crates. Never begin, commit or roll back on it.
    pub fn connection(&self) -> &Connection {
        &self.writer.connection
    }

    /// Returns where the index stands inside the transaction.
    ///
    /// # Errors
    /// Fails if the chain cannot be read or does not verify.
    pub fn head(&self) -> Result<Head, StoreError> {
        if let Some(head) = self.head.get() {
            return Ok(head);
        }
        let head = promotion::head(self.access())?;
        self.head.set(Some(head));
        Ok(head)
    }

    /// Returns the view of the state inside the transaction, promotions of the transaction included. A plan that is
    /// made over it cannot meet a conflict. The view stays at its head: take it again after a promotion.
    ///
    /// # Errors
    /// As [`CommitTransaction::head`].
    pub fn state(&self) -> Result<Committed<'_>, StoreError> {
        Ok(Committed::new(self.access(), self.head()?))
    }

    /// Keeps the envelope of a run and returns its handle. The same envelope again is no change.
    ///
    /// # Errors
    /// [`StoreError::EnvelopeDiffers`] if the run was started with another envelope.
    pub fn start_run(&self, envelope: &RunEnvelope) -> Result<RunHandle, StoreError> {
        self.judge(run::start(self.access(), envelope))
    }

    /// Notes how a run ended. Nothing of it is promoted any more.
    ///
    /// # Errors
    /// [`StoreError::RunFinished`] if it was finished before.
    pub fn finish_run(&self, run_id: &RunId, outcome: Outcome) -> Result<(), StoreError> {
        self.judge(finish::keep(self.access(), run_id, outcome))
    }

    /// Keeps a trace artifact of a run. The same bytes again are no change.
    ///
    /// # Errors
    /// [`StoreError::ArtifactExists`] if the run has another one of this name.
    pub fn keep_trace_artifact(
        &self,
        run_id: &RunId,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        self.judge(trace_artifact::keep(self.access(), run_id, name, bytes))
    }

    /// Promotes one turn of a run that is open: keeps its objects and its record, changes triplets and refs,
    /// appends to the chain and moves the ledger.
    ///
    /// # Errors
    /// [`StoreError::RunFinished`] if the run is closed; [`StoreError::OutOfOrder`] unless the turn is the next one of its run (Law 2); [`StoreError::Conflict`] if
    /// the state is not the one that the plan was made over.
    pub fn promote(
        &self,
        plan: &PromotionPlan,
        turn_record: &[u8],
    ) -> Result<Promoted, StoreError> {
        let head = self.judge(
            self.head()
                .and_then(|head| promote::apply(self.access(), head, plan, turn_record)),
        )?;
        self.head.set(Some(head));
        Ok(Promoted {
            generation: head.generation,
            state_digest: head.state_digest,
        })
    }

    /// Keeps bytes that name a run, such as a turn record or an exchange, and returns their digest. They lie outside
    /// the state digest.
    ///
    /// # Errors
    /// Fails if they cannot be written.
    pub fn keep_record(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of_bytes(bytes);
        self.judge(content::keep(
            self.access(),
            Content::Record,
            &digest,
            bytes,
        ))?;
        Ok(digest)
    }

    /// Refuses to add contents of `incoming_bytes` if the limits of the store leave no room for them. To be called before
    /// anything is added.
    ///
    /// # Errors
    /// [`StoreError::OverQuota`], [`StoreError::OverReserve`].
    ///
    /// # Limitations
    /// Rows and nodes that a turn adds beside its contents are not foreseen; they may exceed the quota by some pages, and
    /// the next call then refuses.
    pub fn check_room(&self, incoming_bytes: u64) -> Result<(), StoreError> {
        room::check(self.access(), self.store.limits(), incoming_bytes)
    }

    /// Makes everything durable. When it has returned, a power cut does not undo it.
    ///
    /// # Errors
    /// [`StoreError::Poisoned`] on an I/O error: whether the transaction is on the disk is then not known before the
    /// database is opened again. After any other error nothing of it is; [`StoreError::Undone`] if a call on the
    /// transaction had failed.
    pub fn commit(self) -> Result<(), StoreError> {
        if self.has_failed.get() {
            let path = self.store.layout().database();
            return Err(StoreError::Undone { path });
        }
        let committed = self
            .writer
            .connection
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]));
        match committed {
            Ok(_) => {
                self.store.note_commit();
                // What was asked for is durable. If the log cannot be brought into the database now, the next call says so.
                let _ = self.store.judge(checkpoint::if_due(self.access()));
                Ok(())
            }
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure) =>
            {
                Err(self.store.poison(error))
            }
            Err(error) => Err(self.access().failed("committed")(error)),
        }
    }

    fn judge<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            self.has_failed.set(true);
        }
        self.store.judge(result)
    }

    pub(crate) fn access(&self) -> Access<'_> {
        Access {
            connection: &self.writer.connection,
            home: self.store.layout(),
            believed: Some(&self.writer.believed),
            checked: Some(&self.checked),
        }
    }
}

impl Drop for CommitTransaction<'_> {
    fn drop(&mut self) {
        let connection = &self.writer.connection;
        if connection.is_autocommit() {
            return;
        }
        if let Err(error) = connection.execute_batch("ROLLBACK") {
            self.store.poison(error);
        }
    }
}
