//! An answer without the asked-for form gets one corrective re-prompt; one that asks for what is not allowed gets none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use orket_flow::{RunEnding, Tools};
use orket_kernel::canonical::Value;
use orket_kernel::object;
use orket_ports::model::{ModelAnswer, Speaker};
use orket_ports::tool::ToolSpec;
use orket_ports::{Refusal, Tool, TurnScope};

use crate::model::{
    call, calls, comment, forbidden, good, last_words, prose, scripted, set, text, write,
};
use crate::project::{Project, card};
use crate::table::Table;

/// Malformed answers with a piece of each violation that the second request must list.
fn malformed() -> Vec<(&'static str, ModelAnswer, Vec<&'static str>)> {
    let one = |name: &str, arguments: Value| calls([call(name, arguments)]);
    let path = "agent_output/A.txt";
    vec![
        (
            "prose",
            prose("I would write the file."),
            vec!["no tool call", "write_file"],
        ),
        ("nothing", prose(""), vec!["no tool call"]),
        (
            "unknown tool",
            one("run_program", object! { "command" => "ls" }),
            vec!["run_program"],
        ),
        (
            "a text",
            one("write_file", "agent_output/A.txt".into()),
            vec!["must be a JSON object"],
        ),
        (
            "an array",
            one("write_file", vec![Value::from(path)].into()),
            vec!["must be a JSON object"],
        ),
        (
            "null",
            one("write_file", Value::Null),
            vec!["must be a JSON object"],
        ),
        (
            "missing",
            one("write_file", object! { "path" => path }),
            vec!["\"content\" is missing"],
        ),
        (
            "wrong type",
            one("write_file", object! { "path" => path, "content" => 7_u64 }),
            vec!["\"content\" must be a text"],
        ),
        (
            "wrong truth",
            one(
                "write_file",
                object! { "path" => path, "content" => "x", "executable" => "yes" },
            ),
            vec!["\"executable\" must be true or false"],
        ),
        (
            "unknown argument",
            one(
                "write_file",
                object! { "path" => path, "content" => "x", "mode" => "755" },
            ),
            vec!["there is no argument \"mode\""],
        ),
        (
            "none of the texts",
            one(
                "update_issue_status",
                object! { "status" => "blocked", "wait_reason" => "rain" },
            ),
            vec!["\"wait_reason\" must be one of"],
        ),
        (
            "too long",
            one(
                "add_issue_comment",
                object! { "comment" => "x".repeat(5000) },
            ),
            vec!["\"comment\" is longer"],
        ),
        (
            "unknown status",
            calls([set("finished")]),
            vec!["there is no status \"finished\""],
        ),
        (
            "too many",
            calls((0..33).map(|_| comment("x"))),
            vec!["more than 32"],
        ),
        (
            "two at once",
            calls([
                call("no_such_tool", object! {}),
                comment("fine"),
                call("write_file", object! {}),
            ]),
            vec!["no_such_tool", "is missing"],
        ),
    ]
}

#[test]
fn a_malformed_answer_gets_one_corrective_that_lists_what_is_wrong() {
    for (name, answer, violations) in malformed() {
        let project = Project::new(&[card("A", &[])]);
        let first = answer.clone();
        let model = scripted(move |ask| {
            Ok(if ask.number == 0 {
                first.clone()
            } else {
                good(ask)
            })
        });
        let summary = Table::new(&project, &model).play().unwrap();
        assert_eq!(summary.ending, RunEnding::Done, "{name}");
        assert_eq!(
            (summary.corrected_turns, summary.refused_attempts),
            (1, 0),
            "{name}"
        );
        assert_eq!(model.count(), 4, "{name}");
        let requests = model.requests();
        for violation in violations {
            assert!(
                last_words(&requests[1]).contains(violation),
                "{name}: {}",
                last_words(&requests[1])
            );
        }
        // The corrective goes on from the first request and shows the answer; the next turn knows nothing of it.
        let (first, second) = (&requests[0].messages, &requests[1].messages);
        assert_eq!(second[..first.len()], first[..], "{name}");
        assert_eq!(second[first.len()].speaker, Speaker::Assistant, "{name}");
        assert_eq!(second[first.len()].content, answer.content, "{name}");
        let shown = &second[first.len()].tool_calls;
        assert!(
            shown
                .iter()
                .all(|call| call.arguments.as_object().is_some()),
            "{name}"
        );
        let turn = &project.turns("e-1")[1];
        let exchanges = project.record(&turn.record_digest).exchanges;
        assert_eq!(exchanges.len(), 2, "{name}");
        // Every decision is logged (Law 8), also about the answer that was put right; more than 32 calls are not looked at.
        let decided = answer.tool_calls.len().min(32);
        assert_eq!(exchanges[0].decisions.len(), decided, "{name}");
        assert!(
            exchanges[1].decisions.is_empty(),
            "{name}: they are those of the turn"
        );
        assert_eq!(turn.attempt, 1, "{name}");
        assert_eq!(project.replay_all("e-1"), 4, "{name}");
    }
}

#[test]
fn a_second_malformed_answer_fails_the_attempt_and_its_refusals_are_in_the_next_prompt() {
    for (name, answer, violations) in malformed() {
        let project = Project::new(&[card("A", &[])]);
        let model = scripted(move |ask| {
            Ok(match ask.number {
                0 => prose("first"),
                1 => answer.clone(),
                _ => good(ask),
            })
        });
        let summary = Table::new(&project, &model).play().unwrap();
        assert_eq!(summary.ending, RunEnding::Done, "{name}");
        assert_eq!(
            (summary.corrected_turns, summary.refused_attempts),
            (0, 1),
            "{name}"
        );
        let requests = model.requests();
        assert_eq!(requests.len(), 5, "{name}: no third answer in one attempt");
        for violation in violations {
            assert!(
                last_words(&requests[2]).contains(violation),
                "{name}: {}",
                last_words(&requests[2])
            );
        }
        assert_ne!(
            requests[2].digest().unwrap(),
            requests[0].digest().unwrap(),
            "{name}"
        );
        let failure = &project.failures("e-1")[0];
        assert_eq!((failure.attempt, failure.exchanges.len()), (1, 2), "{name}");
        assert!(
            failure.result.is_none(),
            "{name}: it never reached the kernel"
        );
    }
}

#[test]
fn what_is_not_allowed_gets_no_corrective_also_beside_what_is_malformed() {
    let answers = [
        forbidden(),
        calls([
            call("write_file", object! {}),
            write("verification/check.sh", "exit 0\n"),
        ]),
        calls([set("done")]),
        calls([
            write("agent_output/A.txt", "good"),
            set("awaiting_guard_review"),
        ]),
    ];
    for answer in answers {
        let project = Project::new(&[card("A", &[])]);
        let model = scripted(|ask| {
            Ok(if ask.number == 0 {
                answer.clone()
            } else {
                good(ask)
            })
        });
        let summary = Table::new(&project, &model).play().unwrap();
        assert_eq!((summary.refused_attempts, summary.corrected_turns), (1, 0));
        let failure = &project.failures("e-1")[0];
        assert_eq!(failure.exchanges.len(), 1);
        let result = failure.result.as_ref().unwrap();
        assert!(
            result
                .issues
                .iter()
                .any(|issue| issue.code.as_str() == "E_CAPABILITY_DENIED")
        );
        assert!(last_words(&model.requests()[1]).contains(&failure.refusals[0]));
    }
}

/// A tool that is not in the band of the role is denied by the policy, though it is built in.
#[test]
fn a_tool_of_another_role_is_denied_and_recorded() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| {
        Ok(if ask.number == 1 {
            calls([write("agent_output/A.txt", "better")])
        } else {
            good(ask)
        })
    });
    Table::new(&project, &model).play().unwrap();
    let failure = &project.failures("e-1")[0];
    assert_eq!(failure.role, "code_reviewer");
    let verdicts: Vec<_> = failure
        .decisions
        .iter()
        .map(|decision| decision.verdict)
        .collect();
    assert_eq!(verdicts, [orket_kernel::capability::Verdict::Denied]);
    assert_eq!(project.output("A.txt").unwrap(), "good work for A\n");
    let offered: Vec<String> = model.requests()[1]
        .tools
        .iter()
        .map(|tool| tool.name.clone())
        .collect();
    assert!(!offered.contains(&"write_file".to_owned()));
}

struct Counted {
    tool: Arc<dyn Tool>,
    calls: Arc<AtomicUsize>,
}

impl Tool for Counted {
    fn spec(&self) -> &ToolSpec {
        self.tool.spec()
    }
    fn validate(&self, arguments: &Value) -> Result<(), Refusal> {
        self.tool.validate(arguments)
    }
    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.tool.call(arguments, scope)
    }
}

fn counted(tools: Tools) -> (Tools, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let wrap = |(name, tool)| -> (String, Arc<dyn Tool>) {
        let calls = Arc::clone(&calls);
        (name, Arc::new(Counted { tool, calls }))
    };
    (tools.into_iter().map(wrap).collect(), Arc::clone(&calls))
}

#[test]
fn all_calls_are_validated_before_the_first_one_runs() {
    let bad = [
        write("verification/check.sh", "exit 0\n"),
        write("agent_output/../orket.toml", ""),
        write("agent_output/.git/config", ""),
        call("write_file", object! { "path" => "agent_output/B.txt" }),
        call("no_such_tool", object! {}),
    ];
    for bad in bad {
        let project = Project::new(&[card("A", &[])]);
        let (tools, count) = counted(project.tools());
        let model = scripted(|ask| match ask.number {
            0 => Ok(calls([
                write("agent_output/A.txt", "good"),
                comment("x"),
                bad.clone(),
            ])),
            _ => {
                assert_eq!(count.load(Ordering::SeqCst), 0, "{bad:?}: a call ran");
                Err(crate::model::unreachable())
            }
        });
        Table::new(&project, &model)
            .tools(tools)
            .play()
            .unwrap_err();
        assert_eq!(model.count(), 2);
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn one_refused_call_refuses_the_effects_of_the_whole_answer() {
    // The last call is refused only when it is carried out.
    let project = Project::new(&[card("A", &[])]);
    let (tools, count) = counted(project.tools());
    let model = scripted(|ask| match ask.number {
        0 => Ok(calls([
            write("agent_output/A.txt", "good"),
            comment("x"),
            set("done"),
            comment("y"),
        ])),
        _ => Err(crate::model::unreachable()),
    });
    Table::new(&project, &model)
        .tools(tools)
        .play()
        .unwrap_err();
    assert_eq!(
        count.load(Ordering::SeqCst),
        3,
        "the call after the refused one did not run"
    );
    assert_eq!(project.statuses(), "A ready");
    assert!(project.cards()["A"].comments.is_empty());
    assert!(project.cards()["A"].authors.is_empty());
    assert!(project.tree("agent_output").is_empty());
    assert_eq!(project.turns("e-1").len(), 1);
    assert!(text(&model.requests()[1]).contains("a card cannot go from in_progress to done"));
}
