//! Makes a schema of a type: self-contained, named, with descriptions for people who do not read Rust.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::CONTRACT_VERSION;
use crate::wire::{Answer, Operation};

/// The schema of what the kernel reads: members with a default may be left out.
pub(super) fn document<T: JsonSchema>(name: &str) -> Schema {
    let generator = SchemaSettings::draft2020_12().for_deserialize();
    finished(name, generator.into_generator().into_root_schema_for::<T>())
}

/// The schema of what the kernel writes and nobody sends: every member is there.
pub(super) fn written<T: JsonSchema>(name: &str) -> Schema {
    finished(name, writing().into_root_schema_for::<T>())
}

/// The schema of the answer of one operation, whose result is a `T`.
pub(super) fn answer<T: JsonSchema>(name: &str, operation: Operation) -> Schema {
    let mut generator = writing();
    let result = generator.subschema_for::<T>();
    let is_nothing = result.get("type").is_some_and(|it| it == "null");
    let mut schema = generator.root_schema_for::<Answer>();
    let says = format!("The answer of `{operation}`: {}", operation.meaning());
    schema.insert("description".to_owned(), says.into());
    let properties = schema
        .get_mut("properties")
        .and_then(|it| it.as_object_mut());
    if let Some(properties) = properties {
        let name = json_schema!({
            "type": "string",
            "const": operation.as_str(),
            "description": "The name of the operation.",
        });
        properties.insert("operation".to_owned(), name.to_value());
        properties.insert("result".to_owned(), result.to_value());
    }
    if !is_nothing {
        let passes = json_schema!({ "properties": { "outcome": { "const": "PASS" } } });
        let tells = json_schema!({ "properties": { "result": { "not": { "type": "null" } } } });
        schema.insert("if".to_owned(), passes.to_value());
        schema.insert("then".to_owned(), tells.to_value());
    }
    finished(name, schema)
}

fn writing() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
}

/// Names the schema, and turns texts that are written for readers of the sources into texts for everybody.
fn finished(name: &str, mut schema: Schema) -> Schema {
    schema.insert(
        "$id".to_owned(),
        format!("orket:{CONTRACT_VERSION}/{name}").into(),
    );
    RecursiveTransform(tidy).transform(&mut schema);
    schema.insert("title".to_owned(), title(name).into());
    schema
}

/// `run-envelope` is `Run envelope`; `start-run-request` is `Request of start-run`.
fn title(name: &str) -> String {
    for (end, kind) in [("-request", "Request"), ("-answer", "Answer")] {
        if let Some(operation) = name.strip_suffix(end).and_then(Operation::parse) {
            return format!("{kind} of {operation}");
        }
    }
    let words = name.replace('-', " ");
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

fn tidy(schema: &mut Schema) {
    // Not a format that a validator knows; the bound says the same.
    if schema.get("format").is_some_and(|it| it == "uint64") {
        schema.remove("format");
        schema.insert("maximum".to_owned(), u64::MAX.into());
    }
    let text = schema.get("description").and_then(|it| it.as_str());
    if let Some(text) = text.map(plain) {
        let is_const = schema.get("const").is_some() && text.starts_with('`');
        let text = if is_const {
            "The version of the format.".to_owned()
        } else {
            text
        };
        schema.insert("description".to_owned(), text.into());
    }
}

/// The text up to its first example or heading, without the targets of links, the ends of lines and names of the sources.
fn plain(text: &str) -> String {
    let told = text.split("\n```").next().unwrap_or_default();
    let told = told.split("\n# ").next().unwrap_or_default();
    let mut plain = String::new();
    let mut rest = told;
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((name, after)) = link.split_once("`]") else {
            break;
        };
        plain.push_str(&format!("{before}`{name}`"));
        let target = after.strip_prefix('(').and_then(|it| it.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    plain.push_str(rest);
    let plain = plain
        .replace("`None`", "null")
        .replace("`Action::CALL`", "`call`");
    let paragraphs = plain.trim().split("\n\n");
    let paragraphs: Vec<String> = paragraphs.map(|it| it.replace('\n', " ")).collect();
    paragraphs.join("\n\n")
}
