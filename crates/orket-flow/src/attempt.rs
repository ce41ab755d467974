//! One attempt at a turn: prepare, execute, govern, persist.

use std::collections::BTreeSet;
use std::sync::Arc;

use orket_cards::{
    CallRecord, Card, CardId, Cause, FailedAttempt, TURN_RECORD_VERSION, Tokens, TurnRecord,
    TurnSnapshot,
};
use orket_kernel::canonical::Value;
use orket_kernel::capability::resolve_capability;
use orket_kernel::{Digest, RunId, TurnId, object};
use orket_ports::Refusal;
use orket_ports::model::ModelAnswer;

use crate::agent::{self, Brief, PastTurn};
use crate::asset::StepAsset;
use crate::error::{RunError, bug};
use crate::exchange::Exchanges;
use crate::govern::{Governed, TurnContext, govern, verifies};
use crate::narrative;
use crate::observation;
use crate::orchestrator::Session;
use crate::outcomes::Outcomes;
use crate::projection;
use crate::promote::Promoted;
use crate::verification::{Verified, verify};
use crate::voice;

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

/// What confined what a turn ran, in words. It is noted and part of no digest: another machine may have another sandbox.
#[derive(Default)]
pub(crate) struct Confined {
    pub(crate) checks: BTreeSet<String>,
    pub(crate) commands: BTreeSet<String>,
}

impl Confined {
    pub(crate) fn add_to(&self, notes: Value) -> Value {
        let mut notes = notes.as_object().cloned().unwrap_or_default();
        for (name, tiers) in [
            ("checks_confined", &self.checks),
            ("commands_confined", &self.commands),
        ] {
            if !tiers.is_empty() {
                let tiers: Vec<Value> = tiers.iter().map(|tier| tier.as_str().into()).collect();
                notes.insert(name.to_owned(), tiers.into());
            }
        }
        Value::Object(notes)
    }
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
                &stage.scrubber,
            )?)
        } else {
            None
        };
        if let Some(verified) = &verified {
            let told = self.narrator.verification(place.card, verified);
            self.sink.emit(&told);
        }
        let mut confined = Confined {
            checks: verified.iter().flat_map(Verified::tiers).collect(),
            commands: BTreeSet::new(),
        };
        let known: Vec<Value> = verified
            .iter()
            .filter_map(Verified::evidence)
            .cloned()
            .collect();
        let board = snapshot.cards(Some(&self.play.epic.name))?;
        let run_id = &self.envelope.run_id;
        let history = history(snapshot, run_id, &place.card.id, place.role)?;
        let play = Arc::clone(&self.play);
        let envelope = Arc::clone(&self.envelope);
        let patch = self.patches.get(place.role).cloned();
        let mut brief = Brief {
            play: &play,
            tools: self.stage.tools,
            granted: resolve_capability(&envelope.policy, place.role, &place.step.name)
                .tools
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
            card: Some(&place.card.id),
            step: place.step,
            role: place.role,
        };
        let mut exchanges = Exchanges::default();
        let first = match self.exchange(place, 1, agent::request(&brief), &mut exchanges)? {
            Ok(answer) => answer,
            Err(error) => {
                return self.fail(
                    place,
                    exchanges,
                    &confined,
                    None,
                    vec![format!("{}: {error}", error.code())],
                );
            }
        };
        let mut governed = govern(
            &context,
            &first,
            Outcomes::live(known.clone(), Arc::clone(&self.stage.scrubber)),
            snapshot.state(),
        )?;
        self.tell_verdicts(place, &first, &governed);
        let mut judged = first.clone();
        if governed.is_correctable() {
            // Every decision is logged, that about an answer which is put right as well (Law 8).
            if let Some(superseded) = exchanges.records.last_mut() {
                superseded.decisions.clone_from(&governed.decisions);
            }
            let violations: Vec<Refusal> = governed
                .refusals
                .iter()
                .map(|(_, refusal)| refusal.clone())
                .collect();
            brief.corrective = Some((&first, &violations));
            let second = match self.exchange(place, 2, agent::request(&brief), &mut exchanges)? {
                Ok(answer) => answer,
                Err(error) => {
                    return self.fail(
                        place,
                        exchanges,
                        &confined,
                        None,
                        vec![format!("{}: {error}", error.code())],
                    );
                }
            };
            let outcomes = Outcomes::live(known, Arc::clone(&self.stage.scrubber));
            governed = govern(&context, &second, outcomes, snapshot.state())?;
            self.tell_verdicts(place, &second, &governed);
            judged = second;
        }
        if !governed.passed() {
            let reasons = governed
                .refusals
                .iter()
                .map(|(_, refusal)| refusal.message.clone())
                .collect();
            confined.commands.clone_from(&governed.command_tiers);
            return self.fail(
                place,
                exchanges,
                &confined,
                Some((&judged, governed)),
                reasons,
            );
        }
        let Governed {
            calls,
            outcomes,
            execution,
            status,
            written,
            command_tiers,
            ..
        } = governed;
        confined.commands = command_tiers;
        let execution = execution.ok_or_else(|| bug("a turn passed without a verdict"))?;
        let mut record = self.record(place, &exchanges, &confined)?;
        record.judged = true;
        record.said = judged.content;
        record.calls = calls;
        record.outcomes = outcomes;
        let promoted = Promoted {
            from: place.card.status.to_string(),
            to: status.map_or_else(|| "-".into(), |status| status.to_string()),
            written,
            evidence: exchanges.evidence,
        };
        self.promote(snapshot, record, execution, promoted)
    }

    /// Keeps a failed attempt: its evidence is durable, the state does not move.
    fn fail(
        &mut self,
        place: &Place<'_>,
        exchanges: Exchanges,
        confined: &Confined,
        judged: Option<(&ModelAnswer, Governed)>,
        reasons: Vec<String>,
    ) -> Result<AttemptEnd, RunError> {
        let mut record = self.record(place, &exchanges, confined)?;
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

    fn tell_verdicts(&mut self, place: &Place<'_>, answer: &ModelAnswer, governed: &Governed) {
        for (ordinal, call) in (0_u64..).zip(&answer.tool_calls) {
            let refusals = governed.refusals.iter();
            let refused = refusals.filter_map(|(at, refusal)| Some(((*at)?, refusal)));
            let skipped = governed.skipped.iter().map(|(at, refusal)| (*at, refusal));
            let own = refused
                .chain(skipped)
                .find(|(at, _)| *at == ordinal)
                .map(|(_, refusal)| refusal);
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
                "reason" => own.map_or(Value::Null, |refusal| refusal.message.as_str().into()),
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

    fn record(
        &self,
        place: &Place<'_>,
        exchanges: &Exchanges,
        confined: &Confined,
    ) -> Result<TurnRecord, RunError> {
        let mut blank = self.blank_record(place.turn_id, place.attempt);
        if let Value::Object(notes) = &mut blank.notes {
            notes.extend([voice::note(&self.play.venue, &exchanges.model)?]);
        }
        Ok(TurnRecord {
            notes: confined.add_to(blank.notes.clone()),
            card: Some(place.card.id.clone()),
            role: place.role.to_owned(),
            step: place.step.name.clone(),
            cause: Cause::Answer,
            exchanges: exchanges.records.clone(),
            tokens: exchanges.tokens,
            ..blank
        })
    }

    pub(crate) fn blank_record(&self, turn_id: TurnId, attempt: u64) -> TurnRecord {
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

/// Returns the earlier turns of a role on a card, oldest first.
pub(crate) fn history(
    snapshot: &dyn TurnSnapshot,
    run_id: &RunId,
    card: &CardId,
    role: &str,
) -> Result<Vec<PastTurn>, RunError> {
    let turns = snapshot.turns(run_id)?;
    let own: Vec<_> = turns
        .iter()
        .filter(|turn| turn.card.as_ref() == Some(card) && turn.role == role)
        .collect();
    let skipped = own.len().saturating_sub(agent::HISTORY_TURNS_MAX);
    let mut history = Vec::new();
    for turn in own.iter().skip(skipped) {
        let record = snapshot.turn_record(&turn.record_digest)?;
        history.push(PastTurn {
            said: record.said,
            calls: record.calls,
        });
    }
    Ok(history)
}

pub(crate) fn asked(answer: &ModelAnswer) -> Vec<CallRecord> {
    let calls = answer.tool_calls.iter();
    calls
        .map(|call| CallRecord {
            tool: call.name.clone(),
            arguments: call.arguments.clone(),
            result: Value::Null,
        })
        .collect()
}
