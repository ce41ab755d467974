//! A person calls one tool as a role: the gate of a model's call, and its records.

use std::sync::Arc;

use orket_cards::{Cause, OperatorAction, RunState, Status, TurnStore, VerificationState};
use orket_flow::{
    OperatorEnd, PersonalCall, RunEnding, RunError, call_tool, load_play, past_calls,
};
use orket_kernel::Code;
use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::Verdict;
use orket_kernel::object;
use orket_ports::model::ToolCall;
use orket_secrets::{Scrubber, Vault};

use crate::conductor::Closures;
use crate::model::{comment, good, scripted, set, write};
use crate::operator::{ada, promoted, verify, with_desk};
use crate::project::{Project, card, run_id};
use crate::table::{ReadsGood, Table, hiding};

/// Calls a tool as a role of the epic `e`.
fn called(
    project: &Project,
    role: &str,
    card: Option<&str>,
    call: ToolCall,
) -> Result<OperatorEnd, RunError> {
    let scrubber = Arc::new(Scrubber::new(&Vault::default()).unwrap());
    called_with(project, role, card, call, scrubber)
}

fn called_with(
    project: &Project,
    role: &str,
    card: Option<&str>,
    call: ToolCall,
    scrubber: Arc<Scrubber>,
) -> Result<OperatorEnd, RunError> {
    let tools = project.tools();
    let known = tools.keys().cloned().collect();
    let play = load_play(&project.workspace(), "e", None, &known)?;
    let personal = PersonalCall {
        author: ada(),
        play,
        tools: &tools,
        role: role.into(),
        card: card.map(|card| card.parse().unwrap()),
        call,
        verifier: &ReadsGood,
        scrubber,
    };
    with_desk(project, |desk| call_tool(desk, &personal))
}

fn refused(end: Result<OperatorEnd, RunError>) -> orket_cards::TurnRecord {
    match end.unwrap() {
        OperatorEnd::Refused { record } => record,
        OperatorEnd::Promoted(turn) => panic!("{:?}", turn.record),
    }
}

/// A project with the cards A and B on the board, where no work has begun.
fn begun() -> Project {
    let project = Project::new(&[card("A", &[]), card("B", &["A"])]);
    let model = scripted(|ask| Ok(good(ask)));
    let mut conductor = Closures::before(|_| orket_ports::Adjustment {
        stop: true,
        ..Default::default()
    });
    let summary = Table::new(&project, &model).conducted(&mut conductor);
    assert_eq!(summary.unwrap().ending, RunEnding::Stopped);
    project
}

#[test]
fn a_call_is_a_turn_with_its_author_its_decision_and_its_effects() {
    let project = begun();
    let call = write("agent_output/A.txt", "good by hand\n");
    let turn = promoted(called(&project, "coder", Some("A"), call).unwrap());
    assert_eq!(turn.run_id.as_str(), "operator-1");
    assert_eq!(turn.written, ["A.txt"]);
    assert_eq!(project.output("A.txt").unwrap(), "good by hand\n");
    // As in a turn of a model: the work is taken up, and the role is its author.
    let card = &project.cards()["A"];
    assert_eq!(
        (card.status, card.authors.as_slice()),
        (Status::InProgress, &["coder".to_owned()][..])
    );
    let record = project.record(&project.turns("operator-1")[0].record_digest);
    let Cause::Operator { author, action } = &record.cause else {
        panic!("{:?}", record.cause);
    };
    assert_eq!((author, action), (&ada(), &OperatorAction::Tool));
    assert_eq!(
        (record.role.as_str(), record.step.as_str()),
        ("coder", "build")
    );
    assert_eq!(record.decisions.len(), 1);
    assert_eq!(record.decisions[0].verdict, Verdict::Granted);
    assert_eq!(record.decisions[0].verify(), Ok(()));
    assert_eq!(record.calls[0].result, object! { "written" => 13_u64 });
    assert_eq!(project.replay_all("operator-1"), 1);
    verify(&project);
    // The open run goes on from there.
    let model = scripted(|ask| Ok(good(ask)));
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!(
        (summary.ending, summary.run_id.as_deref()),
        (RunEnding::Done, Some("e-1"))
    );
    project.replay_all("e-1");
}

#[test]
fn a_call_on_no_card_reads_and_changes_nothing() {
    let project = begun();
    std::fs::write(project.path("notes.md"), "good\n").unwrap();
    let before = project.state_digest();
    let path = |path: &str| object! { "path" => path };
    let search = object! { "text" => "good", "path" => "notes.md" };
    let calls = [
        ("read_file", path("notes.md"), r#"{"content":"good\n"}"#),
        ("list_directory", object! {}, r#"{"entries":[]}"#),
        (
            "read_file",
            path("agent_output/A.txt"),
            r#"{"error":"agent_output/A.txt does not exist"}"#,
        ),
        (
            "search_files",
            search,
            r#"{"files":1,"matches":[{"line":1,"path":"notes.md","text":"good"}]}"#,
        ),
    ];
    let mut band = crate::project::band(&[]);
    band["roles"]["coder"]["tools"]
        .as_array_mut()
        .unwrap()
        .push("search_files".into());
    project.asset("bands", "band", &band);
    for (number, (tool, arguments, expected)) in (1..).zip(calls) {
        let call = crate::model::call(tool, arguments);
        let turn = promoted(called(&project, "coder", None, call).unwrap());
        assert_eq!(turn.record.calls[0].result.to_string(), expected);
        assert_eq!((turn.before, turn.after), (before, before), "{tool}");
        assert_eq!(project.replay_all(&format!("operator-{number}")), 1);
    }
    std::fs::remove_file(project.path("notes.md")).unwrap();
    assert_eq!(project.replay_all("operator-1"), 1);
    assert_eq!(project.statuses(), "A ready, B ready");
    verify(&project);
}

/// Its name, the role, the card, the call, a piece of the refusal, and what the policy says.
type Case = (
    &'static str,
    &'static str,
    Option<&'static str>,
    ToolCall,
    &'static str,
    Verdict,
);

#[test]
fn what_a_model_may_not_a_person_in_its_role_may_not_either() {
    let write_a = || write("agent_output/A.txt", "x");
    let cases: [Case; 11] = [
        (
            "no rule",
            "code_reviewer",
            None,
            write_a(),
            "no rule of the policy lists it",
            Verdict::Denied,
        ),
        (
            "not its step",
            "code_reviewer",
            Some("A"),
            set("awaiting_guard_review"),
            "does not act on A, which is ready",
            Verdict::Granted,
        ),
        (
            "no rule and not its step",
            "integrity_guard",
            Some("A"),
            write_a(),
            "no rule of the policy lists it",
            Verdict::Denied,
        ),
        (
            "a role in no step",
            "architect",
            Some("A"),
            write_a(),
            "no rule of the policy lists it",
            Verdict::Denied,
        ),
        (
            "outside",
            "coder",
            Some("A"),
            write("verification/check.sh", "exit 0\n"),
            "agents write below agent_output/ only",
            Verdict::Granted,
        ),
        (
            "another card's",
            "coder",
            Some("A"),
            write("agent_output/B.txt", "x"),
            "belongs to B",
            Verdict::Granted,
        ),
        (
            "a jump",
            "coder",
            Some("A"),
            set("done"),
            "cannot go from in_progress to done",
            Verdict::Granted,
        ),
        (
            "no such status",
            "coder",
            Some("A"),
            set("perfect"),
            "there is no status",
            Verdict::Granted,
        ),
        (
            "malformed",
            "coder",
            Some("A"),
            crate::model::call("write_file", object! { "path" => 7_u64 }),
            "must be a text",
            Verdict::Granted,
        ),
        (
            "writing on no card",
            "coder",
            None,
            write_a(),
            "this turn is on no card",
            Verdict::Granted,
        ),
        (
            "a remark on no card",
            "coder",
            None,
            comment("x"),
            "this turn is on no card",
            Verdict::Granted,
        ),
    ];
    let project = begun();
    let before = project.state_digest();
    let cards = project.cards();
    for (number, (name, role, card, call, piece, verdict)) in (1..).zip(cases) {
        let record = refused(called(&project, role, card, call.clone()));
        assert!(
            record.refusals[0].contains(piece),
            "{name}: {:?}",
            record.refusals
        );
        let run = format!("operator-{number}");
        assert_eq!(
            project.run_row(&run).unwrap().state,
            RunState::Failed,
            "{name}"
        );
        let kept = project.failures(&run);
        assert_eq!(kept, [record], "{name}");
        assert_eq!(kept[0].calls[0].arguments, call.arguments, "{name}");
        assert_eq!(kept[0].decisions.len(), 1, "{name}");
        assert_eq!(kept[0].decisions[0].verdict, verdict, "{name}");
        assert_eq!(kept[0].decisions[0].verify(), Ok(()), "{name}");
        let board = project.board();
        let past = past_calls(board.snapshot().unwrap().as_ref(), &run_id(&run)).unwrap();
        assert_eq!(past[0].calls.len(), 1, "{name}");
        if name == "outside" {
            let issues = &kept[0].result.as_ref().unwrap().issues;
            assert_eq!(issues[0].code, Code::CapabilityDenied);
        }
    }
    assert_eq!(project.state_digest(), before);
    assert_eq!(project.cards(), cards);
    assert!(project.output("A.txt").is_none());
    verify(&project);
}

#[test]
fn the_guard_is_shown_the_checks_and_bound_by_them() {
    for (content, ends) in [("good\n", Some(Status::Done)), ("bad\n", None)] {
        let project = begun();
        promoted(
            called(
                &project,
                "coder",
                Some("A"),
                write("agent_output/A.txt", content),
            )
            .unwrap(),
        );
        promoted(called(&project, "coder", Some("A"), set("code_review")).unwrap());
        promoted(
            called(
                &project,
                "code_reviewer",
                Some("A"),
                set("awaiting_guard_review"),
            )
            .unwrap(),
        );
        let end = called(&project, "integrity_guard", Some("A"), set("done"));
        match ends {
            Some(status) => {
                let turn = promoted(end.unwrap());
                assert_eq!(turn.record.outcomes.len(), 1);
                let card = &project.cards()["A"];
                assert_eq!(
                    (card.status, card.verified),
                    (status, VerificationState::Passed)
                );
                assert_eq!(project.replay_all("operator-4"), 1);
            }
            None => {
                let record = refused(end);
                assert!(
                    record.refusals[0].contains("its verification is failed"),
                    "{:?}",
                    record.refusals
                );
            }
        }
        for run in ["operator-1", "operator-2", "operator-3"] {
            assert_eq!(project.replay_all(run), 1);
        }
        verify(&project);
    }
}

#[test]
fn a_command_by_hand_is_confined_noted_and_replayed() {
    let project = begun();
    let mut band = crate::project::band(&[]);
    let coder = band["roles"]["coder"]["tools"].as_array_mut().unwrap();
    coder.push("run_command".into());
    project.asset("bands", "band", &band);
    let call = crate::command::sh("printf 'good\\n' >A.txt");
    let turn = promoted(called(&project, "coder", Some("A"), call).unwrap());
    assert_eq!(turn.written, ["A.txt"]);
    assert_eq!(project.output("A.txt").unwrap(), "good\n");
    let notes = &turn.record.notes;
    assert!(notes.get("commands_confined").is_some(), "{notes}");
    assert_eq!(notes.get("sandbox_tier"), Some(&"full".into()));
    assert_eq!(project.replay_all("operator-1"), 1);
    verify(&project);
    // On no card it can only look.
    let look = crate::command::sh("cat A.txt");
    let turn = promoted(called(&project, "coder", None, look).unwrap());
    let result = turn.record.calls[0].result.to_string();
    assert!(result.contains("\"stdout\":\"good\\n\""), "{result}");
    let record = refused(called(
        &project,
        "coder",
        None,
        crate::command::sh("rm A.txt"),
    ));
    assert!(
        record.refusals[0].contains("on no card"),
        "{:?}",
        record.refusals
    );
    assert_eq!(project.output("A.txt").unwrap(), "good\n");
}

#[test]
fn a_card_that_is_not_there_is_named_and_nothing_is_kept() {
    let project = begun();
    let error = called(&project, "coder", Some("Z"), comment("x")).unwrap_err();
    assert!(
        matches!(error, RunError::NoCard { ref card } if card == "Z"),
        "{error}"
    );
    assert_eq!(project.run_row("operator-1"), None);
}

#[test]
fn a_secret_in_the_arguments_is_in_no_record() {
    let project = begun();
    let secret = "correct-horse-battery";
    let call = write("agent_output/A.txt", &format!("good {secret}\n"));
    let turn = called_with(
        &project,
        "coder",
        Some("A"),
        call,
        hiding("DEPLOY_TOKEN", secret),
    );
    let record = promoted(turn.unwrap()).record;
    assert!(!canonical::to_string(&canonical::to_value(&record).unwrap()).contains(secret));
    assert_eq!(
        project.output("A.txt").unwrap(),
        "good [secret:DEPLOY_TOKEN]\n"
    );
    let arguments = record.calls[0]
        .arguments
        .get("content")
        .and_then(Value::as_str);
    assert_eq!(arguments, Some("good [secret:DEPLOY_TOKEN]\n"));
    assert_eq!(project.replay_all("operator-1"), 1);
}
