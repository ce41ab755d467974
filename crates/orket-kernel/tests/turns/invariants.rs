//! The invariants of the kernel API, and what the laws say that no other file here shows.

use std::collections::BTreeSet;

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::{Action, ToolRequest};
use orket_kernel::{
    CONTRACT_VERSION, Code, KernelIssue, LSI_VERSION, Level, Outcome, RunEnvelope, Stage,
    TripletRecord, TurnId, TurnInput, TurnResult, event, object, plan_promotion,
};
use proptest::prelude::*;

use crate::shelf::Shelf;
use crate::world::{card, config, envelope, execute, play, turn, turns};

fn committed(names: &[&str]) -> Shelf {
    let mut shelf = Shelf::default();
    let cards = names.iter().map(|name| card(name, &[], "t")).collect();
    let staged = execute(&turn(1, cards, &[]), &shelf).staged.unwrap();
    shelf.apply(&plan_promotion(&staged, &shelf).unwrap().0);
    shelf
}

fn call(tool: &str) -> ToolRequest {
    ToolRequest {
        role: "coder".into(),
        task: "build".into(),
        tool: tool.into(),
        action: Action::default(),
        arguments: object! {},
    }
}

#[test]
fn invariant_1_the_stages_are_five_in_one_order() {
    let names: Vec<&str> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
    assert_eq!(
        names,
        [
            "base_shape",
            "dto_links",
            "rel_vocab",
            "policy",
            "determinism"
        ]
    );
    assert!(Stage::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    for other in ["relationship_vocabulary", "promotion", ""] {
        let line = format!("FAIL|{other}|E_CAPABILITY_DENIED||m|{{}}");
        assert_eq!(event::parse(&line), None, "{other:?} is taken as a stage");
    }
}

#[test]
fn invariant_1_a_turn_runs_through_all_stages_and_names_the_first_that_failed() {
    // One fault for each stage but the first: an unknown id, an unknown label, a refused call, an unsorted list.
    let mut faulty = card("A", &["Y", "Z"], "t");
    let mut links = faulty.links.as_object().unwrap().clone();
    let mut needs = links["depends_on"].as_array().unwrap().to_vec();
    needs.reverse();
    needs[0] = object! { "type" => "card", "id" => "card/Z", "relationship" => "knows" };
    links.insert("depends_on".into(), Value::Array(needs));
    faulty.links = Value::Object(links);
    let mut input = turn(1, vec![faulty], &[]);
    input.tool_calls.push(call("run_command"));
    let stages = |input: &TurnInput| {
        let result = execute(input, &Shelf::default()).result;
        let spoke: BTreeSet<Stage> = result.issues.iter().map(|issue| issue.stage).collect();
        (result.stage, spoke)
    };
    let (first, spoke) = stages(&input);
    assert_eq!(first, Stage::DtoLinks);
    assert_eq!(spoke, Stage::ALL[1..].iter().copied().collect());
    // A fault of shape ends the turn before the later stages could misread it.
    input.triplets[0].body = Value::Null;
    assert_eq!(
        stages(&input),
        (Stage::BaseShape, BTreeSet::from([Stage::BaseShape]))
    );
    assert_eq!(
        stages(&TurnInput::empty(TurnId::FIRST)).0,
        Stage::Determinism,
        "a turn that passes went through all"
    );
}

#[test]
fn invariant_2_what_cannot_be_read_is_a_failure_and_no_absence() {
    let links_to_b = turn(2, vec![card("A", &["B"], "t")], &[]);
    let replaces_b = turn(2, vec![card("B", &[], "new")], &[]);
    let deletes_b = turn(2, Vec::new(), &["B"]);
    for input in [links_to_b, replaces_b, deletes_b] {
        let mut shelf = committed(&["B"]);
        assert_eq!(execute(&input, &shelf).result.outcome, Outcome::Pass);
        shelf.damaged.insert("card/B".into());
        let execution = execute(&input, &shelf);
        assert_eq!(execution.result.outcome, Outcome::Fail);
        assert!(execution.staged.is_none());
        let codes = execution.result.issues.iter().map(|issue| issue.code);
        assert!(codes.into_iter().any(|code| code == Code::LsiCorruptRecord));
    }
}

#[test]
fn invariant_2_what_is_not_known_is_refused_and_not_passed_over() {
    let whole = canonical::to_value(&TurnInput::empty(TurnId::FIRST)).unwrap();
    assert!(canonical::from_value::<TurnInput>(whole.clone()).is_ok());
    let members = whole.as_object().unwrap();
    for name in members.keys() {
        let mut fewer = members.clone();
        fewer.remove(name);
        let read = canonical::from_value::<TurnInput>(Value::Object(fewer));
        assert!(read.is_err(), "without {name}");
    }
    let mut more = members.clone();
    more.insert("force".into(), Value::Bool(true));
    assert!(canonical::from_value::<TurnInput>(Value::Object(more)).is_err());
}

#[test]
fn invariant_5_records_and_contracts_name_their_version_and_no_other_is_taken() {
    assert_eq!((CONTRACT_VERSION, LSI_VERSION), ("kernel_api/v1", "lsi/v1"));
    let input = turn(1, vec![card("A", &[], "t")], &[]);
    let execution = execute(&input, &Shelf::default());
    assert_eq!(execution.result.contract_version, CONTRACT_VERSION);
    let staged = execution.staged.unwrap();
    let (_, staged) = staged.triplets.first_key_value().unwrap();
    assert_eq!(staged.record.lsi_version, LSI_VERSION);

    fn without<T: serde::Serialize + serde::de::DeserializeOwned>(whole: &T, field: &str) {
        let mut members = canonical::to_value(whole)
            .unwrap()
            .as_object()
            .unwrap()
            .clone();
        assert!(canonical::from_value::<T>(Value::Object(members.clone())).is_ok());
        members.remove(field).expect("the field is written");
        let read = canonical::from_value::<T>(Value::Object(members));
        assert!(read.is_err(), "was read without {field}");
    }
    without::<TurnResult>(&execution.result, "contract_version");
    without::<RunEnvelope>(&envelope("run"), "contract_version");
    without::<TripletRecord>(&staged.record, "lsi_version");

    let mut foreign = envelope("run");
    foreign.contract_version = "kernel_api/v2".into();
    let handle = foreign.handle().unwrap();
    let refused = orket_kernel::execute_turn(&foreign, &handle, &input, &Shelf::default());
    assert_eq!(refused.result.outcome, Outcome::Fail);
    assert_eq!(refused.result.stage, Stage::BaseShape);
}

#[test]
fn law_8_every_call_leaves_one_record_in_order_whatever_was_decided() {
    let tools = ["write_file", "run_command", "write_file", "read_file"];
    let mut input = turn(1, Vec::new(), &[]);
    input.tool_calls = tools.map(call).to_vec();
    let execution = execute(&input, &Shelf::default());
    let records: Vec<(u64, &str, bool)> = execution
        .decisions
        .iter()
        .map(|record| {
            let granted = record.verdict == orket_kernel::capability::Verdict::Granted;
            (record.ordinal, record.tool.as_str(), granted)
        })
        .collect();
    assert_eq!(
        records,
        [
            (0, "write_file", true),
            (1, "run_command", false),
            (2, "write_file", true),
            (3, "read_file", false)
        ]
    );
    let ids: BTreeSet<_> = execution
        .decisions
        .iter()
        .map(|it| it.decision_id)
        .collect();
    assert_eq!(ids.len(), tools.len(), "records can be told apart");
    let refused: Vec<&str> = execution
        .result
        .issues
        .iter()
        .filter(|issue| issue.code == Code::CapabilityDenied && issue.level == Level::Fail)
        .map(|issue| issue.location.as_str())
        .collect();
    assert_eq!(refused, ["/tool_calls/1", "/tool_calls/3"]);
}

#[test]
fn registry_1_the_codes_of_v1_keep_their_level_and_no_code_has_two_meanings() {
    let errors: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| code.since() == "1.0" && code.is_error())
        .map(|code| code.as_str())
        .collect();
    assert_eq!(
        errors,
        [
            "E_LSI_ORPHAN_REFERENCE",
            "E_LSI_PROMOTION_FAILED",
            "E_LSI_CORRUPT_RECORD",
            "E_CAPABILITY_DENIED"
        ]
    );
    let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let meanings: BTreeSet<&str> = Code::ALL.iter().map(|code| code.meaning()).collect();
    assert_eq!(texts.len(), Code::ALL.len());
    assert_eq!(meanings.len(), Code::ALL.len());
}

#[test]
fn registry_2_a_code_beyond_the_seven_names_a_later_minor_version() {
    for (index, code) in Code::ALL.iter().enumerate() {
        let (major, minor) = code.since().split_once('.').unwrap();
        let minor: u32 = minor.parse().unwrap();
        assert_eq!(major, "1", "{code}");
        assert_eq!(minor == 0, index < 7, "{code} since {}", code.since());
    }
    let minors: Vec<&str> = Code::ALL.iter().map(|code| code.since()).collect();
    assert!(minors.is_sorted(), "the registry only grows at its end");
}

#[test]
fn registry_3_a_code_that_is_written_otherwise_is_not_read() {
    for code in Code::ALL {
        let text = code.as_str();
        assert_eq!(Code::parse(text), Some(*code));
        let others = [
            text.to_lowercase(),
            format!("{text} "),
            text.replacen('_', "-", 1),
            text[2..].to_owned(),
        ];
        for other in others {
            assert_eq!(Code::parse(&other), None, "{other:?}");
            let line = format!("FAIL|policy|{other}||m|{{}}");
            assert_eq!(event::parse(&line), None, "{line:?}");
        }
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn law_3_the_words_of_a_result_are_not_in_its_digest(texts in turns(), words in ".{0,40}") {
        play(&texts, |_, execution, _| {
            let mut told = execution.result.clone();
            for issue in &mut told.issues {
                issue.message.clone_from(&words);
            }
            told.events = told.issues.iter().map(event::format).collect();
            told.events.push(words.clone());
            assert_eq!(told.structural_digest(), execution.result.structural_digest());
        });
    }

    #[test]
    fn invariant_3_issues_stand_in_one_order_and_none_twice(texts in turns()) {
        play(&texts, |_, execution, _| {
            let mut sorted = execution.result.issues.clone();
            sorted.reverse();
            sorted.sort_by(KernelIssue::order);
            assert_eq!(sorted, execution.result.issues);
            let lines: BTreeSet<&String> = execution.result.events.iter().collect();
            assert_eq!(lines.len(), execution.result.events.len());
        });
    }

    #[test]
    fn invariant_4_a_turn_is_staged_whole_or_not_at_all(texts in turns()) {
        play(&texts, |input, execution, _| {
            let Some(staged) = &execution.staged else {
                assert_eq!(execution.result.outcome, Outcome::Fail);
                return;
            };
            let proposed: BTreeSet<_> = input.triplets.iter().map(|triplet| &triplet.stem).collect();
            assert_eq!(staged.triplets.keys().collect::<BTreeSet<_>>(), proposed);
            let deleted: BTreeSet<_> = input.deletions.iter().collect();
            assert_eq!(staged.deletions.iter().collect::<BTreeSet<_>>(), deleted);
        });
    }
}
