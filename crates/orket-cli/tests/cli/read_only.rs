//! Commands that only read change nothing, and work where nothing can be written.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;

use orket_testkit::{CliEnvironment, Output};

use crate::sample::worked;

const READING: &[&[&str]] = &[
    &["board"],
    &["show", "run"],
    &["show", "run", "first_light-1"],
    &["show", "card", "FL-1"],
    &["show", "turn", "first_light-1:FL-1:2"],
    &["show", "state", "--at", "@5"],
    &["diff", "@3", "now"],
    &["replay", "first_light-1"],
    &["replay-turn", "first_light-1:FL-1:2"],
    &["verify"],
    &["verify", "--quick"],
    &["gc"],
];

/// All files with their bytes, modes and times of change.
fn snapshot(root: &Path) -> Vec<(String, u32, i64, i64, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(path) = open.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        // Readers note in the shared memory where they are.
        if name.ends_with("-shm") {
            continue;
        }
        let bytes = if metadata.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            Vec::new()
        } else {
            fs::read(&path).unwrap()
        };
        found.push((
            name,
            metadata.mode(),
            metadata.mtime(),
            metadata.mtime_nsec(),
            bytes,
        ));
    }
    found.sort();
    found
}

#[test]
fn no_command_that_reads_changes_a_byte() {
    let environment = worked();
    let before = snapshot(environment.project());
    for arguments in READING {
        environment.run(arguments).assert_code(0);
        assert!(snapshot(environment.project()) == before, "{arguments:?}");
    }
}

/// Takes all rights to write away, and runs a command as the user who owns the project and is not root.
struct Unwritable(CliEnvironment);

impl Unwritable {
    fn new(environment: CliEnvironment) -> Unwritable {
        let sealed = Unwritable(environment);
        if is_root() {
            sealed.each(&|path| chown(path, Some(65534), Some(65534)).unwrap());
        }
        sealed.mode(0o555, 0o444);
        sealed
    }

    fn each(&self, change: &dyn Fn(&Path)) {
        let mut open = vec![self.0.project().to_path_buf()];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(
                    fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            }
            change(&path);
        }
    }

    fn mode(&self, directory: u32, file: u32) {
        let given = |path: &Path| if path.is_dir() { directory } else { file };
        self.each(&|path| {
            fs::set_permissions(path, fs::Permissions::from_mode(given(path))).unwrap();
        });
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.0.command(arguments);
        if is_root() {
            command.uid(65534).gid(65534);
        }
        self.0.run_command(command)
    }
}

impl Drop for Unwritable {
    fn drop(&mut self) {
        self.mode(0o755, 0o644);
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

const LOG: &str = ".orket/durable/db/orket_persistence.db-wal";
const SHARED: &str = ".orket/durable/db/orket_persistence.db-shm";

#[test]
fn an_unwritable_home_is_read_and_nothing_is_tried_to_be_written() {
    let environment = Unwritable::new(worked());
    if !environment.0.program().ancestors().skip(1).all(is_open) {
        eprintln!("passed over: another user cannot reach the program");
        return;
    }
    let before = snapshot(environment.0.project());
    for arguments in READING {
        environment.run(arguments).assert_code(0);
    }
    let refused = environment.run(&["run", "--epic", "first_light"]);
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(snapshot(environment.0.project()) == before);
}

#[test]
fn without_shared_memory_an_empty_log_is_read_and_a_full_one_refused() {
    let environment = worked();
    assert!(fs::metadata(environment.path(LOG)).unwrap().len() > 0);
    fs::remove_file(environment.path(SHARED)).unwrap();
    let sealed = Unwritable::new(environment);
    if !sealed.0.program().ancestors().skip(1).all(is_open) {
        eprintln!("passed over: another user cannot reach the program");
        return;
    }
    let refused = sealed.run(&["board"]);
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(
        refused.stderr.contains("copy the home to a place"),
        "{refused}"
    );

    let environment = worked();
    // A backup of it, restored, has an empty log.
    let file = environment.root().join("home/backup.tar");
    let file = file.to_str().unwrap();
    environment.run(&["backup", file]).assert_code(0);
    environment
        .run(&["restore", file, "--replace"])
        .assert_code(0);
    assert_eq!(fs::metadata(environment.path(LOG)).unwrap().len(), 0);
    fs::remove_file(environment.path(SHARED)).unwrap();
    fs::remove_file(environment.path(LOG)).unwrap();
    let sealed = Unwritable::new(environment);
    let before = snapshot(sealed.0.project());
    for arguments in READING {
        sealed.run(arguments).assert_code(0);
    }
    assert!(snapshot(sealed.0.project()) == before);
}

/// Tells whether every user can pass a directory.
fn is_open(directory: &Path) -> bool {
    fs::metadata(directory).unwrap().mode() & 0o001 != 0
}
