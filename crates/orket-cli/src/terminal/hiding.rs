//! Secrets are taken out of everything that is shown, also where it was stored before they were known.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use orket_kernel::canonical;
use orket_secrets::{Scrubber, Vault};

use crate::settings::environment;

/// That of the project, once it is found.
static OF_PROJECT: OnceLock<Arc<Scrubber>> = OnceLock::new();

/// What is shown where nothing can be hidden.
const WITHHELD: &[u8] = b"withheld: the secrets of the environment cannot be looked for\n";

/// Hides the secrets of a project in everything that is shown from now on.
pub(crate) fn hide(scrubber: Arc<Scrubber>) {
    // A command works on one project.
    let _ = OF_PROJECT.set(scrubber);
}

/// Returns what hides: the scrubber of the project, or one of what the environment holds. `None` if there can be none.
pub(crate) fn scrubber() -> Option<Arc<Scrubber>> {
    static OF_ENVIRONMENT: OnceLock<Option<Arc<Scrubber>>> = OnceLock::new();
    let of_environment = || {
        let vault = Vault::gather(Vec::new(), environment(), &BTreeSet::new()).ok()?;
        Scrubber::new(&vault).ok().map(Arc::new)
    };
    match OF_PROJECT.get() {
        Some(scrubber) => Some(Arc::clone(scrubber)),
        None => OF_ENVIRONMENT.get_or_init(of_environment).clone(),
    }
}

/// Returns bytes as they may be shown.
pub(super) fn shown(bytes: &[u8]) -> Cow<'_, [u8]> {
    match scrubber() {
        Some(scrubber) => scrubbed(&scrubber, bytes),
        None => Cow::Borrowed(WITHHELD),
    }
}

/// Takes secrets out. JSON stays JSON: what begins inside of an escape is told from the text it stands for.
fn scrubbed<'t>(scrubber: &Scrubber, bytes: &'t [u8]) -> Cow<'t, [u8]> {
    let scrubbed = match scrubber.bytes(bytes) {
        Cow::Borrowed(_) => return Cow::Borrowed(bytes),
        Cow::Owned(scrubbed) => scrubbed,
    };
    if let Some(document) = json(scrubber, bytes) {
        return Cow::Owned(document);
    }
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let lines: Option<Vec<Vec<u8>>> = lines.map(|line| json(scrubber, line)).collect();
    Cow::Owned(lines.map_or(scrubbed, |lines| lines.concat()))
}

/// Scrubs a JSON document that is an array or an object.
fn json(scrubber: &Scrubber, bytes: &[u8]) -> Option<Vec<u8>> {
    let value = canonical::parse(bytes).ok()?;
    if value.as_array().is_none() && value.as_object().is_none() {
        return None;
    }
    let mut document = canonical::to_bytes(&orket_flow::scrub_value(scrubber, value));
    if bytes.ends_with(b"\n") {
        document.push(b'\n');
    }
    Some(document)
}

#[cfg(test)]
mod tests {
    use orket_secrets::Secret;

    use super::*;

    #[test]
    fn json_stays_json_and_text_is_text() {
        let secret = ("A_KEY".to_owned(), Secret::new("nine lives".to_owned()));
        let vault = Vault::gather(Vec::new(), [secret], &BTreeSet::new()).unwrap();
        let scrubber = Scrubber::new(&vault).unwrap();
        for (name, bytes, expected) in [
            ("text", "it is nine lives\n", "it is [secret:A_KEY]\n"),
            (
                "a document",
                "{\"a\": \"nine lives\"}\n",
                "{\"a\":\"[secret:A_KEY]\"}\n",
            ),
            (
                "lines",
                "{\"a\":\"nine lives\"}\n{\"b\":1}\n",
                "{\"a\":\"[secret:A_KEY]\"}\n{\"b\":1}\n",
            ),
            // The text is a line end and "ine lives": what looks like the secret is half of an escape.
            (
                "an escape",
                "{\"a\":\"\\nine lives\"}\n",
                "{\"a\":\"\\nine lives\"}\n",
            ),
            (
                "JSON and text",
                "{\"a\":1}\nnine lives\n",
                "{\"a\":1}\n[secret:A_KEY]\n",
            ),
        ] {
            let told = scrubbed(&scrubber, bytes.as_bytes());
            assert_eq!(String::from_utf8_lossy(&told), expected, "{name}");
        }
    }
}
