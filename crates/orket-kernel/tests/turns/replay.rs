//! Replay: what a turn read is enough to compute it again, and a changed fact does not go unseen.

use std::collections::BTreeMap;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{
    Digest, Payload, ReadSet, RecordedView, StateView, Stem, TurnExecution, TurnInput,
    compare_results, object,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::shelf::Shelf;
use crate::world::{config, execute, play, turns};

fn objects(reads: &ReadSet, shelf: &Shelf) -> BTreeMap<Digest, Payload> {
    let digests = reads.objects().into_iter();
    digests
        .map(|digest| (digest, shelf.payload(&digest).unwrap().unwrap()))
        .collect()
}

/// The read set as it would come back from a record on disk.
fn recorded(execution: &TurnExecution) -> ReadSet {
    let bytes = canonical::to_bytes(&execution.reads.to_value());
    ReadSet::from_value(&canonical::parse(&bytes).unwrap()).unwrap()
}

fn replay(
    input: &TurnInput,
    reads: &ReadSet,
    objects: &BTreeMap<Digest, Payload>,
) -> TurnExecution {
    execute(input, &RecordedView::new(reads, objects))
}

/// Another fact of the same kind.
fn changed(key: &str, fact: &Value) -> Value {
    let zero = Digest::of_bytes(b"something else").to_hex();
    match key.split(':').next().unwrap() {
        "triplet" if fact.is_null() => {
            object! { "body" => zero.as_str(), "links" => zero.as_str(), "manifest" => zero.as_str() }
        }
        "triplet" => {
            let mut members = fact.as_object().unwrap().clone();
            members.insert("body".into(), zero.into());
            Value::Object(members)
        }
        "definition" if fact.is_null() => Value::from("card/other"),
        "definition" => Value::Null,
        "sources" if fact.as_array().unwrap().is_empty() => {
            let source = object! {
                "stem" => "card/other", "location" => "/links/depends_on/0",
                "relationship" => "depends_on", "artifact_digest" => zero,
            };
            Value::from(vec![source])
        }
        "sources" => Value::from(Vec::<Value>::new()),
        "object" => Value::Null,
        other => panic!("{other} is no kind of fact"),
    }
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn a_replay_over_the_recorded_reads_gives_the_same(texts in turns()) {
        play(&texts, |input, execution, shelf| {
            let reads = recorded(execution);
            let again = replay(input, &reads, &objects(&reads, shelf));
            assert_eq!(again.result, execution.result);
            assert_eq!(again.staged, execution.staged);
            assert_eq!(again.reads.digest(), execution.reads.digest());
            assert!(compare_results(&execution.result, &again.result).is_empty());
        });
    }

    #[test]
    fn any_changed_fact_diverges(texts in turns(), which in any::<Index>(), forget in any::<bool>()) {
        play(&texts, |input, execution, shelf| {
            let reads = recorded(execution);
            let objects = objects(&reads, shelf);
            let mut facts = reads.to_value().as_object().unwrap().clone();
            if facts.is_empty() {
                return;
            }
            let key = facts.keys().nth(which.index(facts.len())).unwrap().clone();
            let fact = facts.remove(&key).unwrap();
            if !forget {
                facts.insert(key.clone(), changed(&key, &fact));
            }
            let tampered = ReadSet::from_value(&Value::Object(facts)).unwrap();
            let again = replay(input, &tampered, &objects);
            assert!(!compare_results(&execution.result, &again.result).is_empty(), "{key}");
            assert_ne!(again.result.structural_digest(), execution.result.structural_digest(), "{key}");
        });
    }

    #[test]
    fn changed_or_missing_bytes_of_an_object_diverge(texts in turns(), which in any::<Index>(), forget in any::<bool>()) {
        play(&texts, |input, execution, shelf| {
            let reads = recorded(execution);
            let mut objects = objects(&reads, shelf);
            if objects.is_empty() {
                return;
            }
            let digest = *objects.keys().nth(which.index(objects.len())).unwrap();
            if forget {
                objects.remove(&digest);
            } else {
                let mut bytes = objects[&digest].clone().into_bytes().unwrap();
                bytes.push(b' ');
                objects.insert(digest, bytes.into());
            }
            let again = replay(input, &reads, &objects);
            assert!(!compare_results(&execution.result, &again.result).is_empty());
        });
    }
}

#[test]
fn misses_are_facts_and_what_was_not_read_is_no_absence() {
    let shelf = Shelf::default();
    let input = crate::world::turn(1, vec![crate::world::card("A", &["Z"], "t")], &[]);
    let execution = execute(&input, &shelf);
    let facts = execution.reads.to_value();
    assert_eq!(facts.get("definition:card/Z"), Some(&Value::Null));
    let nothing = BTreeMap::new();
    let view = RecordedView::new(&execution.reads, &nothing);
    assert!(view.definition("card/Z").unwrap().is_none());
    assert!(view.definition("card/Y").is_err());
    assert!(view.triplet(&Stem::parse("card/Y").unwrap()).is_err());
    assert!(view.sources("card/Z").is_err());
    assert!(view.stems("card/").is_err());
    assert!(view.object(&Digest::of_bytes(b"")).is_err());
}
