//! What the server says.

use serde_json::Value;

use crate::{Answer, Settings};

/// What the server answers to chat requests.
///
/// As JSON it is an object with one member:
///
/// ```
/// use orket_model_double::{Answer, Script};
///
/// let script = Script::from_json(br#"{"sequence": [{"content": "Hello"}, {"content": "Bye", "eval_count": 1}]}"#)?;
/// let Script::Sequence(answers) = script else { panic!("it is a sequence") };
/// assert_eq!(answers[0], Answer::text("Hello"));
///
/// let refused = Script::from_json(br#"{"sequence": [{"contents": "Hello"}]}"#).unwrap_err();
/// assert!(refused.to_string().contains("unknown field `contents`"));
/// # Ok::<(), orket_model_double::BadScript>(())
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Script {
    /// Answers each request as its equal was answered; an unknown request gets 404 and the first difference.
    Exchanges(Vec<Exchange>),
    /// Answers whatever comes with the next answer of the list; after the last it fails with 500.
    Sequence(Vec<Answer>),
}

/// A request and what it is answered with.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The body of the request.
    pub request: Value,
    /// The HTTP status of the response.
    pub status: u16,
    /// The body of the response, split at every line feed; the last line has a line feed only if an empty one follows.
    pub lines: Vec<String>,
}

/// Says why a text is not a script.
#[derive(Debug, thiserror::Error)]
#[error("the text is not a script: {0}")]
pub struct BadScript(#[from] serde_json::Error);

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// Fails if the text is not JSON or has another shape; members that a script does not have are refused.
    pub fn from_json(bytes: &[u8]) -> Result<Script, BadScript> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// A script with the settings of the server that plays it: what a file holds.
///
/// ```
/// use orket_model_double::Scenario;
///
/// let scenario = Scenario::from_json(br#"{"settings": {"models": [{"name": "m"}]}, "sequence": [{"content": "Hi"}]}"#)?;
/// assert_eq!(scenario.settings.models[0].name, "m");
/// # Ok::<(), orket_model_double::BadScript>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// How the server treats requests.
    pub settings: Settings,
    /// What it answers.
    pub script: Script,
}

impl Scenario {
    /// Reads a script with its settings, which may be left out.
    ///
    /// # Errors
    /// As [`Script::from_json`].
    pub fn from_json(bytes: &[u8]) -> Result<Scenario, BadScript> {
        let mut whole: Value = serde_json::from_slice(bytes)?;
        let settings = whole
            .as_object_mut()
            .and_then(|members| members.remove("settings"));
        Ok(Scenario {
            settings: settings
                .map(serde_json::from_value)
                .transpose()?
                .unwrap_or_default(),
            script: serde_json::from_value(whole)?,
        })
    }
}
