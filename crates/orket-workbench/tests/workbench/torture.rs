//! A failure or a kill at every file operation: once the next command has run, the tree is exactly as before or exactly
//! as after, to the last byte and mode of every file in it.

use std::path::Path;
use std::process::Command;

use orket_workbench::{Before, Change, Disk, Error, Files, Limits, Plan, TouchPath, Workbench};

use crate::faulty::{Fault, Faulty};
use crate::tree::{self, Tree};

const ROOT: &str = "ORKET_TORTURE_ROOT";
const AT: &str = "ORKET_TORTURE_AT";

/// What is changed: two files with different modes, one in a directory that is there, two in directories that are not.
const CHANGES: &[(&str, &str)] = &[
    ("a.txt", "one\nTWO\nthree\n"),
    ("bin/run", "#!/bin/sh\necho two\n"),
    ("bin/stop", "#!/bin/sh\n"),
    ("new/deep/c.txt", "c\n"),
    ("new/d.txt", ""),
];

/// The whole command: take the tree, plan, execute.
fn command(root: &Path, files: &dyn Files) -> Result<(), Error> {
    let (workbench, _) = Workbench::open(root, files)?;
    let snapshot = workbench.snapshot(Limits::default());
    let mut changes = Vec::new();
    for (path, after) in CHANGES {
        let path = TouchPath::parse(path).unwrap();
        let before = snapshot.read(&path)?;
        changes.push(Change {
            path,
            before,
            after: after.as_bytes().to_vec(),
        });
    }
    workbench.execute(&Plan::new(changes, Limits::default())?)
}

/// What the next command does first.
fn next(root: &Path) {
    Workbench::open(root, &Disk).unwrap();
}

struct Ground {
    directory: tempfile::TempDir,
    before: Tree,
}

impl Ground {
    fn new(has_home: bool) -> Ground {
        let directory = tree::memory();
        tree::fill(directory.path(), has_home);
        let before = tree::read(directory.path());
        Ground { directory, before }
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }

    /// The tree as it has to be afterwards, made without the code under test.
    fn after(&self) -> Tree {
        let mut after = self.before.clone();
        for (path, text) in CHANGES {
            let bytes = text.as_bytes().to_vec();
            match after.get_mut(*path) {
                Some(entry) => entry.2 = bytes,
                None => {
                    after.insert((*path).to_owned(), ('f', 0o644, bytes));
                }
            }
        }
        for directory in ["new", "new/deep"] {
            after.insert(directory.to_owned(), ('d', 0o755, Vec::new()));
        }
        after
    }

    /// Tells whether the tree is as after; anything but before and after is a failure.
    fn is_after(&self, what: &str) -> bool {
        let now = tree::read(self.root());
        if now == self.before {
            return false;
        }
        let after = self.after();
        let differing: Vec<&String> = now
            .keys()
            .chain(after.keys())
            .filter(|path| now.get(*path) != after.get(*path))
            .collect();
        assert!(
            differing.is_empty(),
            "{what}: neither before nor after at {differing:?}"
        );
        true
    }
}

/// Counts the operations of a command that nothing happens to.
fn operations(has_home: bool) -> usize {
    let ground = Ground::new(has_home);
    let files = Faulty::new(Fault::Never);
    command(ground.root(), &files).unwrap();
    assert!(ground.is_after("nothing happened"));
    files.count()
}

#[test]
fn an_operation_that_fails_leaves_the_tree_as_it_was_at_once() {
    for has_home in [false, true] {
        for at in 0..operations(has_home) {
            let ground = Ground::new(has_home);
            let result = command(ground.root(), &Faulty::new(Fault::Once(at)));
            let what = format!("operation {at} failed: {result:?}");
            // A failure that is told changed nothing, at once, except where it says that the next command finds out.
            match &result {
                Ok(()) | Err(Error::OutcomeUnknown { .. }) => {
                    next(ground.root());
                    assert!(ground.is_after(&what), "{what}");
                }
                Err(Error::RestoreFailed { .. }) => {
                    next(ground.root());
                    assert!(!ground.is_after(&what), "{what}");
                }
                Err(_) => assert!(!ground.is_after(&what), "{what}"),
            }
        }
    }
}

#[test]
fn a_disk_that_goes_away_during_a_command_and_again_during_the_next() {
    for has_home in [false, true] {
        let mut outcomes = [0, 0];
        for at in 0..operations(has_home) {
            for again in 0.. {
                let ground = Ground::new(has_home);
                let _ = command(ground.root(), &Faulty::new(Fault::From(at)));
                let files = Faulty::new(Fault::From(again));
                let is_recovered = Workbench::open(ground.root(), &files).is_ok();
                next(ground.root());
                let what = format!("gone at {at}, then at {again}");
                outcomes[usize::from(ground.is_after(&what))] += 1;
                if is_recovered {
                    break;
                }
            }
        }
        // Both happen, or the test shows nothing.
        assert!(outcomes.iter().all(|count| *count > 2), "{outcomes:?}");
    }
}

#[test]
fn somebody_who_writes_at_any_moment_is_refused_for_and_keeps_what_he_wrote() {
    let mut refused_while_applying = 0;
    let first = first_rename();
    for at in 0..operations(false) {
        let ground = Ground::new(false);
        let path = ground.root().join("bin/run");
        let result = command(
            ground.root(),
            &Faulty::new(Fault::Meddle(at, &path, "mine\n")),
        );
        let now = tree::read(ground.root());
        match result {
            Err(Error::ChangedSincePlan { path }) => {
                assert_eq!(path, "bin/run");
                let mut expected = ground.before.clone();
                expected.get_mut("bin/run").unwrap().2 = b"mine\n".to_vec();
                assert_eq!(now, expected, "meddled at {at}");
                // Another file is in place before this one is looked at again.
                refused_while_applying += usize::from(at > first);
            }
            // Before the plan it is what the plan was made for; between the last look and the rename nobody sees it; and
            // after it, it is an edit of the new file.
            Ok(()) => assert_eq!(now["a.txt"], ground.after()["a.txt"], "meddled at {at}"),
            Err(other) => panic!("meddled at {at}: {other:?}"),
        }
    }
    assert!(refused_while_applying > 0);
}

/// Returns the operation that puts the first file in place: the first after which it is gone again only by undoing.
fn first_rename() -> usize {
    let changed = |at: usize| {
        let ground = Ground::new(false);
        let _ = command(ground.root(), &Faulty::new(Fault::From(at)));
        tree::read(ground.root())["a.txt"] != ground.before["a.txt"]
    };
    (0..operations(false)).find(|at| changed(*at)).unwrap() - 1
}

#[test]
fn a_kill_at_any_operation_is_undone_or_finished_by_the_next_command() {
    for has_home in [false, true] {
        let mut outcomes = [0, 0];
        for at in 0..operations(has_home) {
            let ground = Ground::new(has_home);
            let status = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "torture::child", "--ignored", "--quiet"])
                .env(ROOT, ground.root())
                .env(AT, at.to_string())
                .output()
                .unwrap()
                .status;
            assert!(!status.success(), "the child was not killed at {at}");
            next(ground.root());
            outcomes[usize::from(ground.is_after(&format!("killed at {at}")))] += 1;
        }
        assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
    }
}

#[test]
#[ignore = "the child of the test above"]
fn child() {
    let Ok(root) = std::env::var(ROOT) else {
        return;
    };
    let at = std::env::var(AT).unwrap().parse().unwrap();
    command(Path::new(&root), &Faulty::new(Fault::Abort(at))).unwrap();
}

#[test]
fn the_plan_of_the_torture_changes_and_makes() {
    // Guards the tests above: they would show little if nothing existed, or everything.
    let ground = Ground::new(false);
    let (workbench, _) = Workbench::open(ground.root(), &Disk).unwrap();
    let snapshot = workbench.snapshot(Limits::default());
    let absent = CHANGES
        .iter()
        .filter(|(path, _)| snapshot.read(&TouchPath::parse(path).unwrap()) == Ok(Before::Absent));
    assert_eq!(absent.count(), 3);
}
