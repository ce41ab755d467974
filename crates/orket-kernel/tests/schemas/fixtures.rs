//! The fixtures of the other tests: what a type takes its schema takes, and what it refuses for its form too.

use std::fs;
use std::path::{Path, PathBuf};

use orket_kernel::canonical;
use orket_kernel::capability::Policy;
use orket_kernel::{Profile, TurnInput};
use serde_json::{Value, json};

use crate::published;

/// Policies that only their examples, the spelling of a number or a comparison of values makes invalid.
const POLICIES_BEYOND_A_SCHEMA: &[&str] = &[
    "refused_example_without_action",
    "refused_example_without_tool",
    "refused_match_example",
    "refused_match_example_of_another_action",
    "refused_match_example_of_another_tool",
    "refused_match_example_that_another_rule_matches",
    "refused_no_match_example",
    // A host that ends in a number must be a dotted quad.
    "refused_host_of_a_number",
    // A schema takes 1 and 1.0 for one value, the kernel for two, so it cannot say that none stands twice.
    "refused_value_twice",
];

/// Profiles in which one part contradicts another, or a text has too many bytes and not too many characters.
const PROFILES_BEYOND_A_SCHEMA: &[&str] = &[
    "label_does_not_lead_there",
    "label_does_not_start_there",
    "name_too_long",
    "order_of_a_single_slot",
    "order_of_no_slot",
    "relationship_from_an_unknown_type",
    "relationship_to_an_unknown_type",
    "slot_with_an_unknown_label",
    "slot_with_an_unknown_target",
];

/// The cases of one kind with the document `file` of each, sorted by name.
fn cases(kind: &str, file: &str, at_least: usize) -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(kind);
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    paths.sort();
    assert!(paths.len() >= at_least, "{} cases of {kind}", paths.len());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = fs::read(path.join(file)).unwrap();
        (name, serde_json::from_slice(&bytes).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn takes<T: serde::de::DeserializeOwned>(document: &Value) -> bool {
    canonical::from_bytes::<T>(&serde_json::to_vec(document).unwrap()).is_ok()
}

/// Both judge every document alike, apart from those that only the type refuses.
#[track_caller]
fn agree<T: serde::de::DeserializeOwned>(
    schema: &str,
    documents: &[(String, Value)],
    beyond_a_schema: &[&str],
) {
    let validator = published::validator(schema);
    let mut wrong = Vec::new();
    let mut refused_by_the_type_alone = Vec::new();
    for (name, document) in documents {
        match (
            takes::<T>(document),
            published::refusal(&validator, document),
        ) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(why)) => wrong.push(format!("{name}: {why}")),
            (false, None) => refused_by_the_type_alone.push(name.as_str()),
        }
    }
    assert!(
        wrong.is_empty(),
        "{schema} refuses what the type takes:\n{}",
        wrong.join("\n")
    );
    assert_eq!(refused_by_the_type_alone, beyond_a_schema);
}

#[test]
fn policies() {
    let mut beyond = POLICIES_BEYOND_A_SCHEMA.to_vec();
    beyond.sort_unstable();
    let cases = cases("capability", "input.json", 100);
    let policies: Vec<(String, Value)> = cases
        .iter()
        .map(|(name, given)| (name.clone(), given["policy"].clone()))
        .collect();
    agree::<Policy>("capability-policy", &policies, &beyond);
    let requests: Vec<(String, Value)> = cases
        .iter()
        .filter(|(_, given)| given.get("request").is_some())
        .map(|(name, given)| {
            let request = json!({
                "contract_version": "kernel_api/v1",
                "by": { "policy": { "run_id": "case", "policy": given["policy"] } },
                "tool_request": given["request"],
            });
            (name.clone(), request)
        })
        .collect();
    assert!(requests.len() > 40);
    agree::<orket_kernel::wire::AuthorizeToolCall>("authorize-tool-call-request", &requests, &[]);
}

#[test]
fn profiles() {
    let cases = cases("profiles", "profile.json", 45);
    agree::<Profile>("profile", &cases, PROFILES_BEYOND_A_SCHEMA);
}

#[test]
fn turns_with_their_policies_and_profiles() {
    let cases = cases("turns", "input.json", 169);
    let mut turns = Vec::new();
    let mut policies = Vec::new();
    let mut profiles = Vec::new();
    for (name, given) in cases {
        turns.push((name.clone(), given["turn"].clone()));
        for earlier in ["committed", "staged"] {
            let earlier = given[earlier].as_array().cloned().unwrap_or_default();
            turns.extend(earlier.into_iter().map(|turn| (name.clone(), turn)));
        }
        if given["policy"].is_object() {
            policies.push((name.clone(), given["policy"].clone()));
        }
        if given["profile"].is_object() {
            profiles.push((name, given["profile"].clone()));
        }
    }
    assert!(turns.len() > 200 && policies.len() > 10 && profiles.len() > 10);
    agree::<TurnInput>("turn-input", &turns, &[]);
    agree::<Policy>("capability-policy", &policies, &[]);
    agree::<Profile>("profile", &profiles, &[]);
}
