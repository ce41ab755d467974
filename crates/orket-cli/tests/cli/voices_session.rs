//! Venues: servers of both protocols, what is looked at before they are asked, and what a run cost.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use insta::assert_snapshot;
use orket_model_double::{
    Answer, Faults, Flavour, Model, ModelDouble, Script, Settings, Status, Window,
};
use orket_testkit::CliEnvironment;
use serde_json::json;

use crate::sample::{assert_same, facts, sample, script, show, worked};

const MODEL: &str = "qwen2.5-coder:7b";
const KEY: &str = "key-of-the-workshop-4711";

fn answers() -> Vec<Answer> {
    match script() {
        Script::Sequence(answers) => answers,
        Script::Exchanges(_) => Vec::new(),
    }
}

fn start(answers: Vec<Answer>, settings: Settings) -> ModelDouble {
    let settings = Settings {
        models: vec![Model::named(MODEL)],
        ..settings
    };
    ModelDouble::start_with(Script::Sequence(answers), settings).unwrap()
}

/// Writes a venue for a server of OpenAI's protocol.
fn openai_venue(environment: &CliEnvironment, base_url: &str, more: &serde_json::Value) {
    let mut venue = json!({
        "name": "llama", "provider": "openai_compatible", "base_url": base_url, "model": MODEL,
        "options": {"temperature": 0, "seed": 7, "num_ctx": 8192, "num_predict": 2048},
        "timeout_seconds": 60, "least_tier": "none",
    });
    for (key, value) in more.as_object().unwrap() {
        venue[key] = value.clone();
    }
    environment.write("model/venues/llama.json", &venue.to_string());
}

const LLAMA: [&str; 5] = ["run", "--epic", "first_light", "--venue", "llama"];
const OLLAMA: [&str; 5] = ["run", "--epic", "first_light", "--venue", "ollama"];

fn with_ollama(double: &ModelDouble) -> CliEnvironment {
    let mut environment = sample();
    environment.replace("model/venues/ollama.json", "\"partial\"", "\"none\"");
    environment.set("ORKET_OLLAMA_URL", double.url());
    environment
}

#[test]
fn a_server_with_openais_protocol_and_a_key_gives_the_digests_of_the_recordings() {
    let expected = facts(&worked(), "first_light-1");
    for flavour in [Flavour::LlamaCpp, Flavour::Vllm] {
        let double = start(
            answers(),
            Settings {
                flavour,
                api_key: Some(KEY.to_owned()),
                window: Some(Window {
                    tokens: 8192,
                    ..Window::default()
                }),
                ..Settings::default()
            },
        );
        let environment = sample();
        let url = format!("{}/v1", double.url());
        openai_venue(&environment, &url, &json!({"api_key": "LLAMA_KEY"}));
        let missing = environment.run(&LLAMA);
        assert!(
            missing.complaint(3).starts_with(
                "orket: venue llama: there is no secret LLAMA_KEY; put a line LLAMA_KEY="
            ),
            "{missing}"
        );
        environment.write(".env", "LLAMA_KEY=wrong-key-0815\n");
        let refused = environment.run(&LLAMA);
        assert!(
            refused
                .complaint(5)
                .contains("refused the call with 401: Invalid API Key [E_MODEL_REFUSED]"),
            "{refused}"
        );
        assert!(
            double.exchanges().is_empty(),
            "nothing of a prompt has left"
        );
        environment.write(".env", &format!("LLAMA_KEY={KEY}\n"));
        environment.run(&LLAMA).assert_code(0);
        assert_same(&expected, &facts(&environment, "first_light-1"));
        let turn = environment.run(&["show", "turn", "first_light-1:FL-1:2", "--json"]);
        assert!(
            turn.stdout.contains("\"provider\":\"openai_compatible\""),
            "{turn}"
        );
        assert!(!turn.stdout.contains(KEY));
    }
}

#[test]
fn another_host_is_asked_only_where_the_venue_says_so() {
    let environment = sample();
    openai_venue(&environment, "http://192.0.2.1:8080/v1", &json!({}));
    let output = environment.run(&LLAMA);
    assert_eq!(
        output.complaint(3),
        "orket: venue llama: the address \"http://192.0.2.1:8080\" is not on this machine"
    );
    openai_venue(
        &environment,
        "http://127.0.0.1:1",
        &json!({"reach": "anywhere"}),
    );
    assert!(
        environment
            .run(&LLAMA)
            .complaint(5)
            .contains("[E_MODEL_UNREACHABLE]")
    );
    for (more, part) in [
        (json!({"base_url": null}), "/base_url: give it"),
        (
            json!({"provider": "ollama", "api_key": "A_KEY"}),
            "/api_key: only the provider openai_compatible takes one",
        ),
        (json!({"reach": "far"}), "unknown variant `far`"),
    ] {
        openai_venue(&environment, "http://127.0.0.1:1", &more);
        let output = environment.run(&LLAMA);
        assert!(output.complaint(3).contains(part), "{output}");
    }
}

#[test]
fn a_model_that_changes_during_a_run_is_refused_until_a_person_takes_it() {
    let mut answers = answers();
    let status = Status {
        code: 401,
        body: "gone for lunch".to_owned(),
    };
    let lunch = Answer::default().with_faults(Faults {
        status: Some(status),
        ..Faults::default()
    });
    answers.insert(4, lunch);
    let double = start(answers, Settings::default());
    let environment = with_ollama(&double);
    environment.run(&OLLAMA).complaint(5);
    double.set_model(Model {
        digest: "f".repeat(64),
        ..Model::named(MODEL)
    });
    let output = environment.run(&OLLAMA);
    let complaint = output.complaint(5);
    let first = orket_model_double::digest(&json!(MODEL));
    let expected = format!(
        "orket: venue ollama: the model {MODEL} is not the one that the run began with: its digest was {first} and is {} [E_MODEL_CHANGED]; ",
        "f".repeat(64)
    );
    assert!(complaint.starts_with(&expected), "{complaint}");
    assert!(complaint.ends_with("--accept-model"), "{complaint}");
    assert_eq!(
        double.exchanges().len(),
        5,
        "the changed model was not asked"
    );
    let mut accepting = OLLAMA.to_vec();
    accepting.push("--accept-model");
    environment.run(&accepting).assert_code(0);
    assert_same(
        &facts(&worked(), "first_light-1"),
        &facts(&environment, "first_light-1"),
    );
    // What it goes on with is what later turns are compared with.
    let last = environment.run(&["show", "turn", "first_light-1:FL-4:22", "--json"]);
    assert!(last.stdout.contains(&"f".repeat(64)), "{last}");
}

#[test]
fn a_prompt_that_the_server_cut_is_no_turn() {
    let answers = answers().into_iter().map(|answer| Answer {
        prompt_eval_count: None,
        eval_count: None,
        ..answer
    });
    let double = start(
        answers.collect(),
        Settings {
            window: Some(Window {
                tokens: 4096,
                ignores_truncate: true,
                ..Window::default()
            }),
            ..Settings::default()
        },
    );
    let environment = with_ollama(&double);
    environment.replace(
        "model/venues/ollama.json",
        "\"num_ctx\": 8192, \"num_predict\": 2048",
        "\"num_ctx\": 256, \"num_predict\": 64",
    );
    let output = environment.run(&OLLAMA);
    let complaint = output.complaint(5);
    assert!(
        complaint.contains("the model did not see the whole prompt: the server counts 130 tokens"),
        "{complaint}"
    );
    assert!(
        complaint.contains("[E_MODEL_PROMPT_CUT]; raise options.num_ctx in the venue"),
        "{complaint}"
    );
    let turns = show(&environment, "first_light-1")["turns"].clone();
    assert_eq!(
        turns.as_array().unwrap().len(),
        1,
        "only the cards were loaded"
    );
    environment.replace(
        "model/venues/ollama.json",
        "\"num_ctx\": 256, \"num_predict\": 64",
        "\"num_ctx\": 16384, \"num_predict\": 2048",
    );
    // The answer that was refused was the first of the script.
    let double = start(self::answers(), Settings::default());
    let mut environment = environment;
    environment.set("ORKET_OLLAMA_URL", double.url());
    environment.run(&OLLAMA).assert_code(0);
    assert_same(
        &facts(&worked(), "first_light-1"),
        &facts(&environment, "first_light-1"),
    );
}

#[test]
fn the_ledger_adds_up_what_the_server_counted() {
    let sum = |count: fn(&Answer) -> Option<u64>| answers().iter().filter_map(count).sum::<u64>();
    let ledger = show(&worked(), "first_light-1")["tokens"].clone();
    let rows = ledger["rows"].as_array().unwrap().clone();
    let total = |key: &str| {
        rows.iter()
            .map(|row| row[key].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(total("prompt"), sum(|answer| answer.prompt_eval_count));
    assert_eq!(total("completion"), sum(|answer| answer.eval_count));
    assert_eq!(total("answers"), answers().len() as u64);
    assert_eq!((total("estimated"), total("cached")), (0, 0));
    let roles: Vec<&str> = rows
        .iter()
        .map(|row| row["role"].as_str().unwrap())
        .collect();
    assert_eq!(
        roles,
        ["architect", "code_reviewer", "coder", "integrity_guard"]
    );
    assert!(rows.iter().all(|row| row["model"] == MODEL));
    assert_eq!(ledger["records_not_retained"], 0);
}

#[test]
fn what_servers_offer_is_listed_by_venue() {
    let mut small = Model::named("small:1b");
    small.capabilities = vec!["completion".to_owned()];
    small.context_length = 2048;
    let settings = Settings {
        models: vec![Model::named(MODEL), small],
        ..Settings::default()
    };
    let double = ModelDouble::start_with(Script::Sequence(vec![]), settings).unwrap();
    let environment = with_ollama(&double);
    assert_snapshot!(environment.run(&["models"]), @r"
    $ orket models
    venue ollama (ollama), ollama 0.33.0
    * qwen2.5-coder:7b  window 131072  can completion, thinking, tools  digest bc999243298a
      small:1b          window 2048  can completion  digest 363a79f15257
    venue recorded (recorded): answers come from cassettes/, no server is asked
    [exit 0]
    ");
    environment.replace("model/venues/ollama.json", MODEL, "qwen3:4b");
    let output = environment.run(&["models", "--venue", "ollama"]);
    output.assert_code(5);
    assert!(
        output
            .stdout
            .contains("the model of the venue, qwen3:4b, is not among them"),
        "{output}"
    );
    let output = environment.run(&["models", "--venue", "ollama", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(listed[0]["models"][1]["context_tokens"], 2048);
    assert_eq!(listed[0]["models"][1]["is_of_the_venue"], false);
    drop(double);
    let output = environment.run(&["models", "--venue", "ollama"]);
    output.assert_code(5);
    assert!(
        output.stdout.contains("[E_MODEL_UNREACHABLE]; start it"),
        "{output}"
    );
    assert!(
        environment
            .run(&["models", "--venue", "none"])
            .complaint(3)
            .contains("there are: ollama, recorded")
    );
}

#[test]
fn a_script_is_served_until_the_command_is_ended() {
    let environment = sample();
    environment.write(
        "answers.json",
        r#"{"sequence": [{"content": "Good morning."}]}"#,
    );
    let arguments = ["model-double", "answers.json", "--requests"];
    let mut command = environment.command(&arguments);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap();
    let mut connection = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let body = r#"{"model":"m","messages":[{"role":"user","content":"Hello"}]}"#;
    let length = body.len();
    write!(
        connection,
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    assert!(
        response.contains(r#""content":"Good morning.""#),
        "{response}"
    );
    let request: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(request["path"], "/v1/chat/completions");
    assert_eq!(request["body"]["messages"][0]["content"], "Hello");
    assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();

    environment.write(
        "answers.json",
        r#"{"sequence": [{"contents": "Good morning."}]}"#,
    );
    let output = environment.run(&["model-double", "answers.json"]);
    assert!(
        output
            .complaint(3)
            .contains("answers.json: the text is not a script: unknown field `contents`"),
        "{output}"
    );
}

#[test]
fn the_prompt_that_is_shown_is_the_one_that_is_sent() {
    let environment = sample();
    let shown = |arguments: &[&str]| -> serde_json::Value {
        let output = environment.run(&[&["prompt"], arguments, &["--json"]].concat());
        output.assert_code(0);
        serde_json::from_str(&output.stdout).unwrap()
    };
    let sent = |turn: &str| -> serde_json::Value {
        let output = environment.run(&["show", "turn", turn, "--json"]);
        serde_json::from_str::<serde_json::Value>(&output.stdout).unwrap()["exchanges"][0]["request"].clone()
    };
    let first = shown(&["FL-1"]);
    assert_eq!(
        (&first["role"], &first["step"]),
        (&json!("architect"), &json!("build"))
    );
    let text = environment.run(&["prompt", "FL-1", "--role", "architect"]);
    text.assert_code(0);
    let digest = first["digest"].as_str().unwrap();
    for part in [
        &format!("digest  {digest}"),
        "--- system\n",
        "--- user\nCard FL-1: ",
    ] {
        assert!(text.stdout.contains(part), "{part}: {text}");
    }
    assert!(!environment.path(".orket").exists(), "nothing was written");
    environment
        .run(&["run", "--epic", "first_light"])
        .assert_code(0);
    assert_eq!(sent("first_light-1:FL-1:2"), first["digest"]);
    assert_eq!(
        environment.run(&["prompt", "FL-1"]).complaint(1),
        "orket: no step of the score acts on FL-1 in the status done"
    );
    assert!(
        environment
            .run(&["prompt", "FL-9"])
            .complaint(3)
            .contains("there is no card \"FL-9\"")
    );
}

#[test]
fn the_prompt_of_a_run_that_stopped_holds_what_it_has_learnt() {
    let status = Status {
        code: 401,
        body: "gone for lunch".to_owned(),
    };
    let lunch = Answer::default().with_faults(Faults {
        status: Some(status),
        ..Faults::default()
    });
    let all = answers();
    // Wherever the run stops, what is shown is what is asked when it goes on.
    for after in [2, 5, 9] {
        let mut answers = all.clone();
        answers.insert(after, lunch.clone());
        let double = start(answers, Settings::default());
        let environment = with_ollama(&double);
        environment.run(&OLLAMA).complaint(5);
        let asked = double.exchanges().pop().unwrap().request;
        let brief = asked["messages"][1]["content"].as_str().unwrap();
        let card = brief
            .strip_prefix("Card ")
            .unwrap()
            .split(':')
            .next()
            .unwrap();
        let output = environment.run(&["prompt", card, "--venue", "ollama", "--json"]);
        output.assert_code(0);
        let shown: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        let contents = |messages: &serde_json::Value, key: &str| -> Vec<serde_json::Value> {
            messages
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it[key].clone())
                .collect()
        };
        if shown["lacks_checks"] == false {
            assert_eq!(
                contents(&shown["request"]["messages"], "content"),
                contents(&asked["messages"], "content"),
                "after {after}"
            );
        } else {
            assert!(output.stderr.contains("none was run"), "{output}");
        }
    }
}
