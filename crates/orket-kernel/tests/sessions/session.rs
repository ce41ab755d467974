//! Reads sessions and holds answers against them; the format is described in `fixtures/kernel/README.md`.

use std::fs;
use std::path::{Path, PathBuf};

use orket_kernel::canonical::{self, Value};

/// A run of requests over a store that begins empty.
pub(crate) struct Session {
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// One request, and what is expected of its answer.
pub(crate) struct Step {
    pub(crate) operation: String,
    pub(crate) request: Vec<u8>,
    pub(crate) exit: u64,
    pub(crate) answer: Value,
}

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/kernel")
}

/// Reads every session, in the order of their names.
pub(crate) fn load() -> Vec<Session> {
    let mut sessions: Vec<Session> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("session.json").is_file())
        .map(|path| read(&path))
        .collect();
    sessions.sort_by(|one, other| one.slug.cmp(&other.slug));
    sessions
}

fn read(path: &Path) -> Session {
    let slug = path.file_name().unwrap().to_string_lossy().into_owned();
    let bytes = fs::read(path.join("session.json")).unwrap();
    let value = canonical::parse(&bytes).unwrap_or_else(|error| panic!("{slug}: {error}"));
    let steps = value.get("steps").and_then(Value::as_array).unwrap();
    Session {
        name: text(&value, "name").unwrap().to_owned(),
        steps: steps.iter().map(read_step).collect(),
        slug,
    }
}

fn read_step(step: &Value) -> Step {
    let exit = canonical::from_value(step.get("exit").unwrap().clone());
    Step {
        operation: text(step, "operation").unwrap().to_owned(),
        request: request(step),
        exit: exit.unwrap(),
        answer: step.get("answer").unwrap().clone(),
    }
}

/// Returns the bytes that are sent: a value, a text as it is, or bytes in hexadecimal digits.
fn request(step: &Value) -> Vec<u8> {
    match (text(step, "request_text"), text(step, "request_hex")) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (_, Some(digits)) => hex::decode(digits).unwrap(),
        _ => canonical::to_bytes(step.get("request").unwrap()),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// Says where an answer is not as expected, if it is not.
///
/// Members that are not expected are free, but not inside of `details`; arrays have the expected length and order.
pub(crate) fn mismatch(expected: &Value, found: &Value, place: &str) -> Option<String> {
    let differs = || Some(format!("{place}: expected {expected}, found {found}"));
    match (expected, found) {
        (Value::Object(members), Value::Object(_)) if !place.ends_with("/details") => {
            let mut members = members.iter();
            members.find_map(|(key, expected)| {
                let place = format!("{place}/{key}");
                match found.get(key) {
                    Some(found) => mismatch(expected, found, &place),
                    None => Some(format!("{place} is missing")),
                }
            })
        }
        (Value::Array(one), Value::Array(two)) => {
            if one.len() != two.len() {
                return differs();
            }
            let mut pairs = one.iter().zip(two).enumerate();
            pairs.find_map(|(index, (one, two))| mismatch(one, two, &format!("{place}/{index}")))
        }
        _ if expected == found => None,
        _ => differs(),
    }
}
