//! The provider that answers from recordings.

mod cassette;
mod difference;

use std::collections::BTreeMap;
use std::path::Path;

use orket_kernel::Digest;
use orket_kernel::canonical::{self, Value};
use orket_ports::model::{
    Cancellation, Delta, ModelAnswer, ModelError, ModelProvider, ModelRequest,
};

pub use cassette::{Cassette, RecordedResponse, VERSION};

use crate::wire::ANSWER_LIMIT_BYTES;
use crate::wire::ollama::{self as wire, Assembler};
use difference::first_difference;

/// Answers requests from recordings; it cannot open a connection.
///
/// A recording is found by the digest of the request's body, so a request that differs in a single character is not
/// recorded; the error then says where it differs from the nearest recording. What was recorded goes through the same
/// reader as an answer of a live server: a recorded failure fails in the same way.
///
/// ```
/// use orket_ports::ModelProvider;
/// use orket_ports::model::{Cancellation, Message, ModelOptions, ModelRequest, Speaker};
/// use orket_provider::{Cassette, Recorded, RecordedResponse};
///
/// let mut request = ModelRequest {
///     model: "qwen3:4b".to_owned(),
///     messages: vec![Message::text(Speaker::User, "Hello")],
///     tools: vec![],
///     options: ModelOptions { seed: 7, num_ctx: 8192, ..ModelOptions::default() },
///     format: None,
/// };
/// let line = r#"{"message":{"role":"assistant","content":"Hi"},"done":true,"done_reason":"stop"}"#;
/// let response = RecordedResponse { status: 200, lines: vec![line.to_owned()] };
/// let cassette = Cassette::record(&request, response)?;
///
/// let provider = Recorded::from_files([(cassette.file_name(), cassette.to_bytes())])?;
/// let answer = provider.invoke(&request, &mut |_delta| {}, &Cancellation::new())?;
/// assert_eq!(answer.content, "Hi");
///
/// request.messages[0].content.push('!');
/// let missing = provider.invoke(&request, &mut |_delta| {}, &Cancellation::new()).unwrap_err();
/// assert!(missing.to_string().ends_with(
///     r#"at "/messages/0/content" the recording 07fe8733305afde6.json has "Hello" and the request has "Hello!""#
/// ), "{missing}");
/// # Ok::<(), orket_ports::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recorded {
    by_digest: BTreeMap<Digest, Recording>,
    limit_bytes: u64,
}

/// A cassette and where it came from.
#[derive(Clone, Debug)]
struct Recording {
    place: String,
    cassette: Cassette,
}

impl Recorded {
    /// Reads every file of the directory `dir` whose name ends with `.json`; directories inside it are not entered.
    ///
    /// # Errors
    /// Fails if the directory or one of these files cannot be read, and as [`Recorded::from_files`].
    pub fn open(dir: &Path) -> Result<Recorded, ModelError> {
        let unreadable = |place: &Path, error: std::io::Error| ModelError::BadRecording {
            place: place.display().to_string(),
            reason: error.to_string(),
        };
        let mut files = Vec::new();
        for entry in dir.read_dir().map_err(|error| unreadable(dir, error))? {
            let path = entry.map_err(|error| unreadable(dir, error))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
                && !path.is_dir()
            {
                let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
                // A name within the project says enough, and is the same on every machine.
                let name = entry_name(dir, &path);
                files.push((name, bytes));
            }
        }
        // The order of a directory is drawn at random; which of two bad files is named should not be.
        files.sort();
        Recorded::from_files(files)
    }

    /// Takes recordings as file names and bytes.
    ///
    /// # Errors
    /// Fails on a file that is no cassette, whose digest is not that of its request, or that answers the request of
    /// an earlier file differently.
    pub fn from_files(
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<Recorded, ModelError> {
        let mut by_digest = BTreeMap::<Digest, Recording>::new();
        for (place, bytes) in files {
            let cassette = Cassette::read(&place, &bytes)?;
            match by_digest.get(&cassette.digest()) {
                None => {
                    by_digest.insert(cassette.digest(), Recording { place, cassette });
                }
                Some(earlier) if earlier.cassette == cassette => {}
                Some(earlier) => {
                    return Err(ModelError::BadRecording {
                        reason: format!("{} answers the same request differently", earlier.place),
                        place,
                    });
                }
            }
        }
        Ok(Recorded {
            by_digest,
            limit_bytes: ANSWER_LIMIT_BYTES,
        })
    }

    /// Returns the provider with another limit on the length of an answer.
    #[must_use]
    pub fn with_answer_limit(mut self, limit_bytes: u64) -> Recorded {
        self.limit_bytes = limit_bytes;
        self
    }

    /// Returns how many requests are recorded.
    pub fn len(&self) -> usize {
        self.by_digest.len()
    }

    /// Tells whether no request is recorded.
    pub fn is_empty(&self) -> bool {
        self.by_digest.is_empty()
    }

    fn find(&self, body: &Value) -> Result<&Cassette, ModelError> {
        let digest = canonical::digest(body);
        match self.by_digest.get(&digest) {
            Some(recording) => Ok(&recording.cassette),
            None => Err(ModelError::NotRecorded {
                digest,
                difference: self.difference(body),
            }),
        }
    }

    /// Says in words where a request differs from the recording that shares most messages with it.
    ///
    /// Of several the one whose file name comes first is taken.
    fn difference(&self, body: &Value) -> String {
        let key = |recording: &&Recording| {
            let closeness = closeness(recording.cassette.request(), body);
            (closeness, std::cmp::Reverse(recording.place.clone()))
        };
        let Some(nearest) = self.by_digest.values().max_by_key(key) else {
            return "nothing is recorded".to_owned();
        };
        match first_difference(nearest.cassette.request(), body) {
            Some(difference) => format!(
                "at {:?} the recording {} has {} and the request has {}",
                difference.pointer.as_str(),
                nearest.place,
                difference.recorded,
                difference.asked
            ),
            None => "the recording was made of an equal request".to_owned(),
        }
    }
}

/// Returns the name of a file with that of its directory.
fn entry_name(dir: &Path, path: &Path) -> String {
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    format!("{}/{}", name(dir), name(path))
}

/// Tells how close two requests are: how many messages are equal, place by place, and how many characters the first
/// messages that differ have in common.
fn closeness(recorded: &Value, asked: &Value) -> (usize, usize) {
    fn messages(body: &Value) -> &[Value] {
        body.get("messages")
            .and_then(Value::as_array)
            .unwrap_or_default()
    }
    let pairs = || messages(recorded).iter().zip(messages(asked));
    let equal = pairs()
        .filter(|(recorded, asked)| recorded == asked)
        .count();
    let common = pairs()
        .find(|(recorded, asked)| recorded != asked)
        .map_or(0, |(one, two)| {
            let (one, two) = (one.to_string(), two.to_string());
            one.bytes()
                .zip(two.bytes())
                .take_while(|(one, two)| one == two)
                .count()
        });
    (equal, common)
}

impl ModelProvider for Recorded {
    fn invoke(
        &self,
        request: &ModelRequest,
        on_delta: &mut dyn FnMut(Delta),
        cancellation: &Cancellation,
    ) -> Result<ModelAnswer, ModelError> {
        let RecordedResponse { status, lines } = self.find(&wire::body(request)?)?.response();
        if *status != 200 {
            let body = lines.join("\n");
            return Err(crate::wire::failure(
                *status,
                body.as_bytes(),
                &request.model,
            ));
        }
        let mut assembler = Assembler::new(request).with_limit(self.limit_bytes);
        for (index, line) in lines.iter().enumerate() {
            if cancellation.is_cancelled() {
                return Err(ModelError::Cancelled);
            }
            if index > 0 {
                assembler.push(b"\n", on_delta)?;
            }
            assembler.push(line.as_bytes(), on_delta)?;
        }
        if cancellation.is_cancelled() {
            return Err(ModelError::Cancelled);
        }
        assembler.finish(on_delta)
    }
}
