//! Canary secrets go in by every way there is, and come out nowhere.
//!
//! One run of the real binary, with secrets in the environment, in `.env`, in a file that a tool reads, in what a check
//! prints, in answers, errors and refused calls of the model, in an asset and on the command line. Then every file below home
//! and project is searched byte by byte, with what the commands printed.

use std::fmt::Write;

use orket_model_double::{Answer, Call, Faults, Script, Status};
use orket_testkit::CliEnvironment;
use serde_json::{Value, json};

use crate::sample::{program, serve};

/// Each with blanks, so that pieces of a stream end inside of it, and with what encodings change.
const CANARIES: [(&str, &str); 3] = [
    (
        "STAGE_TOKEN",
        "Wren of the/environment+ \"q7Rf\" 100% \\x2K",
    ),
    (
        "DEPLOY_KEY",
        "Finch of the/env file = <p4Ss> & 'tW0' 50% \\n9",
    ),
    (
        "MAIL_PASSWORD",
        "Robin of the/notes {k3Y} \"t0k\" 75%? \\u1",
    ),
];

/// The shapes of tokens that nobody told Orket of.
const SHAPES: [&str; 2] = [
    "ghp_canary0123456789canary0123456789cana",
    "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5Y2FuYXJ5\n-----END PRIVATE KEY-----",
];

/// What holds the canaries because the test put them there.
const INPUTS: [&str; 4] = [
    ".env",
    "notes.txt",
    "verification/check.sh",
    "model/epics/e.json",
];

/// A form of a secret.
struct Form {
    name: &'static str,
    /// What goes in.
    text: String,
    /// What must not come out: of base64 what does not hang on what stands around the secret.
    needle: String,
}

/// Returns a secret in all its forms.
fn forms(secret: &str) -> Vec<Form> {
    let bytes = secret.as_bytes();
    let hex = |form: fn(&mut String, u8)| {
        let mut text = String::new();
        bytes.iter().for_each(|byte| form(&mut text, *byte));
        text
    };
    let escaped = serde_json::to_string(secret).unwrap();
    let forms = [
        ("plain", secret.to_owned()),
        ("reversed", secret.chars().rev().collect()),
        ("JSON", escaped[1..escaped.len() - 1].to_owned()),
        ("hex", hex(|text, byte| write!(text, "{byte:02x}").unwrap())),
        (
            "hex in capitals",
            hex(|text, byte| write!(text, "{byte:02X}").unwrap()),
        ),
        (
            "percent",
            hex(|text, byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => text.push(char::from(byte)),
                _ => write!(text, "%{byte:02X}").unwrap(),
            }),
        ),
        (
            "percent of everything",
            hex(|text, byte| write!(text, "%{byte:02x}").unwrap()),
        ),
    ];
    let forms = forms.map(|(name, text)| Form {
        name,
        needle: text.clone(),
        text,
    });
    let names = [
        "base64",
        "base64 behind one byte",
        "base64 behind two bytes",
    ];
    let base64 = (0..).zip(names).map(|(before, name)| {
        let text = base64(bytes, before);
        let needle = text.split('|').nth(1).unwrap().to_owned();
        Form {
            name,
            needle,
            text: text.replace('|', ""),
        }
    });
    forms.into_iter().chain(base64).collect()
}

/// Encodes bytes with something before and behind them; what belongs to the bytes alone stands between the bars.
fn base64(bytes: &[u8], before: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let own = before..before + bytes.len();
    let bytes = [&b"~~"[..before], bytes, b"~~~"].concat();
    let groups = bytes.chunks_exact(3).enumerate();
    let groups = groups.map(|(number, group)| {
        let is_own = own.contains(&(number * 3)) && own.contains(&(number * 3 + 2));
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        let characters =
            [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(bits >> shift) as usize & 63]));
        (is_own, String::from_iter(characters))
    });
    let groups: Vec<(bool, String)> = groups.collect();
    let first = groups.iter().position(|(is_own, _)| *is_own).unwrap();
    let last = groups.iter().rposition(|(is_own, _)| *is_own).unwrap();
    let text = |range: &[(bool, String)]| {
        range
            .iter()
            .map(|(_, text)| text.as_str())
            .collect::<String>()
    };
    format!(
        "{}|{}|{}",
        text(&groups[..first]),
        text(&groups[first..=last]),
        text(&groups[last + 1..])
    )
}

/// Everything that must not come out.
fn needles() -> Vec<(String, String)> {
    let forms = CANARIES.iter().flat_map(|(name, secret)| {
        let told = move |form: Form| (format!("{name} as {}", form.name), form.needle);
        forms(secret).into_iter().map(told)
    });
    let shapes = SHAPES.iter().flat_map(|shape| {
        let lines = shape.lines().filter(|line| !line.starts_with("-----"));
        lines.map(|line| ("a shape".to_owned(), line.to_owned()))
    });
    forms.chain(shapes).collect()
}

/// A text that holds all of it.
fn everything() -> String {
    let forms = CANARIES.iter().flat_map(|(_, secret)| forms(secret));
    let mut text: String = forms
        .map(|form| format!("it is {} so\n", form.text))
        .collect();
    SHAPES
        .iter()
        .for_each(|shape| text.push_str(&format!("and {shape}\n")));
    text
}

/// One canary in few bytes.
fn some(canary: usize) -> String {
    let forms = forms(CANARIES[canary].1);
    forms
        .iter()
        .map(|form| format!("it is {} so\n", form.text))
        .collect()
}

/// Says which needles a text holds.
fn found(place: &str, bytes: &[u8]) -> Vec<String> {
    let holds = |needle: &str| {
        bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
    };
    let needles = needles().into_iter().filter(|(_, needle)| holds(needle));
    needles
        .map(|(what, _)| format!("{place}: {what}"))
        .collect()
}

fn project() -> CliEnvironment {
    let mut environment = CliEnvironment::empty(program());
    environment.set(CANARIES[0].0, CANARIES[0].1);
    let quoted = |canary: (&str, &str)| {
        let escaped = canary.1.replace('\\', "\\\\").replace('"', "\\\"");
        format!("{}=\"{escaped}\"\n", canary.0)
    };
    environment.write(
        ".env",
        &format!("{}{}", quoted(CANARIES[1]), quoted(CANARIES[2])),
    );
    environment.write("orket.toml", "");
    environment.write("notes.txt", &everything());
    let script = format!("cat <<'END'\n{0}END\ncat >&2 <<'END'\n{0}END\n", some(0));
    environment.write("verification/check.sh", &script);
    let asset = |kind: &str, name: &str, asset: &Value| {
        environment.write(&format!("model/{kind}/{name}.json"), &asset.to_string());
    };
    let judge = ["read_file", "update_issue_status", "add_issue_comment"];
    let work = [
        "read_file",
        "update_issue_status",
        "add_issue_comment",
        "write_file",
    ];
    asset(
        "bands",
        "band",
        &json!({ "name": "band", "roles": {
            "coder": { "prompt": "You write.", "tools": work },
            "code_reviewer": { "prompt": "You read.", "tools": judge },
            "integrity_guard": { "prompt": "You judge.", "tools": judge },
        }}),
    );
    asset(
        "scores",
        "score",
        &json!({ "name": "score", "attempts_per_turn": 3, "turns_per_card": 12, "steps": [
            { "name": "build", "role": "$seat", "statuses": ["ready", "in_progress"] },
            { "name": "review", "role": "code_reviewer", "statuses": ["code_review"] },
            { "name": "guard", "role": "integrity_guard", "statuses": ["awaiting_guard_review"] },
        ]}),
    );
    asset(
        "flows",
        "flow",
        &json!({ "name": "flow", "band": "band", "venue": "venue", "score": "score" }),
    );
    asset(
        "venues",
        "venue",
        &json!({
            "name": "venue", "provider": "ollama", "model": "m:1b", "timeout_seconds": 60, "least_tier": "none",
            "options": { "temperature": 0, "seed": 7, "num_ctx": 65536, "num_predict": 2048 },
        }),
    );
    asset(
        "epics",
        "e",
        &json!({ "name": "e", "description": some(1), "flow": "flow", "cards": [{
            "id": "A", "title": CANARIES[2].1, "description": some(2), "seat": "coder",
            "artifacts": ["a.txt"], "verification": { "checks": ["check.sh"] },
        }]}),
    );
    environment
}

fn call(name: &str, arguments: Value) -> Call {
    Call {
        name: name.to_owned(),
        arguments,
    }
}

fn answer(tool_calls: Vec<Call>) -> Answer {
    Answer {
        content: everything(),
        thinking: Some(everything()),
        tool_calls,
        ..Answer::default()
    }
}

fn fails(code: u16) -> Answer {
    let body = json!({ "error": format!("it failed: {}", some(0)) }).to_string();
    Answer::default().with_faults(Faults {
        status: Some(Status { code, body }),
        ..Faults::default()
    })
}

fn status(status: &str) -> Call {
    call("update_issue_status", json!({ "status": status }))
}

/// The answers of the run: malformed, good, failed, refused, good, good, good.
fn script() -> Script {
    let comment = |canary| call("add_issue_comment", json!({ "comment": some(canary) }));
    Script::Sequence(vec![
        answer(vec![call(
            CANARIES[1].1,
            json!({ CANARIES[2].1: everything() }),
        )]),
        answer(vec![
            call("read_file", json!({ "path": "notes.txt" })),
            call(
                "write_file",
                json!({ "path": "agent_output/a.txt", "content": everything() }),
            ),
            comment(1),
        ]),
        fails(500),
        answer(vec![call(
            "write_file",
            json!({ "path": format!("verification/{}", CANARIES[2].1), "content": "x" }),
        )]),
        answer(vec![status("code_review")]),
        answer(vec![comment(2), status("awaiting_guard_review")]),
        answer(vec![comment(0), status("done")]),
    ])
}

/// What commands printed and said.
#[derive(Default)]
struct Told(Vec<(String, String)>);

impl Told {
    #[track_caller]
    fn run(&mut self, environment: &CliEnvironment, arguments: &[&str], code: i32) {
        let output = environment.run(arguments);
        output.assert_code(code);
        let command = arguments[0];
        self.0
            .push((format!("what {command} printed"), output.stdout));
        self.0.push((format!("what {command} said"), output.stderr));
    }
}

#[test]
fn no_canary_comes_out() {
    let mut environment = project();
    let mut told = Told::default();
    {
        let _down = serve(&mut environment, Script::Sequence(vec![fails(404)]));
        told.run(&environment, &["run", "--epic", "e"], 5);
    }
    let double = serve(&mut environment, script());
    told.run(&environment, &["run", "--epic", "e", "--json"], 0);
    let asked = double.requests();
    let chats = asked.iter().filter(|it| it.path == "/api/chat").count();
    assert_eq!(chats, 7, "the run did not ask as the script answers");
    for (number, request) in asked.iter().enumerate() {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        told.0.push((format!("request {number}"), body));
    }
    for arguments in [
        &["show", "run", "e-1"][..],
        &["show", "run", "e-1", "--json"],
        &["show", "turn", "e-1:A:2", "--json"],
        &["show", "turn", "e-1:A:3"],
        &["show", "card", "A"],
        &["board"],
        &["replay", "e-1"],
        &["verify"],
    ] {
        told.run(&environment, arguments, 0);
    }
    // What was typed is repeated in messages.
    told.run(&environment, &["run", "--epic", CANARIES[0].1], 3);
    told.run(&environment, &["run", "--epci", CANARIES[1].1], 2);
    told.run(&environment, &["explain", CANARIES[0].1], 2);

    let mut leaks = Vec::new();
    for (place, text) in &told.0 {
        leaks.extend(found(place, text.as_bytes()));
    }
    let tree = orket_testkit::Tree::read(environment.root());
    for path in tree.files() {
        let below = path.strip_prefix("project/").unwrap_or(path);
        let bytes = tree.bytes(path).unwrap();
        if INPUTS.contains(&below) {
            continue;
        }
        leaks.extend(found(path, bytes));
        leaks.extend(found(&format!("the name of {path}"), path.as_bytes()));
    }
    assert_eq!(leaks, Vec::<String>::new());
    for path in [".orket", "workspace", "agent_output"] {
        environment.run(&["secrets", "scan", path]).assert_code(0);
    }
    assert_marked(&environment);
    assert_replays_without_secrets(environment);
}

/// What was searched is what the canaries went through: their marks are there, in plain bytes.
fn assert_marked(environment: &CliEnvironment) {
    let tree = orket_testkit::Tree::read(environment.project());
    let holds = |path: &str, mark: &str| {
        // What is newest in a database may still lie in its log.
        let log = tree.bytes(&format!("{path}-wal")).unwrap_or_default();
        let bytes = tree
            .bytes(path)
            .unwrap_or_else(|| panic!("there is no {path}"));
        let mut files = [bytes, log].into_iter();
        files.any(|bytes| {
            bytes
                .windows(mark.len())
                .any(|window| window == mark.as_bytes())
        })
    };
    let attempts = "workspace/default/observability/e-1/A/002_coder";
    let places = [
        "agent_output/a.txt".to_owned(),
        ".orket/durable/db/orket_persistence.db".to_owned(),
        "workspace/default/orket.log".to_owned(),
        format!("{attempts}/attempt-1/answer-1.json"),
    ];
    for path in &places {
        for (name, _) in CANARIES {
            assert!(
                holds(path, &format!("[secret:{name}]")),
                "{path} has no mark of {name}"
            );
        }
    }
    for path in [&places[0], &places[1], &places[3]] {
        for shape in ["github-token", "private-key"] {
            assert!(
                holds(path, &format!("[secret:{shape}]")),
                "{path} has no mark of a {shape}"
            );
        }
    }
    // And what is no secret is as it was.
    assert!(holds(
        "agent_output/a.txt",
        "it is [secret:STAGE_TOKEN] so\n"
    ));
}

fn assert_replays_without_secrets(mut environment: CliEnvironment) {
    let before = environment.run(&["replay", "e-1", "--json"]);
    std::fs::remove_file(environment.path(".env")).unwrap();
    environment.set(CANARIES[0].0, "");
    let after = environment.run(&["replay", "e-1", "--json"]);
    after.assert_code(0);
    assert_eq!(after.stdout, before.stdout);
}

/// The search would find what it looks for: the inputs hold every form.
#[test]
fn the_search_finds_every_form() {
    let environment = project();
    let expected: Vec<String> = needles()
        .iter()
        .map(|(what, _)| format!("x: {what}"))
        .collect();
    let notes = std::fs::read(environment.path("notes.txt")).unwrap();
    assert_eq!(found("x", &notes), expected);
    assert_eq!(expected.len(), 32);
}

#[test]
fn a_secret_in_a_name_of_an_asset_is_named_by_its_place() {
    let environment = project();
    environment.replace(
        "model/epics/e.json",
        "\"a.txt\"",
        "\"ghp_canary0123456789canary0123456789cana\"",
    );
    let output = environment.run(&["run", "--epic", "e"]);
    assert_eq!(
        output.complaint(3),
        "orket: model/epics/e.json: what it plays from holds a secret in a name, at /epic/cards/0/artifacts/0; take it out"
    );
    assert!(!environment.path("agent_output").exists());
}
