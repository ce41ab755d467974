//! Working the sample epic, as a person sees it.

use insta::assert_snapshot;
use orket_model_double::{Answer, Script};
use orket_testkit::{CliEnvironment, Tree};

use crate::sample::{assert_same, facts, fixtures, program, sample, script, serve, worked};

#[test]
fn the_sample_is_worked_to_done() {
    let environment = sample();
    assert_snapshot!(environment.run(&["board"]), @r"
    $ orket board
    rock morning
      epic first_light (0 of 4 done)
        FL-1  ready                  no checks architect      Design the program
        FL-2  ready                  not run   coder          Write the function that knows the phases <- FL-1
        FL-3  ready                  not run   coder          Write the program <- FL-2
        FL-4  ready                  not run   architect      Write the guide <- FL-1, FL-3
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["run", "--epic", "first_light"]), @"
    $ orket run --epic first_light
    epic first_light: done (run first_light-1)
      FL-1  done                   no checks Design the program
      FL-2  done                   passed    Write the function that knows the phases
      FL-3  done                   passed    Write the program
      FL-4  done                   passed    Write the guide
    turns 22, refused attempts 2, corrected turns 1, tokens 20969 in and 2244 out
    sandbox [tier]
      3d74cd77adea43a6 agent_output/README.md
      e0cbf8aea4ccd2a7 agent_output/docs/design.md
      f42a2afcbbaa0564 agent_output/first_light.sh
      a497afd2fcb7a99d agent_output/lib/phase.sh
    state fd880f758de12937096ee3ad9956ccbfb50da6f5ba081e1908b2ef96fe337647
    next: orket board; orket show run first_light-1; orket replay-turn first_light-1:FL-4:22
    what was said lies in workspace/default/observability/first_light-1/
    -- standard error --
    run first_light-1: epic first_light, venue recorded, model qwen2.5-coder:7b, sandbox [tier]
    turn-0001 the cards are on the board
    turn-0002 FL-1 architect in build
      x refused: the answer holds no tool call; answer with calls of add_issue_comment, list_directory, read_file, update_issue_status, write_file
    turn-0002 FL-1 architect in build, corrected
      + allowed write_file agent_output/docs/design.md
      + allowed update_issue_status code_review
      + promoted ready -> code_review
    turn-0003 FL-1 code_reviewer in review
      + allowed read_file agent_output/docs/design.md
      + promoted, still code_review
    turn-0004 FL-1 code_reviewer in review
      + allowed add_issue_comment The design names every file and what each does with wrong i…
      + allowed update_issue_status awaiting_guard_review
      + promoted code_review -> awaiting_guard_review
    FL-1 is verified: no checks
    turn-0005 FL-1 integrity_guard in guard
      + allowed update_issue_status done
      + promoted awaiting_guard_review -> done
    turn-0006 FL-2 coder in build
      - not carried out write_file agent_output/lib/phase.sh
      x refused write_file verification/phase.sh: verification/phase.sh cannot be written: agents write below agent_output/ only
      - not carried out update_issue_status code_review
      attempt 1 refused; nothing of it was done
    turn-0006 FL-2 coder in build, attempt 2
      + allowed write_file agent_output/lib/phase.sh
      + allowed update_issue_status code_review
      + promoted ready -> code_review
    turn-0007 FL-2 code_reviewer in review
      + allowed read_file agent_output/lib/phase.sh
      + promoted, still code_review
    turn-0008 FL-2 code_reviewer in review
      + allowed update_issue_status awaiting_guard_review
      + promoted code_review -> awaiting_guard_review
    FL-2 is verified: passed (phase.sh: exit 0)
    turn-0009 FL-2 integrity_guard in guard
      + allowed update_issue_status done
      + promoted awaiting_guard_review -> done
    turn-0010 FL-3 coder in build
      + allowed list_directory agent_output
      + allowed read_file agent_output/lib/phase.sh
      + promoted ready -> in_progress
    turn-0011 FL-3 coder in build
      - not carried out write_file agent_output/first_light.sh
      x refused update_issue_status FL-4 done: FL-4: a card cannot go from ready to done; from ready it can go to in_progress
      - not carried out update_issue_status code_review
      attempt 1 refused; nothing of it was done
    turn-0011 FL-3 coder in build, attempt 2
      + allowed write_file agent_output/first_light.sh
      + allowed update_issue_status code_review
      + promoted in_progress -> code_review
    turn-0012 FL-3 code_reviewer in review
      + allowed read_file agent_output/first_light.sh
      + promoted, still code_review
    turn-0013 FL-3 code_reviewer in review
      + allowed update_issue_status awaiting_guard_review
      + promoted code_review -> awaiting_guard_review
    FL-3 is verified: passed (program.sh: exit 0)
    turn-0014 FL-3 integrity_guard in guard
      + allowed update_issue_status done
      + promoted awaiting_guard_review -> done
    turn-0015 FL-4 architect in build
      + allowed write_file agent_output/README.md
      + allowed update_issue_status code_review
      + promoted ready -> code_review
    turn-0016 FL-4 code_reviewer in review
      + allowed read_file agent_output/README.md
      + promoted, still code_review
    turn-0017 FL-4 code_reviewer in review
      + allowed update_issue_status awaiting_guard_review
      + promoted code_review -> awaiting_guard_review
    FL-4 is verified: failed (guide.sh: exit 1)
    turn-0018 FL-4 integrity_guard in guard
      + allowed add_issue_comment The example for 21 is wrong: the program prints night. Put …
      + allowed update_issue_status guard_requested_changes
      + promoted awaiting_guard_review -> guard_requested_changes
    turn-0019 FL-4 architect in build
      + allowed write_file agent_output/README.md
      + allowed update_issue_status code_review
      + promoted guard_requested_changes -> code_review
    turn-0020 FL-4 code_reviewer in review
      + allowed read_file agent_output/README.md
      + promoted, still code_review
    turn-0021 FL-4 code_reviewer in review
      + allowed update_issue_status awaiting_guard_review
      + promoted code_review -> awaiting_guard_review
    FL-4 is verified: passed (guide.sh: exit 0)
    turn-0022 FL-4 integrity_guard in guard
      + allowed update_issue_status done
      + promoted awaiting_guard_review -> done
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["board"]), @r"
    $ orket board
    rock morning
      epic first_light (4 of 4 done)
        FL-1  done                   no checks architect      Design the program
        FL-2  done                   passed    coder          Write the function that knows the phases
        FL-3  done                   passed    coder          Write the program
        FL-4  done                   passed    architect      Write the guide
    [exit 0]
    ");
}

#[test]
fn what_is_finished_is_not_run_again() {
    let environment = worked();
    let before = environment.read("workspace/default/orket.log");
    assert_snapshot!(environment.run(&["run", "--epic", "first_light"]), @r"
    $ orket run --epic first_light
    epic first_light: every card is finished, no run was started
      FL-1  done                   no checks Design the program
      FL-2  done                   passed    Write the function that knows the phases
      FL-3  done                   passed    Write the program
      FL-4  done                   passed    Write the guide
      3d74cd77adea43a6 agent_output/README.md
      e0cbf8aea4ccd2a7 agent_output/docs/design.md
      f42a2afcbbaa0564 agent_output/first_light.sh
      a497afd2fcb7a99d agent_output/lib/phase.sh
    state fd880f758de12937096ee3ad9956ccbfb50da6f5ba081e1908b2ef96fe337647
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["show", "run"]), @r"
    $ orket show run
    first_light-1            passed  epic first_light, last turn turn-0022
    [exit 0]
    ");
    assert_eq!(environment.read("workspace/default/orket.log"), before);
}

#[test]
fn a_project_of_ones_own_begins_with_init() {
    let mut environment = CliEnvironment::empty(program());
    // The recordings are named by the digests of their requests, which change with every prompt.
    let cassettes = Tree::read(&fixtures().join("first_light/cassettes"));
    for name in cassettes.files() {
        environment.hide(name, "[digest].json");
    }
    assert_snapshot!(environment.run(&["init"]), @r"
    $ orket init
    made  .env.example
    made  .gitignore
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  cassettes/[digest].json
    made  model/bands/workshop.json
    made  model/epics/first_light.json
    made  model/flows/standard.json
    made  model/rocks/morning.json
    made  model/scores/build_review_guard.json
    made  model/venues/ollama.json
    made  model/venues/recorded.json
    made  orket.toml
    made  verification/guide.sh
    made  verification/phase.sh
    made  verification/program.sh
    -- standard error --
    orket.toml and model/ are yours to edit; `orket run --epic first_light` works the sample
    [exit 0]
    ");
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);
    let again = environment.run(&["init"]);
    again.assert_code(0);
    assert_eq!(again.stderr, "");
    assert!(again.stdout.lines().all(|line| line.starts_with("kept  ")));
}

#[test]
fn a_run_as_json_is_lines_of_events_and_a_summary() {
    let environment = sample();
    let output = environment.run(&["run", "--epic", "first_light", "--json"]);
    output.assert_code(0);
    assert_eq!(output.stderr, "");
    let lines: Vec<serde_json::Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (summary, events) = lines.split_last().unwrap();
    assert_eq!(summary["event"], "summary");
    assert_eq!(summary["data"]["turns"], 22);
    assert_eq!(summary["data"]["ending"], "done");
    assert!(events.iter().all(|event| event["run_id"] == "first_light-1"
        && event["time"] == "2026-01-01T00:00:00Z"
        && event["version"] == "orket_event/v1"));
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!(
        [
            "run_start",
            "turn_complete",
            "turn_failed",
            "answer_refused",
            "run_end"
        ]
        .map(count),
        [1, 22, 2, 1, 1]
    );
    // What a person is shown lies in the log as well: the durable events, in the same order.
    let durable: Vec<&serde_json::Value> = events
        .iter()
        .filter(|event| !event["seq"].is_null())
        .collect();
    assert_eq!(
        durable,
        crate::sample::log(&environment, "first_light-1")
            .iter()
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_model_that_never_calls_a_tool_blocks_the_card_and_what_waits_for_it() {
    let mut environment = sample();
    // What is tested here is not the sandbox.
    environment.replace("model/venues/ollama.json", "\"partial\"", "\"none\"");
    let _double = serve(
        &mut environment,
        Script::Sequence(vec![Answer::text("Let me think about it."); 6]),
    );
    assert_snapshot!(environment.run(&["run", "--epic", "first_light", "--venue", "ollama"]), @"
    $ orket run --epic first_light --venue ollama
    epic first_light: incomplete (run first_light-1)
      FL-1  blocked                no checks Design the program
      FL-2  blocked                not run   Write the function that knows the phases
      FL-3  blocked                not run   Write the program
      FL-4  blocked                not run   Write the guide
      FL-1 does not go on: blocked after its last attempt was refused; `orket show card FL-1` says why
      FL-2 does not go on: blocked: dependency
      FL-3 does not go on: blocked: dependency
      FL-4 does not go on: blocked: dependency
    turns 2, refused attempts 3, corrected turns 0, tokens 4544 in and 36 out, 4580 of them estimated
    sandbox [tier]
    state 0204f81b6ad893d14507fed8818bbdc6de734d2657065d6babc99de4e91bd856
    next: orket board; orket show run first_light-1; orket replay-turn first_light-1:FL-1:2
    what was said lies in workspace/default/observability/first_light-1/
    -- standard error --
    run first_light-1: epic first_light, venue ollama, model qwen2.5-coder:7b, sandbox [tier]
    turn-0001 the cards are on the board
    turn-0002 FL-1 architect in build
      x refused: the answer holds no tool call; answer with calls of add_issue_comment, list_directory, read_file, update_issue_status, write_file
    turn-0002 FL-1 architect in build, corrected
      x refused: the answer holds no tool call; answer with calls of add_issue_comment, list_directory, read_file, update_issue_status, write_file
      attempt 1 refused; nothing of it was done
    turn-0002 FL-1 architect in build, attempt 2
      x refused: the answer holds no tool call; answer with calls of add_issue_comment, list_directory, read_file, update_issue_status, write_file
    turn-0002 FL-1 architect in build, attempt 2, corrected
      x refused: the answer holds no tool call; answer with calls of add_issue_comment, list_directory, read_file, update_issue_status, write_file
      attempt 2 refused; nothing of it was done
    turn-0002 FL-1 architect in build, attempt 3
      x refused: the answer holds no tool call; answer with calls of add_issue_comment, list_directory, read_file, update_issue_status, write_file
    turn-0002 FL-1 architect in build, attempt 3, corrected
      x refused: the answer holds no tool call; answer with calls of add_issue_comment, list_directory, read_file, update_issue_status, write_file
      attempt 3 refused; nothing of it was done
      + promoted ready -> blocked
    [exit 1]
    ");
    assert_snapshot!(environment.run(&["board"]), @r"
    $ orket board
    rock morning
      epic first_light (0 of 4 done)
        FL-1  blocked (system)       no checks architect      Design the program
        FL-2  blocked (dependency)   not run   coder          Write the function that knows the phases <- FL-1
        FL-3  blocked (dependency)   not run   coder          Write the program <- FL-2
        FL-4  blocked (dependency)   not run   architect      Write the guide <- FL-1, FL-3
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["show", "run", "first_light-1"]), @"
    $ orket show run first_light-1
    run first_light-1 (failed), epic first_light, begun with the venue ollama
      first_light-1:-:1:engine                       load    3bd8a0aedd8d2c80
      turn-0002 FL-1 attempt 1 refused: the answer holds no tool call; answer with calls of add_issue_comment, list_directory, read_file, update_issue_status, write_file
      turn-0002 FL-1 attempt 2 refused: the answer holds no tool call; answer with calls of add_issue_comment, list_directory, read_file, update_issue_status, write_file
      turn-0002 FL-1 attempt 3 refused: the answer holds no tool call; answer with calls of add_issue_comment, list_directory, read_file, update_issue_status, write_file
      first_light-1:FL-1:2:engine                    give_up bcb84730da0ea535
    tokens architect  qwen2.5-coder:7b  6 answers, 4544 in, 36 out, 4580 of them estimated
    state after turn-0002: 0204f81b6ad893d14507fed8818bbdc6de734d2657065d6babc99de4e91bd856
    [exit 0]
    ");
    // The same command is a new run that tries again, here with a model that has come to its senses.
    let _better = serve(&mut environment, script());
    let again = environment.run(&["run", "--epic", "first_light", "--venue", "ollama"]);
    again.assert_code(0);
    assert!(
        again
            .stdout
            .starts_with("epic first_light: done (run first_light-2)\n"),
        "{again}"
    );
}

#[test]
fn a_reader_that_went_away_does_not_stop_the_run() {
    for arguments in [
        &["run", "--epic", "first_light"][..],
        &["run", "--epic", "first_light", "--json"],
    ] {
        let environment = sample();
        let mut command = environment.command(arguments);
        for stream in ["out", "err"] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            match stream {
                "out" => command.stdout(writer),
                _ => command.stderr(writer),
            };
        }
        environment.run_command(command).assert_code(0);
        assert_same(
            &facts(&worked(), "first_light-1"),
            &facts(&environment, "first_light-1"),
        );
    }
}
