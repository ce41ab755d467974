//! The built-in tools inside turns: what they stage is promoted, and every turn replays.

use std::fs;

use orket_cards::{Status, Verification, VerificationState};
use orket_flow::{NoConductor, RunEnding, RunError};
use orket_kernel::canonical::Value;
use orket_kernel::object;
use orket_ports::model::{ModelAnswer, ToolCall};
use serde_json::json;

use crate::command::sh;
use crate::model::{Ask, call, calls, good, scripted, set, text, write};
use crate::project::{Project, band, card, score};
use crate::table::{Heard, Table};

/// A band whose coder and guard have every tool.
fn rich_band() -> serde_json::Value {
    let more = [
        "edit_file",
        "search_files",
        "get_issue_context",
        "create_issue",
    ];
    let mut band = band(&more);
    for role in ["coder", "architect"] {
        let tools = band["roles"][role]["tools"].as_array_mut().unwrap();
        tools.extend(more.iter().map(|tool| json!(tool)));
    }
    band
}

/// A project with the cards A and B, whose epic lets its coder be given more.
fn project(created: serde_json::Value) -> Project {
    let project = Project::new(&[]);
    project.asset("bands", "band", &rich_band());
    let epic = json!({
        "name": "e", "description": "d", "flow": "flow",
        "cards": [card("A", &[]), card("B", &["A"])],
        "created_cards": created,
    });
    project.asset("epics", "e", &epic);
    project
}

fn rules() -> serde_json::Value {
    json!({ "seats": ["coder"], "verification": { "none": "small follow-ups" }, "per_turn": 2, "in_all": 3 })
}

fn new_card(title: &str) -> Value {
    object! { "title" => title, "description" => "Do what the title says.", "seat" => "coder" }
}

fn create(title: &str) -> ToolCall {
    call("create_issue", new_card(title))
}

/// Does `work` in the coder's first turn on A, and what is good else.
fn first_turn(
    work: impl Fn() -> Vec<ToolCall> + Send + Sync,
) -> impl Fn(&Ask<'_>) -> Result<ModelAnswer, orket_ports::ModelError> + Send + Sync {
    move |ask| {
        Ok(if ask.number == 0 {
            calls(work())
        } else {
            good(ask)
        })
    }
}

/// The results that the first turn on A told.
fn results(project: &Project) -> Vec<Value> {
    let turns = project.turns("e-1");
    let record = project.record(&turns[1].record_digest);
    record.calls.into_iter().map(|call| call.result).collect()
}

#[test]
fn an_edit_is_staged_promoted_and_replayed() {
    let project = project(rules());
    let edit = |old: &str, new: &str| {
        let path = "agent_output/A.txt";
        call(
            "edit_file",
            object! { "path" => path, "old" => old, "new" => new },
        )
    };
    let program =
        object! { "path" => "agent_output/A.txt", "content" => "good one\n", "executable" => true };
    let model = scripted(first_turn(move || {
        vec![
            call("write_file", program.clone()),
            edit("one", "two"),
            edit("two\n", "three\n"),
            set("code_review"),
        ]
    }));
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!(summary.ending, RunEnding::Done, "{}", project.statuses());
    assert_eq!(project.output("A.txt").unwrap(), "good three\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(project.path("agent_output/A.txt")).unwrap();
        assert_eq!(
            mode.permissions().mode() & 0o111,
            0o111,
            "it stays a program"
        );
    }
    assert_eq!(project.replay_all("e-1"), 7);
}

#[test]
fn an_edit_that_fits_nowhere_can_be_put_right_and_one_of_another_cards_file_cannot() {
    for (name, on, path, counts, piece) in [
        (
            "no such file",
            "A",
            "agent_output/none.txt",
            (1, 0),
            "does not exist",
        ),
        (
            "no such text",
            "B",
            "agent_output/B.txt",
            (1, 0),
            "does not hold",
        ),
        (
            "another card's",
            "B",
            "agent_output/A.txt",
            (0, 1),
            "belongs to A",
        ),
    ] {
        let project = project(rules());
        let model = scripted(move |ask| {
            let is_first = !ask.follows_a_refusal() && !ask.is_corrective();
            let mut answer = good(ask);
            if is_first && ask.role == "coder" && ask.card == on {
                let old = if path.ends_with("A.txt") {
                    "good"
                } else {
                    "bad"
                };
                let edit = object! { "path" => path, "old" => old, "new" => "b" };
                // Behind the writing, so that B.txt is there.
                answer.tool_calls.insert(1, call("edit_file", edit));
            }
            Ok(answer)
        });
        let summary = Table::new(&project, &model).play().unwrap();
        assert_eq!(summary.ending, RunEnding::Done, "{name}");
        let counted = (summary.corrected_turns, summary.refused_attempts);
        assert_eq!(counted, counts, "{name}");
        let told = model
            .requests()
            .iter()
            .any(|asked| text(asked).contains(piece));
        assert!(told, "{name}");
        assert_eq!(
            project.output("A.txt").unwrap(),
            "good work for A\n",
            "{name}"
        );
        project.replay_all("e-1");
    }
}

#[test]
fn a_search_sees_what_the_turn_staged_and_replays_what_the_domain_said() {
    let project = project(rules());
    fs::create_dir(project.path("src")).unwrap();
    fs::write(project.path("src/lib.rs"), "// good old times\n").unwrap();
    let search = |path: &str| call("search_files", object! { "text" => "good", "path" => path });
    let model = scripted(first_turn(move || {
        vec![
            write("agent_output/A.txt", "good\n"),
            search("agent_output"),
            search("src"),
            set("code_review"),
        ]
    }));
    Table::new(&project, &model).play().unwrap();
    let told: Vec<String> = results(&project).iter().map(Value::to_string).collect();
    assert_eq!(
        told[1],
        r#"{"files":1,"matches":[{"line":1,"path":"agent_output/A.txt","text":"good"}]}"#
    );
    assert_eq!(
        told[2],
        r#"{"files":1,"matches":[{"line":1,"path":"src/lib.rs","text":"// good old times"}]}"#
    );
    // A replay is told what the turn was told, whatever stands there now.
    fs::remove_file(project.path("src/lib.rs")).unwrap();
    project.replay_all("e-1");
}

#[test]
fn the_context_of_a_card_is_data() {
    let project = project(rules());
    let model = scripted(first_turn(|| {
        vec![
            crate::model::comment("mind the gap"),
            write("agent_output/A.txt", "good\n"),
            call("get_issue_context", object! {}),
            call("get_issue_context", object! { "issue_id" => "B" }),
            set("code_review"),
        ]
    }));
    Table::new(&project, &model).play().unwrap();
    let told = results(&project);
    assert_eq!(
        told[2].to_string(),
        concat!(
            r#"{"artifacts":[{"length":5,"path":"agent_output/A.txt"}],"authors":["coder"],"#,
            r#""comments":[{"author":"coder","text":"mind the gap"}],"created_by":null,"depends_on":[],"#,
            r#""description":"write what is promised","epic":"e","id":"A","needed_by":[{"id":"B","status":"ready","title":"card B"}],"#,
            r#""priority":2,"seat":"coder","status":"in_progress","title":"card A","verification":{"checks":["check.sh"]},"#,
            r#""verified":"not run","wait_reason":null}"#
        )
    );
    let other = told[3].to_string();
    assert!(
        other.contains(r#""depends_on":[{"id":"A","status":"in_progress","title":"card A"}]"#),
        "{other}"
    );
    assert!(
        other.contains(r#"{"length":null,"path":"agent_output/B.txt"}"#),
        "{other}"
    );
    project.replay_all("e-1");
}

#[test]
fn a_created_card_is_worked_like_any_other() {
    let project = project(rules());
    let mut arguments = new_card("Write the notes");
    if let Value::Object(members) = &mut arguments {
        members.insert("depends_on".into(), vec![Value::from("B")].into());
        members.insert(
            "artifacts".into(),
            vec![Value::from("agent_output/notes.txt")].into(),
        );
        members.insert("priority".into(), 5_u64.into());
    }
    let model = scripted(first_turn(move || {
        vec![
            write("agent_output/A.txt", "good\n"),
            call("create_issue", arguments.clone()),
            set("code_review"),
        ]
    }));
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!(summary.ending, RunEnding::Done, "{}", project.statuses());
    let cards = project.cards();
    let id = cards.keys().find(|id| id.starts_with("card-")).unwrap();
    assert_eq!(id.len(), "card-".len() + 8);
    let made = &cards[id];
    assert_eq!(
        (made.status, made.verified),
        (Status::Done, VerificationState::NoChecks)
    );
    assert_eq!(
        made.verification,
        Verification::None("small follow-ups".into())
    );
    assert_eq!(
        (made.ordinal, made.priority, made.epic.as_str()),
        (2, 5, "e")
    );
    let by = made.created_by.as_ref().unwrap();
    assert_eq!((by.role.as_str(), by.card.as_str()), ("coder", "A"));
    assert_eq!(
        project.output("notes.txt").unwrap(),
        format!("good work for {id}\n")
    );
    // Its description was written by a role, and is quoted in the prompt.
    let prompt = model.requests().iter().map(text).find(|text| {
        text.contains(&format!(
            "Card {id}: Write the notes\nDescribed by coder on A: \"Do what"
        ))
    });
    assert!(prompt.is_some());
    project.replay_all("e-1");
    crate::operator::verify(&project);
    // The same word again makes no second card, in another run either, and its id says so.
    let again = Table::new(&project, &model).play().unwrap();
    assert_eq!(again.ending, RunEnding::NothingToDo);
}

#[test]
fn what_may_not_be_created_is_refused_and_nothing_of_the_turn_happens() {
    let with = |name: &str, value: Value| {
        let mut arguments = new_card("x");
        if let Value::Object(members) = &mut arguments {
            members.insert(name.to_owned(), value);
        }
        call("create_issue", arguments)
    };
    let one = |text: &str| Value::from(vec![Value::from(text)]);
    // A malformed call gets one corrective, one that the epic stands against ends the attempt.
    let cases = [
        (
            "unknown dependency",
            vec![with("depends_on", one("Z"))],
            "the epic has no such card; it has A, B",
            true,
        ),
        (
            "no id at all",
            vec![with("depends_on", one("no id"))],
            "the card id",
            true,
        ),
        (
            "unknown seat",
            vec![with("seat", "nobody".into())],
            "no card can be created for \"nobody\"",
            true,
        ),
        (
            "the judge's seat",
            vec![with("seat", "integrity_guard".into())],
            "it can be for coder",
            true,
        ),
        (
            "unknown check",
            vec![with("checks", one("mine.sh"))],
            "there is no check \"mine.sh\"; there are check.sh",
            true,
        ),
        (
            "the same twice",
            vec![create("x"), create("x")],
            "says the same already",
            true,
        ),
        (
            "another card's file",
            vec![with("artifacts", one("agent_output/B.txt"))],
            "belongs to B",
            false,
        ),
        (
            "a file below another",
            vec![
                write("agent_output/A.txt", "good"),
                with("artifacts", one("agent_output/A.txt/x")),
            ],
            "in its way",
            false,
        ),
        (
            "too many in a turn",
            vec![create("x"), create("y"), create("z")],
            "a turn creates at most 2",
            false,
        ),
    ];
    for (name, bad, piece, is_correctable) in cases {
        let project = project(rules());
        let model = scripted(first_turn(move || bad.clone()));
        let summary = Table::new(&project, &model).play().unwrap();
        assert_eq!(summary.ending, RunEnding::Done, "{name}");
        assert_eq!(project.statuses(), "A done, B done", "{name}");
        let counts = (summary.corrected_turns, summary.refused_attempts);
        assert_eq!(
            counts,
            if is_correctable { (1, 0) } else { (0, 1) },
            "{name}"
        );
        let second = text(&model.requests()[1]);
        assert!(second.contains(piece), "{name}: {second}");
        project.replay_all("e-1");
    }
}

#[test]
fn an_epic_that_says_nothing_of_created_cards_has_none() {
    let project = Project::new(&[card("A", &[])]);
    project.asset("bands", "band", &rich_band());
    let model = scripted(first_turn(|| vec![create("x")]));
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!((summary.corrected_turns, summary.refused_attempts), (0, 1));
    assert_eq!(project.statuses(), "A done");
    assert!(text(&model.requests()[1]).contains("lets no role create cards"));
}

#[test]
fn an_epic_holds_so_many_created_cards_and_no_more() {
    let project = project(rules());
    let model = scripted(|ask| {
        Ok(
            if ask.role == "coder" && ask.card == "A" && !ask.follows_a_refusal() {
                let mut answer = good(ask);
                answer.tool_calls.extend([create("x"), create("y")]);
                answer
            } else if ask.role == "coder" && ask.card == "B" && !ask.follows_a_refusal() {
                let mut answer = good(ask);
                answer.tool_calls.extend([create("v"), create("w")]);
                answer
            } else {
                good(ask)
            },
        )
    });
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!(summary.refused_attempts, 1);
    let failure = &project.failures("e-1")[0];
    assert!(
        failure.refusals[0].contains("holds 3 created cards already"),
        "{:?}",
        failure.refusals
    );
    assert_eq!(
        project.cards().len(),
        4,
        "nothing of the refused turn is there"
    );
    project.replay_all("e-1");
}

/// Two cards could promise one file if one of them was created: its author wrote over what the other's guard had judged.
#[test]
fn a_file_that_a_created_card_promises_is_no_other_cards() {
    let project = project(rules());
    let promise = |path: &str| {
        let mut arguments = new_card(&format!("Write {path}"));
        if let Value::Object(members) = &mut arguments {
            members.insert("artifacts".into(), vec![Value::from(path)].into());
        }
        call("create_issue", arguments)
    };
    let model = scripted(move |ask| {
        Ok(match (ask.number, ask.card.as_str(), ask.role.as_str()) {
            (0, ..) => calls([
                promise("agent_output/c.txt"),
                write("agent_output/A.txt", "good\n"),
                set("code_review"),
            ]),
            (_, "B", "coder") if !ask.follows_a_refusal() => {
                let mut answer = good(ask);
                answer
                    .tool_calls
                    .insert(0, write("agent_output/c.txt", "good by B\n"));
                answer
            }
            _ => good(ask),
        })
    });
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!(summary.ending, RunEnding::Done);
    let failure = &project.failures("e-1")[0];
    assert!(
        failure.refusals[0].contains("agent_output/c.txt belongs to card-"),
        "{:?}",
        failure.refusals
    );
    project.replay_all("e-1");
}

#[test]
fn a_created_card_that_is_given_up_goes_on_in_the_next_run() {
    let project = project(rules());
    let model = scripted(|ask| {
        Ok(if ask.number == 0 {
            let mut answer = good(ask);
            answer.tool_calls.push(create("x"));
            answer
        } else if ask.card.starts_with("card-") {
            crate::model::forbidden()
        } else {
            good(ask)
        })
    });
    Table::new(&project, &model).play().unwrap();
    assert!(
        project.statuses().ends_with("blocked (system)"),
        "{}",
        project.statuses()
    );
    project.replay_all("e-1");
    let model = scripted(|ask| Ok(good(ask)));
    let id = project.cards().into_keys().next_back().unwrap();
    let summary = Table::new(&project, &model).card(&id).play().unwrap();
    assert_eq!(summary.run_id.as_deref(), Some("e-2"));
    assert_eq!(project.cards()[&id].status, Status::Done);
    project.replay_all("e-2");
    // What the epic no longer allows is not worked on.
    project.epic("e", &[card("A", &[]), card("B", &["A"])]);
    let none = Table::new(&project, &model).card(&id).play();
    assert!(matches!(none, Err(RunError::NoCard { .. })), "{none:?}");
}

/// A project whose score lets a refused call stand beside the others.
fn lenient() -> Project {
    let project = project(rules());
    let mut score = score();
    score["refused_calls"] = json!("skip");
    project.asset("scores", "score", &score);
    project
}

#[test]
fn where_the_score_says_so_a_refused_call_alone_has_no_effect() {
    let project = lenient();
    let model = scripted(first_turn(|| {
        vec![
            write("verification/check.sh", "exit 0\n"),
            write("agent_output/A.txt", "good\n"),
            call("write_file", object! { "path" => "agent_output/A.txt" }),
            write("agent_output/B.txt", "not mine\n"),
            create("Tell the season"),
            set("done"),
            set("code_review"),
        ]
    }));
    let mut heard = Heard::default();
    let summary = Table::new(&project, &model).play_epic("e", &mut NoConductor, &mut heard);
    let summary = summary.unwrap();
    assert_eq!(summary.ending, RunEnding::Done, "{}", project.statuses());
    assert_eq!((summary.corrected_turns, summary.refused_attempts), (0, 0));
    assert_eq!(project.output("A.txt").unwrap(), "good\n");
    assert_eq!(project.output("B.txt").unwrap(), "good work for B\n");
    let told: Vec<String> = results(&project).iter().map(Value::to_string).collect();
    for (place, piece) in [
        (0, "agents write below agent_output/ only"),
        (2, "\\\"content\\\" is missing"),
        (3, "belongs to B"),
        (5, "cannot go from in_progress to done"),
    ] {
        assert!(
            told[place].starts_with("{\"refused\":\""),
            "{}",
            told[place]
        );
        assert!(told[place].contains(piece), "{}", told[place]);
    }
    assert_eq!(told[1], r#"{"written":5}"#);
    assert_eq!(told[6], r#"{"status":"code_review"}"#);
    // One audit record per call, and an event that says what became of it.
    let record = project.record(&project.turns("e-1")[1].record_digest);
    assert_eq!(record.decisions.len(), 7);
    let verdicts: Vec<_> = heard
        .0
        .iter()
        .filter(|event| event.event == "tool_call")
        .take(7)
        .map(|event| {
            event
                .data
                .get("verdict")
                .and_then(Value::as_str)
                .unwrap()
                .to_owned()
        })
        .collect();
    let expected = [
        "refused", "allowed", "refused", "refused", "allowed", "refused", "allowed",
    ];
    assert_eq!(verdicts, expected);
    let asked = text(&model.requests()[0]);
    assert!(asked.contains("a refused call has no effect while the others are carried out"));
    project.replay_all("e-1");
}

/// A command that was refused after it had taken a file away left the file away.
#[test]
fn of_a_skipped_command_nothing_is_left_and_the_next_outcome_is_its_own() {
    let project = lenient();
    let mut band = rich_band();
    let coder = band["roles"]["coder"]["tools"].as_array_mut().unwrap();
    coder.push(json!("run_command"));
    project.asset("bands", "band", &band);
    let model = scripted(|ask| {
        Ok(match ask.number {
            0 => calls([write("agent_output/old.txt", "good old\n")]),
            1 => calls([
                // B.txt belongs to B.
                sh("rm old.txt; echo x >B.txt"),
                sh("cat old.txt"),
                write("agent_output/A.txt", "good\n"),
                set("code_review"),
            ]),
            _ => good(ask),
        })
    });
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!(summary.ending, RunEnding::Done, "{}", project.statuses());
    assert_eq!(summary.refused_attempts, 0);
    let record = project.record(&project.turns("e-1")[2].record_digest);
    let told: Vec<String> = record
        .calls
        .iter()
        .map(|it| it.result.to_string())
        .collect();
    assert!(told[0].contains("belongs to B"), "{}", told[0]);
    assert!(
        told[1].contains("\"stdout\":\"good old\\n\""),
        "{}",
        told[1]
    );
    assert_eq!(project.output("old.txt").unwrap(), "good old\n");
    project.replay_all("e-1");
    crate::operator::verify(&project);
}

#[test]
fn a_call_that_the_policy_denies_refuses_the_turn_whatever_the_score_says() {
    for (name, bad, counts) in [
        (
            "another role's tool",
            vec![call("run_nothing", object! {})],
            (1, 0),
        ),
        (
            "all of them",
            vec![write("verification/check.sh", "")],
            (0, 1),
        ),
        (
            "the same remark over its limit",
            vec![crate::model::comment(" ")],
            (1, 0),
        ),
    ] {
        let project = lenient();
        let alone = name != "another role's tool";
        let model = scripted(first_turn(move || {
            let good = (!alone).then(|| write("agent_output/A.txt", "good\n"));
            bad.clone().into_iter().chain(good).collect()
        }));
        let summary = Table::new(&project, &model).play().unwrap();
        let counted = (summary.corrected_turns, summary.refused_attempts);
        assert_eq!(counted, counts, "{name}");
        assert_eq!(
            project.output("A.txt").unwrap(),
            "good work for A\n",
            "{name}"
        );
        project.replay_all("e-1");
    }
    let project = lenient();
    let mut band = rich_band();
    band["roles"]["coder"]["tools"] = json!(["write_file", "update_issue_status"]);
    project.asset("bands", "band", &band);
    let model = scripted(first_turn(|| {
        vec![
            write("agent_output/A.txt", "good\n"),
            create("x"),
            set("code_review"),
        ]
    }));
    let summary = Table::new(&project, &model).play().unwrap();
    assert_eq!((summary.corrected_turns, summary.refused_attempts), (0, 1));
    assert_eq!(project.output("A.txt").unwrap(), "good work for A\n");
}

#[test]
fn a_band_with_an_unknown_tool_is_refused_with_the_one_that_was_meant() {
    let model = scripted(|ask| Ok(good(ask)));
    for (tool, piece) in [
        (
            "wirte_file",
            "there is no tool \"wirte_file\"; did you mean \"write_file\"? There are add_issue_comment, ",
        ),
        (
            "teleport",
            "there is no tool \"teleport\"; there are add_issue_comment, ",
        ),
    ] {
        let project = Project::new(&[card("A", &[])]);
        project.asset("bands", "band", &band(&[tool]));
        let error = Table::new(&project, &model).play().unwrap_err();
        assert!(matches!(error, RunError::Asset(_)), "{error}");
        let message = error.to_string();
        let head = "model/bands/band.json: /roles/integrity_guard/tools/4: ";
        assert!(
            message.starts_with(head) && message.contains(piece),
            "{message}"
        );
    }
    assert_eq!(model.count(), 0);
}

#[test]
fn the_rules_of_created_cards_are_checked_when_the_epic_is_loaded() {
    let model = scripted(|ask| Ok(good(ask)));
    for (name, created, piece) in [
        (
            "no seat",
            json!({ "seats": [], "verification": { "none": "r" } }),
            "/created_cards/seats: give at least one role",
        ),
        (
            "no such role",
            json!({ "seats": ["coder", "x"], "verification": { "none": "r" } }),
            "/created_cards/seats/1: the band band has no role \"x\"",
        ),
        (
            "the guard",
            json!({ "seats": ["integrity_guard"], "verification": { "none": "r" } }),
            "judges work and cannot author it",
        ),
        (
            "no checks and no word",
            json!({ "seats": ["coder"], "verification": {} }),
            "/created_cards/verification: give either",
        ),
        (
            "no such fixture",
            json!({ "seats": ["coder"], "verification": { "checks": ["none.sh"] } }),
            "verification/none.sh, which does not exist",
        ),
    ] {
        let project = project(created);
        let error = Table::new(&project, &model).play().unwrap_err().to_string();
        assert!(error.contains(piece), "{name}: {error}");
    }
    assert_eq!(model.count(), 0);
}
