//! Verification finds each kind of damage, names its place, and goes on.

use std::fs;
use std::path::PathBuf;

use orket_kernel::{Code, TurnId};
use orket_lsi::{Depth, Findings};

use crate::fixture::{Fixture, move_horizon, run_id, turn};

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let mut first = turn("a", 1)
        .put("note/p", "p", &[])
        .put("note/x", "x", &["p"])
        .put("note/big", &"long ".repeat(210_000), &[]);
    for number in 0..40 {
        first = first.put(&format!("note/n{number}"), "n", &["p"]);
    }
    fixture.promote(&first).unwrap();
    fixture
        .promote(&turn("b", 1).put("note/y", "y", &["x"]))
        .unwrap();
    fixture
        .promote(
            &turn("a", 2)
                .put("note/x", "changed", &["p", "y"])
                .delete("note/n7"),
        )
        .unwrap();
    fixture.promote(&turn("b", 2)).unwrap();
    fixture.store.project_view().unwrap();
    fixture
}

fn verify(fixture: &Fixture, depth: Depth) -> Findings {
    fixture.store.verify(depth).unwrap().findings
}

/// Damages one thing and expects a fault whose place and reason hold `expected`.
fn check(whole: &Fixture, sql: &str, expected: &str) {
    let fixture = whole.copy();
    assert!(fixture.tamper(sql) > 0, "{sql}");
    let faults = verify(&fixture, Depth::Full).faults;
    let lines: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}: {}", fault.code, fault.place, fault.reason))
        .collect();
    assert!(
        lines.iter().any(|line| line.contains(expected)),
        "{sql}\nexpected {expected}\nfound {lines:#?}"
    );
}

#[test]
fn what_is_whole_has_no_fault_and_nothing_is_changed() {
    let fixture = fixture();
    let before = crate::fixture::tree(&fixture.home());
    for depth in [Depth::Quick, Depth::Full] {
        let verification = fixture.store.verify(depth).unwrap();
        assert_eq!(verification.newest().unwrap().0, 4);
        assert_eq!(verification.findings.faults, []);
        assert_eq!(verification.findings.notes, Vec::<String>::new());
    }
    let after = crate::fixture::tree(&fixture.home());
    let is_shared = |path: &&PathBuf| path.to_string_lossy().ends_with("-shm");
    for path in before.keys().filter(|path| !is_shared(path)) {
        assert!(before[path] == after[path], "{}", path.display());
    }
    assert_eq!(before.len(), after.len());
}

#[test]
fn every_kind_of_damaged_column_is_found_and_named() {
    let whole = fixture();
    for (sql, expected) in [
        // runs and ledger
        (
            "UPDATE runs SET envelope = CAST('{}' AS BLOB) WHERE run_id = 'a'",
            "runs a: the envelope",
        ),
        (
            "UPDATE runs SET envelope_digest = zeroblob(32) WHERE run_id = 'b'",
            "runs b: the envelope",
        ),
        (
            "DELETE FROM runs WHERE run_id = 'b'",
            "runs b: the run has no envelope",
        ),
        (
            "UPDATE ledger SET last_turn = 7 WHERE run_id = 'a'",
            "ledger a: it ends at turn 7",
        ),
        (
            "DELETE FROM ledger WHERE run_id = 'a'",
            "ledger a: it ends at no turn",
        ),
        // promotions
        (
            "UPDATE promotions SET run_id = 'b', turn = 9 WHERE generation = 1",
            "promotions 1: the fields",
        ),
        (
            "UPDATE promotions SET turn = 9 WHERE generation = 4",
            "promotions 4: the fields",
        ),
        (
            "UPDATE promotions SET record_digest = zeroblob(32) WHERE generation = 2",
            "promotions 2: the fields",
        ),
        (
            "UPDATE promotions SET triplet_root = zeroblob(32) WHERE generation = 2",
            "promotions 2: the fields",
        ),
        (
            "UPDATE promotions SET ref_root = zeroblob(32) WHERE generation = 4",
            "promotions 4: the fields",
        ),
        (
            "UPDATE promotions SET state_digest = zeroblob(32) WHERE generation = 1",
            "promotions 1: the fields",
        ),
        (
            "UPDATE promotions SET previous_digest = zeroblob(32) WHERE generation = 3",
            "promotions 3: it does not follow",
        ),
        (
            "UPDATE promotions SET digest = zeroblob(32) WHERE generation = 2",
            "promotions 3: it does not follow",
        ),
        (
            "UPDATE promotions SET lsi_version = 'lsi/v9' WHERE generation = 2",
            "promotions 2: its version",
        ),
        (
            "DELETE FROM promotions WHERE generation = 2",
            "promotions 2: the row is missing",
        ),
        // contents
        (
            "UPDATE records SET bytes = zeroblob(length_bytes) WHERE bytes = CAST('record of a turn-0001' AS BLOB)",
            "records ",
        ),
        (
            "DELETE FROM records WHERE bytes = CAST('record of b turn-0001' AS BLOB)",
            "promotions 2: the record of its turn is not kept",
        ),
        (
            "UPDATE objects SET bytes = zeroblob(length_bytes) WHERE digest = (SELECT body_digest FROM triplets WHERE stem = 'note/y')",
            "triplets note/y: its body, the object",
        ),
        (
            "UPDATE objects SET length_bytes = 5 WHERE bytes IS NULL",
            "objects ",
        ),
        (
            "DELETE FROM objects WHERE digest = (SELECT links_digest FROM triplets WHERE stem = 'note/x')",
            "triplets note/x: its links",
        ),
        (
            "DELETE FROM objects WHERE digest = (SELECT body_digest FROM triplet_history WHERE stem = 'note/x')",
            "triplet_history note/x until 3: its body",
        ),
        (
            "INSERT INTO objects VALUES (zeroblob(32), 1, zeroblob(1))",
            "objects 0000000000000000000000000000000000000000000000000000000000000000: the bytes",
        ),
        // triplets
        (
            "UPDATE triplets SET id = 'z' WHERE stem = 'note/y'",
            "triplets note/y: its body does not define the id \"z\"",
        ),
        (
            "UPDATE triplets SET body_digest = manifest_digest WHERE stem = 'note/y'",
            "triplets note/y: the row does not match",
        ),
        (
            "UPDATE triplets SET links_digest = manifest_digest WHERE stem = 'note/y'",
            "triplets note/y: the row does not match",
        ),
        (
            "UPDATE triplets SET manifest_digest = links_digest WHERE stem = 'note/y'",
            "triplets note/y: the row does not match",
        ),
        (
            "UPDATE triplets SET updated_at_turn = 9 WHERE stem = 'note/y'",
            "triplets note/y: its turn is not that of the promotion",
        ),
        (
            "UPDATE triplets SET lsi_version = 'lsi/v9' WHERE stem = 'note/y'",
            "triplets \"note/y\": its version",
        ),
        (
            "UPDATE triplets SET generation = 4 WHERE stem = 'note/y'",
            "generation 3: its triplets",
        ),
        (
            "UPDATE triplets SET stem = 'note/w' WHERE stem = 'note/y'",
            "triplets note/w: the row does not match",
        ),
        (
            "DELETE FROM triplets WHERE stem = 'note/n9'",
            "triplets with the key hash",
        ),
        // refs
        (
            "UPDATE refs SET id = 'q' WHERE stem = 'note/n9'",
            "E_LSI_ORPHAN_REFERENCE refs note/n9",
        ),
        (
            "UPDATE refs SET stem = 'note/gone' WHERE stem = 'note/n9'",
            "triplets note/n9: its link /links/about/0 to p is not among the refs",
        ),
        (
            "INSERT INTO refs SELECT id, 'note/gone', location, relationship, artifact_digest, generation FROM refs \
                WHERE stem = 'note/n9'",
            "refs p: the row does not match the state digest",
        ),
        (
            "UPDATE refs SET location = '/links/about/5' WHERE stem = 'note/n9'",
            "refs \"p\" of note/n9: /links/about/5 is a ref that the links do not name",
        ),
        (
            "UPDATE refs SET relationship = 'other' WHERE stem = 'note/n9'",
            "refs \"p\" of note/n9",
        ),
        (
            "UPDATE refs SET artifact_digest = zeroblob(32) WHERE stem = 'note/n9'",
            "refs \"p\" of note/n9",
        ),
        (
            "UPDATE refs SET generation = 2 WHERE stem = 'note/n9'",
            "generation 1: its refs",
        ),
        (
            "DELETE FROM refs WHERE stem = 'note/n9'",
            "refs p: the row does not match the state digest",
        ),
        // history
        (
            "UPDATE triplet_history SET stem = 'note/w' WHERE stem = 'note/x'",
            "generation 1: its triplets",
        ),
        (
            "UPDATE triplet_history SET id = 'w' WHERE stem = 'note/x'",
            "triplet_history note/x until 3: its body does not define",
        ),
        (
            "UPDATE triplet_history SET body_digest = zeroblob(32) WHERE stem = 'note/x'",
            "triplet_history note/x until 3: its body",
        ),
        (
            "UPDATE triplet_history SET links_digest = manifest_digest WHERE stem = 'note/x'",
            "generation 2: its triplets",
        ),
        (
            "UPDATE triplet_history SET manifest_digest = links_digest WHERE stem = 'note/x'",
            "generation 1: its triplets",
        ),
        (
            "UPDATE triplet_history SET updated_at_turn = 2 WHERE stem = 'note/x'",
            "triplet_history note/x until 3: its turn",
        ),
        (
            "UPDATE triplet_history SET lsi_version = 'lsi/v9' WHERE stem = 'note/x'",
            "triplets \"note/x\": its version",
        ),
        (
            "UPDATE triplet_history SET generation = 2 WHERE stem = 'note/x'",
            "generation 1: its triplets",
        ),
        (
            "UPDATE triplet_history SET until = 2 WHERE stem = 'note/x'",
            "changes 2: the change of triplet \"note/x\" is not listed",
        ),
        (
            "UPDATE triplet_history SET until = 99 WHERE stem = 'note/x'",
            "triplet_history note/x until 99: no generation 99 superseded it",
        ),
        (
            "INSERT INTO triplet_history SELECT stem, id, body_digest, links_digest, manifest_digest, \
                updated_at_turn, lsi_version, generation, 4 FROM triplet_history WHERE stem = 'note/x'",
            "triplets note/x: two rows hold at generation",
        ),
        (
            "INSERT INTO ref_history SELECT id, stem, location, relationship, artifact_digest, generation, until + 1 \
                FROM ref_history",
            "two rows hold at generation",
        ),
        (
            "UPDATE triplet_history SET id = 'p' WHERE stem = 'note/n7'",
            "define it at the same time",
        ),
        (
            "DELETE FROM triplet_history WHERE stem = 'note/n7'",
            "generation 1: its triplets",
        ),
        (
            "UPDATE ref_history SET artifact_digest = zeroblob(32) WHERE stem = 'note/n7'",
            "generation 2: its refs",
        ),
        (
            "UPDATE ref_history SET until = 99 WHERE stem = 'note/n7'",
            "ref_history \"p\" of note/n7: no generation 99",
        ),
        (
            "DELETE FROM ref_history WHERE stem = 'note/n7'",
            "generation 1: its refs",
        ),
        ("DELETE FROM horizon", "horizon: the table has no row"),
        (&move_horizon(9), "horizon: it is 9"),
        (
            "UPDATE horizon SET generation = 2",
            "horizon: the fields do not match the digest of the row",
        ),
        // pins and marks of retention
        (
            "INSERT INTO pins VALUES ('a', zeroblob(32))",
            "pins a: the fields do not match the digest of the row",
        ),
        (
            "INSERT INTO dropped_runs VALUES ('a', 1, zeroblob(32))",
            "dropped_runs a: the fields do not match the digest of the row",
        ),
        // nodes and changes
        (
            "UPDATE ref_nodes SET node = zeroblob(length(node)) WHERE path = 1",
            "ref_nodes \"\"",
        ),
        (
            "DELETE FROM triplet_nodes WHERE path = 1",
            "triplet_nodes \"\"",
        ),
        (
            "INSERT INTO ref_nodes VALUES (0x1ffff, x'01')",
            "ref_nodes: ",
        ),
        (
            "UPDATE source_nodes SET node = zeroblob(length(node)) WHERE path = 1",
            "source_nodes \"p\" \"\"",
        ),
        (
            "DELETE FROM source_nodes WHERE path = (SELECT max(path) FROM source_nodes)",
            "source_nodes \"p\" \"",
        ),
        (
            "DELETE FROM source_nodes",
            "source_nodes \"p\" \"\": the node is missing",
        ),
        (
            "INSERT INTO source_nodes VALUES ('p', 0x1ffff, x'01')",
            "source_nodes \"p\": ",
        ),
        (
            "INSERT INTO source_nodes VALUES ('x', 1, x'01')",
            "source_nodes \"x\": ",
        ),
        (
            "DELETE FROM changes WHERE kind = 'triplet' AND name = 'note/y'",
            "changes 2: the change of triplet \"note/y\" is not listed",
        ),
        (
            "DELETE FROM changes WHERE kind = 'refs' AND generation = 3",
            "changes 3: the change of refs",
        ),
        // The id of a stem that nothing references: defined by the first generation, by none from the third on.
        (
            "DELETE FROM changes WHERE kind = 'refs' AND generation = 1 AND name = 'n4'",
            "changes 1: the change of refs \"n4\" is not listed",
        ),
        (
            "DELETE FROM changes WHERE kind = 'refs' AND generation = 1 AND name = 'n7'",
            "changes 1: the change of refs \"n7\" is not listed",
        ),
        (
            "DELETE FROM changes WHERE kind = 'refs' AND generation = 3 AND name = 'n7'",
            "changes 3: the change of refs \"n7\" is not listed",
        ),
        (
            "DELETE FROM changes WHERE kind = 'object' AND generation = 2",
            ": no generation lists it as new",
        ),
        (
            "INSERT INTO changes VALUES (3, 'triplet', 'note/p')",
            "changes 3: triplet \"note/p\" is listed, and did not change",
        ),
        (
            "INSERT INTO changes VALUES (9, 'refs', 'p')",
            "changes 9: there is no such generation",
        ),
    ] {
        check(&whole, sql, expected);
    }
}

#[test]
fn damage_in_one_place_leaves_the_others_told_apart() {
    let fixture = fixture();
    fixture.tamper("UPDATE triplets SET links_digest = manifest_digest WHERE stem = 'note/n3'");
    fixture.tamper("UPDATE promotions SET digest = zeroblob(32) WHERE generation = 4");
    fixture.tamper("UPDATE records SET bytes = zeroblob(length_bytes) WHERE bytes = CAST('record of a turn-0002' AS BLOB)");
    let verification = fixture.store.verify(Depth::Full).unwrap();
    assert_eq!(verification.newest(), None);
    let places: Vec<&str> = verification
        .findings
        .faults
        .iter()
        .map(|fault| fault.place.split(' ').next().unwrap())
        .collect();
    for place in ["promotions", "refs", "records"] {
        assert!(places.contains(&place), "{place} in {places:?}");
    }
    assert!(
        !verification
            .findings
            .faults
            .iter()
            .any(|fault| fault.place.contains("note/n4"))
    );
}

#[test]
fn quick_sees_chain_ledger_and_nodes() {
    for (sql, expected) in [
        (
            "UPDATE promotions SET digest = zeroblob(32) WHERE generation = 2",
            "promotions 2",
        ),
        ("DELETE FROM ledger WHERE run_id = 'a'", "ledger a"),
        (
            "DELETE FROM triplet_nodes WHERE path = 1",
            "triplet_nodes \"\"",
        ),
        (
            "DELETE FROM source_nodes WHERE path = 1",
            "source_nodes \"p\" \"\"",
        ),
    ] {
        let fixture = fixture();
        assert!(fixture.tamper(sql) > 0);
        let faults = verify(&fixture, Depth::Quick).faults;
        assert!(
            faults.iter().any(|fault| fault.place == expected),
            "{sql}: {faults:?}"
        );
        assert!(
            faults
                .iter()
                .all(|fault| fault.code == Code::LsiCorruptRecord)
        );
    }
}

#[test]
fn files_beside_the_database_and_of_the_view_are_looked_at() {
    let view = |fixture: &Fixture| fixture.home().join("index/committed");
    let one_file = |directory: PathBuf| {
        let files = crate::fixture::tree(&directory);
        directory.join(files.keys().next().unwrap())
    };
    type Damage<'a> = (&'a str, &'a dyn Fn(&Fixture), &'a str);
    let cases: &[Damage<'_>] = &[
        (
            "a blob that is cut",
            &|f| fs::write(one_file(f.home().join("durable/blobs")), "cut").unwrap(),
            "objects ",
        ),
        (
            "a blob that is gone",
            &|f| fs::remove_file(one_file(f.home().join("durable/blobs"))).unwrap(),
            "objects ",
        ),
        (
            "a changed record of the view",
            &|f| fs::write(one_file(view(f).join("triplets")), "{}").unwrap(),
            "the file differs",
        ),
        (
            "a changed object of the view",
            &|f| fs::write(one_file(view(f).join("objects")), "{}").unwrap(),
            "the file differs",
        ),
        (
            "a lost record of the view",
            &|f| fs::remove_file(one_file(view(f).join("refs"))).unwrap(),
            "the file of the view is missing",
        ),
        (
            "a foreign file in the view",
            &|f| fs::write(view(f).join("objects/mine"), "").unwrap(),
            "nothing of the committed state has this file",
        ),
        (
            "a view of nothing",
            &|f| fs::write(view(f).join("VIEW"), "{}").unwrap(),
            "it is no marker of a view",
        ),
        (
            "a view that is ahead",
            &|f| {
                let text = fs::read_to_string(view(f).join("VIEW")).unwrap();
                fs::write(
                    view(f).join("VIEW"),
                    text.replace("\"generation\":4", "\"generation\":5"),
                )
                .unwrap();
            },
            "older than what it acknowledged",
        ),
        (
            "a view of another state",
            &|f| {
                let text = fs::read_to_string(view(f).join("VIEW")).unwrap();
                fs::write(
                    view(f).join("VIEW"),
                    text.replace("\"generation\":4", "\"generation\":1"),
                )
                .unwrap();
            },
            "it holds the state digest",
        ),
    ];
    for (name, damage, expected) in cases {
        let fixture = fixture();
        damage(&fixture);
        let faults = verify(&fixture, Depth::Full).faults;
        let found = faults
            .iter()
            .any(|fault| format!("{}: {}", fault.place, fault.reason).contains(expected));
        assert!(found, "{name}: {faults:#?}");
    }
}

#[test]
fn lag_and_leftovers_are_told_and_are_no_fault() {
    let fixture = fixture();
    fixture
        .promote(&turn("a", 3).put("note/x", "again", &[]).delete("note/n1"))
        .unwrap();
    let staging = fixture.store.staging();
    let promoted = TurnId::new(2).unwrap();
    staging
        .write(&run_id("a"), promoted, "evidence.json", b"{}")
        .unwrap();
    staging
        .write(&run_id("unknown"), promoted, "evidence.json", b"{}")
        .unwrap();
    fs::create_dir_all(fixture.home().join("durable/blobs/ab")).unwrap();
    fs::write(fixture.home().join("durable/blobs/ab/left"), "").unwrap();
    fs::write(fixture.home().join("index/committed/.new-0"), "").unwrap();
    let findings = verify(&fixture, Depth::Full);
    assert_eq!(findings.faults, []);
    let notes = findings.notes.join("\n");
    for expected in [
        "the view shows generation 4, 1 behind",
        "turn-0002 of run a is promoted and still has files",
        "unknown belongs to no run",
        "1 file(s) in ",
        ".new-0 is left of a cut write",
    ] {
        assert!(notes.contains(expected), "{expected} in\n{notes}");
    }
}

/// SQLite takes the text of the schema as it lies there: a damaged constraint made the next commit fail, and nothing said so.
#[test]
fn a_damaged_schema_is_found_and_named() {
    let whole = fixture();
    for (damage, expected) in [
        (
            "UPDATE sqlite_schema SET sql = replace(sql, 'length(', 'lengvh(') WHERE name = 'promotions'",
            "the schema, table promotions: it is not the one",
        ),
        (
            "DELETE FROM sqlite_schema WHERE name = 'records_beside'",
            "the schema, index records_beside: it is missing",
        ),
        (
            "INSERT INTO sqlite_schema VALUES ('view', 'extra', 'extra', 0, 'CREATE VIEW extra AS SELECT 1')",
            "the schema, view extra: no schema step made it",
        ),
    ] {
        let fixture = whole.copy();
        let connection = rusqlite::Connection::open(fixture.database()).unwrap();
        connection
            .pragma_update(None, "writable_schema", true)
            .unwrap();
        assert_eq!(connection.execute(damage, []).unwrap(), 1);
        drop(connection);
        let faults = verify(&fixture, Depth::Quick).faults;
        let is_found = faults
            .iter()
            .any(|fault| format!("{}: {}", fault.place, fault.reason).contains(expected));
        assert!(is_found, "{damage}\n{faults:#?}");
    }
}

/// A column of a wrong type told what was tried, and not where.
#[test]
fn a_malformed_note_of_a_schema_step_names_the_database() {
    let fixture = fixture();
    let connection = rusqlite::Connection::open(fixture.database()).unwrap();
    // What a database was made with is a text; a damaged page can hold anything, which STRICT tables let nobody write.
    connection
        .execute_batch(
            "PRAGMA writable_schema = 1;
             UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'migrations';",
        )
        .unwrap();
    drop(connection);
    let connection = rusqlite::Connection::open(fixture.database()).unwrap();
    connection
        .pragma_update(None, "ignore_check_constraints", true)
        .unwrap();
    let damage = "UPDATE migrations SET sql_digest = 7 WHERE version = 1";
    assert_eq!(connection.execute(damage, []).unwrap(), 1);
    drop(connection);
    let error = orket_lsi::Store::open_read_only(&fixture.home(), &[])
        .err()
        .unwrap();
    let name = fixture.database().display().to_string();
    assert!(error.to_string().contains(&name), "{error}");
    assert_eq!(error.code(), Some(Code::LsiCorruptRecord));
}
