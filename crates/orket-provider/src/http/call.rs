//! One HTTP call.

use std::io::Read;
use std::time::Duration;

use orket_kernel::canonical::{self, Value};
use orket_ports::model::{Cancellation, ModelError};
use orket_secrets::Secret;
use ureq::http::HeaderValue;
use ureq::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER,
};
use ureq::{Agent, BodyReader, Error};

use super::address::Address;
use super::connection::{Direct, NoLookup, Stop};
use crate::wire::failure;

/// How much of the body of a failure is read.
const FAILURE_BYTES: u64 = 64 * 1024;

/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;

/// How much of a small answer is read: the list of models, the facts of one.
const WHOLE_BYTES: u64 = 16 * 1024 * 1024;

/// How a call is made.
#[derive(Clone, Copy)]
pub(crate) enum Method<'b> {
    Get,
    Post(&'b [u8]),
}

/// What every part of a call knows.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) address: &'a Address,
    /// The time for all of it.
    pub(crate) timeout: Duration,
    pub(crate) cancellation: &'a Cancellation,
    /// What lets us in. It goes to the address and nowhere else, and into no error.
    pub(crate) key: Option<&'a Secret>,
    /// The media type that is asked for.
    pub(crate) accept: &'static str,
}

impl<'a> Call<'a> {
    /// Sends the request and waits for the head of the response.
    pub(crate) fn send(self, method: Method<'_>, path: &str) -> Result<Response<'a>, ModelError> {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .accept_encoding("identity")
            .user_agent(concat!("orket/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(self.timeout))
            .build();
        let connector = Direct {
            address: self.address.clone(),
            cancellation: self.cancellation.clone(),
        };
        let agent = Agent::with_parts(config, connector, NoLookup);
        let url = format!("{}{path}", self.address);
        let mut authorization = None;
        if let Some(key) = self.key {
            let value = HeaderValue::from_str(&format!("Bearer {}", key.expose()));
            let mut value = value.map_err(|_| ModelError::Unsendable {
                reason: "the key holds a character that a header cannot have".to_owned(),
            })?;
            value.set_sensitive(true);
            authorization = Some(value);
        }
        let sent = match method {
            Method::Get => {
                let mut request = agent.get(url).header(ACCEPT, self.accept);
                if let Some(value) = authorization {
                    request = request.header(AUTHORIZATION, value);
                }
                request.call()
            }
            Method::Post(body) => {
                let mut request = agent
                    .post(url)
                    .header(CONTENT_TYPE, "application/json")
                    .header(ACCEPT, self.accept);
                if let Some(value) = authorization {
                    request = request.header(AUTHORIZATION, value);
                }
                request.send(body)
            }
        };
        let response = sent.map_err(|error| self.error(error))?;
        let header = |name| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        if let Some(coding) = header(CONTENT_ENCODING).filter(|coding| coding != "identity") {
            return Err(ModelError::Protocol {
                reason: format!("the answer is encoded as {coding}, which was not asked for"),
            });
        }
        Ok(Response {
            call: self,
            status: response.status().as_u16(),
            location: header(LOCATION),
            retry_after_seconds: header(RETRY_AFTER).and_then(|value| value.trim().parse().ok()),
            body: response.into_body().into_reader(),
            buffer: vec![0; READ_BYTES],
        })
    }

    fn error(self, error: Error) -> ModelError {
        match error {
            _ if self.cancellation.is_cancelled() => ModelError::Cancelled,
            Error::Timeout(_) => ModelError::Timeout {
                seconds: self.timeout.as_secs_f64().ceil() as u64,
            },
            Error::Io(error) => ModelError::Truncated {
                reason: format!("the connection ended: {error}"),
            },
            Error::Other(stop) => match stop.downcast_ref::<Stop>() {
                Some(Stop::Cancelled) => ModelError::Cancelled,
                Some(Stop::Unreachable(reason)) => ModelError::Unreachable {
                    url: self.address.to_string(),
                    reason: reason.clone(),
                },
                None => ModelError::Protocol {
                    reason: stop.to_string(),
                },
            },
            other => ModelError::Protocol {
                reason: other.to_string(),
            },
        }
    }
}

/// A response whose body is still to be read.
pub(crate) struct Response<'a> {
    call: Call<'a>,
    status: u16,
    location: Option<String>,
    retry_after_seconds: Option<u64>,
    body: BodyReader<'static>,
    buffer: Vec<u8>,
}

impl Response<'_> {
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Waits for the next bytes; none are left if the slice is empty.
    pub(crate) fn read(&mut self) -> Result<&[u8], ModelError> {
        if self.call.cancellation.is_cancelled() {
            return Err(ModelError::Cancelled);
        }
        match self.body.read(&mut self.buffer) {
            Ok(amount) => Ok(&self.buffer[..amount]),
            Err(error) => Err(self.call.error(Error::from(error))),
        }
    }

    /// Returns the error that a status other than 200 means; half a message is better than none.
    pub(crate) fn failure(&mut self, model: &str) -> ModelError {
        let mut body = Vec::new();
        let read = (&mut self.body).take(FAILURE_BYTES).read_to_end(&mut body);
        if read.is_err() && self.call.cancellation.is_cancelled() {
            return ModelError::Cancelled;
        }
        match &self.location {
            Some(place) if (300..400).contains(&self.status) => ModelError::Server {
                status: self.status,
                reason: format!("it redirects to {place}, which is not followed"),
            },
            _ => match failure(self.status, &body, model) {
                ModelError::Overloaded { reason, .. } => ModelError::Overloaded {
                    reason,
                    retry_after_seconds: self.retry_after_seconds,
                },
                error => error,
            },
        }
    }

    /// Reads a small answer whole, as JSON.
    pub(crate) fn json(&mut self, model: &str) -> Result<Value, ModelError> {
        if self.status != 200 {
            return Err(self.failure(model));
        }
        let mut body = Vec::new();
        (&mut self.body)
            .take(WHOLE_BYTES + 1)
            .read_to_end(&mut body)
            .map_err(|error| self.call.error(Error::from(error)))?;
        if body.len() as u64 > WHOLE_BYTES {
            return Err(ModelError::TooLong {
                limit_bytes: WHOLE_BYTES,
            });
        }
        canonical::parse(&body).map_err(|error| ModelError::Protocol {
            reason: format!("the answer is not JSON: {error}"),
        })
    }
}
