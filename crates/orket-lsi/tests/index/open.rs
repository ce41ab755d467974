//! Opening: what is made, what is refused, and that reading changes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use orket_lsi::{Migration, Store, StoreError};

use crate::fixture::{Fixture, IMPATIENT, database, tree, turn};

fn open_error(home: &Path, migrations: &[Migration]) -> StoreError {
    match Store::open_with(home, migrations, IMPATIENT) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_made_is_for_its_owner_only() {
    let fixture = Fixture::new();
    fixture
        .promote(&turn("a", 1).put("note/x", &"x".repeat(2 * 1024 * 1024), &[]))
        .unwrap();
    fixture.store.project_view().unwrap();
    let staged = turn("a", 2).put("note/y", "y", &[]).staged();
    fixture.store.staging().stage_turn(&staged).unwrap();
    let mut open = vec![fixture.home()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            assert_eq!(mode(&path), 0o700, "{}", path.display());
            open.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

#[test]
fn the_settings_hold() {
    let fixture = Fixture::new();
    let transaction = fixture.store.begin().unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    for (connection, synchronous) in [(transaction.connection(), 2), (snapshot.connection(), 2)] {
        let number = |name: &str| -> i64 {
            connection
                .pragma_query_value(None, name, |row| row.get(0))
                .unwrap()
        };
        assert_eq!(number("synchronous"), synchronous);
        assert_eq!(number("foreign_keys"), 1);
        assert_eq!(number("trusted_schema"), 0);
        assert_eq!(number("application_id"), 0x4f52_4b54);
        let steps: i64 = connection
            .query_row("SELECT count(*) FROM migrations", [], |row| row.get(0))
            .unwrap();
        assert_eq!(number("user_version"), steps);
        let mode: String = connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
    }
}

#[test]
fn a_missing_database_is_not_made_by_a_reader() {
    let directory = tempfile::tempdir().unwrap();
    for home in [
        directory.path().join("none"),
        directory.path().to_path_buf(),
    ] {
        match Store::open_read_only(&home, &[]) {
            Err(StoreError::NoDatabase { path }) => assert!(path.starts_with(&home)),
            other => panic!("{:?}", other.err()),
        }
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn reading_changes_nothing() {
    let fixture = Fixture::new();
    fixture
        .promote(&turn("a", 1).put("note/x", "x", &[]))
        .unwrap();
    fixture.store.project_view().unwrap();
    let Fixture { directory, store } = fixture;
    drop(store);
    let home = directory.path().join("home");
    // The -shm file is the lock table of SQLite: memory that readers share, not content.
    let content = || {
        let mut files = tree(&home);
        files.retain(|path, _| !path.to_string_lossy().ends_with("-shm"));
        files
    };
    let before = content();
    let store = Store::open_read_only(&home, &[]).unwrap();
    assert_eq!(store.head().unwrap().generation, 1);
    assert!(matches!(store.begin(), Err(StoreError::ReadOnly { .. })));
    assert!(matches!(
        store.project_view(),
        Err(StoreError::ReadOnly { .. })
    ));
    drop(store);
    assert!(before == content());
}

#[test]
fn a_store_opens_again_with_what_it_held() {
    let fixture = Fixture::new();
    fixture
        .promote(&turn("a", 1).put("note/x", "x", &[]))
        .unwrap();
    let head = fixture.store.head().unwrap();
    let Fixture { directory, store } = fixture;
    drop(store);
    let store = Store::open(&directory.path().join("home"), &[]).unwrap();
    assert_eq!(store.head().unwrap(), head);
    assert_eq!(
        store.home(),
        directory.path().join("home").canonicalize().unwrap()
    );
}

const BOARD: Migration = Migration {
    version: 101,
    sql: "CREATE TABLE cards (id TEXT PRIMARY KEY) STRICT",
};
const BOARD_2: Migration = Migration {
    version: 102,
    sql: "CREATE TABLE comments (id TEXT) STRICT",
};

#[test]
fn other_crates_bring_their_tables() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), &[BOARD]).unwrap());
    match Store::open_read_only(directory.path(), &[BOARD, BOARD_2]) {
        Err(StoreError::Older { missing, .. }) => assert_eq!(missing, 102),
        other => panic!("{:?}", other.err()),
    }
    let store = Store::open(directory.path(), &[BOARD_2, BOARD]).unwrap();
    let transaction = store.begin().unwrap();
    transaction
        .connection()
        .execute("INSERT INTO cards VALUES ('x')", [])
        .unwrap();
    transaction.commit().unwrap();
    let snapshot = store.snapshot().unwrap();
    let cards: i64 = snapshot
        .connection()
        .query_row("SELECT count(*) FROM cards", [], |row| row.get(0))
        .unwrap();
    assert_eq!(cards, 1);
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), &[BOARD]).unwrap());
    let before = fs::read(database(directory.path())).unwrap();
    let error = open_error(directory.path(), &[]);
    assert!(
        matches!(error, StoreError::Newer { found: 101, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("101") && error.to_string().contains("orket_persistence.db")
    );
    assert!(matches!(
        Store::open_read_only(directory.path(), &[]),
        Err(StoreError::Newer { .. })
    ));
    assert_eq!(fs::read(database(directory.path())).unwrap(), before);
}

#[test]
fn a_program_that_is_overtaken_stops() {
    let directory = tempfile::tempdir().unwrap();
    let old = Store::open(directory.path(), &[]).unwrap();
    drop(Store::open(directory.path(), &[BOARD]).unwrap());
    assert!(matches!(old.begin(), Err(StoreError::Newer { .. })));
    assert!(matches!(old.snapshot(), Err(StoreError::Newer { .. })));
}

#[test]
fn a_step_that_changed_its_text_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), &[BOARD]).unwrap());
    let changed = Migration {
        version: 101,
        sql: "CREATE TABLE cards (id TEXT) STRICT",
    };
    let error = open_error(directory.path(), &[changed]);
    assert!(
        matches!(error, StoreError::Migration { version: 101, .. }),
        "{error}"
    );
}

#[test]
fn a_step_that_fails_leaves_the_steps_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let broken = Migration {
        version: 102,
        sql: "CREATE TABLE half (x); CREATE TABLE cards (id)",
    };
    let error = open_error(directory.path(), &[BOARD, broken]);
    assert!(
        matches!(error, StoreError::Migration { version: 102, .. }),
        "{error}"
    );
    let store = Store::open(directory.path(), &[BOARD]).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert!(snapshot.connection().prepare("SELECT * FROM half").is_err());
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let other = |path: &Path| {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection
            .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
            .unwrap();
    };
    let text = |path: &Path| fs::write(path, "no database\n".repeat(100)).unwrap();
    for make in [&other as &dyn Fn(&Path), &text] {
        let directory = tempfile::tempdir().unwrap();
        let path = database(directory.path());
        drop(Store::open(directory.path(), &[]).unwrap());
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        fs::DirBuilder::new()
            .create(path.parent().unwrap())
            .unwrap();
        set_mode(path.parent().unwrap(), 0o700);
        make(&path);
        set_mode(&path, 0o600);
        let before = fs::read(&path).unwrap();
        let error = open_error(directory.path(), &[]);
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
        assert!(error.hint().is_some());
        assert_eq!(fs::read(&path).unwrap(), before);
        assert!(matches!(
            Store::open_read_only(directory.path(), &[]),
            Err(StoreError::Foreign { .. })
        ));
    }
}

#[test]
fn what_others_can_write_is_refused() {
    for (relative, mode) in [
        ("", 0o720),
        ("", 0o702),
        ("durable", 0o770),
        ("durable/db", 0o777),
        ("durable/db/orket_persistence.db", 0o660),
        ("durable/db/orket_persistence.db", 0o606),
    ] {
        let fixture = Fixture::new();
        let path = fixture.home().join(relative);
        set_mode(&path, mode);
        for error in [
            open_error(&fixture.home(), &[]),
            Store::open_read_only(&fixture.home(), &[]).err().unwrap(),
        ] {
            match error {
                StoreError::Unsafe {
                    path: named,
                    reason,
                } => {
                    assert_eq!(named, path.canonicalize().unwrap());
                    assert!(reason.contains(&format!("{mode:04o}")), "{reason}");
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn a_symbolic_link_in_place_of_the_database_is_refused() {
    let fixture = Fixture::new();
    let elsewhere = fixture.directory.path().join("elsewhere.db");
    fs::rename(fixture.database(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, fixture.database()).unwrap();
    assert!(matches!(
        open_error(&fixture.home(), &[]),
        StoreError::Unsafe { .. }
    ));
}

#[test]
fn what_another_user_owns_is_refused() {
    let fixture = Fixture::new();
    // Only root can give a file away; for everyone else the case cannot be made.
    if std::os::unix::fs::chown(fixture.home(), Some(12345), None).is_ok() {
        assert!(matches!(
            open_error(&fixture.home(), &[]),
            StoreError::Unsafe { .. }
        ));
    }
}

#[test]
fn an_interrupted_creation_is_finished() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), &[]).unwrap());
    for name in ["orket_persistence.db-wal", "orket_persistence.db-shm"] {
        let _ = fs::remove_file(database(directory.path()).with_file_name(name));
    }
    fs::write(database(directory.path()), "").unwrap();
    assert!(matches!(
        Store::open_read_only(directory.path(), &[]),
        Err(StoreError::NoDatabase { .. })
    ));
    let store = Store::open(directory.path(), &[]).unwrap();
    assert_eq!(store.head().unwrap().generation, 0);
}

/// A new database beside the log of the lost one would take that log for its own.
#[test]
fn a_lost_database_is_no_new_beginning() {
    let whole = Fixture::new();
    let long = "long ".repeat(250_000);
    whole
        .promote(&turn("a", 1).put("note/x", &long, &[]))
        .unwrap();
    whole.store.project_view().unwrap();
    for lose in [
        |path: &Path| fs::remove_file(path).unwrap(),
        |path: &Path| fs::write(path, "").unwrap(),
    ] {
        // With each witness that is taken away, the next one speaks; without any, the home is a new one.
        let Fixture { directory, store } = whole.copy();
        drop(store);
        let home = directory.path().join("home");
        let log = database(&home).with_file_name("orket_persistence.db-wal");
        lose(&database(&home));
        for (witness, of) in [
            (log, "its log"),
            (home.join("index"), "the view shows generation 1"),
            (home.join("durable/blobs"), "holds contents of it"),
        ] {
            let of_reader = Store::open_read_only(&home, &[]).err().unwrap();
            for error in [of_reader, open_error(&home, &[])] {
                let StoreError::Corrupt { place, reason } = error else {
                    panic!("{error:?}");
                };
                assert_eq!(Path::new(&place), database(&home));
                assert!(reason.contains(of), "{reason}");
            }
            let _ = fs::remove_file(&witness);
            let _ = fs::remove_dir_all(&witness);
        }
        assert_eq!(
            Store::open(&home, &[]).unwrap().head().unwrap().generation,
            0
        );
    }
}
