//! Artefacts of a run for people: what was asked, what was answered, what became of it.
//!
//! They lie at `<run_id>/<issue_id>/<turn_index>_<role>/` below `workspace/default/observability/`; the newest attempt
//! is described by `checkpoint.json`, each attempt lies in `attempt-<n>/` with the whole exchange. All of it is
//! computed from the record of the turn, so it can be written again.

use orket_cards::TurnRecord;
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, object};
use orket_ports::Workspace;

use crate::error::RunError;

/// Returns evidence by its digest.
pub(crate) type Load<'a> = dyn Fn(&Digest) -> Result<Option<Vec<u8>>, RunError> + 'a;

/// Writes the artefacts of a turn or of a failed attempt.
pub(crate) fn write(
    workspace: &dyn Workspace,
    record: &TurnRecord,
    load: &Load<'_>,
) -> Result<(), RunError> {
    let directory = directory(record);
    let attempt = format!("{directory}/attempt-{}", record.attempt);
    for (number, exchange) in (1..).zip(&record.exchanges) {
        if let Some(bytes) = load(&exchange.request)? {
            workspace.write_observation(&format!("{attempt}/request-{number}.json"), &bytes)?;
        }
        let answer = match &exchange.answer {
            Some(digest) => load(digest)?,
            None => None,
        };
        if let Some(bytes) = answer {
            workspace.write_observation(&format!("{attempt}/answer-{number}.json"), &bytes)?;
        }
    }
    let bytes = canonical::serialize(record)?;
    workspace.write_observation(&format!("{attempt}/turn_record.json"), &bytes)?;
    let checkpoint = canonical::to_bytes(&checkpoint(record));
    workspace.write_observation(&format!("{directory}/checkpoint.json"), &checkpoint)?;
    Ok(())
}

/// Returns the directory of a turn's artefacts below `workspace/default/observability/`.
pub(crate) fn directory(record: &TurnRecord) -> String {
    let card = record.card.as_ref().map_or("-", |card| card.as_str());
    format!(
        "{}/{card}/{:03}_{}",
        record.run_id,
        record.turn_id.number(),
        record.role
    )
}

fn checkpoint(record: &TurnRecord) -> Value {
    let prompt = record.exchanges.first().map(|exchange| exchange.request);
    let digest = record
        .result
        .as_ref()
        .map(|result| result.structural_digest());
    object! {
        "version" => "orket_checkpoint/v1",
        "run_id" => record.run_id.as_str(),
        "issue_id" => record.card.as_ref().map_or("-", |card| card.as_str()),
        "turn_index" => record.turn_id.number(),
        "turn_id" => record.turn_id.to_string(),
        "role" => record.role.as_str(),
        "step" => record.step.as_str(),
        "attempt" => record.attempt,
        "promoted" => record.refusals.is_empty(),
        "prompt_digest" => prompt.map_or(Value::Null, |digest| digest.to_hex().into()),
        "result_digest" => digest.map_or(Value::Null, |digest| digest.to_hex().into()),
        "refusals" => record.refusals.iter().map(|r| Value::from(r.as_str())).collect::<Vec<_>>(),
        "tokens" => object! { "prompt" => record.tokens.prompt, "completion" => record.tokens.completion },
    }
}
