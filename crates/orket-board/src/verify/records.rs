//! The records of turns and attempts: they parse, they are what the journal says, and what they name is kept.

use orket_cards::{CardId, Cause, Changes, StoreFault, TURN_RECORD_VERSION, TurnRecord};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, ReadSet};
use orket_lsi::Verification;

use super::rows;

/// What the journal says of a turn or an attempt.
struct Entry {
    place: String,
    run_id: String,
    turn: i64,
    attempt: i64,
    record_digest: Digest,
    /// Whether retention dropped the records of the run.
    is_dropped: bool,
    /// Of a promoted turn only.
    promoted: Option<Promoted>,
}

struct Promoted {
    card: Option<String>,
    role: String,
    step: String,
    result_digest: Digest,
}

pub(super) fn check(verification: &mut Verification) -> Result<(), StoreFault> {
    let sql = "SELECT run_id, turn, attempt, record_digest, card, role, step, result_digest, \
        run_id IN (SELECT run_id FROM dropped_runs) FROM turn_journal";
    let mut entries = rows(verification, "turn_journal", sql, |row| {
        let (run_id, turn): (String, i64) = (row.get(0)?, row.get(1)?);
        Ok(Entry {
            place: format!("turn_journal {run_id} {turn}"),
            run_id,
            turn,
            attempt: row.get(2)?,
            record_digest: Digest::from_bytes(row.get(3)?),
            is_dropped: row.get(8)?,
            promoted: Some(Promoted {
                card: row.get(4)?,
                role: row.get(5)?,
                step: row.get(6)?,
                result_digest: Digest::from_bytes(row.get(7)?),
            }),
        })
    })?;
    let sql = "SELECT run_id, turn, attempt, record_digest, run_id IN (SELECT run_id FROM dropped_runs) \
        FROM attempt_journal";
    entries.extend(rows(verification, "attempt_journal", sql, |row| {
        let (run_id, turn, attempt): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Entry {
            place: format!("attempt_journal {run_id} {turn} {attempt}"),
            run_id,
            turn,
            attempt,
            record_digest: Digest::from_bytes(row.get(3)?),
            is_dropped: row.get(4)?,
            promoted: None,
        })
    })?);
    for entry in entries {
        let reasons = check_entry(verification, &entry);
        for reason in reasons {
            verification.findings.corrupt(&entry.place, reason);
        }
    }
    Ok(())
}

fn check_entry(verification: &Verification, entry: &Entry) -> Vec<String> {
    let bytes = match verification.record(&entry.record_digest) {
        Ok(Some(bytes)) => bytes,
        Ok(None) if entry.is_dropped => return Vec::new(),
        Ok(None) => return vec![format!("its record {} is not kept", entry.record_digest)],
        Err(error) => return vec![error.to_string()],
    };
    let record: TurnRecord = match canonical::from_bytes(&bytes) {
        Ok(record) => record,
        Err(error) => return vec![format!("its record is malformed: {error}")],
    };
    if entry.is_dropped {
        // What retention dropped goes step by step: the record may be there still, and what it names gone.
        return Vec::new();
    }
    let mut reasons = Vec::new();
    let mut differ = |what: &str, is_same: bool| {
        if !is_same {
            reasons.push(format!("its record has another {what}"));
        }
    };
    let number = |value: i64| u64::try_from(value).ok();
    differ("version", record.version == TURN_RECORD_VERSION);
    differ("run", record.run_id == entry.run_id);
    differ("turn", Some(record.turn_id.number()) == number(entry.turn));
    differ("attempt", Some(record.attempt) == number(entry.attempt));
    if let Some(promoted) = &entry.promoted {
        differ(
            "card",
            record.card.as_ref().map(CardId::as_str) == promoted.card.as_deref(),
        );
        differ("role", record.role == promoted.role);
        differ("step", record.step == promoted.step);
        let result = record.result.as_ref();
        let digest = result.map(|result| result.structural_digest());
        differ("result", digest == Some(promoted.result_digest));
    }
    reasons.extend(check_reads(verification, &record));
    if let (Cause::Operator { action, .. }, true) = (&record.cause, entry.promoted.is_some()) {
        for digest in action.changes().into_iter().flat_map(Changes::objects) {
            if !matches!(verification.is_object_intact(&digest), Ok(true)) {
                reasons.push(format!(
                    "the object {digest}, which it set, is damaged or not kept"
                ));
            }
        }
    }
    for exchange in &record.exchanges {
        for digest in [Some(exchange.request), exchange.answer]
            .into_iter()
            .flatten()
        {
            if !matches!(verification.is_record_intact(&digest), Ok(true)) {
                reasons.push(format!("its exchange {digest} is damaged or not kept"));
            }
        }
    }
    reasons
}

/// What the turn read must be what its result says, and what it read must be kept: a replay needs it.
fn check_reads(verification: &Verification, record: &TurnRecord) -> Vec<String> {
    let Some(result) = &record.result else {
        return Vec::new();
    };
    let Some(reads) = ReadSet::from_value(&record.reads) else {
        return vec!["its record does not say what the turn read".to_owned()];
    };
    let mut reasons = Vec::new();
    let told = result
        .transition_evidence
        .get("reads_digest")
        .and_then(Value::as_str);
    if told != Some(reads.digest().to_hex().as_str()) {
        reasons.push("what it read does not match the digest in its result".to_owned());
    }
    for digest in reads.objects() {
        if !matches!(verification.is_object_intact(&digest), Ok(true)) {
            reasons.push(format!(
                "the object {digest}, which it read, is damaged or not kept"
            ));
        }
    }
    reasons
}
