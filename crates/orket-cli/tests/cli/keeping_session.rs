//! Keeping a project usable: retention, pins, backup, restore, rebuild.

use std::fs;

use insta::assert_snapshot;
use orket_testkit::{CliEnvironment, Tree};

use crate::sample::{VIEW, facts, sample, worked};

fn policy(environment: &CliEnvironment, lines: &str) {
    let config = environment.read("orket.toml");
    let config = config.split("\n[retention]").next().unwrap().to_owned();
    environment.write("orket.toml", &format!("{config}\n[retention]\n{lines}\n"));
}

fn state(environment: &CliEnvironment) -> String {
    let shown = environment.run(&["show", "state", "--json"]);
    shown.assert_code(0);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    shown["state_digest"].as_str().unwrap().to_owned()
}

#[test]
fn what_retention_lets_go_is_told_first_and_then_not_retained() {
    let environment = worked();
    let told = environment.run(&["gc"]);
    told.assert_code(0);
    assert!(told.stdout.contains("nothing to remove"), "{told}");
    policy(&environment, "generations = 3\nruns = 0");
    let before = state(&environment);
    environment.run(&["pin", "first_light-1"]).assert_code(0);
    let told = environment.run(&["gc"]);
    told.assert_code(0);
    assert!(told.stdout.contains("nothing to remove"), "{told}");
    environment.run(&["unpin", "first_light-1"]).assert_code(0);
    let told = environment.run(&["gc"]);
    told.assert_code(0);
    assert!(
        told.stdout.contains("first_light-1: its records would go"),
        "{told}"
    );
    assert!(told.stderr.contains("nothing was removed"), "{told}");
    environment.run(&["replay", "first_light-1"]).assert_code(0);
    // The log is part of the database.
    let length = || -> u64 {
        let files = ["", "-wal"].map(|end| format!(".orket/durable/db/orket_persistence.db{end}"));
        files
            .iter()
            .map(|file| fs::metadata(environment.path(file)).unwrap().len())
            .sum()
    };
    let long = length();
    environment.run(&["gc", "--apply"]).assert_code(0);
    assert!(length() < long - 100_000, "{long} became {}", length());
    assert_eq!(state(&environment), before);
    environment.run(&["verify"]).assert_code(0);
    for generation in 20..=22 {
        environment
            .run(&["show", "state", "--at", &format!("@{generation}")])
            .assert_code(0);
    }
    assert_snapshot!(environment.run(&["show", "state", "--at", "first_light-1:5"]), @r"
    $ orket show state --at first_light-1:5
    -- standard error --
    orket: generation 5 is not retained; the oldest that is kept is 20; a backup from before `orket gc` may still have it
    [exit 1]
    ");
    assert_snapshot!(environment.run(&["replay", "first_light-1"]), @r"
    $ orket replay first_light-1
    -- standard error --
    orket: the records of run first_light-1 are not retained; a backup from before `orket gc` may still have it
    [exit 1]
    ");
    assert_snapshot!(environment.run(&["show", "turn", "first_light-1:FL-1:2"]), @r"
    $ orket show turn first_light-1:FL-1:2
    -- standard error --
    orket: the records of run first_light-1 are not retained; a backup from before `orket gc` may still have it
    [exit 1]
    ");
    environment
        .run(&["show", "run", "first_light-1"])
        .assert_code(0);
    environment.run(&["board"]).assert_code(0);
    // What is over stays over, and projections come up to date without what went.
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);
    environment.run(&["rebuild"]).assert_code(0);
    environment.run(&["verify"]).assert_code(0);
    let told = environment.run(&["gc", "--apply"]);
    told.assert_code(0);
    assert!(told.stdout.contains("nothing to remove"), "{told}");
}

#[test]
fn retention_can_follow_each_run() {
    let environment = sample();
    policy(&environment, "generations = 2\nauto = true");
    let ran = environment.run(&["run", "--epic", "first_light"]);
    ran.assert_code(0);
    assert!(ran.stderr.contains("retention: "), "{ran}");
    environment
        .run(&["show", "state", "--at", "@21"])
        .assert_code(0);
    environment
        .run(&["show", "state", "--at", "@20"])
        .assert_code(1);
    // The records of all runs stay, and each turn replays.
    environment.run(&["replay", "first_light-1"]).assert_code(0);
    environment.run(&["verify"]).assert_code(0);
}

#[test]
fn a_quota_stops_the_run_cleanly_and_it_goes_on_when_there_is_room() {
    let environment = sample();
    policy(&environment, "quota_bytes = 300000");
    let stopped = environment.run(&["run", "--epic", "first_light"]);
    stopped.assert_code(4);
    assert!(
        stopped.stderr.contains("would exceed the quota of 300000"),
        "{stopped}"
    );
    environment.run(&["verify"]).assert_code(0);
    policy(&environment, "reserve_bytes = 9000000000000000");
    let stopped = environment.run(&["run", "--epic", "first_light"]);
    stopped.assert_code(4);
    assert!(stopped.stderr.contains("are to stay free"), "{stopped}");
    policy(&environment, "quota_bytes = 30000000");
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);
    assert!(facts(&environment, "first_light-1") == facts(&worked(), "first_light-1"));
}

#[test]
fn a_backup_is_restored_to_the_same_home_in_another_place() {
    let one = worked();
    let file = one.root().join("home/backup.tar");
    let file = file.to_str().unwrap();
    one.run(&["backup", file]).assert_code(0);
    one.run(&["backup", file]).assert_code(3);
    let two = sample();
    two.run(&["restore", file]).assert_code(0);
    two.run(&["verify"]).assert_code(0);
    two.run(&["replay", "first_light-1"]).assert_code(0);
    assert!(facts(&two, "first_light-1") == facts(&one, "first_light-1"));
    for path in ["workspace/default/observability", VIEW] {
        assert!(
            Tree::read(&one.path(path)) == Tree::read(&two.path(path)),
            "{path}"
        );
    }
    assert_eq!(
        one.read("workspace/default/orket.log"),
        two.read("workspace/default/orket.log")
    );
    // Not over another database by accident, and then over it whole.
    two.run(&["restore", file]).assert_code(3);
    two.run(&["restore", file, "--replace"]).assert_code(0);
    two.run(&["verify"]).assert_code(0);
}

#[test]
fn an_older_database_is_taken_by_restore_and_otherwise_only_on_demand() {
    let environment = sample();
    policy(&environment, "quota_bytes = 300000");
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(4);
    let file = environment.root().join("home/older.tar");
    let file = file.to_str().unwrap();
    environment.run(&["backup", file]).assert_code(0);
    let older = environment.root().join("home/older");
    let durable = environment.path(".orket/durable");
    copy(&durable, &older);
    policy(&environment, "");
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);

    // Somebody puts the older database back by hand: the view, agent_output/ and the log are ahead.
    fs::remove_dir_all(&durable).unwrap();
    copy(&older, &durable);
    let refused = environment.run(&["run", "--epic", "first_light"]);
    refused.assert_code(1);
    for word in [
        "E_LSI_CORRUPT_RECORD",
        "orket restore",
        "orket rebuild --accept-older",
    ] {
        assert!(refused.stderr.contains(word), "{refused}");
    }
    environment.run(&["rebuild"]).assert_code(1);
    // What the older state does not know is not overwritten: the files of later turns are named.
    let foreign = environment.run(&["rebuild", "--accept-older"]);
    if foreign.code != Some(0) {
        foreign.assert_code(7);
    }
    fs::remove_dir_all(environment.path("agent_output")).unwrap();
    environment
        .run(&["rebuild", "--accept-older"])
        .assert_code(0);
    environment.run(&["verify"]).assert_code(0);
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);
    assert!(facts(&environment, "first_light-1") == facts(&worked(), "first_light-1"));

    // A restore of an older state resets the projections itself.
    fs::remove_dir_all(environment.path("agent_output")).unwrap();
    environment
        .run(&["restore", file, "--replace"])
        .assert_code(0);
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);
    assert!(facts(&environment, "first_light-1") == facts(&worked(), "first_light-1"));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    orket_testkit::copy_tree(from, to, &[]);
}

#[test]
fn projections_come_back_from_the_database_and_a_persons_file_stays() {
    let environment = worked();
    let read = |path: &str| Tree::read(&environment.path(path));
    let observations = "workspace/default/observability";
    let before = [read("agent_output"), read(observations), read(VIEW)];
    let log = environment.read("workspace/default/orket.log");
    for path in ["agent_output", "workspace", ".orket/index"] {
        fs::remove_dir_all(environment.path(path)).unwrap();
    }
    let rebuilt = environment.run(&["rebuild"]);
    rebuilt.assert_code(0);
    assert!(
        rebuilt.stdout.contains("agent_output   4 file(s) written"),
        "{rebuilt}"
    );
    assert!(before == [read("agent_output"), read(observations), read(VIEW)]);
    assert_eq!(environment.read("workspace/default/orket.log"), log);
    environment.write("agent_output/README.md", "mine\n");
    let refused = environment.run(&["rebuild"]);
    refused.assert_code(7);
    assert!(
        refused.stderr.contains("agent_output/README.md"),
        "{refused}"
    );
    assert_eq!(environment.read("agent_output/README.md"), "mine\n");
}

#[test]
fn a_damaged_or_hostile_archive_changes_nothing() {
    let environment = worked();
    let file = environment.root().join("home/backup.tar");
    environment
        .run(&["backup", file.to_str().unwrap()])
        .assert_code(0);
    let whole = fs::read(&file).unwrap();
    let before = Tree::read(&environment.path(".orket/durable/db"));
    let archive = |name: &str, bytes: &[u8]| {
        let path = environment.root().join("home").join(name);
        fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap().to_owned();
        let refused = environment.run(&["restore", &path, "--replace"]);
        assert_eq!(refused.code, Some(3), "{name}: {refused}");
    };
    archive("cut", &whole[..whole.len() / 2]);
    archive("empty", b"");
    archive("noise", &[0x5a; 4096]);
    let mut flipped = whole.clone();
    flipped[200_000] ^= 1;
    archive("flipped", &flipped);
    // The name and the kind of the second entry, with its checksum put right.
    let at = 1024;
    let kinds: [(&str, &str, u8); 6] = [
        ("outside", "../../escaped", b'0'),
        ("absolute", "/tmp/escaped", b'0'),
        ("link", "database", b'2'),
        ("directory", "database", b'5'),
        ("long_name", "database", b'L'),
        ("other", "databases", b'0'),
    ];
    for (name, path, kind) in kinds {
        let mut bytes = whole.clone();
        bytes[at..at + 100].fill(0);
        bytes[at..at + path.len()].copy_from_slice(path.as_bytes());
        bytes[at + 156] = kind;
        bytes[at + 148..at + 156].fill(b' ');
        let sum: u32 = bytes[at..at + 512]
            .iter()
            .map(|byte| u32::from(*byte))
            .sum();
        bytes[at + 148..at + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive(name, &bytes);
    }
    assert!(before == Tree::read(&environment.path(".orket/durable/db")));
    assert!(!environment.path(".orket/restore.new").exists());
    environment.run(&["verify"]).assert_code(0);
}
