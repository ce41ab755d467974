//! One recorded exchange.

use orket_kernel::Digest;
use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::model::{ModelError, ModelRequest};

use crate::wire::UnsendableRequest;
use crate::wire::ollama as wire;

/// The version of the file format.
pub const VERSION: &str = "orket_cassette/v1";

/// One recorded exchange; its file is one JSON object.
///
/// ```json
/// {"request":{…the body of POST /api/chat…},"request_digest":"<64 hex>",
///  "response":{"lines":["<a line of the answer>",…],"status":200},"version":"orket_cassette/v1"}
/// ```
///
/// `request_digest` is the digest of the canonical text of `request` and is what the exchange is found by; the name
/// of the file is only for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cassette {
    digest: Digest,
    request: Value,
    response: RecordedResponse,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body, split at every line feed.
    pub lines: Vec<String>,
}

impl RecordedResponse {
    /// Splits a body into lines, unless it is not UTF-8.
    ///
    /// ```
    /// use orket_provider::RecordedResponse;
    ///
    /// let response = RecordedResponse::from_body(200, b"{}\r\n{}\n").unwrap();
    /// assert_eq!(response.lines, ["{}\r", "{}", ""]);
    /// ```
    pub fn from_body(status: u16, body: &[u8]) -> Option<RecordedResponse> {
        let text = std::str::from_utf8(body).ok()?;
        Some(RecordedResponse {
            status,
            lines: text.split('\n').map(str::to_owned).collect(),
        })
    }
}

/// The file as it stands.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(rename = "version")]
    _version: String,
    request: Value,
    request_digest: Digest,
    response: RecordedResponse,
}

impl Cassette {
    /// Records what a server answered to a request.
    ///
    /// # Errors
    /// Fails if the request has no wire form.
    pub fn record(
        request: &ModelRequest,
        response: RecordedResponse,
    ) -> Result<Cassette, UnsendableRequest> {
        Ok(Cassette::of_body(wire::body(request)?, response))
    }

    /// Records what a server answered to the body of a request.
    pub fn of_body(request: Value, response: RecordedResponse) -> Cassette {
        Cassette {
            digest: canonical::digest(&request),
            request,
            response,
        }
    }

    /// Reads a file; `place` is what an error names it by.
    ///
    /// # Errors
    /// Fails with [`ModelError::BadRecording`] unless the file has exactly the members of this version and its digest
    /// is that of its request.
    pub fn read(place: &str, bytes: &[u8]) -> Result<Cassette, ModelError> {
        let bad = |reason: String| ModelError::BadRecording {
            place: place.to_owned(),
            reason,
        };
        let value = canonical::parse(bytes).map_err(|error| bad(error.to_string()))?;
        // Before the members, so that a later version is named as such.
        match value.get("version").and_then(Value::as_str) {
            Some(VERSION) => {}
            Some(version) => {
                return Err(bad(format!("its version is {version:?}, not {VERSION:?}")));
            }
            None => return Err(bad("it has no version".to_owned())),
        }
        let stored: Stored =
            canonical::from_value(value).map_err(|error| bad(error.to_string()))?;
        let cassette = Cassette::of_body(stored.request, stored.response);
        if cassette.digest != stored.request_digest {
            return Err(bad(format!(
                "it says that the digest of its request is {}, but it is {}",
                stored.request_digest, cassette.digest
            )));
        }
        Ok(cassette)
    }

    /// Returns the digest of the request.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the body of the request.
    pub fn request(&self) -> &Value {
        &self.request
    }

    /// Returns what the server answered.
    pub fn response(&self) -> &RecordedResponse {
        &self.response
    }

    /// Returns the name that a recorder gives the file: the first 16 characters of the digest and `.json`.
    pub fn file_name(&self) -> String {
        format!("{}.json", &self.digest.to_hex()[..16])
    }

    /// Returns the bytes of the file: the canonical text and a newline.
    pub fn to_bytes(&self) -> Vec<u8> {
        let lines: Vec<Value> = self
            .response
            .lines
            .iter()
            .map(|line| line.as_str().into())
            .collect();
        let mut bytes = canonical::to_bytes(&object! {
            "version" => VERSION,
            "request" => self.request.clone(),
            "request_digest" => self.digest.to_hex(),
            "response" => object! {
                "status" => u32::from(self.response.status),
                "lines" => lines,
            },
        });
        bytes.push(b'\n');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cassette() -> Cassette {
        let response = RecordedResponse::from_body(200, b"{\"done\":true}\n").unwrap();
        Cassette::of_body(object! { "model" => "m" }, response)
    }

    #[test]
    fn the_file_of_version_1() {
        let text = r#"{"request":{"model":"m"},"request_digest":"548f58d1c36c715b44f0863472074a97c448d5b8d18164b92adf55592b127f86","response":{"lines":["{\"done\":true}",""],"status":200},"version":"orket_cassette/v1"}"#;
        assert_eq!(
            String::from_utf8(cassette().to_bytes()).unwrap(),
            format!("{text}\n")
        );
        assert_eq!(Cassette::read("x", text.as_bytes()).unwrap(), cassette());
        assert_eq!(cassette().file_name(), "548f58d1c36c715b.json");
    }

    #[test]
    fn a_file_that_is_not_what_it_says_is_refused() {
        let good = String::from_utf8(cassette().to_bytes()).unwrap();
        let cases = [
            ("", "the text ends where a value should come"),
            ("{}", "it has no version"),
            (
                &good.replace("/v1", "/v2"),
                r#"its version is "orket_cassette/v2", not "orket_cassette/v1""#,
            ),
            (
                &good.replace(r#""model":"m""#, r#""model":"n""#),
                "it says that the digest of its request is",
            ),
            (
                &good.replace(r#""status":200"#, r#""status":200,"extra":1"#),
                "unknown field `extra`",
            ),
            (
                &good.replace(r#""status":200"#, r#""status":70000"#),
                "70000",
            ),
            (
                &good.replace(r#","status":200"#, ""),
                "missing field `status`",
            ),
        ];
        for (text, expected) in cases {
            let error = Cassette::read("a.json", text.as_bytes()).unwrap_err();
            let shown = error.to_string();
            assert!(
                shown.starts_with("the recording a.json cannot be used: ")
                    && shown.contains(expected),
                "{shown}"
            );
        }
    }
}
