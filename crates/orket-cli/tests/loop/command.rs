//! Commands: what one changes is staged, recorded and replayed; what it may not do refuses the turn.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use orket_kernel::canonical::Value;
use orket_kernel::object;
use orket_lsi::{Retention, Sweep};
use orket_ports::model::ToolCall;
use orket_ports::workspace::WorkspaceError;
use orket_tools::sandbox::{Feature, Sandbox};
use serde_json::json;

use crate::model::{Ask, call, calls, good, scripted, set, write};
use crate::project::{Project, band, card, score};
use crate::table::Table;
use crate::tap::TapWorkspace;

pub(crate) fn sh(script: &str) -> ToolCall {
    let words = ["sh", "-c", script].map(Value::from).to_vec();
    call("run_command", object! { "command" => words })
}

/// A project in which coder and guard may run commands.
pub(crate) fn commanding(cards: &[serde_json::Value]) -> Project {
    let project = Project::new(cards);
    let mut band = band(&["run_command"]);
    let coder = band["roles"]["coder"]["tools"].as_array_mut().unwrap();
    coder.push(json!("run_command"));
    project.asset("bands", "band", &band);
    project
}

fn is_work(ask: &Ask<'_>) -> bool {
    ask.role == "coder"
}

#[test]
fn what_a_command_changes_is_staged_and_recorded_and_replays() {
    let project = commanding(&[card("A", &[])]);
    let script = "cat A.txt; mkdir -p lib target; printf 'good made\\n' > lib/made.sh; chmod 755 lib/made.sh; \
                  echo x > target/object; echo y > $TMPDIR/z; pwd; echo done >&2; exit 3";
    let model = scripted(move |ask| {
        let asked = ask.text();
        Ok(
            match (
                is_work(ask),
                asked.contains("created agent_output/lib/made.sh"),
            ) {
                (true, false) => calls([write("agent_output/A.txt", "good first\n"), sh(script)]),
                (true, true) => calls([
                    sh("rm A.txt && printf 'good again\\n' > A.txt; rm -r lib"),
                    set("code_review"),
                ]),
                _ => good(ask),
            },
        )
    });
    Table::new(&project, &model).play().unwrap();
    assert_eq!(
        project.statuses(),
        "A done",
        "{:?}",
        project.failures("e-1")
    );
    let record = project.record(&project.turns("e-1")[1].record_digest);
    let tier = Sandbox::with_child(env!("CARGO_BIN_EXE_orket").into()).probe();
    let confined = vec![Value::from(tier.to_string())];
    assert_eq!(
        record.notes.get("commands_confined"),
        Some(&confined.into())
    );
    assert_eq!(
        record.calls[1].result,
        object! {
            "ended" => "exit 3",
            "stdout" => "good first\n/work/agent_output\n",
            "stderr" => "done\n",
            "changes" => vec![Value::from("created agent_output/lib/made.sh")],
        }
    );
    let events = project.events("e-1");
    let turns = events.iter().filter(|event| event.event == "turn_complete");
    let touched: Vec<String> = turns
        .map(|event| {
            format!(
                "{:?} {:?}",
                event.data.get("files"),
                event.data.get("removed")
            )
        })
        .collect();
    assert!(
        touched[1].contains("lib/made.sh") && touched[2].contains("lib/made.sh"),
        "{touched:?}"
    );
    let left: Vec<_> = project.tree("agent_output").into_iter().collect();
    assert_eq!(left, [("A.txt".into(), b"good again\n".to_vec())]);
    assert_eq!(project.replay_all("e-1"), 5);
    project.verify_index();
}

#[test]
fn a_file_that_a_command_made_can_be_executed_and_keeps_that() {
    let project = commanding(&[card("A", &[])]);
    let model = scripted(|ask| {
        Ok(match is_work(ask) {
            true => calls([
                sh("printf 'good\\n' > A.txt; chmod +x A.txt"),
                set("code_review"),
            ]),
            false => good(ask),
        })
    });
    Table::new(&project, &model).play().unwrap();
    let mode = fs::metadata(project.path("agent_output/A.txt"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o111, 0o111);
}

/// A command that leaves one thing that cannot be staged leaves nothing.
#[test]
fn what_cannot_be_staged_refuses_all_of_the_command() {
    for (script, why) in [
        (
            "ln -s /etc/passwd link",
            "agent_output/link is a symbolic link",
        ),
        (
            "mkdir .git && echo x > .git/config",
            "agent_output/.git has a name that belongs",
        ),
        (
            "mkdir d && echo x > d/.ENV",
            "agent_output/d/.ENV has a name that belongs",
        ),
        ("echo x > 'a:b'", "reserved character"),
        ("echo x > \"$(printf 'a\\033b')\"", "control character"),
        ("echo x > nul.txt", "device name"),
        (
            "echo x > ../elsewhere",
            "\"elsewhere\" beside agent_output/",
        ),
        (
            "mv ../agent_output ../tmp/x",
            "removed or replaced agent_output/",
        ),
        (
            "mv ../agent_output ../tmp/x; ln -s /etc ../agent_output",
            "removed or replaced agent_output/",
        ),
        (
            "head -c 17000000 /dev/zero > big",
            "agent_output/big is larger than 16 MiB",
        ),
        (
            "for n in 1 2 3 4 5; do head -c 14000000 /dev/zero > b$n; done",
            "more than 64 MiB together",
        ),
        (
            "n=0; while [ $n -lt 1001 ]; do : > f$n; n=$((n+1)); done",
            "changed 1002 files",
        ),
    ] {
        let project = commanding(&[card("A", &[])]);
        let mut score = score();
        score["attempts_per_turn"] = json!(1);
        project.asset("scores", "score", &score);
        let model = scripted(move |ask| {
            Ok(match is_work(ask) {
                true => calls([
                    sh(&format!("echo good > A.txt; {script}")),
                    set("code_review"),
                ]),
                false => good(ask),
            })
        });
        Table::new(&project, &model).play().unwrap();
        let refusals = &project.failures("e-1")[0].refusals;
        assert!(refusals[0].contains(why), "{script}: {refusals:?}");
        assert_eq!(project.statuses(), "A blocked (system)", "{script}");
        assert!(project.tree("agent_output").is_empty(), "{script}");
    }
}

#[test]
fn a_command_that_does_not_end_by_itself_changes_nothing() {
    for (script, ended) in [
        ("kill -KILL $$", "signal 9"),
        ("yes", "more than 1048576 bytes of output"),
    ] {
        let project = commanding(&[card("A", &[])]);
        let model = scripted(move |ask| {
            Ok(match is_work(ask) {
                true if ask.text().contains("did not end by itself") => good(ask),
                true => calls([sh(&format!("echo good > left.txt; {script}"))]),
                false => good(ask),
            })
        });
        Table::new(&project, &model).play().unwrap();
        let told = &project.record(&project.turns("e-1")[1].record_digest).calls[0].result;
        assert_eq!(told.get("ended").and_then(Value::as_str), Some(ended));
        assert!(project.output("left.txt").is_none());
        assert_eq!(project.statuses(), "A done");
        project.replay_all("e-1");
    }
}

#[test]
fn a_program_that_does_not_exist_is_told() {
    let project = commanding(&[card("A", &[])]);
    let words = vec![Value::from("no-such-program")];
    let model = scripted(move |ask| {
        Ok(match is_work(ask) {
            true if ask.text().contains("no-such-program could not be started") => good(ask),
            true => calls([call("run_command", object! { "command" => words.clone() })]),
            false => good(ask),
        })
    });
    Table::new(&project, &model).play().unwrap();
    assert_eq!(project.statuses(), "A done");
    project.replay_all("e-1");
}

/// The policy may ask for more than the machine has: then nothing runs.
#[test]
fn where_the_sandbox_is_too_weak_no_command_runs() {
    let child = || Sandbox::with_child(env!("CARGO_BIN_EXE_orket").into());
    let open = child()
        .without(Feature::Landlock)
        .without(Feature::SystemCallFilter);
    for (sandbox, least) in [(child().without(Feature::Landlock), "full"), (open, "none")] {
        let project = commanding(&[card("A", &[])]);
        project.asset("venues", "venue", &json!({
            "name": "venue", "provider": "recorded", "model": "m", "timeout_seconds": 60, "least_tier": least,
            "options": { "temperature": 0, "seed": 7, "num_ctx": 8192, "num_predict": 2048 },
        }));
        let marker = project.path("ran");
        let script = format!("echo x > {}; echo good > A.txt", marker.display());
        let model = scripted(move |ask| Ok(calls([sh(&script), set(&ask.status)])));
        let tools = project.tools_with(sandbox);
        Table::new(&project, &model).tools(tools).play().unwrap();
        let refusals = &project.failures("e-1")[0].refusals;
        assert!(
            refusals[0].contains("a sandbox of the tier"),
            "{refusals:?}"
        );
        assert!(!marker.exists());
    }
}

/// A turn was promoted and the process killed before its removal reached `agent_output/`.
#[test]
fn a_removal_that_the_directory_did_not_see_is_made_up_for() {
    let project = commanding(&[card("A", &[])]);
    let answer = |ask: &Ask<'_>| match (
        is_work(ask),
        ask.text().contains("created agent_output/b.txt"),
    ) {
        (true, false) => calls([sh("echo good > b.txt; echo good > A.txt")]),
        (true, true) => calls([sh("rm b.txt"), set("code_review")]),
        _ => good(ask),
    };
    let model = scripted(move |ask| Ok(answer(ask)));
    let real = project.workspace();
    let on = |_, method: &'static str| match method {
        "remove_output" => Err(WorkspaceError {
            path: "agent_output/b.txt".into(),
            action: "removed",
            reason: "injected".into(),
        }),
        _ => Ok(()),
    };
    let dies = TapWorkspace { inner: &real, on };
    Table::new(&project, &model)
        .workspace(&dies)
        .play()
        .unwrap_err();
    assert_eq!(project.output("b.txt").as_deref(), Some("good\n"));
    Table::new(&project, &model).play().unwrap();
    assert_eq!(project.output("b.txt"), None);
    assert_eq!(project.statuses(), "A done");
    project.replay_all("e-1");
}

/// A later call of the turn looks into what the command made; the replay has that from the index.
#[test]
fn what_a_command_made_is_read_in_the_same_turn_and_after_retention() {
    let project = commanding(&[card("A", &[])]);
    let model = scripted(|ask| {
        let made = "echo good inside > b.txt; echo good > A.txt";
        let read = call("read_file", object! { "path" => "agent_output/b.txt" });
        Ok(
            match (is_work(ask), ask.text().contains("good inside\\n")) {
                (true, false) => calls([sh(made), read]),
                (true, true) => calls([sh("rm b.txt"), set("code_review")]),
                _ => good(ask),
            },
        )
    });
    Table::new(&project, &model).play().unwrap();
    assert_eq!(project.statuses(), "A done");
    let told = &project.record(&project.turns("e-1")[1].record_digest).calls[1].result;
    assert_eq!(*told, object! { "content" => "good inside\n" });
    project.replay_all("e-1");
    // No generation that is kept has the file any more; the run is kept, and so is what its replay needs.
    let policy = Retention {
        generations: Some(1),
        runs: None,
        bytes: None,
    };
    let collected = project.board().collect(&policy, Sweep::Apply).unwrap();
    assert!(collected.history_rows > 0, "{collected:?}");
    project.replay_all("e-1");
}

/// A command is no way around the rules of who writes what.
#[test]
fn a_command_changes_no_file_of_another_card_and_none_for_the_guard() {
    for (role, why) in [
        ("coder", "belongs to A"),
        ("integrity_guard", "judges work"),
    ] {
        for script in ["echo good by another > A.txt", "rm A.txt", "chmod +x A.txt"] {
            let project = commanding(&[card("A", &[]), card("B", &["A"])]);
            let model = scripted(move |ask| {
                let meddles = ask.role == role && ask.card == "B";
                Ok(if meddles {
                    calls([sh(script)])
                } else {
                    good(ask)
                })
            });
            Table::new(&project, &model).play().unwrap();
            let refusals = &project.failures("e-1")[0].refusals;
            assert!(refusals[0].contains(why), "{role}: {script}: {refusals:?}");
            assert_eq!(
                project.statuses(),
                "A done, B blocked (system)",
                "{role}: {script}"
            );
            assert_eq!(
                project.output("A.txt").unwrap(),
                "good work for A\n",
                "{role}: {script}"
            );
        }
    }
}
