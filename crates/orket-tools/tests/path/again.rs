//! Tests that run again in another process: as another user, or where mounting is nobody's business.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// Set in the process of a test that runs again, to what it is there for.
const AGAIN: &str = "ORKET_TEST_AGAIN";

/// A user who owns nothing.
const NOBODY: u32 = 65534;

/// Whether this is the process in which mounts and devices may be made.
pub(crate) fn may_mount() -> bool {
    std::env::var(AGAIN).is_ok_and(|what| what == "mounts")
}

/// Says on the screen that a test, or a part of it, is left out.
pub(crate) fn skipped(what: &str, reason: &str) {
    // Not a macro: the harness would swallow what those print in a test that passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}: {reason}");
}

/// Runs a test of this executable again as the user 65534.
pub(crate) fn as_nobody(test: &str) {
    if !is_root() {
        let user = rustix::process::getuid().as_raw();
        skipped(
            &format!("{test} as uid {NOBODY}"),
            &format!("the user {user} cannot become another"),
        );
        return;
    }
    let place = Place::new();
    let mut command = Command::new(&place.executable);
    command.uid(NOBODY).gid(NOBODY);
    place.run(command, test, "nobody");
}

/// Runs a test of this executable again with a view of the mounts of its own.
pub(crate) fn with_own_mounts(test: &str) {
    let can = || {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "true"]);
        command.output().is_ok_and(|output| output.status.success())
    };
    if !is_root() || !can() {
        skipped(
            &format!("{test} with mounts and devices"),
            "only root can make them",
        );
        return;
    }
    let place = Place::new();
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "private"])
        .arg(&place.executable);
    place.run(command, test, "mounts");
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A directory that everybody may use, with a copy of this executable that everybody may run.
struct Place {
    scratch: tempfile::TempDir,
    executable: PathBuf,
}

impl Place {
    fn new() -> Place {
        let scratch = tempfile::tempdir().unwrap();
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let executable = scratch.path().join("test");
        fs::copy(std::env::current_exe().unwrap(), &executable).unwrap();
        fs::set_permissions(&executable, fs::Permissions::from_mode(0o755)).unwrap();
        Place {
            scratch,
            executable,
        }
    }

    fn run(&self, mut command: Command, test: &str, what: &str) {
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
        command
            .env(AGAIN, what)
            .env("TMPDIR", self.scratch.path())
            .current_dir("/");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{test} ({what}): {}\n{said}\n{complained}",
            output.status
        );
        assert!(
            said.contains("1 passed"),
            "{test} ({what}) did not run\n{said}"
        );
        let _ = std::io::stderr().write_all(&output.stderr);
    }
}
