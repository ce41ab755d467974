//! Store errors in the words of the port.

use orket_cards::StoreFault;
use orket_lsi::StoreError;
use rusqlite::ErrorCode;

/// Translates an error of the index store.
pub fn from_store(error: StoreError) -> StoreFault {
    let hint = error.hint().unwrap_or_default();
    let reason = if hint.is_empty() {
        chain(&error)
    } else {
        format!("{}; {hint}", chain(&error))
    };
    match error {
        // What the disk says is the disk's, not a bug of ours, also while a database is only opened or read.
        StoreError::Database { source, .. } => match source.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => StoreFault::Poisoned { reason },
            Some(ErrorCode::CannotOpen) => StoreFault::Unusable { reason },
            _ => StoreFault::Failed {
                what: reason,
                source: Box::new(source),
            },
        },
        StoreError::Busy { .. } => StoreFault::Busy {
            what: chain(&error),
            hint: hint.to_owned(),
        },
        StoreError::Poisoned { .. } => StoreFault::Poisoned { reason },
        StoreError::Corrupt { .. } | StoreError::OlderThanView { .. } => {
            StoreFault::Corrupt { reason }
        }
        StoreError::OverQuota { .. } | StoreError::OverReserve { .. } => {
            StoreFault::NoRoom { reason }
        }
        StoreError::NoDatabase { .. }
        | StoreError::Full { .. }
        | StoreError::Denied { .. }
        | StoreError::ReadOnly { .. }
        | StoreError::Unsafe { .. }
        | StoreError::NetworkFileSystem { .. }
        | StoreError::Foreign { .. }
        | StoreError::Newer { .. }
        | StoreError::Older { .. }
        | StoreError::LogNotReadable { .. }
        | StoreError::Migration { .. }
        | StoreError::SqliteTooOld { .. }
        | StoreError::NotEmpty { .. }
        | StoreError::NotNew { .. }
        | StoreError::InvalidExport { .. }
        | StoreError::Occupied { .. }
        | StoreError::HasDatabase { .. }
        | StoreError::InvalidBackup { .. }
        | StoreError::File { .. } => StoreFault::Unusable { reason },
        StoreError::NotRetained { .. } | StoreError::RecordsNotRetained { .. } => {
            StoreFault::NotRetained {
                what: chain(&error),
            }
        }
        StoreError::NoGeneration { .. } | StoreError::NotPromoted { .. } => {
            StoreFault::Absent { reason }
        }
        other => StoreFault::Failed {
            what: "the store".into(),
            source: Box::new(other),
        },
    }
}

/// Translates an error of SQLite on the tables of the board.
pub(crate) fn from_sqlite(error: rusqlite::Error) -> StoreFault {
    let reason = format!("the board's tables: {error}");
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreFault::Busy {
            what: "the database".into(),
            hint: "wait for the other command to end, then try again".into(),
        },
        Some(ErrorCode::SystemIoFailure) => StoreFault::Poisoned { reason },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreFault::Corrupt { reason }
        }
        Some(
            ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied,
        ) => StoreFault::Unusable { reason },
        _ => StoreFault::Failed {
            what: "the board's table".into(),
            source: Box::new(error),
        },
    }
}

/// Says that a row of the board does not hold what it must.
pub(crate) fn corrupt(place: &str, reason: impl std::fmt::Display) -> StoreFault {
    StoreFault::Corrupt {
        reason: format!("{place}: {reason}"),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bug: a disk that failed while the database was being opened was called a bug of Orket (exit 70).
    #[test]
    fn what_the_disk_says_is_not_a_bug() {
        let failed = |code: i32| {
            from_store(StoreError::Database {
                path: "/home/durable/db".into(),
                tried: "opened",
                source: rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None),
            })
        };
        // SQLITE_IOERR_SHMSIZE, SQLITE_CANTOPEN, SQLITE_MISUSE.
        assert!(matches!(failed(4874), StoreFault::Poisoned { .. }));
        assert!(matches!(failed(14), StoreFault::Unusable { .. }));
        assert!(matches!(failed(21), StoreFault::Failed { .. }));
    }
}
