//! The project's own commands see a copy, and nothing of them comes back.

use std::fs;
use std::path::Path;
use std::process::Command;

use orket_tools::sandbox::Sandbox;
use orket_workbench::verification::{Confinement, Verdict, VerifyConfig, verify};
use orket_workbench::{Before, Change, Code, Error, Limits, Plan, TouchPath};

use crate::tree;

fn plan() -> Plan {
    let change = |path: &str, before: Before, after: &str| Change {
        path: TouchPath::parse(path).unwrap(),
        before,
        after: after.into(),
    };
    let changes = vec![
        change("a.txt", Before::File(b"one\ntwo\n".to_vec()), "changed\n"),
        change("new/b.txt", Before::Absent, "made\n"),
    ];
    Plan::new(changes, Limits::default()).unwrap()
}

/// Judges the plan over a filled tree by these commands, and sees that the tree stays as it is.
fn judge(commands: &[&str], change: impl FnOnce(&mut VerifyConfig)) -> Result<Verdict, Error> {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    tree::fill(root, true);
    tree::write(root, ".env", "TOKEN=x\n", 0o600);
    tree::write(root, "target/x", "large", 0o600);
    tree::write(root, "data/x", "large", 0o600);
    let before = tree::read(root);
    let mut config = VerifyConfig {
        commands: commands.iter().map(|it| (*it).to_owned()).collect(),
        sandbox: Confinement::None,
        ..VerifyConfig::default()
    };
    change(&mut config);
    let verdict = verify(root, &plan(), &config, &nobody());
    assert_eq!(tree::read(root), before);
    verdict
}

/// A sandbox whose child never gets ready.
fn nobody() -> Sandbox {
    Sandbox::with_child("/bin/false".into())
}

#[test]
fn the_copy_holds_the_change_and_no_state_of_others() {
    let commands = [
        "grep -qx changed a.txt && grep -qx made new/b.txt && test -x bin/run && test -L link && test -d empty",
        "! test -e .git && ! test -e .orket && ! test -e .env && ! test -e target && ! test -e data",
        "echo left > behind; rm -r notes bin; echo other > a.txt",
    ];
    let verdict = judge(&commands, |config| config.leave_out.push("data".to_owned()));
    assert_eq!(
        verdict,
        Ok(Verdict::Passed {
            commands: 3,
            confinement: "no sandbox".to_owned(),
        })
    );
}

#[test]
fn without_commands_nothing_is_known() {
    assert_eq!(judge(&[], |_| {}), Ok(Verdict::NotConfigured));
}

#[test]
fn the_first_command_that_fails_is_told_with_what_it_printed() {
    let commands = [
        "true",
        "echo told; echo why >&2; exit 3",
        "touch /nowhere/at/all",
    ];
    assert_eq!(
        judge(&commands, |_| {}),
        Ok(Verdict::Failed {
            command: commands[1].to_owned(),
            ended: "exited with 3".to_owned(),
            tail: "told\nwhy".to_owned(),
        })
    );
    let Ok(Verdict::Failed { tail, .. }) = judge(&["seq 1 5000; false"], |_| {}) else {
        panic!("it passed");
    };
    let expected: Vec<String> = (4801..=5000).map(|number| number.to_string()).collect();
    assert_eq!(tail, expected.join("\n"));
}

#[test]
fn at_the_deadline_the_whole_group_is_ended() {
    // What would outlive the command holds the other end of a pipe open.
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let command = format!(
        "(exec 3<>{0}; while read -r line <&3; do :; done) & sleep 60",
        pipe.display()
    );
    let verdict = judge(&[&command], |config| config.deadline_seconds = 1);
    let Ok(Verdict::Failed { ended, .. }) = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(ended, "did not end within 1 s");
    // Nobody reads any more: a writer that does not wait is told so at once.
    let opened = rustix::fs::open(
        &pipe,
        rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK,
        rustix::fs::Mode::empty(),
    );
    assert_eq!(opened.err(), Some(rustix::io::Errno::NXIO));
}

#[test]
fn what_it_left_in_the_background_ends_with_a_command_that_passed() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let command = format!(
        "(exec 3<>{0}; while read -r line <&3; do :; done) & exit 0",
        pipe.display()
    );
    assert!(matches!(
        judge(&[&command], |_| {}),
        Ok(Verdict::Passed { .. })
    ));
    let opened = rustix::fs::open(
        &pipe,
        rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK,
        rustix::fs::Mode::empty(),
    );
    assert_eq!(opened.err(), Some(rustix::io::Errno::NXIO));
}

#[test]
fn the_environment_is_the_one_that_is_written_down() {
    let verdict = judge(
        &["test \"$GIVEN\" = yes && test -z \"$CARGO_MANIFEST_DIR\" && test -n \"$PATH\""],
        |config| {
            config
                .environment
                .insert("GIVEN".to_owned(), "yes".to_owned());
        },
    );
    // Cargo sets that variable for every test.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(matches!(verdict, Ok(Verdict::Passed { .. })), "{verdict:?}");
}

#[test]
fn where_no_sandbox_can_be_made_nothing_is_run() {
    let mark = tempfile::tempdir().unwrap();
    let command = format!("touch {}", mark.path().join("ran").display());
    let verdict = judge(&[&command], |config| config.sandbox = Confinement::Required);
    assert_eq!(
        verdict.map_err(|error| error.code()),
        Err(Code::SandboxUnavailable)
    );
    assert_eq!(fs::read_dir(mark.path()).unwrap().count(), 0);
}

#[test]
fn values_that_cannot_be_used_are_refused() {
    let cases: [fn(&mut VerifyConfig); 4] = [
        |config| config.commands.push("  ".to_owned()),
        |config| config.deadline_seconds = 0,
        |config| config.memory_mib = 1,
        |config| config.readable.push(Path::new("relative").to_path_buf()),
    ];
    for case in cases {
        let verdict = judge(&["true"], case).map_err(|error| error.code());
        assert_eq!(verdict, Err(Code::ConfigInvalid));
    }
}
