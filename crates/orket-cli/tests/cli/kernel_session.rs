//! `orket kernel`: the sessions of the fixtures through the binary, over the index on disk.

use insta::assert_snapshot;
use orket_kernel::canonical;
use orket_testkit::CliEnvironment;

use crate::sample::{self, program};

#[path = "../../../orket-kernel/tests/sessions/session.rs"]
mod session;

/// Of the sessions every one of this many is played, unless `ORKET_FULL` is set: a process for each step takes its time.
const PLAYED_OF: usize = 8;

fn play(session: &session::Session) -> Result<(), String> {
    let environment = CliEnvironment::empty(program());
    for (number, step) in session.steps.iter().enumerate() {
        let arguments = ["kernel", &step.operation, "--home", "index"];
        let output = environment.run_with_input(&arguments, &step.request);
        let wrong = |found: String| {
            let session::Session { slug, name, .. } = session;
            Err(format!(
                "{slug}: {name}\n  step {number}, {}: {found}",
                step.operation
            ))
        };
        if output.code.and_then(|code| u64::try_from(code).ok()) != Some(step.exit) {
            return wrong(format!("{output}, expected exit {}", step.exit));
        }
        match canonical::parse(output.stdout.trim_end().as_bytes()) {
            Err(error) => return wrong(format!("{error}: {}", output.stdout)),
            Ok(answer) => {
                if let Some(mismatch) = session::mismatch(&step.answer, &answer, "") {
                    return wrong(mismatch);
                }
            }
        }
    }
    Ok(())
}

#[test]
fn the_sessions_of_the_fixtures_go_through_the_binary() {
    let is_full = std::env::var_os("ORKET_FULL").is_some();
    let step = if is_full { 1 } else { PLAYED_OF };
    let sessions = session::load();
    let wrong: Vec<String> = sessions
        .iter()
        .step_by(step)
        .filter_map(|session| play(session).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_wrong_with_a_request_is_told_as_data_and_in_words() {
    let environment = CliEnvironment::empty(program());
    let ask = |arguments: &[&str], request: &str| {
        environment.run_with_input(arguments, request.as_bytes())
    };
    assert_snapshot!(ask(&["kernel", "emit-event"], "{\"contract_version\":\"kernel_api/v2\"}"), @r#"
    $ orket kernel emit-event
    {"contract_version":"kernel_api/v1","error":{"byte_offset":null,"message":"the contract version \"kernel_api/v2\" is not supported; it must be \"kernel_api/v1\"","pointer":"/contract_version"},"operation":"emit-event","outcome":"INVALID"}
    -- standard error --
    orket: the contract version "kernel_api/v2" is not supported; it must be "kernel_api/v1", at pointer "/contract_version"
    [exit 2]
    "#);
    assert_snapshot!(ask(&["kernel", "emit-event"], "{\"a\":1,\"a\":2}"), @r#"
    $ orket kernel emit-event
    {"contract_version":"kernel_api/v1","error":{"byte_offset":7,"message":"the object names the key \"a\" twice","pointer":"/a"},"operation":"emit-event","outcome":"INVALID"}
    -- standard error --
    orket: the object names the key "a" twice, at pointer "/a", byte 7
    [exit 2]
    "#);
    assert_snapshot!(ask(&["kernel", "promote"], "{}"), @"
    $ orket kernel promote
    -- standard error --
    error: invalid value 'promote' for '<OPERATION>'
      [possible values: start-run, execute-turn, commit-turn, finish-run, emit-event, write-trace-artifacts, validate-triplet, validate-links-against-index, stage-deletions, authorize-tool-call, resolve-capability, replay-run, compare-runs, schema]

    For more information, try '--help'.
    [exit 2]
    ");
    assert_snapshot!(ask(&["kernel", "start-run", "--home", "index"], "{}"), @r#"
    $ orket kernel start-run --home index
    {"contract_version":"kernel_api/v1","error":{"byte_offset":null,"message":"missing field `contract_version`","pointer":""},"operation":"start-run","outcome":"INVALID"}
    -- standard error --
    orket: missing field `contract_version`, at pointer ""
    [exit 2]
    "#);
    // A request that cannot be read makes nothing.
    assert!(!environment.project().join("index").exists());
}

#[test]
fn a_home_that_holds_a_board_is_for_looking_at_alone() {
    let environment = sample::worked();
    let ask = |operation: &str, request: &str| {
        environment.run_with_input(&["kernel", operation], request.as_bytes())
    };
    let version = "\"contract_version\":\"kernel_api/v1\"";
    let compare = format!(
        "{{{version},\"run_a\":{{\"run_id\":\"nosuch\"}},\"run_b\":{{\"run_id\":\"nosuch\"}}}}"
    );
    ask("compare-runs", &compare).assert_code(1);
    let handle = format!(
        "\"run_handle\":{{\"run_id\":\"one\",\"envelope_digest\":\"{}\"}}",
        "0".repeat(64)
    );
    assert_snapshot!(ask("commit-turn", &format!("{{{version},{handle},\"turn_id\":\"turn-0001\"}}")), @"
    $ orket kernel commit-turn
    -- standard error --
    orket: [project]/.orket holds a board, whose turns are made by `orket run`; name another directory with --home
    [exit 2]
    ");
}
