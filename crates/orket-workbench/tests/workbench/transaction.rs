//! What a transaction does, and what it refuses.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use orket_workbench::{Before, Change, Disk, Error, Limits, Plan, TouchPath, Workbench};

use crate::faulty::{Fault, Faulty};
use crate::tree;

fn path(text: &str) -> TouchPath {
    TouchPath::parse(text).unwrap()
}

fn change(name: &str, before: Option<&str>, after: &str) -> Change {
    Change {
        path: path(name),
        before: before.map_or(Before::Absent, |text| Before::File(text.into())),
        after: after.into(),
    }
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan::new(changes, Limits::default()).unwrap()
}

fn ground() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    tree::fill(directory.path(), false);
    directory
}

fn execute(root: &Path, plan: &Plan) -> Result<(), Error> {
    Workbench::open(root, &Disk)?.0.execute(plan)
}

#[test]
fn a_plan_is_shown_as_a_diff() {
    let plan = plan(vec![
        change("new.txt", None, "x\n"),
        change("a.txt", Some("one\ntwo\n"), "one\nTWO\n"),
        change("same", Some("s"), "s"),
    ]);
    assert_eq!(plan.changes().len(), 2);
    assert_eq!(plan.changes()[0].lines(), (1, 1));
    assert_eq!(
        plan.diff(),
        "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+x\n"
    );
}

#[test]
fn what_changed_since_the_plan_is_refused_and_nothing_is_touched() {
    let cases = [
        change("a.txt", Some("other\n"), "x"),
        change("a.txt", Some("one\ntwO\n"), "x"),
        change("a.txt", None, "x"),
        change("gone.txt", Some("was here"), "x"),
        change("empty/gone.txt", Some("was here"), "x"),
    ];
    for case in cases {
        let ground = ground();
        let before = tree::read(ground.path());
        // Another change comes first, so that there is something to be put back.
        let name = case.path.to_string();
        let plan = plan(vec![change("0/first", None, "1"), case]);
        let result = execute(ground.path(), &plan);
        assert_eq!(result, Err(Error::ChangedSincePlan { path: name }));
        assert_eq!(tree::read(ground.path()), before);
    }
}

#[test]
fn links_special_files_and_directories_are_refused() {
    let ground = ground();
    let outside = tempfile::tempdir().unwrap();
    let root = ground.path();
    symlink(outside.path(), root.join("away")).unwrap();
    fs::hard_link(root.join("notes"), root.join("again")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(root.join("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    let before = tree_without_pipe(root);
    let (workbench, _) = Workbench::open(root, &Disk).unwrap();
    for name in [
        "link",
        "away/x",
        "notes",
        "again",
        "pipe",
        "empty",
        "a.txt/below",
    ] {
        let found = workbench.snapshot(Limits::default()).read(&path(name));
        assert!(
            matches!(found, Err(Error::FileUnsupported { .. })),
            "{name}: {found:?}"
        );
        let result = workbench.execute(&plan(vec![change(name, None, "x")]));
        assert!(
            matches!(result, Err(Error::FileUnsupported { .. })),
            "{name}: {result:?}"
        );
    }
    assert_eq!(tree_without_pipe(root), before);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

fn tree_without_pipe(root: &Path) -> tree::Tree {
    let pipe = root.join("pipe");
    let aside = root.parent().unwrap().join(format!(
        "{}.pipe",
        root.file_name().unwrap().to_str().unwrap()
    ));
    fs::rename(&pipe, &aside).unwrap();
    let read = tree::read(root);
    fs::rename(&aside, &pipe).unwrap();
    read
}

#[test]
fn limits_are_kept_before_anything_is_written() {
    let limits = Limits {
        files: 2,
        file_bytes: 4,
        bytes: 6,
    };
    let refused = [
        vec![change("a", None, "12345")],
        vec![
            change("a", None, "1"),
            change("b", None, "1"),
            change("c", None, "1"),
        ],
        vec![change("a", None, "1234"), change("b", None, "123")],
    ];
    for changes in refused {
        let result = Plan::new(changes, limits);
        assert!(
            matches!(result, Err(Error::LimitExceeded { .. })),
            "{result:?}"
        );
    }
    let ground = ground();
    let (workbench, _) = Workbench::open(ground.path(), &Disk).unwrap();
    let read = workbench.snapshot(limits).read(&path("a.txt"));
    assert!(matches!(read, Err(Error::LimitExceeded { .. })), "{read:?}");
    assert!(
        Plan::new(
            vec![change("a", None, "1234"), change("b", None, "12")],
            limits
        )
        .is_ok()
    );
}

#[test]
fn a_tree_is_taken_by_one_command_at_a_time() {
    let ground = ground();
    let held = Workbench::open(ground.path(), &Disk).unwrap();
    let second = Workbench::open(ground.path(), &Disk).map(|_| ());
    assert!(
        matches!(second, Err(Error::TransactionBusy { .. })),
        "{second:?}"
    );
    drop(held);
    Workbench::open(ground.path(), &Disk).unwrap();
}

/// Leaves what a command leaves whose disk goes away once two of three files are in place.
fn interrupted(root: &Path) -> Plan {
    let plan = plan(vec![
        change("a.txt", Some("one\ntwo\n"), "changed\n"),
        change("b.txt", None, "made\n"),
        change("bin/run", Some("#!/bin/sh\necho one\n"), "changed too\n"),
    ]);
    for at in 0.. {
        let files = Faulty::new(Fault::From(at));
        let opened = Workbench::open(root, &files);
        let Ok((workbench, _)) = opened else { continue };
        let result = workbench.execute(&plan);
        drop(workbench);
        let is_between = root.join("b.txt").exists()
            && fs::read_to_string(root.join("bin/run"))
                .unwrap()
                .contains("one");
        if is_between {
            assert!(
                matches!(result, Err(Error::RestoreFailed { .. })),
                "{result:?}"
            );
            return plan;
        }
        Workbench::open(root, &Disk).unwrap();
    }
    unreachable!("some operation lies between the second file and the third");
}

#[test]
fn what_an_interrupted_command_left_is_undone_and_told() {
    let ground = ground();
    let before = tree::read(ground.path());
    interrupted(ground.path());
    let (_, recovered) = Workbench::open(ground.path(), &Disk).unwrap();
    assert_eq!(recovered.0, ["a.txt", "b.txt"]);
    assert_eq!(tree::read(ground.path()), before);
    let (_, recovered) = Workbench::open(ground.path(), &Disk).unwrap();
    assert_eq!(recovered.0, [""; 0]);
}

#[test]
fn a_person_s_change_since_the_interruption_is_never_lost() {
    for (name, text) in [("a.txt", "mine\n"), ("b.txt", "mine too\n")] {
        let ground = ground();
        let root = ground.path();
        interrupted(root);
        fs::write(root.join(name), text).unwrap();
        let before = tree::read(root);
        let result = Workbench::open(root, &Disk).map(|_| ());
        let Err(Error::RestoreConflict {
            path,
            saved,
            journal,
        }) = result
        else {
            panic!("{name}: {result:?}");
        };
        assert_eq!(path, name);
        // Nothing else was put back either: the person decides first.
        assert_eq!(tree::read(root), before);
        if name == "a.txt" {
            assert_eq!(fs::read_to_string(saved).unwrap(), "one\ntwo\n");
        }
        // As the message says: with the journal away, everything stays as it is.
        fs::rename(&journal, root.join("kept-journal")).unwrap();
        Workbench::open(root, &Disk).unwrap();
        assert_eq!(fs::read_to_string(root.join(name)).unwrap(), text);
    }
}

#[test]
fn what_the_command_had_not_reached_is_nobody_s_conflict() {
    let ground = ground();
    let root = ground.path();
    let mut expected = tree::read(root);
    interrupted(root);
    fs::write(root.join("bin/run"), "mine\n").unwrap();
    let (_, recovered) = Workbench::open(root, &Disk).unwrap();
    assert_eq!(recovered.0, ["a.txt", "b.txt"]);
    expected.get_mut("bin/run").unwrap().2 = b"mine\n".to_vec();
    assert_eq!(tree::read(root), expected);
}

#[test]
fn a_file_in_a_directory_that_the_command_made_keeps_the_directory() {
    let ground = ground();
    let root = ground.path();
    let plan = plan(vec![
        change("made/one", None, "1"),
        change("made/two", None, "2"),
    ]);
    for at in 0.. {
        let files = Faulty::new(Fault::From(at));
        if let Ok((workbench, _)) = Workbench::open(root, &files) {
            let _ = workbench.execute(&plan);
        }
        if root.join("made/one").exists() {
            break;
        }
        Workbench::open(root, &Disk).unwrap();
    }
    fs::write(root.join("made/mine"), "mine").unwrap();
    Workbench::open(root, &Disk).unwrap();
    assert_eq!(fs::read_dir(root.join("made")).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(root.join("made/mine")).unwrap(), "mine");
}

#[test]
fn a_damaged_journal_stops_every_command_and_touches_nothing() {
    let ground = ground();
    let root = ground.path();
    interrupted(root);
    let applying = root.join(".orket-workbench/applying");
    let good = fs::read_to_string(&applying).unwrap();
    let bad = [
        String::new(),
        "{".to_owned(),
        good.replace("\"version\": 1", "\"version\": 2"),
        good.replace("\"a.txt\"", "\"../a.txt\""),
        good.replace("\"a.txt\"", "\".git/HEAD\""),
    ];
    for text in bad {
        assert_ne!(text, good);
        fs::write(&applying, text).unwrap();
        let before = tree::read(root);
        let result = Workbench::open(root, &Disk).map(|_| ());
        assert!(
            matches!(result, Err(Error::JournalDamaged { .. })),
            "{result:?}"
        );
        assert_eq!(tree::read(root), before);
    }
    // A former content that is not what was saved is not put back.
    fs::write(&applying, good).unwrap();
    fs::write(root.join(".orket-workbench/before-0"), "other").unwrap();
    let result = Workbench::open(root, &Disk).map(|_| ());
    assert!(
        matches!(result, Err(Error::JournalDamaged { .. })),
        "{result:?}"
    );
}

#[test]
fn modes_are_those_of_before_and_a_new_file_has_the_usual_one() {
    let ground = ground();
    let root = ground.path();
    fs::set_permissions(root.join("a.txt"), fs::Permissions::from_mode(0o4751)).unwrap();
    execute(
        root,
        &plan(vec![
            change("a.txt", Some("one\ntwo\n"), "x"),
            change("n", None, "y"),
        ]),
    )
    .unwrap();
    let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("a.txt"), 0o4751);
    fs::write(root.join("usual"), "").unwrap();
    assert_eq!(mode("n"), mode("usual"));
}
