//! One attempt at a turn: prepare, execute, govern, persist.

use std::sync::Arc;

use orket_cards::{
    CallRecord, Card, CardId, Cause, Committed, ExchangePlace, ExchangeRecord, FailedAttempt,
    StoreFault, TURN_RECORD_VERSION, Tokens, TurnCommit, TurnRecord, TurnSnapshot,
};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{
    Digest, Layered, RecordingView, StateView, TurnExecution, TurnId, TurnInput, execute_turn,
    object, plan_promotion,
};
use orket_ports::model::{Delta, ModelAnswer, ModelRequest};
use orket_ports::workspace::OutputFile;
use orket_ports::{ModelError, Refusal};

use crate::agent::{self, Brief, PastTurn};
use crate::asset::StepAsset;
use crate::error::RunError;
use crate::govern::{Governed, TurnContext, govern, verifies};
use crate::narrative;
use crate::observation;
use crate::orchestrator::Session;
use crate::projection;
use crate::proposal::ProposalError;
use crate::scope::Outcomes;
use crate::verification::{Verified, verify};

/// The turn that is tried.
pub(crate) struct Place<'a> {
    pub(crate) turn_id: TurnId,
    pub(crate) attempt: u64,
    pub(crate) card: &'a Card,
    pub(crate) step: &'a StepAsset,
    pub(crate) role: &'a str,
    /// Why earlier attempts at the turn were refused.
    pub(crate) refused: &'a [String],
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptEnd {
    Promoted,
    Refused,
    /// Another run promoted meanwhile; the same attempt is computed again.
    Conflict,
}

/// What the exchanges of an attempt left behind.
#[derive(Default)]
struct Exchanges {
    records: Vec<ExchangeRecord>,
    evidence: Vec<Vec<u8>>,
    tokens: Tokens,
}

impl Session<'_> {
    /// Makes one attempt.
    pub(crate) fn attempt(
        &mut self,
        snapshot: &dyn TurnSnapshot,
        place: &Place<'_>,
    ) -> Result<AttemptEnd, RunError> {
        let verified = if verifies(place.role) {
            let stage = self.stage;
            Some(verify(
                &self.play,
                place.card,
                snapshot.state(),
                stage.workspace,
                stage.verifier,
            )?)
        } else {
            None
        };
        let known: Vec<Value> = verified
            .iter()
            .filter_map(Verified::evidence)
            .cloned()
            .collect();
        let board = snapshot.cards(Some(&self.play.epic.name))?;
        let history = self.history(snapshot, &place.card.id, place.role)?;
        let play = Arc::clone(&self.play);
        let envelope = Arc::clone(&self.envelope);
        let patch = self.patches.get(place.role).cloned();
        let mut brief = Brief {
            play: &play,
            tools: self.stage.tools,
            granted: envelope
                .policy
                .plan(place.role, &place.step.name)
                .into_iter()
                .collect(),
            step: place.step,
            role: place.role,
            card: place.card,
            board: &board,
            patch: patch.as_deref(),
            verified: verified.as_ref(),
            history: &history,
            refused: place.refused,
            corrective: None,
        };
        let handle = self.handle.clone();
        let context = TurnContext {
            envelope: &envelope,
            handle: &handle,
            play: &play,
            tools: self.stage.tools,
            turn_id: place.turn_id,
            card: &place.card.id,
            step: place.step,
            role: place.role,
        };
        let mut exchanges = Exchanges::default();
        let first = match self.exchange(place, 1, &agent::request(&brief), &mut exchanges)? {
            Ok(answer) => answer,
            Err(error) => return self.fail(place, exchanges, None, vec![error.to_string()]),
        };
        let mut governed = govern(
            &context,
            &first,
            Outcomes::live(known.clone()),
            snapshot.state(),
        )?;
        self.tell_verdicts(place, &first, &governed);
        let mut judged = first.clone();
        if governed.is_correctable() {
            let violations: Vec<Refusal> = governed
                .refusals
                .iter()
                .map(|(_, refusal)| refusal.clone())
                .collect();
            brief.corrective = Some((&first, &violations));
            let second = match self.exchange(place, 2, &agent::request(&brief), &mut exchanges)? {
                Ok(answer) => answer,
                Err(error) => return self.fail(place, exchanges, None, vec![error.to_string()]),
            };
            governed = govern(&context, &second, Outcomes::live(known), snapshot.state())?;
            self.tell_verdicts(place, &second, &governed);
            judged = second;
        }
        if !governed.passed() {
            let reasons = governed
                .refusals
                .iter()
                .map(|(_, refusal)| refusal.message.clone())
                .collect();
            return self.fail(place, exchanges, Some((&judged, governed)), reasons);
        }
        let Governed {
            calls,
            outcomes,
            execution,
            status,
            written,
            ..
        } = governed;
        let execution = execution.ok_or_else(|| bug("a turn passed without a verdict"))?;
        let mut record = self.record(place, &exchanges);
        record.judged = true;
        record.said = judged.content;
        record.calls = calls;
        record.outcomes = outcomes;
        let promoted = Promoted {
            from: place.card.status.to_string(),
            to: status.to_string(),
            written,
            evidence: exchanges.evidence,
        };
        self.promote(snapshot, record, execution, promoted)
    }

    /// Promotes a turn of the engine's own: loading the epic, or giving a card up.
    pub(crate) fn engine_turn(
        &mut self,
        snapshot: &dyn TurnSnapshot,
        turn_id: TurnId,
        card: Option<&Card>,
        cause: Cause,
        propose: &dyn Fn(&dyn StateView) -> Result<TurnInput, ProposalError>,
    ) -> Result<AttemptEnd, RunError> {
        let view = RecordingView::new(snapshot.state());
        let mut input = propose(&view)?;
        input.reads = view.reads();
        let execution = execute_turn(&self.envelope, &self.handle, &input, &view);
        if execution.staged.is_none() {
            let issues: Vec<String> = execution
                .result
                .issues
                .iter()
                .map(|issue| issue.message.clone())
                .collect();
            return Err(bug(&format!(
                "the engine's own turn was refused: {}",
                issues.join("; ")
            )));
        }
        let step = if cause == Cause::Load {
            "load"
        } else {
            "give_up"
        };
        let record = TurnRecord {
            card: card.map(|card| card.id.clone()),
            role: "engine".into(),
            step: step.into(),
            cause,
            ..self.blank_record(turn_id, 1)
        };
        let promoted = Promoted {
            from: card.map_or("-".into(), |card| card.status.to_string()),
            to: if card.is_some() {
                "blocked".into()
            } else {
                "-".into()
            },
            written: Vec::new(),
            evidence: Vec::new(),
        };
        self.promote(snapshot, record, execution, promoted)
    }

    fn promote(
        &mut self,
        snapshot: &dyn TurnSnapshot,
        mut record: TurnRecord,
        execution: TurnExecution,
        promoted: Promoted,
    ) -> Result<AttemptEnd, RunError> {
        let staged = execution
            .staged
            .ok_or_else(|| bug("a turn passed without effects"))?;
        let layer = std::slice::from_ref(&staged);
        let after = Layered::new(snapshot.state(), layer);
        let files: Vec<OutputFile> = promoted
            .written
            .iter()
            .map(|path| projection::output_file(&after, path))
            .collect::<Result<_, RunError>>()?;
        // What someone else wrote must be known before the turn is promoted, not after.
        projection::check_output(self.stage, snapshot.state(), &files)?;
        self.stage.store.stage_turn(&staged)?;
        let (plan, _) = plan_promotion(&staged, snapshot.state())?;
        record.reads = execution.reads.to_value();
        record.decisions = execution.decisions;
        record.result = Some(execution.result);
        let events = vec![
            self.narrator
                .turn_complete(&record, &promoted.from, &promoted.to, &promoted.written),
            self.narrator.step_end(&record, "promoted"),
        ];
        let commit = TurnCommit {
            base_generation: snapshot.generation(),
            fence: self.lease.fence(),
            plan,
            record,
            evidence: promoted.evidence,
            events,
        };
        let committed = match self.stage.store.commit(&commit) {
            Ok(committed) => committed,
            Err(StoreFault::Conflict { .. }) => return Ok(AttemptEnd::Conflict),
            Err(fault) => return Err(fault.into()),
        };
        self.project(snapshot, &commit, &files, &committed)?;
        for event in &committed.events {
            self.sink.emit(event);
        }
        Ok(AttemptEnd::Promoted)
    }

    /// Brings the projections up to a commit.
    fn project(
        &mut self,
        before: &dyn TurnSnapshot,
        commit: &TurnCommit,
        files: &[OutputFile],
        committed: &Committed,
    ) -> Result<(), RunError> {
        let lock = self.stage.store.lock_output()?;
        projection::append_log(self.stage.workspace, &committed.events)?;
        let load = |digest: &Digest| {
            let found = commit
                .evidence
                .iter()
                .find(|bytes| Digest::of_bytes(bytes) == *digest);
            Ok(found.cloned())
        };
        observation::write(self.stage.workspace, &commit.record, &load)?;
        self.stage
            .store
            .discard_staging(&commit.plan.run_id, commit.plan.turn_id)?;
        projection::apply_output(self.stage, before.state(), files, committed.generation)?;
        drop(lock);
        Ok(self.stage.store.project_view()?)
    }

    /// Keeps a failed attempt: its evidence is durable, the state does not move.
    fn fail(
        &mut self,
        place: &Place<'_>,
        exchanges: Exchanges,
        judged: Option<(&ModelAnswer, Governed)>,
        reasons: Vec<String>,
    ) -> Result<AttemptEnd, RunError> {
        let mut record = self.record(place, &exchanges);
        if let Some((answer, governed)) = judged {
            record.judged = true;
            record.said = answer.content.clone();
            record.calls = asked(answer);
            record.outcomes = governed.outcomes;
            record.decisions = governed.decisions;
            if let Some(execution) = governed.execution {
                record.reads = execution.reads.to_value();
                record.result = Some(execution.result);
            }
        }
        record.refusals = reasons;
        let events = vec![
            self.narrator.turn_failed(&record),
            self.narrator.step_end(&record, "refused"),
        ];
        let failed = FailedAttempt {
            fence: self.lease.fence(),
            record,
            evidence: exchanges.evidence,
            events,
        };
        let events = self.stage.store.keep_attempt(&failed)?;
        let _lock = self.stage.store.lock_output()?;
        projection::append_log(self.stage.workspace, &events)?;
        let load = |digest: &Digest| {
            let found = failed
                .evidence
                .iter()
                .find(|bytes| Digest::of_bytes(bytes) == *digest);
            Ok(found.cloned())
        };
        observation::write(self.stage.workspace, &failed.record, &load)?;
        for event in &events {
            self.sink.emit(event);
        }
        Ok(AttemptEnd::Refused)
    }

    /// Asks the model, or takes the staged answer to the very same request.
    ///
    /// The inner error is one that another attempt may get over; the outer one ends the command.
    fn exchange(
        &mut self,
        place: &Place<'_>,
        number: u64,
        request: &ModelRequest,
        exchanges: &mut Exchanges,
    ) -> Result<Result<ModelAnswer, ModelError>, RunError> {
        let request_bytes = canonical::serialize(request)?;
        let request_digest = Digest::of_bytes(&request_bytes);
        let staging = ExchangePlace {
            run_id: self.envelope.run_id.clone(),
            turn_id: place.turn_id,
            attempt: place.attempt,
            exchange: number,
        };
        let staged = self.stage.store.staged_exchange(&staging)?;
        let answer = match staged.and_then(|bytes| staged_answer(&bytes, &request_digest)) {
            Some(answer) => answer,
            None => {
                let asked = self.ask(place, number, request);
                let answer = match asked {
                    Ok(answer) => answer,
                    Err(error) if error.is_worth_retrying() => {
                        exchanges.evidence.push(request_bytes);
                        exchanges.records.push(ExchangeRecord {
                            request: request_digest,
                            answer: None,
                        });
                        return Ok(Err(error));
                    }
                    Err(source) => {
                        let venue = self.play.venue.name.clone();
                        return Err(RunError::Backend { venue, source });
                    }
                };
                let staged = object! {
                    "request_digest" => request_digest.to_hex(),
                    "answer" => canonical::to_value(&answer)?,
                };
                self.stage
                    .store
                    .stage_exchange(&staging, &canonical::to_bytes(&staged))?;
                answer
            }
        };
        let answer_bytes = canonical::serialize(&answer)?;
        exchanges.records.push(ExchangeRecord {
            request: request_digest,
            answer: Some(Digest::of_bytes(&answer_bytes)),
        });
        exchanges.evidence.push(request_bytes);
        exchanges.evidence.push(answer_bytes);
        exchanges.tokens.prompt += answer.prompt_tokens.unwrap_or(0);
        exchanges.tokens.completion += answer.completion_tokens.unwrap_or(0);
        Ok(Ok(answer))
    }

    fn ask(
        &mut self,
        place: &Place<'_>,
        number: u64,
        request: &ModelRequest,
    ) -> Result<ModelAnswer, ModelError> {
        let start = self.narrator.event(
            "model_start",
            object! {
                "turn" => place.turn_id.to_string(),
                "card" => place.card.id.as_str(),
                "role" => place.role,
                "step" => place.step.name.as_str(),
                "attempt" => place.attempt,
                "exchange" => number,
            },
        );
        self.sink.emit(&start);
        let narrator = &self.narrator;
        let sink = &mut *self.sink;
        let mut on_delta = |delta: Delta| {
            let (kind, text) = match delta {
                Delta::Content(text) => ("content", text),
                Delta::Thinking(text) => ("thinking", text),
                Delta::ToolCall(call) => ("tool_call", call.name),
            };
            let data = object! {
                "card" => place.card.id.as_str(),
                "role" => place.role,
                "kind" => kind,
                "text" => text,
            };
            sink.emit(&narrator.event("model_delta", data));
        };
        self.stage
            .provider
            .invoke(request, &mut on_delta, &self.stage.cancellation)
    }

    fn tell_verdicts(&mut self, place: &Place<'_>, answer: &ModelAnswer, governed: &Governed) {
        for (ordinal, call) in (0_u64..).zip(&answer.tool_calls) {
            let own = governed
                .refusals
                .iter()
                .find(|(at, _)| *at == Some(ordinal));
            let carried_out =
                (ordinal as usize) < governed.calls.len() && governed.refusals.is_empty();
            let verdict = match (own, carried_out) {
                (Some(_), _) => "refused",
                (None, true) => "allowed",
                (None, false) => "not carried out",
            };
            let data = object! {
                "turn" => place.turn_id.to_string(),
                "card" => place.card.id.as_str(),
                "role" => place.role,
                "tool" => call.name.as_str(),
                "target" => narrative::target(&call.name, &call.arguments),
                "verdict" => verdict,
                "reason" => own.map_or(Value::Null, |(_, refusal)| refusal.message.as_str().into()),
            };
            let event = self.narrator.event("tool_call", data);
            self.sink.emit(&event);
        }
        for (_, refusal) in governed.refusals.iter().filter(|(at, _)| at.is_none()) {
            let data = object! {
                "turn" => place.turn_id.to_string(),
                "card" => place.card.id.as_str(),
                "role" => place.role,
                "reason" => refusal.message.as_str(),
            };
            let event = self.narrator.event("answer_refused", data);
            self.sink.emit(&event);
        }
    }

    /// Returns the earlier turns of a role on a card, oldest first.
    fn history(
        &self,
        snapshot: &dyn TurnSnapshot,
        card: &CardId,
        role: &str,
    ) -> Result<Vec<PastTurn>, RunError> {
        let turns = snapshot.turns(&self.envelope.run_id)?;
        let own: Vec<_> = turns
            .iter()
            .filter(|turn| turn.card.as_ref() == Some(card) && turn.role == role)
            .collect();
        let skipped = own.len().saturating_sub(agent::HISTORY_TURNS_MAX);
        let mut history = Vec::new();
        for turn in &own[skipped..] {
            let record = snapshot.turn_record(&turn.record_digest)?;
            history.push(PastTurn {
                said: record.said,
                calls: record.calls,
            });
        }
        Ok(history)
    }

    fn record(&self, place: &Place<'_>, exchanges: &Exchanges) -> TurnRecord {
        TurnRecord {
            card: Some(place.card.id.clone()),
            role: place.role.to_owned(),
            step: place.step.name.clone(),
            cause: Cause::Answer,
            exchanges: exchanges.records.clone(),
            tokens: exchanges.tokens,
            ..self.blank_record(place.turn_id, place.attempt)
        }
    }

    fn blank_record(&self, turn_id: TurnId, attempt: u64) -> TurnRecord {
        TurnRecord {
            version: TURN_RECORD_VERSION.into(),
            run_id: self.envelope.run_id.to_string(),
            turn_id,
            attempt,
            card: None,
            role: String::new(),
            step: String::new(),
            cause: Cause::Load,
            exchanges: Vec::new(),
            judged: false,
            said: String::new(),
            calls: Vec::new(),
            decisions: Vec::new(),
            outcomes: Vec::new(),
            reads: Value::Null,
            result: None,
            refusals: Vec::new(),
            tokens: Tokens::default(),
            notes: object! {
                "venue" => self.play.venue.name.as_str(),
                "sandbox_tier" => self.stage.verifier.tier(),
            },
        }
    }
}

/// What a promotion needs beside record and execution.
struct Promoted {
    from: String,
    to: String,
    written: Vec<String>,
    evidence: Vec<Vec<u8>>,
}

/// Returns the staged answer if it is whole and answers this very request; a torn or foreign one is asked again.
fn staged_answer(bytes: &[u8], request: &Digest) -> Option<ModelAnswer> {
    let staged = canonical::parse(bytes).ok()?;
    let digest = staged.get("request_digest").and_then(Value::as_str)?;
    if digest != request.to_hex() {
        return None;
    }
    canonical::from_value(staged.get("answer")?.clone()).ok()
}

fn asked(answer: &ModelAnswer) -> Vec<CallRecord> {
    let calls = answer.tool_calls.iter();
    calls
        .map(|call| CallRecord {
            tool: call.name.clone(),
            arguments: call.arguments.clone(),
            result: Value::Null,
        })
        .collect()
}

pub(crate) fn bug(what: &str) -> RunError {
    RunError::Bug {
        what: what.to_owned(),
    }
}

impl From<ProposalError> for RunError {
    fn from(error: ProposalError) -> RunError {
        match error {
            ProposalError::Read(error) => error.into(),
            ProposalError::Asset(error) => error.into(),
            ProposalError::Name(error) => error.into(),
            ProposalError::Transition(error) => bug(&error.to_string()),
        }
    }
}
