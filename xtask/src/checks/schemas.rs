//! docs/kernel/schemas/: every JSON Schema that the kernel's types have, as it is generated from them, and nothing else.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq};
use serde_json::Value;

use crate::violation::Violation;

/// Where the schemas lie.
pub(crate) const DIRECTORY: &str = "docs/kernel/schemas";

/// What a reader of a schema wants to see first and last; everything else stands between, in the order of the alphabet.
const FIRST: &[&str] = &[
    "$schema",
    "$id",
    "title",
    "description",
    "type",
    "const",
    "enum",
];
const LAST: &[&str] = &[
    "default",
    "required",
    "properties",
    "additionalProperties",
    "$defs",
];

/// The schemas as they must be, by file name.
pub(crate) fn generated() -> Result<BTreeMap<String, String>> {
    let schemas = orket_kernel::wire::generated_schemas();
    let files = schemas.into_iter().map(|(name, schema)| {
        let text = serde_json::to_string_pretty(&Ordered(&schema.to_value()))
            .with_context(|| format!("failed to write the schema {name}"))?;
        Ok((format!("{name}.schema.json"), text + "\n"))
    });
    files.collect()
}

/// Files that are not as they must be, files that are missing, and files that no type stands behind.
pub(crate) fn check(
    generated: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (file, text) in generated {
        let what = match found.get(file) {
            Some(found) if found == text => continue,
            Some(_) => "differs from what the types say",
            None => "is missing",
        };
        violations.push(Violation::new(
            format!("{DIRECTORY}/{file}"),
            what,
            "schemas are generated from the types of the kernel; cargo xtask docs --write writes them",
        ));
    }
    for file in found.keys().filter(|file| !generated.contains_key(*file)) {
        violations.push(Violation::new(
            format!("{DIRECTORY}/{file}"),
            "no type of the kernel has this schema",
            "a schema stands in the list of crates/orket-kernel/src/wire/schema/mod.rs; delete the file or add the type",
        ));
    }
    violations
}

/// A schema whose members are written in the order of a reader, whatever map `serde_json` was built with.
struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => {
                let mut keys: Vec<&String> = members.keys().collect();
                keys.sort_by_key(|key| (rank(key), *key));
                let mut map = serializer.serialize_map(Some(keys.len()))?;
                for key in keys {
                    if let Some(value) = members.get(key) {
                        map.serialize_entry(key, &Ordered(value))?;
                    }
                }
                map.end()
            }
            Value::Array(elements) => {
                let mut sequence = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    sequence.serialize_element(&Ordered(element))?;
                }
                sequence.end()
            }
            other => other.serialize(serializer),
        }
    }
}

fn rank(key: &str) -> usize {
    let place = |list: &[&str]| list.iter().position(|it| *it == key);
    match (place(FIRST), place(LAST)) {
        (Some(place), _) => place,
        (None, None) => FIRST.len(),
        (None, Some(place)) => FIRST.len() + 1 + place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = files
            .iter()
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
        owned.collect()
    }

    #[test]
    fn a_file_that_differs_is_missing_or_is_left_over_is_named() {
        let generated = files(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let found = files(&[("a", "1"), ("b", "two"), ("d", "4")]);
        let told: Vec<(String, String)> = check(&generated, &found)
            .into_iter()
            .map(|it| (it.place, it.found))
            .collect();
        let expected = [
            ("docs/kernel/schemas/b", "differs from what the types say"),
            ("docs/kernel/schemas/c", "is missing"),
            (
                "docs/kernel/schemas/d",
                "no type of the kernel has this schema",
            ),
        ];
        let expected = expected.map(|(place, what)| (place.to_owned(), what.to_owned()));
        assert_eq!(told, expected);
        assert_eq!(check(&generated, &generated), []);
    }

    #[test]
    fn members_stand_in_the_order_of_a_reader() {
        let schema = serde_json::json!({
            "$defs": {}, "additionalProperties": false, "pattern": "x", "maxLength": 1, "title": "t",
            "$schema": "s", "properties": { "b": 1, "a": [{ "type": "null", "const": 2 }] }, "$id": "i",
        });
        let text = serde_json::to_string(&Ordered(&schema)).unwrap();
        assert_eq!(
            text,
            r#"{"$schema":"s","$id":"i","title":"t","maxLength":1,"pattern":"x","properties":{"a":[{"type":"null","const":2}],"b":1},"additionalProperties":false,"$defs":{}}"#
        );
    }
}
