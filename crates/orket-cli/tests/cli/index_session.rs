//! Looking at the whole of what is kept: verified, shown, compared, written as files and read back.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use orket_testkit::{CliEnvironment, Tree};

use crate::sample::{VIEW, sample, worked};

#[test]
fn what_was_worked_is_whole_and_can_be_looked_at_as_it_was() {
    let environment = worked();
    let quick = environment.run(&["verify", "--quick"]);
    quick.assert_code(0);
    assert_eq!(quick.stdout, "");
    let full = environment.run(&["verify", "--json"]);
    full.assert_code(0);
    let report: serde_json::Value = serde_json::from_str(&full.stdout).unwrap();
    assert_eq!(report["whole"], true);
    assert_eq!(report["generation"], 22);
    assert_eq!(report["notes"], serde_json::json!([]));
    assert_snapshot!(environment.run(&["show", "state", "--at", "first_light-1:2"]), @r"
    $ orket show state --at first_light-1:2
    generation    2
    state digest  4ad9aef123ca110233f50a81c9255473241bf1df97ccfc70e057b9f03963b012
    holds         6 stem(s) in 14 document(s)
      artifact   3a403ee24d66e1af artifact/docs/design.md
      card       e3b85f468eb5141f card/FL-1
      card       1f2b88258fb51404 card/FL-2
      card       d457b8bf2eb14124 card/FL-3
      card       5079e9d7547f5c3c card/FL-4
      epic       16d52ef44b5b2a71 epic/first_light
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["diff", "first_light-1:1", "first_light-1:2"]), @r#"
    $ orket diff first_light-1:1 first_light-1:2
    from  generation 1, state cd4dd89fcabc56db84cb94df75e770e3b290d397a5e158db7af6380293073072
    to    generation 2, state 4ad9aef123ca110233f50a81c9255473241bf1df97ccfc70e057b9f03963b012
    added    artifact/docs/design.md
    changed  card/FL-1
      /body/authors/0: - → "architect"
      /body/status: "ready" → "code_review"
    [exit 0]
    "#);
    assert_snapshot!(environment.run(&["diff", "@2", "@3"]), @r"
    $ orket diff @2 @3
    from  generation 2, state 4ad9aef123ca110233f50a81c9255473241bf1df97ccfc70e057b9f03963b012
    to    generation 3, state 4ad9aef123ca110233f50a81c9255473241bf1df97ccfc70e057b9f03963b012
    nothing differs
    [exit 0]
    ");
}

#[test]
fn what_is_damaged_is_named_and_the_rest_stays_readable() {
    let environment = worked();
    let connection = rusqlite::Connection::open(database(&environment)).unwrap();
    connection
        .execute("UPDATE cards SET status = 'ready' WHERE id = 'FL-2'", [])
        .unwrap();
    connection
        .execute(
            "DELETE FROM events WHERE run_id = 'first_light-1' AND seq = 3",
            [],
        )
        .unwrap();
    drop(connection);
    environment.write(&format!("{VIEW}/objects/mine"), "");
    assert_snapshot!(environment.run(&["verify"]), @r"
    $ orket verify
    E_LSI_CORRUPT_RECORD [project]/.orket/index/committed/objects/mine: nothing of the committed state has this file
    E_LSI_CORRUPT_RECORD cards FL-2: status is ready, by the index it is done
    E_LSI_CORRUPT_RECORD events first_light-1 3: the event is missing
    -- standard error --
    damaged: generation 22, state fd880f758de12937096ee3ad9956ccbfb50da6f5ba081e1908b2ef96fe337647; 3 fault(s), 645 thing(s) looked at; nothing was changed
    [exit 1]
    ");
    environment
        .run(&["show", "turn", "first_light-1:FL-2:9"])
        .assert_code(0);
}

#[test]
fn every_column_of_the_board_is_checked() {
    let environment = worked();
    let directory = environment.path(".orket/durable/db");
    let whole: Vec<(PathBuf, Vec<u8>)> = files(&directory)
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    for (sql, expected) in [
        (
            "UPDATE cards SET epic = 'x' WHERE id = 'FL-1'",
            "cards FL-1: epic is x",
        ),
        (
            "UPDATE cards SET ordinal = 9 WHERE id = 'FL-1'",
            "cards FL-1: ordinal is 9",
        ),
        (
            "UPDATE cards SET title = 'x' WHERE id = 'FL-1'",
            "cards FL-1: title is x",
        ),
        (
            "UPDATE cards SET seat = 'x' WHERE id = 'FL-1'",
            "cards FL-1: seat is x",
        ),
        (
            "UPDATE cards SET priority = 9 WHERE id = 'FL-1'",
            "cards FL-1: priority is 9",
        ),
        (
            "UPDATE cards SET wait_reason = 'x' WHERE id = 'FL-1'",
            "cards FL-1: wait_reason is x",
        ),
        (
            "UPDATE cards SET verified = 'x' WHERE id = 'FL-1'",
            "cards FL-1: verified is x",
        ),
        (
            "UPDATE cards SET body_digest = zeroblob(32) WHERE id = 'FL-1'",
            "cards FL-1: body_digest is 0000",
        ),
        (
            "UPDATE cards SET generation = 1 WHERE id = 'FL-1'",
            "cards FL-1: generation is 1",
        ),
        (
            "UPDATE cards SET id = 'FL-9' WHERE id = 'FL-1'",
            "cards FL-9: the board shows a card that the index does not hold",
        ),
        (
            "DELETE FROM cards WHERE id = 'FL-1'",
            "cards FL-1: the board does not show the card",
        ),
        (
            "DELETE FROM turn_journal WHERE turn = 22",
            "turn_journal first_light-1 22: the turn is in the chain",
        ),
        (
            "UPDATE turn_journal SET card = 'FL-2' WHERE turn = 3",
            "turn_journal first_light-1 3: its record has another card",
        ),
        (
            "UPDATE turn_journal SET role = 'x' WHERE turn = 3",
            "turn_journal first_light-1 3: its record has another role",
        ),
        (
            "UPDATE turn_journal SET step = 'x' WHERE turn = 3",
            "turn_journal first_light-1 3: its record has another step",
        ),
        (
            "UPDATE turn_journal SET attempt = 9 WHERE turn = 3",
            "turn_journal first_light-1 3: its record has another attempt",
        ),
        (
            "UPDATE turn_journal SET result_digest = zeroblob(32) WHERE turn = 3",
            "turn_journal first_light-1 3: its record has another result",
        ),
        (
            "UPDATE turn_journal SET record_digest = zeroblob(32) WHERE turn = 3",
            "turn_journal first_light-1 3: its record is not that of the chain",
        ),
        (
            "UPDATE turn_journal SET generation = 99 WHERE turn = 3",
            "turn_journal first_light-1 3: its generation is not that of the chain",
        ),
        (
            "UPDATE attempt_journal SET attempt = 9 WHERE turn = 6",
            "attempt_journal first_light-1 6 9: its record has another attempt",
        ),
        (
            "UPDATE attempt_journal SET record_digest = zeroblob(32) WHERE turn = 6",
            "attempt_journal first_light-1 6 1: its record 0000",
        ),
        (
            "UPDATE fences SET fence = fence + 1",
            "fences first_light-1: the fields do not match the digest of the row",
        ),
        (
            "UPDATE run_journal SET last_seq = last_seq + 1",
            "it is to be the last event, and is missing or not the last",
        ),
        (
            "UPDATE run_journal SET number = 7",
            "run_journal first_light-1: the fields do not match the digest of the row",
        ),
        (
            "UPDATE run_journal SET epic = 'x'",
            "run_journal first_light-1: the fields do not match the digest of the row",
        ),
        (
            "UPDATE run_journal SET state = 'failed'",
            "run_journal first_light-1: the fields do not match the digest of the row",
        ),
        (
            "UPDATE run_journal SET events_digest = NULL",
            "run_journal first_light-1: the digest of its newest event is not that of the event",
        ),
        (
            "UPDATE run_journal SET attempts_digest = NULL",
            "attempt_journal first_light-1 6 1: the chain of the run's attempts does not lead to it",
        ),
        (
            "DELETE FROM attempt_journal WHERE turn = 6",
            "attempt_journal first_light-1: the attempt with the digest",
        ),
        (
            "UPDATE attempt_journal SET previous_digest = zeroblob(32) WHERE turn = 6",
            "attempt_journal first_light-1 6 1: the fields do not match the digest of the row",
        ),
        (
            "UPDATE run_journal SET run_id = 'other'",
            "run_journal first_light-1: the run has an envelope and no journal",
        ),
        (
            "UPDATE events SET line = '{}' WHERE seq = 2",
            "events first_light-1 2: the line is no event",
        ),
        (
            "UPDATE events SET line = replace(line, '\"time\":\"20', '\"time\":\"19') WHERE seq = 2",
            "events first_light-1 2: the fields do not match the digest of the row",
        ),
        (
            "UPDATE events SET digest = zeroblob(32) WHERE seq = 2",
            "events first_light-1 2: the fields do not match the digest of the row",
        ),
        (
            "DELETE FROM events WHERE seq = 1",
            "events first_light-1 1: the event is missing",
        ),
        (
            "DELETE FROM records WHERE digest IN (SELECT record_digest FROM attempt_journal)",
            "attempt_journal first_light-1 6 1: its record",
        ),
    ] {
        files(&directory)
            .iter()
            .for_each(|path| fs::remove_file(path).unwrap());
        whole
            .iter()
            .for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
        let connection = rusqlite::Connection::open(database(&environment)).unwrap();
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
        drop(connection);
        let output = environment.run(&["verify"]);
        output.assert_code(1);
        assert!(output.stdout.contains(expected), "{sql}\n{}", output.stdout);
    }
}

#[test]
fn a_state_goes_to_another_project_as_files() {
    let environment = worked();
    let state = environment
        .root()
        .join("state")
        .to_string_lossy()
        .into_owned();
    environment.run(&["index", "export", &state]).assert_code(0);
    let taken = environment.run(&["index", "export", &state]);
    taken.assert_code(3);
    let other = sample();
    let imported = other.run(&["index", "import", &state]);
    imported.assert_code(0);
    let digest = imported.stdout.clone();
    other.run(&["verify"]).assert_code(0);
    assert_eq!(
        other.run(&["board"]).stdout,
        environment.run(&["board"]).stdout
    );
    assert_eq!(
        other.run(&["diff", "@0", "now"]).code,
        environment.run(&["diff", "@0", "now"]).code
    );
    let again = other.root().join("again").to_string_lossy().into_owned();
    assert_eq!(other.run(&["index", "export", &again]).stdout, digest);
    let third = sample();
    third.run(&["index", "import", &again]).assert_code(0);
    let last = third.root().join("last").to_string_lossy().into_owned();
    third.run(&["index", "export", &last]).assert_code(0);
    let none: [String; 0] = [];
    let (again, last) = (Tree::read(again.as_ref()), Tree::read(last.as_ref()));
    assert_eq!(again.differences(&last), none);
    let twice = third.run(&["index", "import", &state]);
    assert_eq!(
        twice.complaint(3),
        "orket: the index is at generation 1; an import needs one that nothing was done in; import into a new project, or set ORKET_HOME to a new directory"
    );
}

#[test]
fn a_state_that_is_not_there_is_named() {
    let environment = worked();
    for (arguments, code, expected) in [
        (
            ["diff", "now", "@99"],
            1,
            "there is no generation 99; the newest is 22",
        ),
        (
            ["diff", "now", "first_light-1:99"],
            1,
            "the run first_light-1 has no promoted turn-0099",
        ),
        (
            ["show", "state", "--at=other:1"],
            1,
            "the run other has no promoted turn-0001",
        ),
    ] {
        let output = environment.run(&arguments);
        assert_eq!(output.complaint(code), format!("orket: {expected}"));
    }
    environment.run(&["diff", "now", "then"]).assert_code(2);
    let fresh = sample();
    for arguments in [["verify", "--quick"], ["show", "state"]] {
        let output = fresh.run(&arguments);
        assert_eq!(
            output.complaint(1),
            "orket: nothing has run in this project yet; `orket run --epic NAME` begins"
        );
    }
    assert!(!fresh.path(".orket").exists());
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = directory.read_dir().unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn database(environment: &CliEnvironment) -> PathBuf {
    environment.path(".orket/durable/db/orket_persistence.db")
}
