//! Which schemas there are, and what each must say of itself.

use orket_kernel::wire::{self, Operation};
use serde_json::Value;

use crate::published;

#[test]
fn every_operation_has_a_schema_of_its_request_and_of_its_answer() {
    for operation in Operation::ALL {
        for kind in ["request", "answer"] {
            let name = format!("{operation}-{kind}");
            let schema = published::text(&name);
            let version = schema.pointer("/properties/contract_version/const");
            assert_eq!(version, Some(&Value::from("kernel_api/v1")), "{name}");
        }
        let answer = published::text(&format!("{operation}-answer"));
        let named = answer.pointer("/properties/operation/const");
        assert_eq!(named, Some(&Value::from(operation.as_str())));
    }
}

#[test]
fn everything_that_is_kept_has_a_schema() {
    for name in [
        "run-envelope",
        "capability-policy",
        "profile",
        "turn-input",
        "turn-result",
        "turn-trace",
        "triplet-record",
        "ref-source",
        "kernel-issue",
        "decision",
        "promotion-report",
        "run-summary",
        "parity-report",
        "recorded-run",
        "invalid-request",
    ] {
        assert!(wire::schema(name).is_some(), "{name}");
    }
    assert_eq!(wire::schema("no-such-schema"), None);
}

#[test]
fn every_schema_is_valid_named_once_and_stands_alone() {
    let mut seen = std::collections::BTreeSet::new();
    for (name, _) in wire::schemas() {
        let schema = published::text(name);
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert_eq!(schema["$id"], format!("orket:kernel_api/v1/{name}"));
        for member in ["title", "description"] {
            assert!(
                schema[member].as_str().is_some_and(|it| !it.is_empty()),
                "{name}: {member}"
            );
        }
        assert!(seen.insert(*name), "{name} stands twice");
        check(&schema, &schema, name);
    }
}

/// Every reference leads to a definition of the same schema, and no description holds markup of the sources.
fn check(part: &Value, schema: &Value, name: &str) {
    match part {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                let pointer = target
                    .strip_prefix('#')
                    .unwrap_or_else(|| panic!("{name}: {target}"));
                assert!(schema.pointer(pointer).is_some(), "{name}: {target}");
            }
            if let Some(Value::String(text)) = members.get("description") {
                for markup in ["[`", "::", "```", "`None`"] {
                    assert!(!text.contains(markup), "{name}: {text}");
                }
            }
            members.values().for_each(|it| check(it, schema, name));
        }
        Value::Array(elements) => elements.iter().for_each(|it| check(it, schema, name)),
        _ => {}
    }
}
