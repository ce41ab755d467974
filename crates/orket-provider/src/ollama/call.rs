//! One HTTP call.

use std::io::Read;
use std::time::Duration;

use orket_ports::model::{Cancellation, ModelError};
use ureq::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use ureq::{Agent, BodyReader, Error};

use super::address::Address;
use super::connection::{Direct, NoLookup, Stop};

/// How much of the body of a failure is read.
const FAILURE_BYTES: u64 = 64 * 1024;

/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;

/// What every part of a call knows.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) address: &'a Address,
    pub(super) timeout: Duration,
    pub(super) cancellation: &'a Cancellation,
}

impl<'a> Call<'a> {
    /// Sends the body and waits for the head of the response.
    pub(super) fn post(self, path: &str, body: &[u8]) -> Result<Response<'a>, ModelError> {
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
        let response = Agent::with_parts(config, connector, NoLookup)
            .post(format!("{}{path}", self.address))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/x-ndjson")
            .send(body)
            .map_err(|error| self.error(error))?;
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
pub(super) struct Response<'a> {
    call: Call<'a>,
    status: u16,
    location: Option<String>,
    body: BodyReader<'static>,
    buffer: Vec<u8>,
}

impl Response<'_> {
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// Returns where a redirect points.
    pub(super) fn location(&self) -> Option<&str> {
        self.location
            .as_deref()
            .filter(|_| (300..400).contains(&self.status))
    }

    /// Waits for the next bytes; none are left if the slice is empty.
    pub(super) fn read(&mut self) -> Result<&[u8], ModelError> {
        if self.call.cancellation.is_cancelled() {
            return Err(ModelError::Cancelled);
        }
        match self.body.read(&mut self.buffer) {
            Ok(amount) => Ok(&self.buffer[..amount]),
            Err(error) => Err(self.call.error(Error::from(error))),
        }
    }

    /// Returns the beginning of the body as far as it can be read: half a message is better than none.
    pub(super) fn read_failure(&mut self) -> Result<Vec<u8>, ModelError> {
        let mut body = Vec::new();
        match (&mut self.body).take(FAILURE_BYTES).read_to_end(&mut body) {
            Err(_) if self.call.cancellation.is_cancelled() => Err(ModelError::Cancelled),
            _ => Ok(body),
        }
    }
}
