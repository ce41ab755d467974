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

/// Returns bytes as they may be shown. JSON stays JSON: what begins inside of an escape is told from the text it stands for.
pub(super) fn shown(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Some(scrubber) = scrubber() else {
        return Cow::Borrowed(WITHHELD);
    };
    let scrubbed = match scrubber.bytes(bytes) {
        Cow::Borrowed(_) => return Cow::Borrowed(bytes),
        Cow::Owned(scrubbed) => scrubbed,
    };
    if let Some(document) = json(&scrubber, bytes) {
        return Cow::Owned(document);
    }
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let lines: Option<Vec<Vec<u8>>> = lines.map(|line| json(&scrubber, line)).collect();
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
