//! Documents with one small fault: a type and its schema judge them alike.

use std::sync::LazyLock;

use jsonschema::Validator;
use orket_kernel::capability::{Decision, Policy};
use orket_kernel::wire::{
    AuthorizeToolCall, CommitTurn, CompareRuns, EmitEvent, ExecuteTurn, FinishRun, Operation,
    ReplayRun, ResolveCapability, StageDeletions, StartRun, ValidateLinksAgainstIndex,
    ValidateTriplet, WriteTraceArtifacts,
};
use orket_kernel::{
    EmptyView, KernelIssue, ParityReport, Profile, PromotionReport, RecordedRun, RunEnvelope,
    RunSummary, TurnInput, TurnResult, TurnTrace, canonical, execute_turn,
};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{published, session};

/// What only a type can refuse after one of these changes: that two parts of a document contradict each other.
const BEYOND_A_SCHEMA: &[&str] = &[
    // A type of a profile is gone, and something still names it.
    "there is no type",
    // Two values became the same one.
    "this member is given twice",
];

static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(subjects);

/// A valid document, its schema, and whether its type takes a document.
struct Subject {
    name: String,
    document: Value,
    schema: Validator,
    takes: Takes,
}

/// Tells why a type does not take a document.
type Takes = fn(&[u8]) -> Result<(), String>;

fn takes<T: DeserializeOwned>(bytes: &[u8]) -> Result<(), String> {
    let read = canonical::from_bytes::<T>(bytes);
    read.map(|_| ()).map_err(|error| error.to_string())
}

fn subjects() -> Vec<Subject> {
    let mut subjects = Vec::new();
    let mut add = |name: String, document: &Value, takes: Takes| {
        let schema = published::validator(&name);
        subjects.push(Subject {
            name,
            document: document.clone(),
            schema,
            takes,
        });
    };
    let exchanges = session::exchanges();
    for exchange in &exchanges {
        let takes = match exchange.operation {
            Operation::StartRun => takes::<StartRun>,
            Operation::ExecuteTurn => takes::<ExecuteTurn>,
            Operation::CommitTurn => takes::<CommitTurn>,
            Operation::FinishRun => takes::<FinishRun>,
            Operation::EmitEvent => takes::<EmitEvent>,
            Operation::WriteTraceArtifacts => takes::<WriteTraceArtifacts>,
            Operation::ValidateTriplet => takes::<ValidateTriplet>,
            Operation::ValidateLinksAgainstIndex => takes::<ValidateLinksAgainstIndex>,
            Operation::StageDeletions => takes::<StageDeletions>,
            Operation::AuthorizeToolCall => takes::<AuthorizeToolCall>,
            Operation::ResolveCapability => takes::<ResolveCapability>,
            Operation::ReplayRun => takes::<ReplayRun>,
            Operation::CompareRuns => takes::<CompareRuns>,
        };
        add(
            format!("{}-request", exchange.operation),
            &exchange.request,
            takes,
        );
    }
    let result = |operation: Operation| {
        let found = exchanges.iter().filter(|it| it.operation == operation);
        let mut results = found
            .map(|it| &it.answer["result"])
            .filter(|it| !it.is_null());
        results
            .next_back()
            .unwrap_or_else(|| panic!("no result of {operation}"))
    };
    add(
        "turn-result".into(),
        &result(Operation::ExecuteTurn)["turn_result"],
        takes::<TurnResult>,
    );
    add(
        "promotion-report".into(),
        result(Operation::CommitTurn),
        takes::<PromotionReport>,
    );
    add(
        "run-summary".into(),
        result(Operation::FinishRun),
        takes::<RunSummary>,
    );
    add(
        "parity-report".into(),
        result(Operation::CompareRuns),
        takes::<ParityReport>,
    );
    add(
        "decision".into(),
        &result(Operation::AuthorizeToolCall)["decision"],
        takes::<Decision>,
    );
    add(
        "kernel-issue".into(),
        &session::issue(),
        takes::<KernelIssue>,
    );
    add(
        "capability-policy".into(),
        &session::policy(),
        takes::<Policy>,
    );
    add("profile".into(), &session::profile(), takes::<Profile>);
    add(
        "run-envelope".into(),
        &session::envelope("run-1"),
        takes::<RunEnvelope>,
    );
    add(
        "turn-input".into(),
        &session::turn("turn-0001"),
        takes::<TurnInput>,
    );
    let recorded = exchanges
        .iter()
        .find(|it| it.operation == Operation::CompareRuns)
        .unwrap();
    add(
        "recorded-run".into(),
        &recorded.request["run_b"]["recorded"],
        takes::<RecordedRun>,
    );
    add("turn-trace".into(), &trace(), takes::<TurnTrace>);
    subjects
}

fn trace() -> Value {
    let read = |document: Value| serde_json::to_vec(&document).unwrap();
    let envelope: RunEnvelope = canonical::from_bytes(&read(session::envelope("run-1"))).unwrap();
    let input: TurnInput = canonical::from_bytes(&read(session::turn("turn-0001"))).unwrap();
    let handle = envelope.handle().unwrap();
    let execution = execute_turn(&envelope, &handle, &input, &EmptyView);
    let trace = TurnTrace::new(&handle, &input, &execution)
        .to_bytes()
        .unwrap();
    serde_json::from_slice(&trace).unwrap()
}

/// One small change.
#[derive(Clone, Debug)]
enum Change {
    Drop,
    Add,
    Retype(Value),
}

/// The pointers to all values of a document.
fn places(value: &Value, place: &str, found: &mut Vec<String>) {
    found.push(place.to_owned());
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(member, &format!("{place}/{key}"), found);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                places(element, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn is_of_one_type(one: &Value, other: &Value) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other) && one.is_f64() == other.is_f64()
}

/// The document with the change at the place; `None` if that is no change there.
fn changed(document: &Value, place: &str, change: &Change) -> Option<Value> {
    let mut changed = document.clone();
    match change {
        Change::Drop => {
            let (parent, key) = place.rsplit_once('/')?;
            let key = key.replace("~1", "/").replace("~0", "~");
            match changed.pointer_mut(parent)? {
                Value::Object(members) => members.remove(&key).map(|_| ())?,
                _ => return None,
            }
        }
        Change::Add => match changed.pointer_mut(place)? {
            Value::Object(members) => members
                .insert("zz_unknown".to_owned(), json!(7))
                .map_or((), |_| ()),
            _ => return None,
        },
        Change::Retype(value) => {
            let found = changed.pointer_mut(place)?;
            if is_of_one_type(found, value) {
                return None;
            }
            *found = value.clone();
        }
    }
    Some(changed)
}

fn judge(subject: &Subject, document: &Value) -> Result<(), String> {
    let bytes = serde_json::to_vec(document).unwrap();
    let refusal = published::refusal(&subject.schema, document);
    let name = &subject.name;
    match ((subject.takes)(&bytes), refusal) {
        (Ok(()), None) | (Err(_), Some(_)) => Ok(()),
        (Ok(()), Some(why)) => Err(format!(
            "{name}: only the schema refuses: {why}\n{document}"
        )),
        (Err(why), None) if BEYOND_A_SCHEMA.iter().any(|it| why.contains(it)) => Ok(()),
        (Err(why), None) => Err(format!("{name}: only the type refuses: {why}\n{document}")),
    }
}

fn changes() -> Vec<Change> {
    let values = [
        json!(null),
        json!(true),
        json!(7),
        json!(-1),
        json!(1.5),
        json!("text"),
        json!([]),
        json!([7]),
        json!({}),
        json!({ "zz_unknown": 7 }),
    ];
    let mut changes = vec![Change::Drop, Change::Add];
    changes.extend(values.map(Change::Retype));
    changes
}

/// Every place of every document is changed in every way that the property draws from.
#[test]
fn a_type_and_its_schema_agree_on_every_single_change() {
    let changes = changes();
    let mut wrong = Vec::new();
    let mut refused = 0;
    for subject in SUBJECTS.iter() {
        assert_eq!(judge(subject, &subject.document), Ok(()));
        assert!(
            subject.schema.is_valid(&subject.document),
            "{}",
            subject.name
        );
        let mut found = Vec::new();
        places(&subject.document, "", &mut found);
        for place in &found {
            for change in &changes {
                let Some(document) = changed(&subject.document, place, change) else {
                    continue;
                };
                refused += usize::from(!subject.schema.is_valid(&document));
                if let Err(why) = judge(subject, &document) {
                    wrong.push(format!("{change:?} at {place:?}: {why}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(refused > 1_000, "{refused} were refused");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_type_and_its_schema_agree_on_several_changes(
        drawn in proptest::collection::vec((any::<proptest::sample::Index>(), proptest::sample::select(changes())), 1..4),
    ) {
        for subject in SUBJECTS.iter() {
            let mut document = subject.document.clone();
            let mut touched: Vec<String> = Vec::new();
            for (index, change) in &drawn {
                let mut found = Vec::new();
                places(&document, "", &mut found);
                // What was changed stays as it is: changed twice, a version could become another text. A schema names the
                // one it is about, which a type need not.
                found.retain(|place| !touched.iter().any(|it| place.starts_with(it.as_str())));
                if found.is_empty() {
                    break;
                }
                let place = index.get(&found);
                touched.push(place.clone());
                document = changed(&document, place, change).unwrap_or(document);
            }
            let verdict = judge(subject, &document);
            prop_assert!(verdict.is_ok(), "{}", verdict.unwrap_err());
        }
    }
}

#[test]
fn a_record_as_a_list_of_its_members_is_refused_by_both() {
    let request = json!({
        "contract_version": "kernel_api/v1",
        "run_handle": ["run-1", "0".repeat(64)],
        "turn_id": "turn-0001",
    });
    assert!(takes::<CommitTurn>(&serde_json::to_vec(&request).unwrap()).is_err());
    assert!(!published::validator("commit-turn-request").is_valid(&request));
}

#[test]
fn the_level_of_an_issue_follows_from_its_code_for_both() {
    let schema = published::validator("kernel-issue");
    for (code, level, is_taken) in [
        ("E_BASE_SHAPE_INVALID", "FAIL", true),
        ("E_BASE_SHAPE_INVALID", "INFO", false),
        ("I_NOOP_PROMOTION", "INFO", true),
        ("I_NOOP_PROMOTION", "FAIL", false),
        ("I_NO_SUCH_CODE", "INFO", false),
    ] {
        let mut issue = session::issue();
        issue["code"] = json!(code);
        issue["level"] = json!(level);
        let bytes = serde_json::to_vec(&issue).unwrap();
        assert_eq!(
            takes::<KernelIssue>(&bytes).is_ok(),
            is_taken,
            "{code} {level}"
        );
        assert_eq!(schema.is_valid(&issue), is_taken, "{code} {level}");
    }
}

/// 1 and 1.0 are two values of the kernel and one of JSON Schema, so no schema may say that values stand once.
#[test]
fn values_that_differ_in_the_spelling_of_a_number_are_taken_by_both() {
    let mut policy = session::policy();
    policy["rules"][0]["arguments"]["/mode"] = json!({ "one_of": [1, 1.0] });
    let bytes = serde_json::to_vec(&policy).unwrap();
    assert_eq!(takes::<Policy>(&bytes), Ok(()));
    assert!(published::validator("capability-policy").is_valid(&policy));
}
