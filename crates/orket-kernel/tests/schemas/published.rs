//! A published schema, ready to judge documents.

use jsonschema::Validator;
use orket_kernel::wire;
use serde_json::Value;

/// The schema of this name as JSON.
pub(crate) fn text(name: &str) -> Value {
    let text = wire::schema(name).unwrap_or_else(|| panic!("there is no schema {name}"));
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A validator of the schema of this name.
pub(crate) fn validator(name: &str) -> Validator {
    jsonschema::validator_for(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Says why a schema refuses a document; `None` if it takes it.
pub(crate) fn refusal(schema: &Validator, document: &Value) -> Option<String> {
    let error = schema.iter_errors(document).next()?;
    Some(format!(
        "{error} at {:?}",
        error.instance_path().to_string()
    ))
}
