//! Reading members of JSON objects.

use orket_kernel::canonical::Value;

/// Returns a member unless it is `null`, which is how some servers write what they leave out.
pub(crate) fn present<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_null())
}

pub(crate) fn text<'a>(object: &'a Value, key: &str) -> Result<Option<&'a str>, String> {
    match present(object, key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` is not a text")),
    }
}

pub(crate) fn count(object: &Value, key: &str) -> Result<Option<u64>, String> {
    match present(object, key) {
        None => Ok(None),
        Some(value) => value
            .as_u64()
            .map(Some)
            .ok_or_else(|| format!("`{key}` is not a count")),
    }
}

pub(crate) fn insert(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(key.to_owned(), value);
    }
}
