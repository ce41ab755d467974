//! Transactions: whole or not at all, one writer, snapshots that stay.

use orket_kernel::{Digest, RefSource, StateView};
use orket_lsi::{Store, StoreError};

use crate::fixture::{Fixture, IMPATIENT, envelope, run_id, stem, turn};

#[test]
fn a_dropped_transaction_leaves_nothing() {
    let fixture = Fixture::new();
    let head = fixture.store.head().unwrap();
    let plan = fixture.plan(&turn("a", 1).put("note/x", "x", &[]));
    let record = {
        let transaction = fixture.store.begin().unwrap();
        transaction.promote(&plan, b"record").unwrap();
        transaction.start_run(&envelope("c", "flow")).unwrap();
        assert_eq!(transaction.head().unwrap().generation, 1);
        transaction.keep_record(b"evidence").unwrap()
    };
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.head(), head);
    assert_eq!(snapshot.record(&record).unwrap(), None);
    assert_eq!(snapshot.runs().unwrap(), [run_id("a"), run_id("b")]);
    fixture.promote_plan(&plan).unwrap();
}

#[test]
fn records_are_kept_outside_the_state() {
    let fixture = Fixture::new();
    let head = fixture.store.head().unwrap();
    let transaction = fixture.store.begin().unwrap();
    let digest = transaction.keep_record(b"evidence").unwrap();
    assert_eq!(transaction.keep_record(b"evidence").unwrap(), digest);
    transaction.commit().unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.record(&digest).unwrap().unwrap(), b"evidence");
    assert_eq!(snapshot.head(), head);
    assert_eq!(snapshot.object(&digest).unwrap(), None);
}

/// Some profiles of the kernel let a reference go without a label; the record then holds an empty text (Law 5).
#[test]
fn a_reference_without_a_label_is_kept_and_pruned_like_any_other() {
    let fixture = Fixture::new();
    let put = turn("a", 1).put("note/x", "x", &["x"]).without_labels();
    let plan = fixture.plan(&put);
    assert_eq!(plan.insert[0].1.relationship, "");
    fixture.promote_plan(&plan).unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let sources: Vec<RefSource> = plan.insert.into_iter().map(|(_, source)| source).collect();
    assert_eq!(snapshot.sources("x").unwrap(), sources);
    let gone = fixture.plan(&turn("a", 2).delete("note/x"));
    fixture.promote_plan(&gone).unwrap();
    assert_eq!(fixture.store.snapshot().unwrap().sources("x").unwrap(), []);
}

#[test]
fn the_promotion_names_its_turn_record() {
    let fixture = Fixture::new();
    fixture.promote(&turn("a", 1)).unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let turn_id = "turn-0001".parse().unwrap();
    let row = snapshot.promotion(&run_id("a"), turn_id).unwrap().unwrap();
    assert_eq!(
        row.record_digest,
        Digest::of_bytes(b"record of a turn-0001")
    );
    assert_eq!(
        snapshot.record(&row.record_digest).unwrap().unwrap(),
        b"record of a turn-0001"
    );
    assert_eq!(snapshot.promotion(&run_id("b"), turn_id).unwrap(), None);
}

#[test]
fn a_run_has_one_envelope() {
    let fixture = Fixture::new();
    let kept = envelope("a", "flow");
    let transaction = fixture.store.begin().unwrap();
    assert_eq!(
        transaction.start_run(&kept).unwrap(),
        kept.handle().unwrap()
    );
    let error = transaction
        .start_run(&envelope("a", "another flow"))
        .unwrap_err();
    assert!(
        matches!(error, StoreError::EnvelopeDiffers { .. }),
        "{error}"
    );
    drop(transaction);
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.envelope(&run_id("a")).unwrap(), Some(kept));
    assert_eq!(snapshot.envelope(&run_id("c")).unwrap(), None);
}

#[test]
fn a_second_writer_is_told_that_the_store_is_busy() {
    let fixture = Fixture::new();
    let other = Store::open_with(&fixture.home(), &[], IMPATIENT).unwrap();
    let transaction = fixture.store.begin().unwrap();
    for store in [&fixture.store, &other] {
        match store.begin() {
            Err(StoreError::Busy { waited_ms, .. }) => assert_eq!(waited_ms, 20),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("two writers at once"),
        }
    }
    drop(transaction);
    other.begin().unwrap();
    fixture.store.begin().unwrap();
}

#[test]
fn a_transaction_in_which_something_failed_cannot_be_committed() {
    let fixture = Fixture::new();
    let transaction = fixture.store.begin().unwrap();
    transaction.keep_record(b"evidence").unwrap();
    let plan = fixture.plan(&turn("a", 2));
    transaction.promote(&plan, b"record").unwrap_err();
    let error = transaction.commit().unwrap_err();
    assert!(matches!(error, StoreError::Undone { .. }), "{error}");
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(
        snapshot.record(&Digest::of_bytes(b"evidence")).unwrap(),
        None
    );
}

#[test]
fn a_snapshot_stays_where_it_was_taken() {
    let fixture = Fixture::new();
    let before = fixture.store.snapshot().unwrap();
    fixture
        .promote(&turn("a", 1).put("note/x", "x", &[]))
        .unwrap();
    assert_eq!(before.head().generation, 0);
    assert_eq!(before.triplet(&stem("note/x")).unwrap(), None);
    assert!(before.stems("").unwrap().is_empty());
    assert!(
        fixture
            .store
            .snapshot()
            .unwrap()
            .triplet(&stem("note/x"))
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_snapshot_cannot_write() {
    let fixture = Fixture::new();
    let snapshot = fixture.store.snapshot().unwrap();
    for sql in [
        "DELETE FROM runs",
        "CREATE TABLE t (x)",
        "PRAGMA user_version = 9",
    ] {
        assert!(snapshot.connection().execute_batch(sql).is_err(), "{sql}");
    }
}

#[test]
fn several_turns_go_into_one_transaction_and_see_each_other() {
    let fixture = Fixture::new();
    let transaction = fixture.store.begin().unwrap();
    for (number, references) in [(1, &[][..]), (2, &["n1"]), (3, &["n1", "n2"])] {
        let staged = turn("a", number)
            .put(&format!("note/n{number}"), "x", references)
            .staged();
        let state = transaction.state().unwrap();
        let (plan, _) = orket_kernel::plan_promotion(&staged, &state).unwrap();
        transaction.promote(&plan, b"record").unwrap();
    }
    transaction.commit().unwrap();
    assert_eq!(fixture.store.head().unwrap().generation, 3);
    fixture.check_whole();
}

#[test]
fn threads_take_turns() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), &[]).unwrap();
    std::thread::scope(|scope| {
        for run in ["a", "b", "c", "d"] {
            let store = &store;
            scope.spawn(move || {
                let transaction = store.begin().unwrap();
                transaction.start_run(&envelope(run, "flow")).unwrap();
                transaction.commit().unwrap();
                for number in 1..=10 {
                    let staged = turn(run, number)
                        .put(&format!("note/{run}{number}"), "x", &[])
                        .staged();
                    let plan = orket_kernel::plan_promotion(&staged, &store.snapshot().unwrap())
                        .unwrap()
                        .0;
                    let transaction = store.begin().unwrap();
                    transaction.promote(&plan, b"record").unwrap();
                    transaction.commit().unwrap();
                }
            });
        }
    });
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.head().generation, 40);
    assert_eq!(snapshot.verify_chain().unwrap(), snapshot.head());
    assert_eq!(
        snapshot.recompute_state_digest().unwrap(),
        snapshot.head().state_digest
    );
}

const CHILD_HOME: &str = "ORKET_LSI_TEST_CHILD_HOME";

/// Runs as a process of its own for `a_process_that_dies_leaves_old_or_new`.
#[test]
#[ignore = "run by another test, as a child process"]
fn child_that_dies() {
    let Some(home) = std::env::var_os(CHILD_HOME) else {
        return;
    };
    let store = Store::open(home.as_ref(), &[]).unwrap();
    let promote = |number| {
        let staged = turn("a", number)
            .put(&format!("note/n{number}"), "x", &[])
            .staged();
        let plan = orket_kernel::plan_promotion(&staged, &store.snapshot().unwrap())
            .unwrap()
            .0;
        let transaction = store.begin().unwrap();
        transaction.promote(&plan, b"record").unwrap();
        transaction
    };
    promote(1).commit().unwrap();
    let _open = promote(2);
    std::process::abort();
}

#[test]
fn a_process_that_dies_leaves_old_or_new() {
    let fixture = Fixture::new();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "transactions::child_that_dies", "--ignored"])
        .env(CHILD_HOME, fixture.home())
        .output()
        .unwrap();
    assert!(!child.status.success());
    assert_eq!(fixture.store.head().unwrap().generation, 1);
    fixture.check_whole();
    fixture
        .promote(&turn("a", 2).put("note/n2", "x", &[]))
        .unwrap();
}
