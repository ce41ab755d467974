//! One exchange with the model: asked once, written down before anything judges it.

use std::sync::Arc;

use orket_cards::{ExchangePlace, ExchangeRecord, Tokens};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, object};
use orket_ports::ModelError;
use orket_ports::model::{ModelAnswer, ModelFacts, ModelRequest};

use crate::attempt::Place;
use crate::deltas::Deltas;
use crate::error::RunError;
use crate::orchestrator::Session;
use crate::scrub;

/// What the exchanges of an attempt left behind.
#[derive(Default)]
pub(crate) struct Exchanges {
    pub(crate) records: Vec<ExchangeRecord>,
    pub(crate) evidence: Vec<Vec<u8>>,
    pub(crate) tokens: Tokens,
    /// What was known of the model that was asked last.
    pub(crate) model: ModelFacts,
}

impl Exchanges {
    /// Counts what an exchange cost; what the server does not count is estimated.
    fn count(&mut self, request: &ModelRequest, answer: &ModelAnswer) {
        let mut tokens = Tokens {
            cached: answer.cached_tokens.unwrap_or(0),
            ..Tokens::default()
        };
        let mut known = |counted: Option<u64>, estimate: u64| match counted {
            Some(counted) => counted,
            None => {
                tokens.estimated += estimate;
                estimate
            }
        };
        let prompt = known(answer.prompt_tokens, request.estimated_prompt_tokens());
        let completion = known(answer.completion_tokens, answer.estimated_tokens());
        tokens.prompt = prompt;
        tokens.completion = completion;
        self.tokens.add(tokens);
    }
}

impl Session<'_> {
    /// Asks the model, or takes the staged answer to the very same request. Request, answer and error lose their secrets
    /// before anything else is done with them.
    ///
    /// The inner error is one that another attempt may get over; the outer one ends the command.
    pub(crate) fn exchange(
        &mut self,
        place: &Place<'_>,
        number: u64,
        request: ModelRequest,
        exchanges: &mut Exchanges,
    ) -> Result<Result<ModelAnswer, ModelError>, RunError> {
        let scrubber = Arc::clone(&self.stage.scrubber);
        let request = scrub::request(&scrubber, request);
        let request_bytes = canonical::serialize(&request)?;
        let request_digest = Digest::of_bytes(&request_bytes);
        let staging = ExchangePlace {
            run_id: self.envelope.run_id.clone(),
            turn_id: place.turn_id,
            attempt: place.attempt,
            exchange: number,
        };
        let staged = self.stage.store.staged_exchange(&staging)?;
        let answer = match staged.and_then(|bytes| staged_answer(&bytes, &request_digest)) {
            // A secret may have become known since.
            Some((answer, facts)) => {
                exchanges.model = facts;
                scrub::answer(&scrubber, answer)
            }
            None => {
                let asked = self.look(&request).and_then(|facts| {
                    exchanges.model = facts;
                    self.ask(place, number, &request)
                });
                let answer = match asked.map_err(|error| scrub::error(&scrubber, error)) {
                    Ok(answer) => scrub::answer(&scrubber, answer),
                    Err(error) if error.is_worth_retrying() => {
                        exchanges.evidence.push(request_bytes);
                        exchanges.records.push(ExchangeRecord {
                            request: request_digest,
                            answer: None,
                            decisions: Vec::new(),
                        });
                        return Ok(Err(error));
                    }
                    Err(source) => {
                        let venue = self.play.venue.name.clone();
                        return Err(RunError::Backend { venue, source });
                    }
                };
                let staged_answer = canonical::to_value(&answer)?;
                let staged = object! {
                    "request_digest" => request_digest.to_hex(),
                    "answer_digest" => canonical::digest(&staged_answer).to_hex(),
                    "answer" => staged_answer,
                    "model" => canonical::to_value(&exchanges.model)?,
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
            decisions: Vec::new(),
        });
        exchanges.evidence.push(request_bytes);
        exchanges.evidence.push(answer_bytes);
        exchanges.count(&request, &answer);
        Ok(Ok(answer))
    }

    /// Looks at the model before it is asked, and refuses one that is not the one that the run began with.
    fn look(&mut self, request: &ModelRequest) -> Result<ModelFacts, ModelError> {
        let stage = self.stage;
        let facts = stage.provider.preflight(request, &stage.cancellation)?;
        self.voice.check(&request.model, &facts)?;
        Ok(facts)
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
        let mut show = |kind: &str, text: String| {
            let data = object! {
                "card" => place.card.id.as_str(),
                "role" => place.role,
                "kind" => kind,
                "text" => text,
            };
            sink.emit(&narrator.event("model_delta", data));
        };
        let mut deltas = Deltas::new(&self.stage.scrubber);
        let mut on_delta = |delta| deltas.push(delta, &mut show);
        let stage = self.stage;
        let asked = stage
            .provider
            .invoke(request, &mut on_delta, &stage.cancellation);
        deltas.finish(&mut show);
        asked
    }
}

/// Returns the staged answer, with what was known of the model, if it is whole, as it was staged and answers this very request; a torn, damaged or foreign one
/// is asked again.
fn staged_answer(bytes: &[u8], request: &Digest) -> Option<(ModelAnswer, ModelFacts)> {
    let staged = canonical::parse(bytes).ok()?;
    let answer = staged.get("answer")?;
    for (name, digest) in [
        ("request_digest", *request),
        ("answer_digest", canonical::digest(answer)),
    ] {
        if staged.get(name).and_then(Value::as_str)? != digest.to_hex() {
            return None;
        }
    }
    let answer = canonical::from_value(answer.clone()).ok()?;
    let facts = match staged.get("model") {
        Some(facts) => canonical::from_value(facts.clone()).ok()?,
        None => ModelFacts::default(),
    };
    Some((answer, facts))
}
