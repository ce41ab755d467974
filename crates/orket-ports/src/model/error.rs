//! Why a model gave no whole answer, what that is called, and what helps.

use orket_kernel::Digest;

/// Says why a model gave no whole answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ModelError {
    /// Nothing answers at the address.
    #[error("no model server answers at {url}: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The server is busy or still loads.
    #[error("the model server has no room for the call now: {reason}")]
    Overloaded {
        /// What it said.
        reason: String,
        /// How long it asks to wait, in seconds.
        retry_after_seconds: Option<u64>,
    },
    /// The server does not have the model.
    #[error("the model server does not have the model {model}: {reason}")]
    ModelMissing {
        /// The model.
        model: String,
        /// What the server said.
        reason: String,
    },
    /// The model or its server cannot do what the request needs.
    #[error("the model {model} cannot do what is asked of it: {reason}")]
    CapabilityMissing {
        /// The model.
        model: String,
        /// What it cannot do, or what the server said.
        reason: String,
    },
    /// The model or its server has no window as large as the venue says.
    #[error("the window of {model} has {has_tokens} tokens, and the venue asks for {needs_tokens}")]
    WindowTooSmall {
        /// The model.
        model: String,
        /// The window there is, in tokens.
        has_tokens: u64,
        /// The window that is asked for, in tokens.
        needs_tokens: u64,
    },
    /// The model is not the one that the run began with.
    #[error(
        "the model {model} is not the one that the run began with: its {what} was {then} and is {now}"
    )]
    Changed {
        /// The model.
        model: String,
        /// Which of its facts changed.
        what: String,
        /// The fact as the run recorded it.
        then: String,
        /// The fact as it is.
        now: String,
    },
    /// The answer did not come in time.
    #[error("the model did not answer within {seconds} s")]
    Timeout {
        /// The deadline in seconds.
        seconds: u64,
    },
    /// The prompt does not fit the window; nothing may be cut from it.
    #[error("the prompt does not fit the context window: {reason}")]
    ContextOverflow {
        /// What the server said, or which counts disagree.
        reason: String,
    },
    /// The server counts fewer tokens than were sent: it has cut the prompt without a word.
    #[error("the model did not see the whole prompt: {reason}")]
    PromptCut {
        /// Which counts disagree.
        reason: String,
    },
    /// The answer ended before its end.
    #[error("the answer ended before its end: {reason}")]
    Truncated {
        /// How it ended.
        reason: String,
    },
    /// The answer is longer than allowed.
    #[error("the answer is longer than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: u64,
    },
    /// The server does not let us in.
    #[error("the model server refused the call with {status}: {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        reason: String,
    },
    /// The server failed, or did not take the request.
    #[error("the model server answered {status}: {reason}")]
    Server {
        /// The HTTP status; 200 if the error came inside the stream.
        status: u16,
        /// What it said.
        reason: String,
    },
    /// The server does not speak the protocol.
    #[error("the model server does not speak the protocol: {reason}")]
    Protocol {
        /// What was not understood.
        reason: String,
    },
    /// The request has no form that could be sent.
    #[error("the request cannot be sent: {reason}")]
    Unsendable {
        /// Why.
        reason: String,
    },
    /// The model would run outside this machine, which the venue does not allow.
    #[error("the model {model} would run on {host}, outside this machine")]
    NotLocal {
        /// The model.
        model: String,
        /// Where it would run.
        host: String,
    },
    /// There is no recording of the request.
    #[error("no recorded answer for the request {digest}: {difference}")]
    NotRecorded {
        /// The digest of the request.
        digest: Digest,
        /// The first difference from the nearest recording.
        difference: String,
    },
    /// A recording cannot be used.
    #[error("the recording {place} cannot be used: {reason}")]
    BadRecording {
        /// Its file.
        place: String,
        /// Why.
        reason: String,
    },
    /// The call was cancelled.
    #[error("the call was cancelled")]
    Cancelled,
}

/// What another call could change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClass {
    /// The same call may go well: it is repeated as another attempt at the turn.
    Again,
    /// The same call may go well after a pause: it is repeated within the time that a call may take.
    AfterPause,
    /// Nothing changes until a person does something.
    Person,
}

impl ModelError {
    /// Returns the name that programs know the error by; names never change their meaning. `docs/model-errors.md` lists them.
    ///
    /// ```
    /// use orket_ports::ModelError;
    ///
    /// assert_eq!(ModelError::Timeout { seconds: 60 }.code(), "E_MODEL_TIMEOUT");
    /// ```
    pub fn code(&self) -> &'static str {
        match self {
            ModelError::Unreachable { .. } => "E_MODEL_UNREACHABLE",
            ModelError::Overloaded { .. } => "E_MODEL_OVERLOADED",
            ModelError::ModelMissing { .. } => "E_MODEL_MISSING",
            ModelError::CapabilityMissing { .. } => "E_MODEL_CAPABILITY_MISSING",
            ModelError::WindowTooSmall { .. } => "E_MODEL_WINDOW_TOO_SMALL",
            ModelError::Changed { .. } => "E_MODEL_CHANGED",
            ModelError::Timeout { .. } => "E_MODEL_TIMEOUT",
            ModelError::ContextOverflow { .. } => "E_MODEL_CONTEXT_OVERFLOW",
            ModelError::PromptCut { .. } => "E_MODEL_PROMPT_CUT",
            ModelError::Truncated { .. } => "E_MODEL_ANSWER_TRUNCATED",
            ModelError::TooLong { .. } => "E_MODEL_ANSWER_TOO_LARGE",
            ModelError::Refused { .. } => "E_MODEL_REFUSED",
            ModelError::Server { .. } => "E_MODEL_SERVER",
            ModelError::Protocol { .. } => "E_MODEL_PROTOCOL",
            ModelError::Unsendable { .. } => "E_MODEL_UNSENDABLE",
            ModelError::NotLocal { .. } => "E_MODEL_NOT_LOCAL",
            ModelError::NotRecorded { .. } => "E_MODEL_NOT_RECORDED",
            ModelError::BadRecording { .. } => "E_MODEL_BAD_RECORDING",
            ModelError::Cancelled => "E_MODEL_CANCELLED",
        }
    }

    /// Tells what another call could change.
    pub fn retry_class(&self) -> RetryClass {
        match self {
            ModelError::Timeout { .. }
            | ModelError::Truncated { .. }
            | ModelError::TooLong { .. }
            | ModelError::Protocol { .. } => RetryClass::Again,
            ModelError::Server { status, .. } if *status >= 500 || *status == 200 => {
                RetryClass::Again
            }
            ModelError::Overloaded { .. } => RetryClass::AfterPause,
            // The same prompt is as long the next time.
            ModelError::ContextOverflow { .. } | ModelError::PromptCut { .. } => RetryClass::Person,
            ModelError::Unreachable { .. }
            | ModelError::ModelMissing { .. }
            | ModelError::CapabilityMissing { .. }
            | ModelError::WindowTooSmall { .. }
            | ModelError::Changed { .. }
            | ModelError::Refused { .. }
            | ModelError::Server { .. }
            | ModelError::Unsendable { .. }
            | ModelError::NotLocal { .. }
            | ModelError::NotRecorded { .. }
            | ModelError::BadRecording { .. }
            | ModelError::Cancelled => RetryClass::Person,
        }
    }

    /// Tells whether another attempt may go better without a person's help.
    pub fn is_worth_retrying(&self) -> bool {
        self.retry_class() == RetryClass::Again
    }

    /// Says what a person can do, and what to type.
    pub fn hint(&self) -> String {
        match self {
            ModelError::Unreachable { .. } => {
                "start it (`ollama serve`), set ORKET_OLLAMA_URL, or use --venue recorded; then run the same command again".into()
            }
            ModelError::Overloaded { .. } => {
                "nothing is lost; run the same command again when the server has room".into()
            }
            ModelError::ModelMissing { model, .. } => format!(
                "fetch it (`ollama pull {model}`) or name in the venue one that the server has, then run the same command again"
            ),
            ModelError::CapabilityMissing { .. } => {
                "name another model in the venue, or leave out what it cannot do, then run the same command again".into()
            }
            ModelError::WindowTooSmall { has_tokens, .. } => format!(
                "lower options.num_ctx in the venue to {has_tokens} or start the server with a larger window, then run the same command again"
            ),
            ModelError::Changed { .. } => {
                "bring the earlier model back, or go on with the new one: run the same command with --accept-model".into()
            }
            ModelError::ContextOverflow { .. } => {
                "raise options.num_ctx in the venue, then run the same command again".into()
            }
            ModelError::PromptCut { .. } => {
                "raise options.num_ctx in the venue or update the server, then run the same command again".into()
            }
            ModelError::Refused { .. } => {
                "put the key into .env under the name that the venue gives as api_key, then run the same command again".into()
            }
            ModelError::NotLocal { .. } => {
                "name a model in the venue that runs on this machine, then run the same command again".into()
            }
            ModelError::NotRecorded { .. } | ModelError::BadRecording { .. } => {
                "the prompt or the recordings changed; go on with a model server (--venue ollama)".into()
            }
            ModelError::Unsendable { .. } => {
                "correct the venue, then run the same command again".into()
            }
            ModelError::Server { .. }
            | ModelError::Timeout { .. }
            | ModelError::Truncated { .. }
            | ModelError::TooLong { .. }
            | ModelError::Protocol { .. }
            | ModelError::Cancelled => "nothing is lost; run the same command again".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of_each() -> Vec<ModelError> {
        let text = String::new;
        let (model, reason) = (text, text);
        vec![
            ModelError::Unreachable {
                url: text(),
                reason: reason(),
            },
            ModelError::Overloaded {
                reason: reason(),
                retry_after_seconds: None,
            },
            ModelError::ModelMissing {
                model: model(),
                reason: reason(),
            },
            ModelError::CapabilityMissing {
                model: model(),
                reason: reason(),
            },
            ModelError::WindowTooSmall {
                model: model(),
                has_tokens: 1,
                needs_tokens: 2,
            },
            ModelError::Changed {
                model: model(),
                what: text(),
                then: text(),
                now: text(),
            },
            ModelError::Timeout { seconds: 1 },
            ModelError::ContextOverflow { reason: reason() },
            ModelError::PromptCut { reason: reason() },
            ModelError::Truncated { reason: reason() },
            ModelError::TooLong { limit_bytes: 1 },
            ModelError::Refused {
                status: 401,
                reason: reason(),
            },
            ModelError::Server {
                status: 500,
                reason: reason(),
            },
            ModelError::Protocol { reason: reason() },
            ModelError::Unsendable { reason: reason() },
            ModelError::NotLocal {
                model: model(),
                host: text(),
            },
            ModelError::NotRecorded {
                digest: Digest::of_bytes(b""),
                difference: text(),
            },
            ModelError::BadRecording {
                place: text(),
                reason: reason(),
            },
            ModelError::Cancelled,
        ]
    }

    /// The page is what people read; it says of every error what the code does.
    #[test]
    fn the_page_lists_every_error_with_what_happens_next() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/model-errors.md");
        let page = std::fs::read_to_string(path).unwrap();
        let rows: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("| `E_"))
            .collect();
        let expected: Vec<(String, &str)> = one_of_each()
            .iter()
            .map(|error| {
                let next = match error.retry_class() {
                    RetryClass::Again => "again",
                    RetryClass::AfterPause => "after a pause",
                    RetryClass::Person => "person",
                };
                (format!("| `{}` |", error.code()), next)
            })
            .collect();
        assert_eq!(rows.len(), expected.len());
        for (row, (name, next)) in rows.iter().zip(expected) {
            assert!(row.starts_with(&name), "{name}: {row}");
            assert!(row.ends_with(&format!("| {next} |")), "{next}: {row}");
        }
    }

    #[test]
    fn a_fault_of_the_server_may_pass_and_a_refused_request_does_not() {
        let class = |status| {
            let reason = String::new();
            ModelError::Server { status, reason }.retry_class()
        };
        assert_eq!([200, 500, 502].map(class), [RetryClass::Again; 3]);
        assert_eq!([307, 400, 404].map(class), [RetryClass::Person; 3]);
    }
}
