//! Law 5 and Spec-003: records have exactly the named fields.

use orket_kernel::canonical::{self, Value};
use orket_kernel::{
    CONTRACT_VERSION, Digest, KernelIssue, LSI_VERSION, RefSource, TripletRecord, TurnResult,
};

use crate::shelf::Shelf;
use crate::world::{card, execute, turn};

fn fields(value: &impl serde::Serialize) -> Vec<String> {
    let value = canonical::to_value(value).unwrap();
    value.as_object().unwrap().keys().cloned().collect()
}

const TRIPLET: [&str; 6] = [
    "body_digest",
    "links_digest",
    "lsi_version",
    "manifest_digest",
    "stem",
    "updated_at_turn",
];
const SOURCE: [&str; 4] = ["artifact_digest", "location", "relationship", "stem"];
const RESULT: [&str; 8] = [
    "contract_version",
    "events",
    "issues",
    "outcome",
    "run_id",
    "stage",
    "transition_evidence",
    "turn_id",
];
const ISSUE: [&str; 6] = ["code", "details", "level", "location", "message", "stage"];

#[test]
fn law_5_triplet_and_source_records_have_the_named_fields_and_versions() {
    let input = turn(3, vec![card("A", &[], "t"), card("B", &["A"], "t")], &[]);
    let staged = execute(&input, &Shelf::default()).staged.unwrap();
    let (stem, staged) = staged.triplets.last_key_value().unwrap();
    assert_eq!(fields(&staged.record), TRIPLET);
    assert_eq!(staged.record.lsi_version, LSI_VERSION);
    assert_eq!(LSI_VERSION, "lsi/v1");
    assert_eq!(staged.record.updated_at_turn.to_string(), "turn-0003");
    let (id, source) = &staged.references[0];
    assert_eq!(fields(source), SOURCE);
    assert_eq!((id.as_str(), &source.stem), ("card/A", stem));
    assert_eq!(source.location, "/links/depends_on/0");
    assert_eq!(source.relationship, "depends_on");
    assert_eq!(source.artifact_digest, staged.record.links_digest);
    // The digests are those of Law 4 over the proposed values.
    let proposed = &input.triplets[1];
    assert_eq!(staged.record.body_digest, canonical::digest(&proposed.body));
    assert_eq!(
        staged.record.links_digest,
        canonical::digest(&proposed.links)
    );
    assert_eq!(
        staged.record.manifest_digest,
        canonical::digest(&proposed.manifest)
    );
}

#[test]
fn law_5_a_record_with_another_field_or_without_one_is_not_read() {
    let zero = Digest::of_bytes(b"").to_hex();
    let record = orket_kernel::object! {
        "stem" => "card/A", "body_digest" => zero.as_str(), "links_digest" => zero.as_str(),
        "manifest_digest" => zero.as_str(), "updated_at_turn" => "turn-0001", "lsi_version" => "lsi/v1",
    };
    let source = orket_kernel::object! {
        "stem" => "card/A", "location" => "/links/x", "relationship" => "r", "artifact_digest" => zero,
    };
    fn check<T: serde::de::DeserializeOwned>(whole: &Value) {
        assert!(canonical::from_value::<T>(whole.clone()).is_ok());
        let members = whole.as_object().unwrap();
        for name in members.keys() {
            let mut fewer = members.clone();
            fewer.remove(name);
            assert!(
                canonical::from_value::<T>(Value::Object(fewer)).is_err(),
                "without {name}"
            );
        }
        let mut more = members.clone();
        more.insert("time".into(), Value::from("2026"));
        assert!(canonical::from_value::<T>(Value::Object(more)).is_err());
    }
    check::<TripletRecord>(&record);
    check::<RefSource>(&source);
}

#[test]
fn law_5_sources_sort_by_stem_location_relationship_and_digest() {
    let source = |stem: &str, location: &str, relationship: &str, text: &[u8]| RefSource {
        stem: crate::world::stem(stem),
        location: location.into(),
        relationship: relationship.into(),
        artifact_digest: Digest::of_bytes(text),
    };
    let (low, high) = (b"b".as_slice(), b"a".as_slice());
    assert!(Digest::of_bytes(low) < Digest::of_bytes(high));
    let sorted = [
        source("card/A", "/links/a", "z", high),
        source("card/A", "/links/b", "a", high),
        source("card/A", "/links/b", "b", low),
        source("card/A", "/links/b", "b", high),
        source("card/B", "/links/a", "a", low),
    ];
    let mut turned: Vec<RefSource> = sorted.iter().rev().cloned().collect();
    turned.sort();
    assert_eq!(turned, sorted);
}

#[test]
fn spec_003_results_and_issues_have_the_named_fields_and_read_back() {
    let mut input = turn(1, vec![card("A", &["Z"], "t")], &[]);
    input.triplets[0].manifest = Value::Null;
    input.triplets.push(card("B", &[], "t"));
    for input in [input, turn(1, vec![card("A", &["Z"], "t")], &[])] {
        let result = execute(&input, &Shelf::default()).result;
        assert_eq!(fields(&result), RESULT);
        assert_eq!(result.contract_version, CONTRACT_VERSION);
        assert!(!result.issues.is_empty());
        for issue in &result.issues {
            assert_eq!(fields(issue), ISSUE);
            let bytes = canonical::serialize(issue).unwrap();
            assert_eq!(
                canonical::from_bytes::<KernelIssue>(&bytes).unwrap(),
                *issue
            );
        }
        let bytes = canonical::serialize(&result).unwrap();
        assert_eq!(canonical::from_bytes::<TurnResult>(&bytes).unwrap(), result);
    }
}
