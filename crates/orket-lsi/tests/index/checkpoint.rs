//! The log is brought into the database, and does not grow for ever.

use std::fs;

use crate::fixture::Fixture;

/// Under a quarter of the pages after which the log is brought in.
const RECORD_LENGTH_BYTES: usize = 900 * 1024;
const LOG_LENGTH_MAX_BYTES: u64 = 4 * 1024 * 1024;

fn keep(fixture: &Fixture, number: u8) {
    let transaction = fixture.store.begin().unwrap();
    transaction
        .keep_record(&vec![number; RECORD_LENGTH_BYTES])
        .unwrap();
    transaction.commit().unwrap();
}

fn length(fixture: &Fixture, suffix: &str) -> u64 {
    let mut path = fixture.database().into_os_string();
    path.push(suffix);
    fs::metadata(path).unwrap().len()
}

/// SQLite is told not to do it by itself, because it keeps quiet about a failed sync; so somebody must do it.
#[test]
fn a_long_log_is_brought_into_the_database_and_begun_anew() {
    let fixture = Fixture::new();
    let small = length(&fixture, "");
    for number in 0..3 {
        keep(&fixture, number);
    }
    assert_eq!(length(&fixture, ""), small, "a short log is left alone");
    for number in 3..30 {
        keep(&fixture, number);
        let log = length(&fixture, "-wal");
        assert!(
            log < 2 * LOG_LENGTH_MAX_BYTES,
            "{log} bytes after record {number}"
        );
    }
    assert!(length(&fixture, "") > 20 * RECORD_LENGTH_BYTES as u64);
    fixture.check_whole();
}
