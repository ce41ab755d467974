//! Damage behind the back of the store is found by the read that meets it.

use std::os::unix::fs::FileExt;

use orket_kernel::{Code, ReadError, StateView};
use orket_lsi::StoreError;

use crate::fixture::{Fixture, run_id, stem, turn};

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let mut first = turn("a", 1)
        .put("note/p", "p", &[])
        .put("note/x", "x", &["p"]);
    for number in 0..40 {
        first = first.put(&format!("note/n{number}"), "n", &["p"]);
    }
    fixture.promote(&first).unwrap();
    fixture
        .promote(&turn("b", 1).put("note/y", "y", &["x"]))
        .unwrap();
    fixture
}

/// Damages one thing and expects that `read` calls it corrupt.
fn check<T: std::fmt::Debug>(sql: &str, read: impl Fn(&Fixture) -> Result<T, ReadError>) {
    let fixture = fixture();
    assert!(read(&fixture).is_ok());
    assert!(fixture.tamper(sql) > 0, "{sql}");
    match read(&fixture) {
        Err(ReadError::Corrupt { .. }) => {}
        other => panic!("{sql}: {other:?}"),
    }
}

fn store_check<T: std::fmt::Debug>(sql: &str, read: impl Fn(&Fixture) -> Result<T, StoreError>) {
    let fixture = fixture();
    assert!(read(&fixture).is_ok());
    assert!(fixture.tamper(sql) > 0, "{sql}");
    let error = read(&fixture).unwrap_err();
    assert_eq!(error.code(), Some(Code::LsiCorruptRecord), "{sql}: {error}");
}

#[test]
fn a_flipped_object_is_found() {
    let read = |fixture: &Fixture| {
        let snapshot = fixture.store.snapshot().unwrap();
        let record = snapshot.triplet(&stem("note/x"))?.unwrap();
        snapshot.object(&record.body_digest)
    };
    let body = "(SELECT body_digest FROM triplets WHERE stem = 'note/x')";
    check(
        &format!(
            "UPDATE objects SET bytes = CAST('{{' || substr(bytes, 2, 5) || 'X' || substr(bytes, 8) AS BLOB) WHERE digest = {body}"
        ),
        read,
    );
    check(
        &format!("UPDATE objects SET bytes = zeroblob(length_bytes) WHERE digest = {body}"),
        read,
    );
    check(
        &format!("UPDATE objects SET bytes = NULL WHERE digest = {body}"),
        read,
    );
}

#[test]
fn a_changed_triplet_row_is_found() {
    let read = |fixture: &Fixture| fixture.store.snapshot().unwrap().triplet(&stem("note/x"));
    for sql in [
        "UPDATE triplets SET body_digest = zeroblob(32) WHERE stem = 'note/x'",
        "UPDATE triplets SET links_digest = manifest_digest WHERE stem = 'note/x'",
        "UPDATE triplets SET manifest_digest = body_digest WHERE stem = 'note/x'",
        "UPDATE triplets SET updated_at_turn = 7 WHERE stem = 'note/x'",
        "UPDATE triplets SET lsi_version = 'lsi/v2' WHERE stem = 'note/x'",
        "UPDATE triplets SET stem = 'note/w' WHERE stem = 'note/x'",
        "DELETE FROM triplets WHERE stem = 'note/x'",
    ] {
        check(&format!("{sql} /* as a foreign tool would */"), read);
    }
    let read = |fixture: &Fixture| {
        fixture
            .store
            .snapshot()
            .unwrap()
            .triplet(&stem("note/forged"))
    };
    check(
        "INSERT INTO triplets SELECT 'note/forged', 'forged', body_digest, links_digest, manifest_digest, 1, lsi_version, \
         1 FROM triplets WHERE stem = 'note/x'",
        read,
    );
}

#[test]
fn a_changed_reference_or_definition_is_found() {
    let sources = |fixture: &Fixture| fixture.store.snapshot().unwrap().sources("p");
    for sql in [
        "DELETE FROM refs WHERE id = 'p' AND stem = 'note/n7'",
        "UPDATE refs SET artifact_digest = zeroblob(32) WHERE id = 'p' AND stem = 'note/x'",
        "UPDATE refs SET relationship = 'other' WHERE id = 'p' AND stem = 'note/x'",
        "INSERT INTO refs SELECT id, 'note/y', location, relationship, artifact_digest, generation FROM refs \
         WHERE id = 'p' AND stem = 'note/x'",
    ] {
        check(sql, sources);
    }
    let definition = |fixture: &Fixture| fixture.store.snapshot().unwrap().definition("x");
    check("UPDATE triplets SET id = 'z' WHERE id = 'x'", definition);
}

#[test]
fn a_changed_node_is_found() {
    let read = |fixture: &Fixture| fixture.store.snapshot().unwrap().triplet(&stem("note/x"));
    check("DELETE FROM triplet_nodes", read);
    check(
        "UPDATE triplet_nodes SET node = zeroblob(length(node)) WHERE path = 1",
        read,
    );
}

#[test]
fn a_changed_promotion_is_found() {
    let head = |fixture: &Fixture| fixture.store.head();
    for column in [
        "record_digest",
        "triplet_root",
        "ref_root",
        "state_digest",
        "previous_digest",
        "digest",
    ] {
        store_check(
            &format!("UPDATE promotions SET {column} = zeroblob(32) WHERE generation = 2"),
            head,
        );
    }
    store_check(
        "UPDATE promotions SET run_id = 'a', turn = 9 WHERE generation = 2",
        head,
    );
    let chain = |fixture: &Fixture| fixture.store.snapshot()?.verify_chain();
    store_check(
        "UPDATE promotions SET record_digest = zeroblob(32) WHERE generation = 1",
        chain,
    );
    store_check("DELETE FROM promotions WHERE generation = 1", chain);
}

#[test]
fn a_changed_ledger_is_never_a_new_start() {
    let read = |fixture: &Fixture| fixture.store.snapshot()?.ledger(&run_id("a"));
    store_check("DELETE FROM ledger WHERE run_id = 'a'", read);
    store_check("UPDATE ledger SET last_turn = 5 WHERE run_id = 'a'", read);
    let promote = |fixture: &Fixture| {
        let plan = fixture.plan(&turn("a", 2));
        fixture.store.begin()?.promote(&plan, b"record")
    };
    store_check("DELETE FROM ledger WHERE run_id = 'a'", promote);
}

#[test]
fn a_changed_envelope_or_record_is_found() {
    let read = |fixture: &Fixture| fixture.store.snapshot()?.envelope(&run_id("a"));
    store_check(
        "UPDATE runs SET envelope = CAST('{}' AS BLOB) WHERE run_id = 'a'",
        read,
    );
    let read = |fixture: &Fixture| {
        let snapshot = fixture.store.snapshot()?;
        let row = snapshot.promotion_at(1)?.unwrap();
        snapshot.record(&row.record_digest)
    };
    store_check("UPDATE records SET bytes = zeroblob(length_bytes)", read);
}

#[test]
fn damage_is_not_sealed_under_a_new_digest() {
    let fixture = fixture();
    let plan = fixture.plan(&turn("a", 2).put("note/y", "changed", &[]));
    assert!(fixture.tamper("UPDATE refs SET location = '/links/about/7' WHERE id = 'x'") > 0);
    let error = fixture.promote_plan(&plan).unwrap_err();
    assert_eq!(error.code(), Some(Code::LsiCorruptRecord), "{error}");
    assert_eq!(fixture.store.head().unwrap().generation, 2);
}

/// The page of the index by stem was swapped with another. A promotion asked that index which references of a stem go, was told
/// none, and sealed those that should have gone under a new state digest.
#[test]
fn an_index_that_forgot_its_rows_leads_no_promotion_astray() {
    let whole = fixture();
    let damaged = without_rows(&whole, "refs_by_stem");
    for (name, changes) in [
        ("changed", turn("a", 2).put("note/x", "x", &["y"])),
        ("deleted", turn("b", 2).delete("note/y")),
    ] {
        let (intact, damaged) = (whole.copy(), damaged.copy());
        let expected = intact.promote(&changes).unwrap();
        intact.check_whole();
        match damaged.promote(&changes) {
            Ok(promoted) => assert_eq!(promoted.state_digest, expected.state_digest, "{name}"),
            Err(error) => {
                assert_eq!(
                    error.code(),
                    Some(Code::LsiCorruptRecord),
                    "{name}: {error}"
                );
            }
        }
    }
}

/// Returns a copy of a home in which an index of the database is an empty page.
fn without_rows(fixture: &Fixture, index: &str) -> Fixture {
    let damaged = fixture.copy();
    let home = damaged.home();
    let connection = rusqlite::Connection::open(damaged.database()).unwrap();
    let page: u32 = connection
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?1",
            [index],
            |row| row.get(0),
        )
        .unwrap();
    let size: u32 = connection
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .unwrap();
    let is_busy: bool = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .unwrap();
    assert!(!is_busy);
    drop(connection);
    // A leaf of an index, with no cells, whose cells begin at the end of the page.
    let content = u16::try_from(size).unwrap().to_be_bytes();
    let leaf = [0x0a, 0, 0, 0, 0, content[0], content[1], 0];
    let file = std::fs::File::options()
        .write(true)
        .open(crate::fixture::database(&home))
        .unwrap();
    file.write_all_at(&leaf, u64::from((page - 1) * size))
        .unwrap();
    // A copy is opened anew: what the store has read of the whole one is no more.
    damaged.copy()
}

/// The id of a row is no part of its leaf: one that became another, where the index of the ids does not say so, let the old
/// definition stay.
#[test]
fn an_id_that_the_state_digest_does_not_hold_is_not_taken_for_the_old_one() {
    let fixture = fixture();
    let plan = fixture.plan(&turn("a", 2).delete("note/y"));
    assert_eq!(
        fixture.tamper("UPDATE triplets SET id = 'z' WHERE stem = 'note/y'"),
        1
    );
    let error = fixture.promote_plan(&plan).unwrap_err();
    assert_eq!(error.code(), Some(Code::LsiCorruptRecord), "{error}");
}

/// The row of a run was lost with a page: the run passed for one that never was, and could be started with another envelope.
#[test]
fn a_run_whose_row_is_lost_is_not_started_anew() {
    let fixture = Fixture::new();
    fixture
        .promote(&turn("a", 1).put("note/x", "x", &[]))
        .unwrap();
    assert_eq!(
        fixture.tamper("DELETE FROM runs WHERE run_id IN ('a', 'b')"),
        2
    );
    let is_damage = |error: Option<StoreError>| {
        let is_named = |place: &str| place == "runs a";
        matches!(error, Some(StoreError::Corrupt { place, .. }) if is_named(&place))
    };
    let snapshot = fixture.store.snapshot().unwrap();
    assert!(is_damage(snapshot.envelope(&run_id("a")).err()));
    let start = |run: &str| {
        let transaction = fixture.store.begin().unwrap();
        let started = transaction.start_run(&crate::fixture::envelope(run, "another flow"));
        started.err()
    };
    assert!(is_damage(start("a")));
    // The control: nothing names the run `b`.
    assert_eq!(snapshot.envelope(&run_id("b")).unwrap(), None);
    assert!(start("b").is_none());
}
