//! Why the store refused or failed: one variant per thing that the caller could do differently.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use orket_kernel::{Code, Digest, Outcome, ReadError, RunId, TurnId};

/// Says why an operation on the store did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no database yet.
    #[error("there is no database at {}", path.display())]
    NoDatabase {
        /// Where it should be.
        path: PathBuf,
    },
    /// Somebody else holds the lock for longer than the bounded wait.
    #[error("{} is in use by another writer, and still was after {waited_ms} ms", path.display())]
    Busy {
        /// What is in use.
        path: PathBuf,
        /// How long was waited.
        waited_ms: u64,
    },
    /// An I/O error at a commit or a sync: what is on the disk is not known until the database is opened again.
    #[error("the state of {} is unknown until it is opened again: a commit or a sync failed", path.display())]
    Poisoned {
        /// The database.
        path: PathBuf,
        /// What failed first.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The disk or the quota is full. Nothing was changed.
    #[error("there is no space left for {}", path.display())]
    Full {
        /// What could not grow.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is to be added exceeds the quota of the home. Nothing was changed.
    #[error(
        "{} takes {used_bytes} bytes, {incoming_bytes} more would exceed the quota of {quota_bytes}",
        path.display()
    )]
    OverQuota {
        /// What the quota bounds.
        path: PathBuf,
        /// The quota.
        quota_bytes: u64,
        /// What is taken now.
        used_bytes: u64,
        /// What was to be added.
        incoming_bytes: u64,
    },
    /// The file system has less free than is to stay free. Nothing was changed.
    #[error(
        "the file system of {} has {free_bytes} bytes free; with {incoming_bytes} more it would be less than the \
         {reserve_bytes} that are to stay free",
        path.display()
    )]
    OverReserve {
        /// What was to grow.
        path: PathBuf,
        /// What is to stay free.
        reserve_bytes: u64,
        /// What is free now.
        free_bytes: u64,
        /// What was to be added.
        incoming_bytes: u64,
    },
    /// A path may not be read or written, or the medium is read-only.
    #[error("{} may not be {tried}", path.display())]
    Denied {
        /// The path.
        path: PathBuf,
        /// What was tried, as a participle: `written`, `opened`.
        tried: &'static str,
        /// What the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A transaction in which a call had failed was to be committed. Nothing was changed.
    #[error("a transaction on {} was undone, for a part of it had failed", path.display())]
    Undone {
        /// The database.
        path: PathBuf,
    },
    /// A change was asked of a store that was opened read-only.
    #[error("{} was opened read-only", path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// Another user owns the path or could write it.
    #[error("{} is not safe to use: {reason}", path.display())]
    Unsafe {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The home lies on a file system whose locks and syncs cannot be relied on.
    #[error("{} lies on {kind}, where locks and syncs cannot be relied on", path.display())]
    NetworkFileSystem {
        /// The path.
        path: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// The file at the place of the database is something else.
    #[error("{} is not a database of Orket: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that was seen.
        reason: String,
    },
    /// The database was written by a newer Orket. Nothing was read or changed.
    #[error("{} has schema step {found}, which this version of Orket ({known}) does not know", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// The step that is not known.
        found: u32,
        /// The steps that are known, as text.
        known: String,
    },
    /// The database was written by an older Orket and must be opened for writing once.
    #[error("{} lacks schema step {missing}", path.display())]
    Older {
        /// The database.
        path: PathBuf,
        /// The first step that it lacks.
        missing: u32,
    },
    /// The log of the database holds commits, and reading them needs the right to write beside it.
    #[error("{} holds commits, and they cannot be read where nothing can be written", path.display())]
    LogNotReadable {
        /// The log.
        path: PathBuf,
    },
    /// A schema step failed, or differs from what was applied under its number.
    #[error("schema step {version} cannot be applied to {}: {reason}", path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// The step.
        version: u32,
        /// What is wrong.
        reason: String,
    },
    /// The SQLite library is too old to be trusted with the write-ahead log.
    #[error("the SQLite library is version {found}, at least {needed} is needed")]
    SqliteTooOld {
        /// The version found, as SQLite numbers it.
        found: i32,
        /// The version needed.
        needed: i32,
    },
    /// A record is malformed or does not match its digest.
    #[error("the record {place} is damaged: {reason}")]
    Corrupt {
        /// Which record.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The browsable view holds what the database does not: the database is older than what it acknowledged.
    #[error(
        "the view at {} is at generation {view_generation} ({view_state_digest}), which the database at generation \
         {generation} does not hold: it is older than what it acknowledged",
        path.display()
    )]
    OlderThanView {
        /// The view.
        path: PathBuf,
        /// The generation of the view.
        view_generation: u64,
        /// The state digest of the view.
        view_state_digest: Digest,
        /// The generation of the database.
        generation: u64,
    },
    /// The turn is not the next one of its run (Law 2).
    #[error("{found} of run {run_id} cannot be promoted, {expected} comes next")]
    OutOfOrder {
        /// The run.
        run_id: RunId,
        /// The turn that comes next.
        expected: TurnId,
        /// The turn that was given.
        found: TurnId,
    },
    /// The plan was made over a state that another run has changed since. Nothing was changed.
    #[error("{turn_id} of run {run_id} cannot be promoted: {reason}")]
    Conflict {
        /// The run.
        run_id: RunId,
        /// The turn.
        turn_id: TurnId,
        /// What does not fit any more.
        reason: String,
    },
    /// The plan contradicts itself. Nothing was changed.
    #[error("the plan for {turn_id} of run {run_id} is not consistent: {reason}")]
    InvalidPlan {
        /// The run.
        run_id: RunId,
        /// The turn.
        turn_id: TurnId,
        /// What is wrong with it.
        reason: String,
    },
    /// No run of this id was started.
    #[error("there is no run {run_id}")]
    UnknownRun {
        /// The run.
        run_id: RunId,
    },
    /// The generation was made, but its history is no longer kept.
    #[error("generation {generation} is not retained; the oldest that is kept is {horizon}")]
    NotRetained {
        /// The generation that was asked for.
        generation: u64,
        /// The oldest generation that is kept.
        horizon: u64,
    },
    /// The records of the run are no longer kept.
    #[error("the records of run {run_id} are not retained")]
    RecordsNotRetained {
        /// The run.
        run_id: RunId,
    },
    /// No promotion has made this generation yet.
    #[error("there is no generation {generation}; the newest is {newest}")]
    NoGeneration {
        /// The generation that was asked for.
        generation: u64,
        /// The newest generation.
        newest: u64,
    },
    /// The turn was not promoted.
    #[error("the run {run_id} has no promoted {turn_id}")]
    NotPromoted {
        /// The run.
        run_id: RunId,
        /// The turn.
        turn_id: TurnId,
    },
    /// Files are to be written to a place that holds something already. Nothing was written.
    #[error("{} is not an empty directory", path.display())]
    NotEmpty {
        /// The place.
        path: PathBuf,
    },
    /// Something stands at the place of a file that is to be made. Nothing was written.
    #[error("{} is there already", path.display())]
    Occupied {
        /// The place.
        path: PathBuf,
    },
    /// The home has a database, and was not to lose it. Nothing was changed.
    #[error("there is a database at {}", path.display())]
    HasDatabase {
        /// The database.
        path: PathBuf,
    },
    /// The file is not a backup as Orket writes it. Nothing was changed.
    #[error("{} cannot be restored: {reason}", path.display())]
    InvalidBackup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of an exported index is not as it must be. Nothing was imported.
    #[error("{} cannot be imported: {reason}", path.display())]
    InvalidExport {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The index holds something already. Nothing was imported.
    #[error(
        "the index is at generation {generation}; an import needs one that nothing was done in"
    )]
    NotNew {
        /// Its newest generation.
        generation: u64,
    },
    /// The run was started with another envelope.
    #[error("run {run_id} was started with the envelope {kept}, not with {given}")]
    EnvelopeDiffers {
        /// The run.
        run_id: RunId,
        /// The digest of the envelope of the run.
        kept: Digest,
        /// The digest of the envelope that was given.
        given: Digest,
    },
    /// The run is closed.
    #[error("run {run_id} was finished with {outcome}")]
    RunFinished {
        /// The run.
        run_id: RunId,
        /// How it was finished.
        outcome: Outcome,
    },
    /// The run keeps other bytes under the name of this trace artifact.
    #[error("run {run_id} has another trace artifact {name:?}")]
    ArtifactExists {
        /// The run.
        run_id: RunId,
        /// The name.
        name: String,
    },
    /// A path inside the staging area is not one that is used there.
    #[error("{relative:?} is no path of the staging area: {reason}")]
    InvalidPath {
        /// The path as given, cut to 80 characters.
        relative: String,
        /// The rule it breaks.
        reason: &'static str,
    },
    /// A file could not be read or written.
    #[error("{} could not be {tried}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried, as a participle.
        tried: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// SQLite refused for another reason than those above.
    #[error("{} could not be {tried}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What was tried, as a participle.
        tried: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Returns the kernel code that the error carries, if the laws name one for it.
    pub fn code(&self) -> Option<Code> {
        match self {
            StoreError::Corrupt { .. } | StoreError::OlderThanView { .. } => {
                Some(Code::LsiCorruptRecord)
            }
            StoreError::OutOfOrder { .. }
            | StoreError::Conflict { .. }
            | StoreError::InvalidPlan { .. }
            | StoreError::EnvelopeDiffers { .. }
            | StoreError::RunFinished { .. }
            | StoreError::ArtifactExists { .. }
            | StoreError::UnknownRun { .. } => Some(Code::LsiPromotionFailed),
            _ => None,
        }
    }

    /// Returns what the reader of the error can do next.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            StoreError::NoDatabase { .. } => "start a run, or name the project directory",
            StoreError::Busy { .. } => "wait for the other command to end, then try again",
            StoreError::Poisoned { .. } => "check the disk, then start the command again",
            StoreError::Full { .. } => "make space, then try again; the state is as it was",
            StoreError::Denied { .. } => {
                "give your user the right to the path, or use another home"
            }
            StoreError::Unsafe { .. } => {
                "make your user the owner, and take the right to write from group and others"
            }
            StoreError::NetworkFileSystem { .. } => "set ORKET_HOME to a directory on a local disk",
            StoreError::Foreign { .. } => {
                "move the file away, or set ORKET_HOME to another directory"
            }
            StoreError::Newer { .. } => "use the version of Orket that wrote it, or a newer one",
            StoreError::Older { .. } => {
                "run a command that writes once, so that the database is brought forward"
            }
            StoreError::Corrupt { .. } => {
                "`orket verify` names all damage; `orket restore FILE --replace` puts a backup in its place; nothing was changed"
            }
            StoreError::OlderThanView { .. } => {
                "restore a newer backup with `orket restore`, or take the older state with `orket rebuild --accept-older`; \
                 nothing was changed"
            }
            StoreError::OutOfOrder { .. } | StoreError::Conflict { .. } => {
                "execute the turn again on the state as it is now"
            }
            StoreError::EnvelopeDiffers { .. } => "use the envelope of the run, or start a new run",
            StoreError::UnknownRun { .. } => "start the run first",
            StoreError::OverQuota { .. } => {
                "`orket gc` says what retention can let go; or raise retention.quota_bytes in orket.toml; then run the same \
                 command again"
            }
            StoreError::OverReserve { .. } => {
                "make space, or lower retention.reserve_bytes in orket.toml; then run the same command again"
            }
            StoreError::LogNotReadable { .. } => {
                "copy the home to a place that you can write and read it there, or make it writable"
            }
            StoreError::Occupied { .. } => "name a file that is not there yet",
            StoreError::HasDatabase { .. } => {
                "`--replace` gives it up for the backup; back it up first if you may want it again"
            }
            StoreError::NotEmpty { .. } => "name a directory that is empty or not there yet",
            StoreError::NotNew { .. } => {
                "import into a new project, or set ORKET_HOME to a new directory"
            }
            StoreError::RunFinished { .. } => "start a new run",
            StoreError::ArtifactExists { .. } => "keep it under another name",
            _ => return None,
        })
    }

    /// Returns the error for something that happened to a file.
    pub(crate) fn file(path: &Path, tried: &'static str, source: std::io::Error) -> StoreError {
        use std::io::ErrorKind;
        let path = path.to_path_buf();
        match source.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::Denied {
                path,
                tried,
                source: source.into(),
            },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full {
                path,
                source: source.into(),
            },
            _ => StoreError::File {
                path,
                tried,
                source,
            },
        }
    }

    /// Returns the error for something that SQLite said while `tried` was done to the database at `path`.
    pub(crate) fn sqlite(path: &Path, tried: &'static str, source: rusqlite::Error) -> StoreError {
        use rusqlite::{Error, ErrorCode};
        let malformed = |reason: String| StoreError::Corrupt {
            place: path.display().to_string(),
            reason,
        };
        match &source {
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..) => return malformed(source.to_string()),
            _ => {}
        }
        let path = path.to_path_buf();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::Busy { path, waited_ms: 0 }
            }
            Some(ErrorCode::DiskFull) => StoreError::Full {
                path,
                source: source.into(),
            },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::Denied {
                path,
                tried,
                source: source.into(),
            },
            Some(ErrorCode::NotADatabase) => StoreError::Foreign {
                path,
                reason: source.to_string(),
            },
            Some(ErrorCode::DatabaseCorrupt) => StoreError::Corrupt {
                place: path.display().to_string(),
                reason: source.to_string(),
            },
            _ => StoreError::Database {
                path,
                tried,
                source,
            },
        }
    }

    pub(crate) fn corrupt(place: impl Into<String>, reason: impl Into<String>) -> StoreError {
        StoreError::Corrupt {
            place: place.into(),
            reason: reason.into(),
        }
    }

    /// Tells whether the error says that something which was read is not as it was written, or cannot be read.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(
            self,
            StoreError::Corrupt { .. }
                | StoreError::OlderThanView { .. }
                | StoreError::Database { .. }
                | StoreError::File { .. }
                | StoreError::Foreign { .. }
        )
    }

    pub(crate) fn with_wait(self, waited_ms: u64) -> StoreError {
        match self {
            StoreError::Busy { path, .. } => StoreError::Busy { path, waited_ms },
            other => other,
        }
    }

    /// Returns the error as what a view of the state reports.
    pub(crate) fn into_read_error(self, place: &str) -> ReadError {
        match self {
            StoreError::Corrupt { place, reason } => ReadError::Corrupt { place, reason },
            other => ReadError::Unavailable {
                place: place.to_owned(),
                source: other.into(),
            },
        }
    }
}
