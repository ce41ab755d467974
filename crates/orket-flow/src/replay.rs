//! Replaying a turn: the recorded answer goes through the same governing code over what the turn read.

use std::collections::BTreeMap;

use orket_cards::{Cause, StoreFault, TurnRecord, TurnSnapshot};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{
    Digest, Divergence, KernelIssue, ReadSet, RecordedView, RecordingView, RunId, Stage, StateView,
    TurnExecution, TurnId, TurnInput, TurnResult, compare_results, execute_turn,
};
use orket_ports::model::ModelAnswer;

use crate::asset::StepAsset;
use crate::govern::{Tools, TurnContext, govern};
use crate::play::Play;
use crate::proposal::{self, ProposalError};
use crate::scope::Outcomes;

/// Says why a turn could not be replayed. None of these is a divergence.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no such run.
    #[error("there is no run {run}; `orket show run` lists the runs")]
    NoRun {
        /// The run.
        run: String,
    },
    /// The run has no such turn.
    #[error("the run {run} has no turn {turn}; `orket show run {run}` lists its turns")]
    NoTurn {
        /// The run.
        run: String,
        /// The turn.
        turn: TurnId,
    },
    /// A record that the replay needs is not kept any more.
    #[error("not retained: {what}")]
    NotRetained {
        /// What is missing.
        what: String,
    },
    /// A record is malformed.
    #[error("E_LSI_CORRUPT_RECORD: {what}")]
    Corrupt {
        /// What is wrong.
        what: String,
    },
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The recorded facts do not carry the replay: the engine asked for something else than it did then.
    #[error("the replay took another way: {0}")]
    Proposal(#[from] ProposalError),
}

/// What a replay found.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The record.
    pub record: TurnRecord,
    /// The structural digest that was recorded.
    pub recorded_digest: Digest,
    /// The structural digest that came out now; `None` if the answer did not even have the form to be judged.
    pub replayed_digest: Option<Digest>,
    /// The issues that came out now, in their order.
    pub issues: Vec<KernelIssue>,
    /// Every difference; empty if the digests are the same.
    pub divergences: Vec<Divergence>,
}

/// Replays one promoted turn. No model, no network, no clock: only the record and what it names.
///
/// # Errors
/// Says what is missing or malformed; a difference in the outcome is no error but a [`Divergence`].
pub fn replay_turn(
    snapshot: &dyn TurnSnapshot,
    tools: &Tools,
    run_id: &RunId,
    turn_id: TurnId,
) -> Result<Replayed, ReplayError> {
    let run = snapshot.run(run_id)?.ok_or_else(|| ReplayError::NoRun {
        run: run_id.to_string(),
    })?;
    let turns = snapshot.turns(run_id)?;
    let row = turns
        .iter()
        .find(|turn| turn.turn_id == turn_id)
        .ok_or_else(|| ReplayError::NoTurn {
            run: run_id.to_string(),
            turn: turn_id,
        })?;
    let record = snapshot.turn_record(&row.record_digest)?;
    let recorded = record
        .result
        .clone()
        .ok_or_else(|| corrupt("the record of a promoted turn has no result"))?;
    let reads = ReadSet::from_value(&record.reads)
        .ok_or_else(|| corrupt("the record does not say what the turn read"))?;
    let objects = load_objects(snapshot, &reads)?;
    let view = RecordedView::new(&reads, &objects);
    let play: Play = canonical::from_value(run.envelope.host.clone())
        .map_err(|error| corrupt(&format!("the play of the run: {error}")))?;
    let handle = run
        .envelope
        .handle()
        .map_err(|error| corrupt(&format!("the envelope of the run: {error}")))?;
    let view = RecordingView::new(&view);
    let engine = |mut input: TurnInput| {
        input.reads = view.reads();
        execute_turn(&run.envelope, &handle, &input, &view)
    };
    let execution = match &record.cause {
        Cause::Load => Ok(engine(proposal::load(&play, turn_id, &view)?)),
        Cause::GiveUp { reasons } => {
            let card = record
                .card
                .as_ref()
                .ok_or_else(|| corrupt("the turn has no card"))?;
            Ok(engine(proposal::give_up(
                &play.ids(),
                card,
                reasons,
                turn_id,
                &view,
            )?))
        }
        Cause::Answer => {
            let context = TurnContext {
                envelope: &run.envelope,
                handle: &handle,
                play: &play,
                tools,
                turn_id,
                card: record
                    .card
                    .as_ref()
                    .ok_or_else(|| corrupt("the turn has no card"))?,
                step: step(&play, &record)?,
                role: &record.role,
            };
            judge_again(snapshot, &context, &record, &view)?
        }
    };
    let (result, divergences) = match execution {
        Ok(execution) => {
            let divergences = compare_results(&recorded, &execution.result);
            (Some(execution.result), divergences)
        }
        Err(refusals) => {
            let divergence = Divergence {
                turn_id,
                stage: Stage::Policy,
                location: "/outcome".into(),
                recorded: recorded.outcome.to_string(),
                replayed: format!("refused: {refusals}"),
            };
            (None, vec![divergence])
        }
    };
    Ok(Replayed {
        recorded_digest: row.result_digest,
        replayed_digest: result.as_ref().map(TurnResult::structural_digest),
        issues: result.map(|result| result.issues).unwrap_or_default(),
        divergences,
        record,
    })
}

/// Judges the recorded answer again; the inner error says why it is refused now.
fn judge_again(
    snapshot: &dyn TurnSnapshot,
    context: &TurnContext<'_>,
    record: &TurnRecord,
    view: &dyn StateView,
) -> Result<Result<TurnExecution, String>, ReplayError> {
    let exchange = record
        .exchanges
        .last()
        .ok_or_else(|| corrupt("the turn has no exchange with a model"))?;
    let digest = exchange
        .answer
        .ok_or_else(|| corrupt("the judged exchange has no answer"))?;
    let bytes = snapshot
        .record(&digest)?
        .ok_or_else(|| ReplayError::NotRetained {
            what: format!("the answer {digest}"),
        })?;
    let answer: ModelAnswer = canonical::parse(&bytes)
        .map_err(|error| corrupt(&error.to_string()))
        .and_then(|value: Value| {
            canonical::from_value(value).map_err(|error| corrupt(&error.to_string()))
        })?;
    let governed = govern(
        context,
        &answer,
        Outcomes::fed(record.outcomes.clone()),
        view,
    )?;
    let refusals: Vec<String> = governed
        .refusals
        .iter()
        .map(|(_, refusal)| refusal.message.clone())
        .collect();
    Ok(governed.execution.ok_or_else(|| refusals.join("; ")))
}

fn step<'a>(play: &'a Play, record: &TurnRecord) -> Result<&'a StepAsset, ReplayError> {
    play.score
        .steps
        .iter()
        .find(|step| step.name == record.step)
        .ok_or_else(|| corrupt(&format!("the score has no step {}", record.step)))
}

fn load_objects(
    snapshot: &dyn TurnSnapshot,
    reads: &ReadSet,
) -> Result<BTreeMap<Digest, Vec<u8>>, ReplayError> {
    let mut objects = BTreeMap::new();
    for digest in reads.objects() {
        let bytes = snapshot
            .state()
            .object(&digest)
            .map_err(|error| corrupt(&error.to_string()))?
            .ok_or_else(|| ReplayError::NotRetained {
                what: format!("the object {digest}"),
            })?;
        objects.insert(digest, bytes);
    }
    Ok(objects)
}

fn corrupt(what: &str) -> ReplayError {
    ReplayError::Corrupt {
        what: what.to_owned(),
    }
}
