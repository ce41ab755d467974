//! The browsable view: brought forward step by step it is what it would be when written anew.

use std::fs;

use orket_kernel::{Code, Digest, StateView, canonical};
use orket_lsi::{Store, StoreError, token};

use crate::fixture::{Fixture, stem, tree, turn};

fn view(fixture: &Fixture) -> std::path::PathBuf {
    fixture.home().join("index/committed")
}

#[test]
fn brought_forward_is_written_anew() {
    let fixture = Fixture::new();
    fixture.store.project_view().unwrap();
    let turns = [
        turn("a", 1)
            .put("note/p", "p", &[])
            .put("note/x", "x", &["p"])
            .put("note/Y", "y", &["p", "x"]),
        turn("a", 2).put("note/x", "changed", &[]),
        turn("a", 3),
        turn("a", 4).delete("note/Y").put("other/Y", "y", &["p"]),
        turn("a", 5).delete("other/Y").delete("note/x"),
        turn("a", 6)
            .put("note/x", "x", &["p"])
            .put("note/ünï/cöde", "u", &["x"]),
    ];
    for (at, turn) in turns.iter().enumerate() {
        fixture.promote(turn).unwrap();
        // Sometimes the view lags behind by more than one generation.
        if at % 2 == 0 {
            continue;
        }
        assert!(fixture.store.project_view().unwrap() > 0);
        assert_eq!(fixture.store.project_view().unwrap(), 0);
        let forward = tree(&view(&fixture));
        fs::remove_file(view(&fixture).join("VIEW")).unwrap();
        fixture.store.project_view().unwrap();
        assert!(forward == tree(&view(&fixture)), "after turn {}", at + 1);
    }
}

/// A power cut once left a marker of the newest generation over files that were never written: the view is not synced, and
/// nothing looked at it again.
#[test]
#[cfg(target_os = "linux")]
fn after_another_start_of_the_machine_the_view_is_written_anew() {
    let fixture = Fixture::new();
    let turn = turn("a", 1)
        .put("note/p", "p", &[])
        .put("note/x", "x", &["p"]);
    fixture.promote(&turn).unwrap();
    fixture.store.project_view().unwrap();
    let whole = tree(&view(&fixture));
    fs::remove_dir_all(view(&fixture).join("triplets")).unwrap();
    assert_eq!(
        fixture.store.project_view().unwrap(),
        0,
        "nobody looks while the machine runs"
    );
    let boot = fixture.home().join("index/committed.boot");
    for torn in ["another start\n", ""] {
        fs::write(&boot, torn).unwrap();
        assert!(fixture.store.project_view().unwrap() > 0);
        assert!(whole == tree(&view(&fixture)));
        assert_eq!(fixture.store.project_view().unwrap(), 0);
    }
}

#[test]
fn files_are_the_records_of_the_law() {
    let fixture = Fixture::new();
    fixture
        .promote(
            &turn("a", 1)
                .put("note/P", "p", &[])
                .put("note/x", "x", &["P"]),
        )
        .unwrap();
    fixture.store.project_view().unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let digits = |name: &str| Digest::of_bytes(name.as_bytes()).to_hex()[..2].to_owned();
    let file = |directory: &str, name: &str| {
        let path = view(&fixture)
            .join(directory)
            .join(digits(name))
            .join(format!("{}.json", token(name)));
        String::from_utf8(fs::read(path).unwrap()).unwrap()
    };
    let record = snapshot.triplet(&stem("note/x")).unwrap().unwrap();
    let bytes = canonical::serialize(&record).unwrap();
    assert_eq!(
        file("triplets", "note/x"),
        String::from_utf8(bytes).unwrap()
    );
    assert_eq!(
        file("refs/by_id", "P"),
        format!(
            r#"{{"defined_by":"note/P","id":"P","lsi_version":"lsi/v1","sources":[{{"artifact_digest":"{}","location":"/links/about/0","relationship":"about","stem":"note/x"}}]}}"#,
            record.links_digest
        )
    );
    let name = record.body_digest.to_hex();
    let object = fs::read(view(&fixture).join("objects").join(&name[..2]).join(&name)).unwrap();
    assert_eq!(Digest::of_bytes(&object), record.body_digest);
    assert_eq!(
        fs::read_to_string(view(&fixture).join("VIEW")).unwrap(),
        format!(
            r#"{{"generation":1,"lsi_version":"lsi/v1","state_digest":"{}"}}"#,
            snapshot.head().state_digest
        )
    );
}

#[test]
fn a_view_that_cannot_be_read_is_written_anew() {
    let fixture = Fixture::new();
    fixture
        .promote(&turn("a", 1).put("note/x", "x", &[]))
        .unwrap();
    fixture.store.project_view().unwrap();
    let whole = tree(&view(&fixture));
    fs::write(view(&fixture).join("VIEW"), "torn").unwrap();
    fs::write(view(&fixture).join("triplets/stray"), "stray").unwrap();
    fixture.store.project_view().unwrap();
    assert!(whole == tree(&view(&fixture)));
}

#[test]
fn a_database_older_than_its_view_is_refused() {
    let fixture = Fixture::new();
    fixture
        .promote(&turn("a", 1).put("note/x", "x", &[]))
        .unwrap();
    let backup = fixture.directory.path().join("backup.db");
    let sql = format!("VACUUM INTO '{}'", backup.display());
    fixture
        .store
        .snapshot()
        .unwrap()
        .connection()
        .execute_batch("END")
        .unwrap();
    rusqlite::Connection::open(fixture.database())
        .unwrap()
        .execute_batch(&sql)
        .unwrap();
    fixture
        .promote(&turn("a", 2).put("note/y", "y", &[]))
        .unwrap();
    fixture.store.project_view().unwrap();
    let home = fixture.home();
    let Fixture { directory, store } = fixture;
    drop(store);
    let database = home.join("durable/db/orket_persistence.db");
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(format!("{}{suffix}", database.display())).unwrap();
    }
    fs::copy(&backup, &database).unwrap();
    let fixture = Fixture {
        directory,
        store: Store::open(&home, &[]).unwrap(),
    };
    for _ in [
        "older than the view",
        "as new as the view, but another history",
    ] {
        let error = fixture.store.project_view().unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::OlderThanView {
                    view_generation: 2,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(error.code(), Some(Code::LsiCorruptRecord));
        assert!(error.hint().is_some());
        let number = fixture.store.head().unwrap().generation + 1;
        fixture
            .promote(&turn("a", number).put("note/z", "z", &[]))
            .unwrap();
    }
}
