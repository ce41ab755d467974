//! What is damaged is never taken for absent, nor for something else.

use std::fs;
use std::path::{Path, PathBuf};

use orket_kernel::{
    Code, CommittedView, Finish, Kernel, KernelError, Outcome, RunDescriptor, StagedTurn,
    StagingArea, StateStore, StoreFailure, TraceArtifact, object,
};

use orket_lsi::Depth;

use crate::housed::{Housed, envelope, run_id, turn, turn_id, two_turns};

fn kernel() -> Kernel<Housed> {
    let kernel = Kernel::new(Housed::empty());
    two_turns(&kernel);
    let mut run = kernel.start_run(&envelope("a")).unwrap();
    let artifact = TraceArtifact {
        name: "prompt".to_owned(),
        schema: "prompt/v1".to_owned(),
        content: object! {},
    };
    run.write_trace_artifacts(&[artifact]).unwrap();
    run.finish(Finish::Commit).unwrap();
    kernel
}

/// Damages a store with each of `damages` and expects that `read` calls it corrupt, where it read something before.
fn is_found<T: std::fmt::Debug>(
    damages: &[&str],
    read: impl Fn(&Housed) -> Result<Option<T>, StoreFailure>,
) {
    for sql in damages {
        let kernel = kernel();
        assert!(read(kernel.store()).unwrap().is_some());
        kernel.store().tamper(sql);
        match read(kernel.store()) {
            Err(StoreFailure::Corrupt { .. }) => {}
            other => panic!("{sql}: {other:?}"),
        }
    }
}

const RECORD: &str = "(SELECT record_digest FROM promotions WHERE turn = 1)";

#[test]
fn a_damaged_turn_record_is_found() {
    let damages = [
        &format!("DELETE FROM records WHERE digest = {RECORD}"),
        &format!("UPDATE records SET bytes = zeroblob(length_bytes) WHERE digest = {RECORD}"),
        "UPDATE promotions SET record_digest = zeroblob(32) WHERE turn = 1",
        "DELETE FROM promotions WHERE turn = 1",
    ];
    is_found(&damages, |store| {
        store.committed()?.turn_record(&run_id("a"), turn_id(1))
    });
}

#[test]
fn a_damaged_row_of_the_chain_is_no_state_digest() {
    let damages = [
        "UPDATE promotions SET state_digest = zeroblob(32) WHERE turn = 1",
        "DELETE FROM promotions WHERE turn = 1",
    ];
    is_found(&damages, |store| {
        store
            .committed()?
            .state_digest_after(&run_id("a"), turn_id(1))
    });
}

#[test]
fn a_damaged_run_is_found() {
    let damages = [
        "DELETE FROM runs",
        "UPDATE runs SET envelope = CAST('{}' AS BLOB)",
        "UPDATE ledger SET last_turn = 1",
        "DELETE FROM ledger",
        "UPDATE finished_runs SET outcome = 'FAIL'",
        "UPDATE finished_runs SET outcome = 'open'",
        "UPDATE finished_runs SET last_turn = 1",
        "UPDATE finished_runs SET last_turn = NULL",
        "UPDATE finished_runs SET digest = zeroblob(32)",
    ];
    is_found(&damages, |store| store.committed()?.run(&run_id("a")));
}

#[test]
fn a_damaged_trace_artifact_is_found() {
    let digest = "(SELECT content_digest FROM trace_artifacts)";
    let damages = [
        &format!("DELETE FROM records WHERE digest = {digest}"),
        &format!("UPDATE records SET bytes = zeroblob(length_bytes) WHERE digest = {digest}"),
        &format!("UPDATE trace_artifacts SET content_digest = {RECORD}"),
        "UPDATE trace_artifacts SET digest = zeroblob(32)",
    ];
    is_found(&damages, |store| {
        store.committed()?.trace_artifact(&run_id("a"), "prompt")
    });
}

#[test]
fn a_verification_finds_what_is_damaged_beside_the_turns() {
    let faults = |kernel: &Kernel<Housed>| {
        let verified = kernel.store().store.verify(Depth::Quick).unwrap();
        verified.findings.faults
    };
    assert_eq!(faults(&kernel()), []);
    for (sql, table) in [
        ("UPDATE finished_runs SET outcome = 'FAIL'", "finished_runs"),
        ("UPDATE finished_runs SET last_turn = 1", "finished_runs"),
        ("UPDATE finished_runs SET run_id = 'b'", "finished_runs"),
        (
            "UPDATE trace_artifacts SET name = 'other'",
            "trace_artifacts",
        ),
        ("UPDATE trace_artifacts SET run_id = 'b'", "trace_artifacts"),
        (
            "DELETE FROM records WHERE digest IN (SELECT content_digest FROM trace_artifacts)",
            "trace_artifacts",
        ),
    ] {
        let kernel = kernel();
        kernel.store().tamper(sql);
        let faults = faults(&kernel);
        let is_found = faults.iter().any(|fault| fault.place.starts_with(table));
        assert!(is_found, "{sql}: {faults:?}");
    }
}

#[test]
fn a_replay_over_a_damaged_record_is_a_report_that_fails() {
    for sql in [
        format!("DELETE FROM records WHERE digest = {RECORD}"),
        format!("UPDATE records SET bytes = zeroblob(length_bytes) WHERE digest = {RECORD}"),
        "UPDATE promotions SET record_digest = zeroblob(32) WHERE turn = 1".to_owned(),
        "DELETE FROM ledger".to_owned(),
        "DELETE FROM runs".to_owned(),
    ] {
        let kernel = kernel();
        let descriptor = RunDescriptor {
            run_id: run_id("a"),
            envelope_digest: None,
        };
        let report = kernel.replay_run(&descriptor).unwrap();
        assert_eq!(report.outcome, Outcome::Pass);
        let report = kernel.compare_runs(&run_id("a"), &run_id("a")).unwrap();
        assert_eq!(report.outcome, Outcome::Pass);
        kernel.store().tamper(&sql);
        for report in [
            kernel.replay_run(&descriptor),
            kernel.compare_runs(&run_id("a"), &run_id("a")),
        ] {
            let report = report.unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert_eq!(report.outcome, Outcome::Fail, "{sql}");
            let codes = report.issues.iter().map(|issue| issue.code);
            assert!(
                codes.into_iter().any(|code| code == Code::LsiCorruptRecord),
                "{sql}"
            );
        }
    }
}

type Staged = Vec<(StagedTurn, Vec<u8>)>;

/// Stages a turn, does something to its files, and returns what is staged then.
fn after_touching(touch: impl Fn(&Path)) -> (Kernel<Housed>, Result<Staged, StoreFailure>) {
    let kernel = Kernel::new(Housed::empty());
    let mut run = kernel.start_run(&envelope("a")).unwrap();
    let input = turn(1, &[("X", "x", None), ("Y", "y", Some("X"))]);
    run.execute_turn(&input).unwrap();
    drop(run);
    touch(&kernel.store().home().join("index/staging/a/turn-0001"));
    let staged = kernel.store().staging().staged(&run_id("a"));
    (kernel, staged)
}

/// All files below a directory, by their paths from it.
fn files(root: &Path) -> Vec<PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path.strip_prefix(root).unwrap().to_path_buf());
            }
        }
    }
    files
}

#[test]
fn a_staged_turn_that_lost_a_file_is_whole_or_damaged_and_never_smaller() {
    let (kernel, whole) = after_touching(|_| {});
    let whole = whole.unwrap();
    assert_eq!(whole.len(), 1);
    let files = files(&kernel.store().home().join("index/staging/a/turn-0001"));
    let (mut damaged, mut complete) = (0, 0);
    for file in &files {
        let (_, staged) = after_touching(|directory| {
            fs::remove_file(directory.join(file)).unwrap();
        });
        match staged {
            Err(StoreFailure::Corrupt { .. }) => damaged += 1,
            // Without the mark it is not staged.
            Ok(staged) if file.ends_with("deletions.json") => assert!(staged.is_empty()),
            // That the id of a body is defined is told twice.
            Ok(staged) => {
                assert_eq!(staged, whole, "{}", file.display());
                complete += 1;
            }
            Err(other) => panic!("{}: {other}", file.display()),
        }
    }
    assert!(damaged > complete && complete == 1, "{damaged} {complete}");
}

#[test]
fn a_staged_turn_with_an_emptied_file_is_damaged_and_not_promoted() {
    let (kernel, _) = after_touching(|_| {});
    for file in files(&kernel.store().home().join("index/staging/a/turn-0001")) {
        let name = file.display();
        let (kernel, staged) = after_touching(|directory| {
            fs::write(directory.join(&file), "").unwrap();
        });
        assert!(
            matches!(staged, Err(StoreFailure::Corrupt { .. })),
            "{name}"
        );
        let mut run = kernel.start_run(&envelope("a")).unwrap();
        match run.commit_turn(turn_id(1)) {
            Err(KernelError::Refused(issues)) => {
                assert_eq!(issues[0].code, Code::LsiCorruptRecord, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_turn_that_was_staged_without_a_record_is_not_the_kernels() {
    let kernel = Kernel::new(Housed::empty());
    let mut run = kernel.start_run(&envelope("a")).unwrap();
    let execution = run.execute_turn(&turn(1, &[("X", "x", None)])).unwrap();
    let store = &kernel.store().store;
    store
        .staging()
        .stage_turn(&execution.staged.unwrap())
        .unwrap();
    let staged = StagingArea::staged(&store.staging(), &run_id("a"));
    assert!(
        matches!(staged, Err(StoreFailure::Corrupt { .. })),
        "{staged:?}"
    );
}
