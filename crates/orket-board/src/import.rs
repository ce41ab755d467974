//! An import: a state from files becomes the first turn of an empty home, by the same laws as every other turn.

use orket_cards::{
    Cause, Committed, RunState, StoreFault, TURN_RECORD_VERSION, Tokens, TurnRecord,
};
use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::Policy;
use orket_kernel::{
    EmptyView, Payload, Profile, PromotionPlan, RunEnvelope, RunId, TurnId, TurnInput,
    execute_turn, object, plan_promotion,
};
use orket_lsi::{CommitTransaction, Imported, StoreError};

use crate::fault::from_store;
use crate::{cards_table, journal};

/// The run that an import is.
const RUN: &str = "import-1";
/// What the journal calls its work.
const WORK: &str = "import";

/// An import as the kernel judged it.
pub(crate) struct Import {
    envelope: RunEnvelope,
    plan: PromotionPlan,
    record: TurnRecord,
}

/// Executes the turn that an import is, over nothing.
pub(crate) fn judge(imported: &Imported) -> Result<Import, StoreFault> {
    let failed = |error: &dyn std::fmt::Display| StoreFault::Unusable {
        reason: format!("the import was refused: {error}"),
    };
    let run_id = RunId::parse(RUN).map_err(|error| failed(&error))?;
    let origin = object! {
        "generation" => imported.generation,
        "state_digest" => imported.state_digest.to_hex(),
    };
    let envelope = RunEnvelope::new(
        run_id,
        WORK,
        "none",
        Policy::deny_all(),
        Profile::orket(),
        object! { "import" => origin },
    );
    let handle = envelope.handle().map_err(|error| failed(&error))?;
    let input = TurnInput {
        triplets: imported.triplets.clone(),
        attachments: imported.attachments.clone(),
        ..TurnInput::empty(TurnId::FIRST)
    };
    let execution = execute_turn(&envelope, &handle, &input, &EmptyView);
    let Some(staged) = execution.staged else {
        let issue = execution
            .result
            .issues
            .iter()
            .find(|issue| issue.is_failure());
        let text = issue.map_or_else(String::new, orket_kernel::event::format);
        return Err(failed(&text));
    };
    let (plan, _) = plan_promotion(&staged, &EmptyView).map_err(|error| failed(&error))?;
    let record = TurnRecord {
        version: TURN_RECORD_VERSION.into(),
        run_id: RUN.into(),
        turn_id: TurnId::FIRST,
        attempt: 1,
        card: None,
        role: "engine".into(),
        step: WORK.into(),
        cause: Cause::Import {
            generation: imported.generation,
            state_digest: imported.state_digest,
        },
        exchanges: Vec::new(),
        judged: false,
        said: String::new(),
        calls: Vec::new(),
        decisions: execution.decisions,
        outcomes: Vec::new(),
        reads: execution.reads.to_value(),
        result: Some(execution.result),
        refusals: Vec::new(),
        tokens: Tokens::default(),
        notes: Value::Null,
    };
    Ok(Import {
        envelope,
        plan,
        record,
    })
}

/// Applies an import inside a transaction.
pub(crate) fn apply(
    transaction: &CommitTransaction<'_>,
    import: &Import,
    imported: &Imported,
) -> Result<Committed, StoreFault> {
    let connection = transaction.connection();
    let run_id = &import.envelope.run_id;
    let head = transaction.head().map_err(from_store)?;
    let has_runs = !journal::runs(connection, None)?.is_empty();
    if head.generation > 0 || has_runs {
        return Err(from_store(StoreError::NotNew {
            generation: head.generation,
        }));
    }
    let objects = import.plan.objects.values().map(Payload::length_bytes);
    transaction.check_room(objects.sum()).map_err(from_store)?;
    transaction
        .start_run(&import.envelope)
        .map_err(from_store)?;
    journal::begin_run(connection, run_id, WORK)?;
    let record = canonical::serialize(&import.record).map_err(|error| StoreFault::Failed {
        what: "the turn record".into(),
        source: Box::new(error),
    })?;
    let promoted = transaction
        .promote(&import.plan, &record)
        .map_err(from_store)?;
    if promoted.state_digest != imported.state_digest {
        let reason = format!(
            "the import was refused: it came to the state {}, not {}",
            promoted.state_digest, imported.state_digest
        );
        return Err(StoreFault::Unusable { reason });
    }
    let record_digest = transaction.keep_record(&record).map_err(from_store)?;
    cards_table::apply(connection, &import.plan, promoted.generation)?;
    journal::add_turn(
        connection,
        run_id,
        &import.record,
        &record_digest,
        promoted.generation,
    )?;
    journal::end_run(connection, run_id, RunState::Passed)?;
    Ok(Committed {
        generation: promoted.generation,
        state_digest: promoted.state_digest,
        events: Vec::new(),
    })
}
