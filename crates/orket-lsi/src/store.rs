//! The store: one database, one writer connection, as many snapshots as are wanted.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::access::Access;
use crate::believed::Believed;
use crate::commit::CommitTransaction;
use crate::gate::{Gate, Pass};
use crate::home::Home;
use crate::home_lock::{self, HomeLock};
use crate::migration::{self, Migration, Progress};
use crate::promotion::Head;
use crate::reading::{self, Reading};
use crate::recovery::Recovery;
use crate::room::Limits;
use crate::verify::{Depth, Verification};
use crate::{Snapshot, Staging, StoreError, creation, database, view};

/// How a store behaves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a writer waits for another one.
    pub busy_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            busy_timeout: Duration::from_secs(5),
        }
    }
}

/// The Local Sovereign Index of one home directory.
///
/// Threads may share it. Once a commit or a sync has failed with an I/O error, every call fails with
/// [`StoreError::Poisoned`]: nothing is retried in the same process.
pub struct Store {
    home: Home,
    settings: Settings,
    /// The schema steps that the database has while this program may use it.
    steps: Vec<Migration>,
    /// `None` if the store was opened read-only.
    writer: Option<Mutex<Writer>>,
    /// Held by a store that can write: nobody puts another database in its place meanwhile.
    _lock: Option<HomeLock>,
    limits: Limits,
    /// What the opening cleaned up.
    cleaned: Recovery,
    /// How connections that read are opened.
    reading: Reading,
    gate: Gate,
    poison: Mutex<Option<Cause>>,
    /// How often this process committed.
    commits: AtomicU64,
}

/// The connection that writes, and the nodes that were checked on it.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) believed: Believed,
}

impl Writer {
    fn new(connection: Connection) -> Writer {
        Writer {
            connection,
            believed: Believed::default(),
        }
    }
}

type Cause = Arc<dyn std::error::Error + Send + Sync>;

impl Store {
    /// Opens the store of `home`, and makes it if there is none. `migrations` are the schema steps of other crates.
    ///
    /// # Errors
    /// Refuses a home that others can write or that lies on a network file system, a file that is no database of
    /// Orket, and one that a newer Orket wrote.
    pub fn open(home: &Path, migrations: &[Migration]) -> Result<Store, StoreError> {
        Store::open_with(home, migrations, Settings::default())
    }

    /// As [`Store::open`], with settings.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(
        home: &Path,
        migrations: &[Migration],
        settings: Settings,
    ) -> Result<Store, StoreError> {
        database::check_library()?;
        let home = Home::create(home)?;
        let path = home.database();
        let steps = migration::all(migrations, &path)?;
        let lock = home_lock::as_writer(&home)?;
        creation::create(&home, &steps)?;
        home.check()?;
        let opened = (|| {
            // A look first: setting up the connection writes, and what is not ours must stay as it is.
            refuse_foreign(&path, &steps, settings)?;
            let mut connection = database::open_writer(&path, settings.busy_timeout)?;
            if !matches!(
                migration::examine(&connection, &steps, &path)?,
                Progress::Complete
            ) {
                migration::apply(&mut connection, &steps, &path)?;
            }
            Ok(connection)
        })();
        let connection =
            opened.map_err(|error: StoreError| error.with_wait(millis(settings.busy_timeout)))?;
        Ok(Store {
            _lock: Some(lock),
            cleaned: Recovery::clean(&home)?,
            ..Store::new(home.clone(), settings, steps, Some(connection))
        })
    }

    /// Opens the store of `home` for reading; neither makes nor changes anything but the shared memory of its readers (`-shm`)
    /// and an empty log. A home that nobody can write is read as it lies there if its log is empty.
    ///
    /// # Errors
    /// [`StoreError::NoDatabase`] if there is none, [`StoreError::Older`] if it must be brought forward first,
    /// [`StoreError::LogNotReadable`] if its log holds commits that cannot be read without writing, and as [`Store::open`].
    pub fn open_read_only(home: &Path, migrations: &[Migration]) -> Result<Store, StoreError> {
        Store::open_read_only_with(home, migrations, Settings::default())
    }

    /// As [`Store::open_read_only`], with settings.
    ///
    /// # Errors
    /// As [`Store::open_read_only`].
    pub fn open_read_only_with(
        home: &Path,
        migrations: &[Migration],
        settings: Settings,
    ) -> Result<Store, StoreError> {
        database::check_library()?;
        let home = Home::find(home)?;
        let path = home.database();
        let steps = migration::all(migrations, &path)?;
        let look = |reading: Reading| {
            let connection = reading.open(&path, settings.busy_timeout)?;
            migration::examine(&connection, &steps, &path)
        };
        let mut reading = Reading::Shared;
        let progress = match look(reading) {
            Err(error) if reading::needs_writing(&error) => {
                reading = Reading::of_unwritable(&path)?;
                look(reading)?
            }
            other => other?,
        };
        match progress {
            Progress::Empty => Err(StoreError::NoDatabase { path }),
            Progress::Lacks(missing) => Err(StoreError::Older { path, missing }),
            Progress::Complete => Ok(Store {
                reading,
                ..Store::new(home, settings, steps, None)
            }),
        }
    }

    fn new(
        home: Home,
        settings: Settings,
        steps: Vec<Migration>,
        writer: Option<Connection>,
    ) -> Store {
        Store {
            home,
            settings,
            steps,
            writer: writer.map(Writer::new).map(Mutex::new),
            _lock: None,
            limits: Limits::default(),
            cleaned: Recovery::default(),
            reading: Reading::Shared,
            gate: Gate::default(),
            poison: Mutex::default(),
            commits: AtomicU64::new(0),
        }
    }

    /// Bounds the room that the home may take; see [`CommitTransaction::check_room`].
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Store {
        Store { limits, ..self }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the home directory, with symbolic links resolved.
    pub fn home(&self) -> &Path {
        self.home.root()
    }

    pub(crate) fn cleaned(&self) -> &Recovery {
        &self.cleaned
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.writer.is_none()
    }

    pub(crate) fn steps(&self) -> &[Migration] {
        &self.steps
    }

    pub(crate) fn layout(&self) -> &Home {
        &self.home
    }

    /// Takes a snapshot of the committed state, on a connection of its own that cannot write.
    ///
    /// # Errors
    /// Fails if the database cannot be read, or if its newest promotion does not verify.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.check_poison()?;
        let connection = self
            .reading
            .open(&self.home.database(), self.settings.busy_timeout)
            .map_err(|error| self.waited(error))?;
        self.check_steps(&connection)?;
        Snapshot::begin(connection, self.home.clone()).map_err(|error| self.waited(error))
    }

    /// Runs `work` on the writer connection outside a transaction, while no other writer of this process is at it.
    pub(crate) fn with_writer<T>(
        &self,
        work: impl FnOnce(Access<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (_pass, writer) = self.enter()?;
        let access = Access {
            connection: &writer.connection,
            home: &self.home,
            believed: None,
            checked: None,
        };
        self.judge(work(access).map_err(|error| self.waited(error)))
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(crate) fn note_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins the transaction that writes. Only one lives at a time, over all processes.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another writer does not end in time.
    pub fn begin(&self) -> Result<CommitTransaction<'_>, StoreError> {
        let path = self.home.database();
        let (pass, writer) = self.enter()?;
        writer
            .connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
            .map_err(|error| self.waited(StoreError::sqlite(&path, "locked", error)))?;
        let transaction = CommitTransaction::new(self, writer, pass);
        self.check_steps(transaction.connection())?;
        Ok(transaction)
    }

    /// Waits for the writer connection.
    fn enter(&self) -> Result<(Pass<'_>, MutexGuard<'_, Writer>), StoreError> {
        self.check_poison()?;
        let path = self.home.database();
        let Some(writer) = &self.writer else {
            return Err(StoreError::ReadOnly { path });
        };
        let waited_ms = millis(self.settings.busy_timeout);
        let Some(pass) = self.gate.enter(self.settings.busy_timeout) else {
            return Err(StoreError::Busy { path, waited_ms });
        };
        self.check_poison()?;
        // A thread that panicked inside a transaction has rolled it back while unwinding.
        let writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((pass, writer))
    }

    /// Looks at what is kept and lists what is damaged; changes nothing. The full depth costs time in proportion to all
    /// that is kept.
    ///
    /// # Errors
    /// Fails only for what says nothing about the records: a busy database, a home that may not be read. Damage is a
    /// fault among the findings.
    ///
    /// # Limitations
    /// It cannot tell a database that somebody rewrote consistently, nor one that lost its newest commits together with
    /// every projection that bears them. While the view is being checked, nobody can bring it forward.
    pub fn verify(&self, depth: Depth) -> Result<Verification, StoreError> {
        self.check_poison()?;
        let connection = self
            .reading
            .open(&self.home.database(), self.settings.busy_timeout)
            .map_err(|error| self.waited(error))?;
        self.check_steps(&connection)?;
        Verification::run(connection, self, depth).map_err(|error| self.waited(error))
    }

    pub(crate) fn open_copier(&self) -> Result<Connection, StoreError> {
        self.check_poison()?;
        let connection = self
            .reading
            .open_copier(&self.home.database(), self.settings.busy_timeout)
            .map_err(|error| self.waited(error))?;
        self.check_steps(&connection)?;
        Ok(connection)
    }

    /// Returns where the index of a home stands that is not in use yet.
    pub(crate) fn open_raw_head(home: &Home) -> Result<Head, StoreError> {
        let connection = database::open_reader(&home.database(), Duration::ZERO)?;
        Ok(Snapshot::begin(connection, home.clone())?.head())
    }

    /// Returns where the index stands.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub fn head(&self) -> Result<Head, StoreError> {
        Ok(self.snapshot()?.head())
    }

    /// Returns the staging area.
    pub fn staging(&self) -> Staging {
        Staging::of(&self.home)
    }

    /// Brings the browsable view in `index/committed/` forward to the newest generation and returns how many files
    /// were written or removed. A view that is missing or unreadable is written anew.
    ///
    /// # Errors
    /// [`StoreError::OlderThanView`] if the view holds what the database does not; [`StoreError::Busy`] if another
    /// process is at it.
    pub fn project_view(&self) -> Result<u64, StoreError> {
        view::project(self)
    }

    /// Writes the browsable view anew and returns how many files were written or removed.
    ///
    /// # Errors
    /// As [`Store::project_view`]; with `accept_older` a view that is ahead is written anew too.
    pub fn rebuild_view(&self, accept_older: bool) -> Result<u64, StoreError> {
        view::rebuild(self, accept_older)
    }

    /// Refuses to go on when another process has brought the database to steps that this program does not know.
    fn check_steps(&self, connection: &Connection) -> Result<(), StoreError> {
        let path = self.home.database();
        let found: i64 = connection
            .prepare_cached("PRAGMA user_version")
            .and_then(|mut version| version.query_row([], |row| row.get(0)))
            .map_err(|error| self.waited(StoreError::sqlite(&path, "read", error)))?;
        if usize::try_from(found) == Ok(self.steps.len()) {
            return Ok(());
        }
        let known = format!("{} steps", self.steps.len());
        Err(StoreError::Newer {
            path,
            found: u32::try_from(found).unwrap_or(u32::MAX),
            known,
        })
    }

    /// Marks the store as one whose state is not known, and returns the error that says so.
    pub(crate) fn poison(
        &self,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> StoreError {
        let mut poison = self.lock_poison();
        let source = poison.get_or_insert_with(|| Arc::new(error)).clone();
        StoreError::Poisoned {
            path: self.home.database(),
            source,
        }
    }

    /// Lets a result pass, except that a failed sync poisons the store.
    pub(crate) fn judge<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        match result {
            Err(error) if is_io_error(&error) => Err(self.poison(error)),
            other => other,
        }
    }

    fn check_poison(&self) -> Result<(), StoreError> {
        match &*self.lock_poison() {
            None => Ok(()),
            Some(source) => {
                let source = Arc::clone(source);
                Err(StoreError::Poisoned {
                    path: self.home.database(),
                    source,
                })
            }
        }
    }

    fn lock_poison(&self) -> MutexGuard<'_, Option<Cause>> {
        self.poison.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waited(&self, error: StoreError) -> StoreError {
        error.with_wait(millis(self.settings.busy_timeout))
    }
}

/// A disk that failed to write or sync. A failed sync must not be tried again: the second one reports success although
/// the pages of the first are lost.
fn is_io_error(error: &StoreError) -> bool {
    match error {
        StoreError::Database { source, .. } => {
            source.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure)
        }
        StoreError::File { source, .. } => {
            source.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
        }
        _ => false,
    }
}

fn refuse_foreign(path: &Path, steps: &[Migration], settings: Settings) -> Result<(), StoreError> {
    let length = std::fs::metadata(path)
        .map_err(|error| StoreError::file(path, "opened", error))?
        .len();
    if length == 0 {
        return Ok(());
    }
    let connection = database::open_reader(path, settings.busy_timeout)?;
    migration::examine(&connection, steps, path).map(|_| ())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failed_sync_every_call_fails_the_same_way() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), &[]).unwrap();
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let full = StoreError::file(directory.path(), "written", full);
        assert!(matches!(
            store.judge::<()>(Err(full)),
            Err(StoreError::Full { .. })
        ));
        store.head().unwrap();
        let failed = std::io::Error::from(rustix::io::Errno::IO);
        let failed = StoreError::file(directory.path(), "synced", failed);
        let is_poisoned = |error: Option<StoreError>| {
            let error = error.unwrap();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.ends_with("could not be synced"), "{source}");
            matches!(error, StoreError::Poisoned { .. })
        };
        assert!(is_poisoned(store.judge::<()>(Err(failed)).err()));
        assert!(is_poisoned(store.begin().err()));
        assert!(is_poisoned(store.snapshot().err()));
        assert!(is_poisoned(store.head().err()));
        assert!(is_poisoned(store.project_view().err()));
        drop(store);
        Store::open(directory.path(), &[]).unwrap().head().unwrap();
    }
}
