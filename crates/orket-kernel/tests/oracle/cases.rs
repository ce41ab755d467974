//! Reads the curated cases; the format is described in `fixtures/canonical/README.md`.

use serde_json::Value;

/// One document and what is known about it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) document: Vec<u8>,
    pub(crate) expected: Expected,
}

/// What Law 4 makes of a document.
pub(crate) enum Expected {
    Canonical {
        text: Option<String>,
        digest: String,
    },
    Refusal {
        code: String,
        pointer: String,
        byte_offset: usize,
    },
}

pub(crate) fn load() -> Vec<Case> {
    include_str!("../../../../fixtures/canonical/cases.jsonl")
        .lines()
        .map(read)
        .collect()
}

fn read(line: &str) -> Case {
    let case: Value = serde_json::from_str(line).expect("a case is a JSON object");
    let text = |field: &str| case.get(field).and_then(Value::as_str).map(str::to_owned);
    let expected = match text("code") {
        Some(code) => Expected::Refusal {
            code,
            pointer: text("pointer").unwrap(),
            byte_offset: case["byte_offset"].as_u64().unwrap() as usize,
        },
        None => Expected::Canonical {
            text: text("canonical"),
            digest: text("digest").unwrap(),
        },
    };
    Case {
        name: text("name").unwrap(),
        document: document(&case),
        expected,
    }
}

fn document(case: &Value) -> Vec<u8> {
    if let Some(text) = case["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(digits) = case["hex"].as_str() {
        return hex::decode(digits).unwrap();
    }
    let parts = case["parts"]
        .as_array()
        .expect("a case has text, hex or parts");
    let repeat = |part: &Value| {
        part[0]
            .as_str()
            .unwrap()
            .repeat(part[1].as_u64().unwrap() as usize)
            .into_bytes()
    };
    parts.iter().flat_map(repeat).collect()
}
