//! The store of the Orchestrator.

use std::fs;
use std::path::{Path, PathBuf};

use orket_cards::{
    Committed, ExchangePlace, FailedAttempt, Lease, OutputLock, RunEnd, RunState, StoreFault,
    TurnCommit, TurnRecord, TurnSnapshot, TurnStore,
};
use orket_kernel::canonical;
use orket_kernel::{RunEnvelope, RunHandle, RunId, StagedTurn, TurnId};
use orket_lsi::{
    Collected, CommitTransaction, Depth, Imported, Limits, Migration, Recovery, Restored,
    Retention, Store, Sweep, Verification,
};
use orket_ports::Event;

use crate::fault::from_store;
use crate::lease::{self, FileLease};
use crate::snapshot::BoardSnapshot;
use crate::{import, journal, retention, turn, verify};

/// The schema steps of this crate.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 101,
    sql: include_str!("schema/0101_board.sql"),
}];

/// Index, board and journal in one database.
pub struct Board {
    store: Store,
}

impl Board {
    /// Opens the database of a home, and makes it if there is none.
    ///
    /// # Errors
    /// Says why the home cannot be used, and what to do.
    pub fn open(home: &Path) -> Result<Board, StoreFault> {
        Ok(Board {
            store: Store::open(home, MIGRATIONS).map_err(from_store)?,
        })
    }

    /// Opens the database of a home for reading; `None` if there is none. Nothing is made or changed.
    ///
    /// # Errors
    /// As [`Board::open`].
    pub fn open_read_only(home: &Path) -> Result<Option<Board>, StoreFault> {
        match Store::open_read_only(home, MIGRATIONS) {
            Ok(store) => Ok(Some(Board { store })),
            Err(orket_lsi::StoreError::NoDatabase { .. }) => Ok(None),
            Err(error) => Err(from_store(error)),
        }
    }

    /// Bounds the room that the home may take: a turn that would exceed it is refused before it is committed.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Board {
        Board {
            store: self.store.with_limits(limits),
        }
    }

    /// Returns what the opening found and did, and by how many generations `agent_output/` is behind.
    ///
    /// # Errors
    /// As [`Store::recovery`].
    pub fn recovery(&self) -> Result<(Recovery, u64), StoreFault> {
        let recovery = self.store.recovery().map_err(from_store)?;
        let newest = self.store.head().map_err(from_store)?.generation;
        let applied = self.output_generation()?;
        let behind = applied.map_or(0, |applied| newest.saturating_sub(applied));
        Ok((recovery, behind))
    }

    /// Returns the index.
    pub fn index(&self) -> &Store {
        &self.store
    }

    /// Returns the index alone, to look at.
    pub fn into_index(self) -> Store {
        self.store
    }

    /// Looks at index and board and lists what is damaged; changes nothing. The tables of the board are part of the full
    /// depth only.
    ///
    /// # Errors
    /// As [`Store::verify`].
    ///
    /// # Limitations
    /// As [`Store::verify`]. A fencing number or a pin that is gone as a whole row is not missed: the first lets the lease be
    /// taken anew, the second lets retention drop what was pinned.
    pub fn verify(&self, depth: Depth) -> Result<Verification, StoreFault> {
        let mut verification = self.store.verify(depth).map_err(from_store)?;
        if depth == Depth::Full {
            verify::check(&mut verification)?;
        }
        Ok(verification)
    }

    /// Makes a state that was read from files the first turn of this home: `turn-0001` of the run `import-1`, whose envelope
    /// says where it came from. The kernel judges it as it judges every turn; it is committed whole or not at all.
    ///
    /// # Errors
    /// Refuses a home in which something was done, and a state that the laws do not admit.
    ///
    /// # Limitations
    /// The imported index has the state digest of the exported one, but its own generation and turn: an import brings no
    /// history, no records of turns and no journal. Its turn cannot be replayed.
    pub fn import(&self, imported: &Imported) -> Result<Committed, StoreFault> {
        let import = import::judge(imported)?;
        self.transact(|transaction| import::apply(transaction, &import, imported))
    }

    /// Puts a backup in the place of the database of a home, after all of it was verified. See [`Store::restore`].
    ///
    /// # Errors
    /// As [`Store::restore`], and [`StoreFault::Corrupt`] if what is in the archive does not verify.
    pub fn restore(home: &Path, archive: &Path, replace: bool) -> Result<Restored, StoreFault> {
        let verify = |draft: &Path| {
            // A backup of an older Orket is brought forward before it is looked at.
            let verification = Board::open(draft)?.verify(Depth::Full)?;
            match verification.findings.faults.first() {
                None => Ok(()),
                Some(fault) => Err(StoreFault::Corrupt {
                    reason: format!(
                        "the backup is damaged at {}: {}; nothing was changed",
                        fault.place, fault.reason
                    ),
                }),
            }
        };
        Store::restore(home, archive, replace, verify, from_store)
    }

    /// Removes what `policy` lets go and nothing needs, or says what that is. See [`Store::collect`].
    ///
    /// # Errors
    /// As [`Store::collect`].
    pub fn collect(&self, policy: &Retention, sweep: Sweep) -> Result<Collected, StoreFault> {
        let collected = self
            .store
            .collect(policy, &mut retention::claims, from_store, sweep)?;
        if sweep == Sweep::Apply {
            let drop_events = |transaction: &CommitTransaction<'_>| {
                retention::drop_events(transaction.connection())
            };
            while !self.transact(drop_events)? {}
        }
        Ok(collected)
    }

    /// Runs `work` in one transaction and commits it.
    fn transact<T>(
        &self,
        work: impl FnOnce(&CommitTransaction<'_>) -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        let transaction = self.store.begin().map_err(from_store)?;
        let value = work(&transaction)?;
        transaction.commit().map_err(from_store)?;
        Ok(value)
    }

    /// Says how far `agent_output/` was brought; a projection's note, so it is neither synced nor part of the truth.
    fn output_note(&self) -> PathBuf {
        self.store.home().join("index").join("OUTPUT")
    }
}

impl TurnStore for Board {
    fn snapshot(&self) -> Result<Box<dyn TurnSnapshot + '_>, StoreFault> {
        Ok(Box::new(BoardSnapshot {
            index: self.store.snapshot().map_err(from_store)?,
        }))
    }

    fn lease(&self, run_id: &RunId) -> Result<Box<dyn Lease>, StoreFault> {
        let file = lease::lock(self.store.home(), run_id)?;
        let fence =
            self.transact(|transaction| journal::take_fence(transaction.connection(), run_id))?;
        Ok(Box::new(FileLease { _file: file, fence }))
    }

    fn start_run(
        &self,
        envelope: &RunEnvelope,
        epic: &str,
        fence: u64,
    ) -> Result<RunHandle, StoreFault> {
        self.transact(|transaction| {
            journal::check_fence(transaction.connection(), &envelope.run_id, fence)?;
            // Before model time is spent.
            transaction.check_room(0).map_err(from_store)?;
            let handle = transaction.start_run(envelope).map_err(from_store)?;
            journal::begin_run(transaction.connection(), &envelope.run_id, epic)?;
            Ok(handle)
        })
    }

    fn commit(&self, commit: &TurnCommit) -> Result<Committed, StoreFault> {
        let run_id = &commit.plan.run_id;
        let record = serialized(&commit.record)?;
        self.transact(|transaction| {
            let connection = transaction.connection();
            journal::check_fence(connection, run_id, commit.fence)?;
            journal::check_open(connection, run_id)?;
            turn::check_base(transaction, commit.base_generation)?;
            turn::apply(transaction, commit, &record)
        })
    }

    fn commit_run(
        &self,
        envelope: &RunEnvelope,
        work: &str,
        commit: &TurnCommit,
    ) -> Result<Committed, StoreFault> {
        let record = serialized(&commit.record)?;
        self.transact(|transaction| {
            turn::check_base(transaction, commit.base_generation)?;
            turn::begin_whole_run(transaction, envelope, work)?;
            let committed = turn::apply(transaction, commit, &record)?;
            journal::end_run(transaction.connection(), &envelope.run_id, RunState::Passed)?;
            Ok(committed)
        })
    }

    fn keep_failed_run(
        &self,
        envelope: &RunEnvelope,
        work: &str,
        attempt: &FailedAttempt,
    ) -> Result<Vec<Event>, StoreFault> {
        let record = serialized(&attempt.record)?;
        self.transact(|transaction| {
            turn::begin_whole_run(transaction, envelope, work)?;
            let events = turn::keep_attempt(transaction, &envelope.run_id, attempt, &record)?;
            journal::end_run(transaction.connection(), &envelope.run_id, RunState::Failed)?;
            Ok(events)
        })
    }

    fn keep_attempt(&self, attempt: &FailedAttempt) -> Result<Vec<Event>, StoreFault> {
        let run_id = RunId::parse(&attempt.record.run_id).map_err(|error| StoreFault::Failed {
            what: "the run id".into(),
            source: Box::new(error),
        })?;
        let record = serialized(&attempt.record)?;
        self.transact(|transaction| {
            let connection = transaction.connection();
            journal::check_fence(connection, &run_id, attempt.fence)?;
            journal::check_open(connection, &run_id)?;
            turn::keep_attempt(transaction, &run_id, attempt, &record)
        })
    }

    fn end_run(&self, end: &RunEnd) -> Result<Vec<Event>, StoreFault> {
        self.transact(|transaction| {
            let connection = transaction.connection();
            journal::check_fence(connection, &end.run_id, end.fence)?;
            journal::end_run(connection, &end.run_id, end.state)?;
            journal::add_events(connection, &end.run_id, &end.events)
        })
    }

    fn stage_exchange(&self, place: &ExchangePlace, bytes: &[u8]) -> Result<(), StoreFault> {
        self.store
            .staging()
            .write(&place.run_id, place.turn_id, &exchange_path(place), bytes)
            .map_err(from_store)
    }

    fn staged_exchange(&self, place: &ExchangePlace) -> Result<Option<Vec<u8>>, StoreFault> {
        self.store
            .staging()
            .read(&place.run_id, place.turn_id, &exchange_path(place))
            .map_err(from_store)
    }

    fn stage_turn(&self, staged: &StagedTurn) -> Result<(), StoreFault> {
        self.store.staging().stage_turn(staged).map_err(from_store)
    }

    fn discard_staging(&self, run_id: &RunId, turn_id: TurnId) -> Result<(), StoreFault> {
        self.store
            .staging()
            .discard(run_id, turn_id)
            .map_err(from_store)
    }

    fn staged_turns(&self, run_id: &RunId) -> Result<Vec<TurnId>, StoreFault> {
        self.store.staging().turns(run_id).map_err(from_store)
    }

    fn lock_output(&self) -> Result<Box<dyn OutputLock>, StoreFault> {
        Ok(Box::new(lease::lock_output(self.store.home())?))
    }

    fn project_view(&self) -> Result<(), StoreFault> {
        match self.store.project_view() {
            // Whoever is at it brings the view forward, or the next commit does; a projection may lag.
            Ok(_) | Err(orket_lsi::StoreError::Busy { .. }) => Ok(()),
            Err(error) => Err(from_store(error)),
        }
    }

    fn rebuild_view(&self, accept_older: bool) -> Result<u64, StoreFault> {
        self.store.rebuild_view(accept_older).map_err(from_store)
    }

    fn forget_output_generation(&self) -> Result<(), StoreFault> {
        match fs::remove_file(self.output_note()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(self.note_fault(&error))
            }
            _ => Ok(()),
        }
    }

    fn output_generation(&self) -> Result<Option<u64>, StoreFault> {
        match fs::read_to_string(self.output_note()) {
            // A torn note is no note: everything is compared again.
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.note_fault(&error)),
        }
    }

    fn note_output_generation(&self, generation: u64) -> Result<(), StoreFault> {
        let note = self.output_note();
        let draft = note.with_extension("new");
        fs::create_dir_all(self.store.home().join("index"))
            .and_then(|()| fs::write(&draft, format!("{generation}\n")))
            .and_then(|()| fs::rename(&draft, &note))
            .map_err(|error| self.note_fault(&error))
    }
}

impl Board {
    fn note_fault(&self, error: &std::io::Error) -> StoreFault {
        let path = self.output_note();
        StoreFault::Unusable {
            reason: format!("{} cannot be used: {error}", path.display()),
        }
    }
}

fn serialized(record: &TurnRecord) -> Result<Vec<u8>, StoreFault> {
    canonical::serialize(record).map_err(|error| StoreFault::Failed {
        what: "the turn record".into(),
        source: Box::new(error),
    })
}

fn exchange_path(place: &ExchangePlace) -> String {
    format!("attempt-{}/exchange-{}.json", place.attempt, place.exchange)
}
