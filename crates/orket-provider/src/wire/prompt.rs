//! Whether the server saw the prompt that was sent.

use orket_ports::model::{ModelError, ModelRequest};

/// How many tokens Ollama's runner keeps from the beginning when it cuts a prompt, with and without a token that begins
/// every text.
const KEPT_TOKENS: [u64; 2] = [2, 3];

/// Compares the tokens that the server counted with the prompt and with the window.
///
/// # Limitations
/// The least number of tokens is one for each word, which every tokenizer in use keeps; a prompt of few long words can lose
/// a part without falling below it. Ollama's own arithmetic (half of the window and a little) is looked for as well.
pub(crate) fn check(request: &ModelRequest, counted: Option<u64>) -> Result<(), ModelError> {
    let Some(counted) = counted else {
        return Ok(());
    };
    let options = &request.options;
    if counted.saturating_add(options.num_predict) > options.num_ctx {
        return Err(ModelError::ContextOverflow {
            reason: format!(
                "{counted} tokens of prompt and {} of answer exceed the window of {}",
                options.num_predict, options.num_ctx
            ),
        });
    }
    let least = request.least_prompt_tokens();
    if counted < least {
        return Err(ModelError::PromptCut {
            reason: format!(
                "the server counts {counted} tokens, and the prompt has at least {least}"
            ),
        });
    }
    let half = options.num_ctx / 2;
    let is_the_cut = KEPT_TOKENS.iter().any(|kept| counted == half + kept);
    // A token has at least one byte, so a shorter prompt cannot have filled the window.
    if is_the_cut && request.prompt_bytes() > options.num_ctx {
        return Err(ModelError::PromptCut {
            reason: format!(
                "the server counts {counted} tokens, which is what is left when it cuts a prompt down to half of its window of {}",
                options.num_ctx
            ),
        });
    }
    Ok(())
}
