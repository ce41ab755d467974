//! Reading a dialect from its asset, and what an asset must hold.

use orket_kernel::canonical;
use orket_ports::dialect::{Brackets, CallForm, Dialect};

use super::show::{EXAMPLE, TOOLS};

/// The longest mark in bytes.
const MARK_MAX_BYTES: usize = 64;
/// The most pairs of marks around reasoning.
const THINKING_MAX: usize = 8;
/// The longest asset in bytes.
const ASSET_MAX_BYTES: usize = 64 * 1024;

/// Says why a dialect cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDialect {
    /// It is no dialect.
    #[error("it is no dialect: {0}")]
    Form(String),
    /// It is too long.
    #[error("it is longer than {ASSET_MAX_BYTES} bytes")]
    TooLong,
    /// A value is not allowed.
    #[error("{pointer}: {reason}")]
    Value {
        /// Where it stands.
        pointer: String,
        /// What is wrong, and what to write.
        reason: String,
    },
}

/// Reads a dialect and checks it.
///
/// # Errors
/// Names the first place that is wrong.
pub fn parse(bytes: &[u8]) -> Result<Dialect, BadDialect> {
    if bytes.len() > ASSET_MAX_BYTES {
        return Err(BadDialect::TooLong);
    }
    let dialect: Dialect =
        canonical::from_bytes(bytes).map_err(|error| BadDialect::Form(error.to_string()))?;
    check(&dialect)?;
    Ok(dialect)
}

fn check(dialect: &Dialect) -> Result<(), BadDialect> {
    let fault = |pointer: &str, reason: &str| {
        Err(BadDialect::Value {
            pointer: pointer.to_owned(),
            reason: reason.to_owned(),
        })
    };
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    let name = &dialect.name;
    if name.is_empty() || name.len() > MARK_MAX_BYTES || !name.bytes().all(is_plain) {
        return fault("/name", "write 1 to 64 of a to z, 0 to 9, _ and -");
    }
    if let CallForm::TaggedJson(marks) = &dialect.form {
        if !is_mark(&marks.opening) {
            return fault("/form/opening", MARK);
        }
        if !marks.closing.is_empty() && !is_mark(&marks.closing) {
            return fault("/form/closing", MARK);
        }
    }
    if dialect.thinking.len() > THINKING_MAX {
        return fault("/thinking", "write at most 8 pairs");
    }
    for (ordinal, Brackets { opening, closing }) in dialect.thinking.iter().enumerate() {
        if !is_mark(opening) {
            return fault(&format!("/thinking/{ordinal}/opening"), MARK);
        }
        if !is_mark(closing) {
            return fault(&format!("/thinking/{ordinal}/closing"), MARK);
        }
    }
    let text = dialect.instructions.join("\n");
    let wanted = usize::from(dialect.form != CallForm::Native);
    if wanted == 0 && !text.is_empty() {
        return fault(
            "/instructions",
            "leave them out: the server tells the model its tools",
        );
    }
    for mark in [TOOLS, EXAMPLE] {
        if text.matches(mark).count() != wanted {
            return fault("/instructions", &format!("write {mark} exactly once"));
        }
    }
    Ok(())
}

const MARK: &str =
    "write a mark of 2 to 64 characters without blanks or quotation marks that begins with < or [";

/// Tells whether the reader would see the mark; it looks for `<` and `[`.
fn is_mark(mark: &str) -> bool {
    let is_bad = |character: char| character.is_whitespace() || "\"'`{}".contains(character);
    (2..=MARK_MAX_BYTES).contains(&mark.len())
        && mark.starts_with(['<', '['])
        && !mark.contains(is_bad)
}
