//! A command of a turn: run over the artefacts as the turn sees them, recorded with all that it did to them.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use orket_cards::{CommandKind, CommandOutcome, WrittenFile};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, Payload, PayloadSource, Stream};
use orket_ports::tool::RunCommand;
use orket_ports::verifier::{ArtifactFile, LeastTier};
use orket_ports::{Refusal, TurnScope};

use crate::scope::{Scope, unreadable};

/// Runs a command, or takes what is recorded of it, and stages its changes.
///
/// # Errors
/// Refuses what the command may not change, and what cannot be run.
pub(crate) fn run(scope: &mut Scope<'_>, run: &mut RunCommand<'_>) -> Result<Value, Refusal> {
    let seen = seen(scope)?;
    // What an agent wrote is never run unconfined, whatever the venue accepts for content that the project pins.
    let least = scope.play.venue.least_tier.max(LeastTier::Partial);
    let given = |scope: &Scope<'_>| given(scope, &seen);
    let mut written = Vec::new();
    let mut tier = None;
    let mut outcomes = std::mem::take(&mut scope.outcomes);
    let outcome = outcomes.next(&mut || {
        let ran = run(&given(scope)?, least)?;
        tier = Some(ran.tier);
        let changes = ran.changes?;
        let outcome = to_value(ran.told, &changes);
        written = changes.into_values().flatten().collect();
        outcome
    });
    for file in written {
        outcomes.keep_content(file.payload);
    }
    scope.outcomes = outcomes;
    scope.command_tiers.extend(tier);
    let outcome = CommandOutcome::from_value(&outcome?)
        .ok_or_else(|| Refusal::forbidden("not_recorded", "the record holds no command here"))?;
    for path in &outcome.removed {
        scope.remove_artifact(path)?;
    }
    for file in &outcome.written {
        let payload = scope
            .outcomes
            .content(&file.content_digest)
            .unwrap_or_else(|| not_retained(file));
        scope.write_artifact(&file.path, payload, file.executable)?;
    }
    Ok(outcome.told)
}

/// Returns digest and executable bit of all artefacts. This is what the record says of what the command saw.
fn seen(scope: &mut Scope<'_>) -> Result<BTreeMap<String, (Digest, bool)>, Refusal> {
    let mut seen = BTreeMap::new();
    for path in scope.artifacts()? {
        if let Some(entry) = scope.entry(&path)? {
            seen.insert(path, entry);
        }
    }
    Ok(seen)
}

/// Returns the bytes of artefacts. A replay does not need them, so they are not noted as read: their digests are.
fn given(
    scope: &Scope<'_>,
    seen: &BTreeMap<String, (Digest, bool)>,
) -> Result<BTreeMap<String, ArtifactFile>, Refusal> {
    let mut files = BTreeMap::new();
    for (path, (digest, executable)) in seen {
        let payload = match scope.files.get(path) {
            Some(file) => Some(file.payload.clone()),
            None => scope
                .kept
                .payload(digest)
                .map_err(|error| unreadable(&error))?,
        };
        let payload = payload.ok_or_else(|| {
            let message = format!("the content of agent_output/{path} is not kept");
            Refusal::forbidden("unreadable_state", message)
        })?;
        let executable = *executable;
        files.insert(
            path.clone(),
            ArtifactFile {
                payload,
                executable,
            },
        );
    }
    Ok(files)
}

fn to_value(
    told: Value,
    changes: &BTreeMap<String, Option<ArtifactFile>>,
) -> Result<Value, Refusal> {
    let written = changes.iter().filter_map(|(path, file)| {
        let file = file.as_ref()?;
        Some(WrittenFile {
            path: path.clone(),
            content_digest: file.payload.digest(),
            length: file.payload.length_bytes(),
            executable: file.executable,
        })
    });
    let removed = changes.iter().filter(|(_, file)| file.is_none());
    let outcome = CommandOutcome {
        kind: CommandKind::Command,
        told,
        written: written.collect(),
        removed: removed.map(|(path, _)| path.clone()).collect(),
    };
    canonical::to_value(&outcome)
        .map_err(|error| Refusal::forbidden("command_outcome", error.to_string()))
}

/// Names bytes that retention dropped: whoever wants to read them is told.
fn not_retained(file: &WrittenFile) -> Payload {
    let source = Arc::new(NotRetained(file.content_digest));
    Payload::Streamed(Stream::new(file.content_digest, file.length, source))
}

#[derive(Debug)]
struct NotRetained(Digest);

impl PayloadSource for NotRetained {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let message = format!("not retained: the object {}", self.0);
        Err(io::Error::new(io::ErrorKind::NotFound, message))
    }
}
