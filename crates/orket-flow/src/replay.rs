//! Replaying a turn or a run: the recorded answer goes through the same governing code over what the turn read.

use std::collections::BTreeMap;

use orket_cards::{CardId, Cause, Changes, RunRow, StoreFault, TurnRecord, TurnRow, TurnSnapshot};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{
    Digest, Divergence, KernelIssue, Payload, ReadSet, RecordedView, RecordingView, RunId, Stage,
    StateView, TurnExecution, TurnId, TurnInput, TurnResult, compare_results, execute_turn,
};
use orket_ports::model::ModelAnswer;

use crate::asset::StepAsset;
use crate::govern::{Tools, TurnContext, govern};
use crate::operator::{self, OperatorProposalError};
use crate::outcomes::Outcomes;
use crate::play::Play;
use crate::proposal::{self, ProposalError};

/// Says why a turn could not be replayed or compared. None of these is a divergence.
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
    /// The run has no turn at all; nothing is equal to nothing.
    #[error("the run {run} has no promoted turn")]
    NoTurns {
        /// The run.
        run: RunId,
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

/// One turn of a run that was replayed.
#[derive(Debug)]
pub struct ReplayedTurn {
    /// The turn as the journal knows it.
    pub row: TurnRow,
    /// What the replay found, or why this turn could not be replayed.
    pub replayed: Result<Replayed, ReplayError>,
}

impl ReplayedTurn {
    /// Returns whether the turn came out as it is recorded.
    pub fn is_same(&self) -> bool {
        self.replayed.as_ref().is_ok_and(|replayed| {
            replayed.divergences.is_empty()
                && replayed.replayed_digest == Some(replayed.recorded_digest)
        })
    }
}

/// Replays every promoted turn of a run, in order. There is at least one.
///
/// # Errors
/// Says why the run as a whole cannot be replayed. A damaged record stops the replay of its turn alone.
pub fn replay_run(
    snapshot: &dyn TurnSnapshot,
    tools: &Tools,
    run_id: &RunId,
) -> Result<Vec<ReplayedTurn>, ReplayError> {
    let (run, rows) = promoted_turns(snapshot, run_id)?;
    rows.into_iter()
        .map(|row| match replay_row(snapshot, tools, &run, &row) {
            Err(ReplayError::Store(fault)) if !matches!(fault, StoreFault::Corrupt { .. }) => {
                Err(fault.into())
            }
            replayed => Ok(ReplayedTurn { row, replayed }),
        })
        .collect()
}

/// Returns a run with its turns: at least one, numbered from 1 without a gap, up to the last that was promoted.
pub(crate) fn promoted_turns(
    snapshot: &dyn TurnSnapshot,
    run_id: &RunId,
) -> Result<(RunRow, Vec<TurnRow>), ReplayError> {
    let run = find_run(snapshot, run_id)?;
    let rows = snapshot.turns(run_id)?;
    let turns: Vec<TurnId> = rows.iter().map(|row| row.turn_id).collect();
    check_sequence(run_id, &turns, run.last_turn)?;
    Ok((run, rows))
}

fn check_sequence(
    run_id: &RunId,
    turns: &[TurnId],
    last_turn: Option<TurnId>,
) -> Result<(), ReplayError> {
    let mut expected = TurnId::FIRST;
    for turn in turns {
        if *turn != expected {
            return Err(corrupt(&format!(
                "{turn} stands where {expected} of the run {run_id} should come"
            )));
        }
        expected = expected.next();
    }
    if turns.last() != last_turn.as_ref() {
        let told = |turn: Option<&TurnId>| turn.map_or("none".to_owned(), TurnId::to_string);
        return Err(corrupt(&format!(
            "the last turn of the run {run_id} is {} in the ledger and {} in the journal",
            told(last_turn.as_ref()),
            told(turns.last())
        )));
    }
    if turns.is_empty() {
        return Err(ReplayError::NoTurns {
            run: run_id.clone(),
        });
    }
    Ok(())
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
    let run = find_run(snapshot, run_id)?;
    let turns = snapshot.turns(run_id)?;
    let row = turns
        .iter()
        .find(|turn| turn.turn_id == turn_id)
        .ok_or_else(|| ReplayError::NoTurn {
            run: run_id.to_string(),
            turn: turn_id,
        })?;
    replay_row(snapshot, tools, &run, row)
}

pub(crate) fn find_run(snapshot: &dyn TurnSnapshot, run_id: &RunId) -> Result<RunRow, ReplayError> {
    snapshot.run(run_id)?.ok_or_else(|| ReplayError::NoRun {
        run: run_id.to_string(),
    })
}

/// Reads the record of a promoted turn and its result, and checks that they are what the journal says.
pub(crate) fn recorded_result(
    snapshot: &dyn TurnSnapshot,
    run_id: &RunId,
    row: &TurnRow,
) -> Result<(TurnRecord, TurnResult), ReplayError> {
    let record = snapshot.turn_record(&row.record_digest)?;
    let fault = |what: &str| corrupt(&format!("{} of the run {run_id}: {what}", row.turn_id));
    let result = record
        .result
        .clone()
        .ok_or_else(|| fault("the record of a promoted turn has no result"))?;
    if record.run_id != run_id.as_str() || record.turn_id != row.turn_id {
        return Err(fault("the record is of another turn"));
    }
    if result.structural_digest() != row.result_digest {
        return Err(fault("the record holds another result than the journal"));
    }
    Ok((record, result))
}

fn replay_row(
    snapshot: &dyn TurnSnapshot,
    tools: &Tools,
    run: &RunRow,
    row: &TurnRow,
) -> Result<Replayed, ReplayError> {
    let turn_id = row.turn_id;
    let (record, recorded) = recorded_result(snapshot, &run.run_id, row)?;
    let files_of = |state_digest| ReplayError::NotRetained {
        what: format!("the files from which {turn_id} imported the state {state_digest}"),
    };
    // The run of an import plays nothing, and that of a person neither.
    if let Cause::Import { state_digest, .. } = &record.cause {
        return Err(files_of(state_digest));
    }
    let reads = ReadSet::from_value(&record.reads)
        .ok_or_else(|| corrupt("the record does not say what the turn read"))?;
    let objects = load_objects(snapshot, &reads)?;
    let view = RecordedView::new(&reads, &objects);
    let play = || -> Result<Play, ReplayError> {
        canonical::from_value(run.envelope.host.clone())
            .map_err(|error| corrupt(&format!("the play of the run: {error}")))
    };
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
        Cause::Load => Ok(engine(proposal::load(&play()?, turn_id, &view)?)),
        Cause::Import { state_digest, .. } => return Err(files_of(state_digest)),
        Cause::GiveUp { reasons, created } => {
            let cards: Vec<CardId> = play()?.ids().into_iter().chain(created.clone()).collect();
            let card = record
                .card
                .as_ref()
                .ok_or_else(|| corrupt("the turn has no card"))?;
            Ok(engine(proposal::give_up(
                &cards, card, reasons, turn_id, &view,
            )?))
        }
        Cause::Operator { author, action } => {
            let Some(changes) = action.changes() else {
                let (play, answer) = operator::recorded(&run.envelope.host, &record)
                    .map_err(|what| corrupt(&what))?;
                let context = TurnContext {
                    envelope: &run.envelope,
                    handle: &handle,
                    play: &play,
                    tools,
                    turn_id,
                    card: record.card.as_ref(),
                    step: step(&play, &record)?,
                    role: &record.role,
                };
                let execution = judge_again(snapshot, &context, &record, &answer, &view)?;
                return Ok(replayed(row, record, &recorded, execution));
            };
            let documents = load_documents(snapshot, changes)?;
            match operator::execute(
                &run.envelope,
                &handle,
                author,
                action,
                &documents,
                turn_id,
                &view,
            ) {
                Ok(execution) => Ok(execution),
                Err(OperatorProposalError::Read(error)) => {
                    return Err(ProposalError::from(error).into());
                }
                Err(OperatorProposalError::Malformed(what)) => return Err(corrupt(&what)),
                Err(refusal @ OperatorProposalError::Transition { .. }) => Err(refusal.to_string()),
            }
        }
        Cause::Answer => {
            let play = play()?;
            let context = TurnContext {
                envelope: &run.envelope,
                handle: &handle,
                play: &play,
                tools,
                turn_id,
                card: Some(
                    record
                        .card
                        .as_ref()
                        .ok_or_else(|| corrupt("the turn has no card"))?,
                ),
                step: step(&play, &record)?,
                role: &record.role,
            };
            let answer = recorded_answer(snapshot, &record)?;
            judge_again(snapshot, &context, &record, &answer, &view)?
        }
    };
    Ok(replayed(row, record, &recorded, execution))
}

/// Compares what came out with what is recorded; an inner error says why the turn is refused now.
fn replayed(
    row: &TurnRow,
    record: TurnRecord,
    recorded: &TurnResult,
    execution: Result<TurnExecution, String>,
) -> Replayed {
    let (result, divergences) = match execution {
        Ok(execution) => {
            let divergences = compare_results(recorded, &execution.result);
            (Some(execution.result), divergences)
        }
        Err(refusals) => {
            let divergence = Divergence {
                turn_id: row.turn_id,
                stage: Stage::Policy,
                location: "/outcome".into(),
                recorded: recorded.outcome.to_string(),
                replayed: format!("refused: {refusals}"),
            };
            (None, vec![divergence])
        }
    };
    Replayed {
        recorded_digest: row.result_digest,
        replayed_digest: result.as_ref().map(TurnResult::structural_digest),
        issues: result.map(|result| result.issues).unwrap_or_default(),
        divergences,
        record,
    }
}

/// Reads the answer that was judged.
fn recorded_answer(
    snapshot: &dyn TurnSnapshot,
    record: &TurnRecord,
) -> Result<ModelAnswer, ReplayError> {
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
    canonical::parse(&bytes)
        .map_err(|error| corrupt(&error.to_string()))
        .and_then(|value: Value| {
            canonical::from_value(value).map_err(|error| corrupt(&error.to_string()))
        })
}

/// Judges the recorded answer again; the inner error says why it is refused now.
fn judge_again(
    snapshot: &dyn TurnSnapshot,
    context: &TurnContext<'_>,
    record: &TurnRecord,
    answer: &ModelAnswer,
    view: &dyn StateView,
) -> Result<Result<TurnExecution, String>, ReplayError> {
    let contents = command_contents(snapshot, record)?;
    let governed = govern(
        context,
        answer,
        Outcomes::fed(record.outcomes.clone(), contents),
        view,
    )?;
    let refusals: Vec<String> = governed
        .refusals
        .iter()
        .map(|(_, refusal)| refusal.message.clone())
        .collect();
    Ok(governed.execution.ok_or_else(|| refusals.join("; ")))
}

/// Returns what the commands of a turn wrote, as far as it is kept. The rest is known by its digest, which is enough unless a
/// later call of the turn looked into it.
fn command_contents(
    snapshot: &dyn TurnSnapshot,
    record: &TurnRecord,
) -> Result<BTreeMap<Digest, Payload>, ReplayError> {
    let mut contents = BTreeMap::new();
    for digest in record.command_contents() {
        let payload = snapshot.state().payload(&digest);
        if let Some(payload) = payload.map_err(|error| corrupt(&error.to_string()))? {
            contents.insert(digest, payload);
        }
    }
    Ok(contents)
}

fn step<'a>(play: &'a Play, record: &TurnRecord) -> Result<&'a StepAsset, ReplayError> {
    play.score
        .steps
        .iter()
        .find(|step| step.name == record.step)
        .ok_or_else(|| corrupt(&format!("the score has no step {}", record.step)))
}

/// Loads what a person set; the turn may have brought it, so that nothing was read of it.
fn load_documents(
    snapshot: &dyn TurnSnapshot,
    changes: &Changes,
) -> Result<operator::Documents, ReplayError> {
    let mut documents = BTreeMap::new();
    for digest in changes.objects() {
        documents.insert(digest, load_object(snapshot, &digest)?);
    }
    Ok(documents)
}

fn load_objects(
    snapshot: &dyn TurnSnapshot,
    reads: &ReadSet,
) -> Result<BTreeMap<Digest, Payload>, ReplayError> {
    let mut objects = BTreeMap::new();
    for digest in reads.objects() {
        objects.insert(digest, load_object(snapshot, &digest)?);
    }
    Ok(objects)
}

fn load_object(snapshot: &dyn TurnSnapshot, digest: &Digest) -> Result<Payload, ReplayError> {
    let payload = snapshot
        .state()
        .payload(digest)
        .map_err(|error| corrupt(&error.to_string()))?
        .ok_or_else(|| ReplayError::NotRetained {
            what: format!("the object {digest}"),
        })?;
    // A replay vouches for what it was given, whether or not it looks into it.
    payload
        .check()
        .map_err(|error| corrupt(&format!("the object {digest}: {error}")))?;
    Ok(payload)
}

pub(crate) fn corrupt(what: &str) -> ReplayError {
    ReplayError::Corrupt {
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(turns: &[u64], last_turn: Option<u64>) -> String {
        let turns: Vec<TurnId> = turns.iter().copied().filter_map(TurnId::new).collect();
        let last_turn = last_turn.and_then(TurnId::new);
        match check_sequence(&"r".parse().unwrap(), &turns, last_turn) {
            Ok(()) => "fine".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn turns_are_numbered_from_1_without_a_gap_up_to_the_last() {
        assert_eq!(check(&[1], Some(1)), "fine");
        assert_eq!(check(&[1, 2, 3], Some(3)), "fine");
        for (turns, last_turn, expected) in [
            (
                &[2, 3][..],
                Some(3),
                "turn-0002 stands where turn-0001 of the run r should come",
            ),
            (
                &[1, 2, 4],
                Some(4),
                "turn-0004 stands where turn-0003 of the run r should come",
            ),
            (
                &[1, 2],
                Some(3),
                "the last turn of the run r is turn-0003 in the ledger and turn-0002 in the journal",
            ),
            (
                &[],
                Some(1),
                "the last turn of the run r is turn-0001 in the ledger and none in the journal",
            ),
        ] {
            let expected = format!("E_LSI_CORRUPT_RECORD: {expected}");
            assert_eq!(check(turns, last_turn), expected);
        }
        assert_eq!(check(&[], None), "the run r has no promoted turn");
    }
}
