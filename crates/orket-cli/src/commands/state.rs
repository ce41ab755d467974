//! `orket show state`: the committed state at one generation.

use std::fmt::Write;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{ReadError, StateView, object};
use orket_lsi::{Past, Snapshot};

use crate::exit::{self, Failure};
use crate::place::StatePlace;
use crate::{terminal, wire};

/// Opens the state that a place names.
pub(super) fn open<'a>(snapshot: &'a Snapshot, place: &StatePlace) -> Result<Past<'a>, Failure> {
    let past = match place {
        StatePlace::Now => snapshot.at(snapshot.head().generation),
        StatePlace::Generation(generation) => snapshot.at(*generation),
        StatePlace::Turn(run_id, turn_id) => snapshot.at_turn(run_id, *turn_id),
    };
    past.map_err(wire::store_failure)
}

/// Shows the state at a place, checked against the chain.
pub(super) fn show(snapshot: &Snapshot, place: &StatePlace, json: bool) -> Result<String, Failure> {
    let past = open(snapshot, place)?;
    past.check().map_err(wire::store_failure)?;
    let mut rows = Vec::new();
    let mut objects = std::collections::BTreeSet::new();
    for stem in past.stems("").map_err(unreadable)? {
        let Some(record) = past.triplet(&stem).map_err(unreadable)? else {
            continue;
        };
        let body = past.object(&record.body_digest).map_err(unreadable)?;
        let body = body.and_then(|bytes| canonical::parse(&bytes).ok());
        let kind = body
            .as_ref()
            .and_then(|body| body.get("dto_type"))
            .and_then(Value::as_str)
            .unwrap_or("?")
            .to_owned();
        objects.extend([
            record.body_digest,
            record.links_digest,
            record.manifest_digest,
        ]);
        rows.push((stem, kind, record.body_digest));
    }
    let head = past.head();
    if json {
        let stems: Vec<Value> = rows
            .iter()
            .map(|(stem, kind, body)| {
                object! {
                    "stem" => stem.as_str(),
                    "dto_type" => kind.as_str(),
                    "body_digest" => body.to_hex(),
                }
            })
            .collect();
        let report = object! {
            "generation" => head.generation,
            "state_digest" => head.state_digest.to_hex(),
            "documents" => objects.len() as u64,
            "stems" => stems,
        };
        return Ok(format!("{}\n", canonical::to_string(&report)));
    }
    let mut text = String::new();
    let _ = writeln!(text, "generation    {}", head.generation);
    let _ = writeln!(text, "state digest  {}", head.state_digest);
    let _ = writeln!(
        text,
        "holds         {} stem(s) in {} document(s)",
        rows.len(),
        objects.len()
    );
    for (stem, kind, body) in rows {
        let _ = writeln!(
            text,
            "  {:10} {} {}",
            terminal::plain(&kind),
            &body.to_hex()[..16],
            terminal::plain(stem.as_str())
        );
    }
    Ok(text)
}

/// Turns a failed read of the state into a failure.
pub(super) fn unreadable(error: ReadError) -> Failure {
    match error {
        ReadError::Corrupt { .. } => {
            Failure::new(exit::NO, format!("E_LSI_CORRUPT_RECORD: {error}"))
        }
        other => Failure::new(exit::INVALID, other.to_string()),
    }
}
