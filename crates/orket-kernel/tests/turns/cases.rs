//! `fixtures/turns/`: each directory is one turn, with what the design says about it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::Policy;
use orket_kernel::{
    Digest, Layered, Profile, RecordedView, RefSource, RunEnvelope, RunId, StateView, Stem,
    TurnInput, event, execute_turn, object, plan_promotion,
};

use crate::shelf::Shelf;

const CASES_MIN: usize = 169;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/turns")
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    name: String,
    turn: Value,
    #[serde(default)]
    committed: Vec<Value>,
    #[serde(default)]
    staged: Vec<Value>,
    #[serde(default)]
    attachments: BTreeMap<Digest, String>,
    #[serde(default)]
    kept: BTreeMap<Digest, String>,
    policy: Option<Policy>,
    profile: Option<Value>,
    contract_version: Option<String>,
    handle: Option<String>,
    #[serde(default)]
    dangling: Vec<Dangling>,
    #[serde(default)]
    damaged: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Dangling {
    id: String,
    stem: Stem,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    outcome: String,
    stage: String,
    issues: Vec<ExpectedIssue>,
    known_defect: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedIssue {
    code: String,
    location: String,
    #[serde(default)]
    details: BTreeMap<String, Value>,
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let value = canonical::parse(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    canonical::from_value(value).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn input(turn: &Value, attachments: &BTreeMap<Digest, String>) -> TurnInput {
    let mut input: TurnInput = canonical::from_value(turn.clone()).unwrap();
    let bytes = |(digest, text): (&Digest, &String)| (*digest, text.clone().into_bytes().into());
    input.attachments = attachments.iter().map(bytes).collect();
    input
}

/// Takes the name of a built-in profile, or a whole one.
fn profile(given: Option<&Value>) -> Profile {
    match given {
        None => Profile::orket(),
        Some(Value::String(name)) if name == "reference" => Profile::reference(),
        Some(whole) => Profile::from_value(whole).unwrap(),
    }
}

/// Judges one case and says what is not as expected.
fn judge(given: &Given, expected: &Expected) -> Result<(), String> {
    let envelope_of = |run: &str| {
        let policy = given.policy.clone().unwrap_or_else(Policy::deny_all);
        let profile = profile(given.profile.as_ref());
        let run_id = RunId::parse(run).unwrap();
        RunEnvelope::new(run_id, "flow", "venue", policy, profile, object! {})
    };
    let mut envelope = envelope_of("case");
    let foreign = envelope_of("another").handle().unwrap();

    // What was before passed under the same law, without the trouble that the case makes.
    let own = envelope.handle().unwrap();
    let pass = |turn: &Value, view: &dyn StateView| {
        let execution = execute_turn(&envelope, &own, &input(turn, &given.kept), view);
        execution.staged.ok_or_else(|| {
            let issues = execution.result.events.join("\n");
            format!("a turn before the case did not pass: {issues}")
        })
    };
    let mut shelf = Shelf::default();
    for turn in &given.committed {
        let (plan, _) = plan_promotion(&pass(turn, &shelf)?, &shelf).unwrap();
        shelf.apply(&plan);
    }
    for Dangling { id, stem } in &given.dangling {
        let source = RefSource {
            stem: stem.clone(),
            location: "/links/depends_on/0".into(),
            relationship: "depends_on".into(),
            artifact_digest: shelf.triplets[stem].links_digest,
        };
        shelf.sources.entry(id.clone()).or_default().insert(source);
    }
    let mut staged = Vec::new();
    for turn in &given.staged {
        let next = pass(turn, &Layered::new(&shelf, &staged))?;
        staged.push(next);
    }
    shelf.damaged = given.damaged.iter().cloned().collect();
    envelope.contract_version = given
        .contract_version
        .clone()
        .unwrap_or(envelope.contract_version);
    let handle = match given.handle.as_deref() {
        None => envelope.handle().unwrap(),
        Some("foreign") => foreign,
        Some(other) => panic!("{other:?} is no handle"),
    };

    let view = Layered::new(&shelf, &staged);
    let turn = input(&given.turn, &given.attachments);
    let execution = execute_turn(&envelope, &handle, &turn, &view);
    let result = &execution.result;
    let told = result.events.join("\n");

    // What holds for every turn.
    let parsed: Vec<_> = result
        .events
        .iter()
        .map(|line| event::parse(line))
        .collect();
    let issues: Vec<_> = result.issues.iter().cloned().map(Some).collect();
    assert_eq!(parsed, issues, "the events are the issues");
    let passed = result.outcome.to_string() == "PASS";
    assert_eq!(
        execution.staged.is_some(),
        passed,
        "only what passed is staged"
    );
    assert_eq!(execution.decisions.len(), turn.tool_calls.len());
    if given.damaged.is_empty() {
        let mut objects = BTreeMap::new();
        for digest in execution.reads.objects() {
            objects.insert(digest, view.payload(&digest).unwrap().unwrap());
        }
        let recorded = RecordedView::new(&execution.reads, &objects);
        let replayed = execute_turn(&envelope, &handle, &turn, &recorded);
        assert_eq!(replayed.result, *result, "the replay differs");
    }

    if (result.outcome.to_string(), result.stage.as_str())
        != (expected.outcome.clone(), &expected.stage)
    {
        return Err(format!("{} at {}\n{told}", result.outcome, result.stage));
    }
    let fits = result.issues.len() == expected.issues.len()
        && result
            .issues
            .iter()
            .zip(&expected.issues)
            .all(|(issue, expected)| {
                let mut details = expected.details.iter();
                issue.code.as_str() == expected.code
                    && issue.location.as_str() == expected.location
                    && details.all(|(key, value)| issue.details.get(key) == Some(value))
            });
    if fits {
        Ok(())
    } else {
        Err(format!("other issues:\n{told}"))
    }
}

#[test]
fn every_turn_of_the_fixtures_is_judged_as_the_design_says() {
    let mut cases = Vec::new();
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            cases.push(path);
        }
    }
    cases.sort();
    assert!(cases.len() >= CASES_MIN, "{} cases were found", cases.len());
    let mut wrong = Vec::new();
    for path in cases {
        let given: Given = read(&path.join("input.json"));
        let expected: Expected = read(&path.join("expect.json"));
        let slug = path.file_name().unwrap().to_string_lossy().into_owned();
        let verdict = judge(&given, &expected);
        match (verdict, expected.known_defect) {
            (Ok(()), None) | (Err(_), Some(_)) => {}
            (Err(found), None) => wrong.push(format!("{slug}: {}\n{found}", given.name)),
            (Ok(()), Some(defect)) => wrong.push(format!(
                "{slug}: the case holds now; take its known_defect away ({defect})"
            )),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_stage_has_good_and_bad_turns() {
    let mut slugs: Vec<String> = Vec::new();
    for entry in fs::read_dir(directory()).unwrap() {
        slugs.push(entry.unwrap().file_name().to_string_lossy().into_owned());
    }
    for stage in orket_kernel::Stage::ALL {
        let of_stage = slugs.iter().filter(|slug| slug.starts_with(stage.as_str()));
        let outcomes: std::collections::BTreeSet<String> = of_stage
            .map(|slug| read::<Expected>(&directory().join(slug).join("expect.json")).outcome)
            .collect();
        assert_eq!(outcomes.len(), 2, "{stage} has only {outcomes:?}");
    }
}
