//! A request, and what comes of asking it.

use orket_ports::ModelProvider;
use orket_ports::model::{
    Cancellation, Delta, Message, ModelAnswer, ModelError, ModelOptions, ModelRequest, Speaker,
    ToolOffer,
};

/// A request with everything that a request can have.
pub(crate) fn request() -> ModelRequest {
    let tool = serde_json::json!({"type": "object", "properties": {"path": {"type": "string"}}});
    let tool = orket_kernel::canonical::parse(tool.to_string().as_bytes()).unwrap();
    ModelRequest {
        model: "qwen3:4b".to_owned(),
        messages: vec![
            Message::text(Speaker::System, "You are a careful clerk."),
            Message::text(Speaker::User, "Grüße, bitte lies 🌍.txt"),
        ],
        tools: vec![ToolOffer {
            name: "read_file".to_owned(),
            description: "Reads a file.".to_owned(),
            parameters: tool,
        }],
        options: ModelOptions {
            temperature: 0.25,
            seed: 7,
            num_ctx: 4096,
            num_predict: 1024,
            ..ModelOptions::default()
        },
        format: None,
    }
}

/// What a caller saw.
#[derive(Debug)]
pub(crate) struct Outcome {
    #[allow(dead_code, reason = "not every test binary looks at pieces")]
    pub(crate) deltas: Vec<Delta>,
    pub(crate) result: Result<ModelAnswer, ModelError>,
}

/// Asks without a word of cancellation.
pub(crate) fn ask(provider: &dyn ModelProvider, request: &ModelRequest) -> Outcome {
    let mut deltas = Vec::new();
    let result = provider.invoke(
        request,
        &mut |delta| deltas.push(delta),
        &Cancellation::new(),
    );
    Outcome { deltas, result }
}

/// Names the kind of an error; texts may differ between a server and its recording, the kind may not.
#[allow(dead_code, reason = "not every test binary looks at kinds")]
pub(crate) fn kind(error: &ModelError) -> String {
    let shown = format!("{error:?}");
    let name = shown.split([' ', '{']).next().unwrap_or_default();
    match error {
        ModelError::Server { status, .. } => format!("{name} {status}"),
        _ => name.to_owned(),
    }
}

/// The providers that have a connection.
#[allow(dead_code, reason = "not every test binary has a server")]
pub(crate) fn voices(
    url: &str,
    timeout: std::time::Duration,
) -> [(&'static str, Box<dyn ModelProvider>); 2] {
    let ollama = orket_provider::Ollama::new(url, timeout).unwrap();
    let openai = orket_provider::OpenAiCompatible::new(url, timeout).unwrap();
    [
        ("ollama", Box::new(ollama.with_pause(None))),
        ("openai", Box::new(openai.with_pause(None))),
    ]
}
