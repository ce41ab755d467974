//! Models that an Ollama server passes on to a machine of someone else.

use orket_kernel::canonical::Value;
use orket_ports::model::ModelError;

/// Tells whether the model's tag says that Ollama runs it outside this machine: `cloud` or `…-cloud`.
///
/// The other signs, `remote_model` and `remote_host`, stand in the answer, when the prompt has already left.
///
/// ```
/// use orket_provider::wire::ollama::is_cloud_name;
///
/// assert!(is_cloud_name("glm-4.6:cloud") && is_cloud_name("gpt-oss:120b-cloud"));
/// assert!(!is_cloud_name("qwen3:4b") && !is_cloud_name("cloud"));
/// ```
pub fn is_cloud_name(model: &str) -> bool {
    let tag = model.rsplit_once(':').map_or("", |(_, tag)| tag);
    tag == "cloud" || tag.ends_with("-cloud")
}

/// Refuses an answer that names another machine.
pub(super) fn refuse_remote(record: &Value, model: &str) -> Result<(), ModelError> {
    let named = |key| {
        let value = record.get(key)?;
        let is_empty = value.is_null() || value.as_str() == Some("");
        (!is_empty).then(|| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    match (named("remote_host"), named("remote_model")) {
        (None, None) => Ok(()),
        (host, remote) => Err(ModelError::NotLocal {
            model: remote.unwrap_or_else(|| model.to_owned()),
            host: host.unwrap_or_else(|| "a remote host".to_owned()),
        }),
    }
}
