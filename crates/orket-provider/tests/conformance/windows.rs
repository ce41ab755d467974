//! Prompts that do not fit: whatever the server does with them, no answer comes of it.

use orket_model_double::{
    Answer, Flavour, Model, ModelDouble, PromptPath, Script, Settings, Window,
};
use orket_ports::ModelProvider;
use orket_ports::model::{
    Cancellation, Message, ModelError, ModelRequest, Speaker, Think, ToolOffer,
};

use super::asking::{ask, kind, request};
use super::{ollama, openai};

const NEEDLE: &str = "The password of the archive is 'barley'.";

/// A request whose window of 4,096 tokens cannot hold its prompt, with what matters at the front.
fn overlong(word: &str, words: usize) -> ModelRequest {
    let mut request = request();
    request.messages = vec![
        Message::text(Speaker::System, NEEDLE),
        Message::text(Speaker::User, format!("{word} ").repeat(words)),
    ];
    request
}

fn server(settings: Settings) -> ModelDouble {
    let settings = Settings {
        models: vec![Model::named("qwen3:4b")],
        repeats: true,
        ..settings
    };
    let script = Script::Sequence(vec![Answer::text("I cannot find a password.")]);
    ModelDouble::start_with(script, settings).unwrap()
}

fn settings(flavour: Flavour, path: PromptPath, ignores_truncate: bool) -> Settings {
    Settings {
        flavour,
        window: Some(Window {
            tokens: 4096,
            path,
            ignores_truncate,
        }),
        ..Settings::default()
    }
}

/// Asks a server for an answer to a prompt; returns the name of the error, or that there was an answer.
fn outcome(provider: &dyn ModelProvider, request: &ModelRequest) -> String {
    match ask(provider, request).result {
        Ok(answer) => {
            assert_eq!(answer.content, "I cannot find a password.");
            "answer".to_owned()
        }
        Err(error) => kind(&error),
    }
}

#[test]
fn a_needle_at_the_front_of_an_overlong_prompt_is_never_lost_silently() {
    use Flavour::{LlamaCpp, Ollama, Vllm};
    use PromptPath::{Native, Rendered};
    // Short words, of which the count alone tells; and long ones, of which only the server's own arithmetic does.
    for (word, words) in [("word", 6000), (&"x".repeat(100) as &str, 240)] {
        let long = overlong(word, words);
        let cases = [
            (Rendered, false, "ContextOverflow"),
            (Native, false, "ContextOverflow"),
            (Native, true, "ContextOverflow"),
            (Rendered, true, "PromptCut"),
        ];
        for (path, ignores_truncate, expected) in cases {
            let server = server(settings(Ollama, path, ignores_truncate));
            let found = outcome(&ollama(&server), &long);
            assert_eq!(found, expected, "{path:?} {ignores_truncate}");
        }
        let cases = [
            (Ollama, Rendered, "PromptCut"),
            (Ollama, Native, "ContextOverflow"),
            (LlamaCpp, Rendered, "ContextOverflow"),
            (Vllm, Rendered, "ContextOverflow"),
        ];
        for (flavour, path, expected) in cases {
            let server = server(settings(flavour, path, true));
            let found = outcome(&openai(&server), &long);
            assert_eq!(found, expected, "{flavour:?} {path:?}");
        }
    }
}

#[test]
fn a_conversation_whose_oldest_messages_were_dropped_is_not_answered() {
    let mut long = overlong("word", 10);
    for number in 0..40 {
        let said = format!("Sentence {number}: ") + &"word ".repeat(150);
        long.messages.push(Message::text(Speaker::User, said));
    }
    let server = server(settings(Flavour::Ollama, PromptPath::Rendered, true));
    // What is left fits, and so nearly fills the window that no answer fits beside it.
    assert_eq!(outcome(&ollama(&server), &long), "ContextOverflow");
    long.options.num_predict = 10;
    assert_eq!(outcome(&ollama(&server), &long), "PromptCut");
}

#[test]
fn a_prompt_that_fits_is_answered() {
    for words in [1, 1000, 2900] {
        let short = overlong("word", words);
        for flavour in [Flavour::Ollama, Flavour::LlamaCpp, Flavour::Vllm] {
            let server = server(settings(flavour, PromptPath::Rendered, true));
            assert_eq!(outcome(&ollama(&server), &short), "answer");
            assert_eq!(outcome(&openai(&server), &short), "answer", "{flavour:?}");
        }
    }
}

#[test]
fn a_model_that_is_loaded_with_a_smaller_window_is_not_believed() {
    let settings = Settings {
        loaded_context_length: Some(2048),
        ..Settings::default()
    };
    let server = server(settings);
    let error = ask(&ollama(&server), &request()).result.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the window of qwen3:4b has 2048 tokens, and the venue asks for 4096"
    );
}

/// A server, what is changed in the request to it, and what is said before it is asked.
type Case<'a> = (&'a ModelDouble, &'a dyn Fn(&mut ModelRequest), &'a str);

fn look(provider: &dyn ModelProvider, request: &ModelRequest) -> Result<(), ModelError> {
    let facts = provider.preflight(request, &Cancellation::new())?;
    assert!(facts.server.is_some() || facts.template.is_none());
    Ok(())
}

#[test]
fn what_a_server_lacks_is_said_before_it_is_asked() {
    let model = |change: &dyn Fn(&mut Model)| {
        let mut model = Model::named("qwen3:4b");
        change(&mut model);
        let settings = Settings {
            models: vec![Model::named("a"), model],
            ..Settings::default()
        };
        ModelDouble::start_with(Script::Sequence(vec![]), settings).unwrap()
    };
    let asking = |change: &dyn Fn(&mut ModelRequest)| {
        let mut asked = request();
        asked.tools.clear();
        change(&mut asked);
        asked
    };
    let plain = model(&|it| it.capabilities = vec!["completion".to_owned()]);
    let embeds = model(&|it| it.capabilities = vec!["embedding".to_owned()]);
    let narrow = model(&|it| it.context_length = 2048);
    let far = model(&|it| it.remote_host = Some("ollama.com".to_owned()));
    let absent = model(&|it| it.name = "b".to_owned());
    let nothing = |_: &mut ModelRequest| {};
    let tool = |it: &mut ModelRequest| {
        it.tools = vec![ToolOffer {
            name: "f".to_owned(),
            description: String::new(),
            parameters: orket_kernel::object! {},
        }];
    };
    let thinks = |it: &mut ModelRequest| it.options.think = Some(Think::On);
    let no_room = |it: &mut ModelRequest| it.options.num_predict = 5000;
    let cases: [Case<'_>; 8] = [
        (&plain, &nothing, ""),
        (
            &plain,
            &tool,
            r#"the model qwen3:4b cannot do what is asked of it: it has no capability "tools""#,
        ),
        (
            &plain,
            &thinks,
            r#"the model qwen3:4b cannot do what is asked of it: it has no capability "thinking""#,
        ),
        (
            &plain,
            &no_room,
            "the request cannot be sent: options.num_predict is 5000; it must be at least 1 and less than options.num_ctx, 4096",
        ),
        (
            &embeds,
            &nothing,
            r#"the model qwen3:4b cannot do what is asked of it: it has no capability "completion""#,
        ),
        (
            &narrow,
            &nothing,
            "the window of qwen3:4b has 2048 tokens, and the venue asks for 4096",
        ),
        (
            &far,
            &nothing,
            "the model qwen3:4b would run on ollama.com, outside this machine",
        ),
        (
            &absent,
            &nothing,
            "the model server does not have the model qwen3:4b: it has a, b",
        ),
    ];
    for (server, change, expected) in cases {
        let said = look(&ollama(server), &asking(change)).map_err(|error| error.to_string());
        assert_eq!(said.err().unwrap_or_default(), expected);
        assert!(server.exchanges().is_empty(), "nothing of the prompt left");
    }
}

#[test]
fn the_other_protocol_tells_names_and_windows() {
    let server = |flavour, tokens| {
        let window = Window {
            tokens,
            ..Window::default()
        };
        let settings = Settings {
            flavour,
            window: Some(window),
            models: vec![Model::named("qwen3:4b")],
            ..Settings::default()
        };
        ModelDouble::start_with(Script::Sequence(vec![]), settings).unwrap()
    };
    for flavour in [Flavour::LlamaCpp, Flavour::Vllm] {
        look(&openai(&server(flavour, 4096)), &request()).unwrap();
        let error = look(&openai(&server(flavour, 4095)), &request()).unwrap_err();
        assert_eq!(kind(&error), "WindowTooSmall");
        let mut other = request();
        other.model = "gpt-4".to_owned();
        let error = look(&openai(&server(flavour, 4096)), &other).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the model server does not have the model gpt-4: it has qwen3:4b"
        );
    }
    let llama = server(Flavour::LlamaCpp, 4096);
    let facts = openai(&llama)
        .preflight(&request(), &Cancellation::new())
        .unwrap();
    assert_eq!(facts.server.as_deref(), Some("llama.cpp b10499-6d05498"));
    let before = facts.template.unwrap();
    llama.set_model(Model {
        template: "{{ .System }}".to_owned(),
        ..Model::named("qwen3:4b")
    });
    let after = openai(&llama)
        .preflight(&request(), &Cancellation::new())
        .unwrap();
    assert_ne!(after.template.unwrap(), before);
}

#[test]
fn a_model_that_changes_while_the_server_runs_has_other_facts() {
    let server = server(Settings::default());
    let look = || {
        ollama(&server)
            .preflight(&request(), &Cancellation::new())
            .unwrap()
    };
    let before = look();
    assert_eq!(
        before.digest,
        Some(orket_model_double::digest(&"qwen3:4b".into()))
    );
    assert_eq!(before.server.as_deref(), Some("ollama 0.33.0"));
    assert_eq!(look().first_change(&before), None);
    let pulled = Model {
        digest: "f".repeat(64),
        ..Model::named("qwen3:4b")
    };
    server.set_model(pulled.clone());
    let (what, _, now) = look().first_change(&before).unwrap();
    assert_eq!((what, now), ("digest", "f".repeat(64)));
    let pulled_before = look();
    server.set_model(Model {
        template: "{{ .System }}{{ .Prompt }}".to_owned(),
        ..pulled
    });
    assert_eq!(look().first_change(&pulled_before).unwrap().0, "template");
}

#[test]
fn models_are_listed_with_what_they_can() {
    let mut small = Model::named("small:1b");
    small.capabilities = vec!["completion".to_owned()];
    small.context_length = 2048;
    let settings = Settings {
        models: vec![small, Model::named("qwen3:4b")],
        flavour: Flavour::LlamaCpp,
        ..Settings::default()
    };
    let server = ModelDouble::start_with(Script::Sequence(vec![]), settings).unwrap();
    let listed = ollama(&server).models(&Cancellation::new()).unwrap();
    let names: Vec<&str> = listed.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["qwen3:4b", "small:1b"]);
    assert_eq!(listed[1].context_tokens, Some(2048));
    assert_eq!(listed[1].capabilities.as_ref().unwrap().len(), 1);
    let listed = openai(&server).models(&Cancellation::new()).unwrap();
    let windows: Vec<_> = listed.iter().map(|it| it.context_tokens).collect();
    assert_eq!(windows, [Some(4096), Some(4096)]);
}
