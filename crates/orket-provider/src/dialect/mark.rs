//! The marks that models put around calls, whatever the dialect says.

use orket_ports::dialect::{CallForm, Dialect};

/// A mark before a call and the one after it; empty if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark<'a> {
    pub(super) opening: &'a str,
    pub(super) closing: &'a str,
}

/// What is recognised besides the marks of the dialect; longer openings first where one begins another.
const KNOWN: [Mark<'static>; 9] = [
    mark("<tool_call>", "</tool_call>"),
    mark("<tool_calls>", "</tool_calls>"),
    mark("<function_call>", "</function_call>"),
    mark("<function_calls>", "</function_calls>"),
    mark("<tool_use>", "</tool_use>"),
    mark("<tools>", "</tools>"),
    mark("<|tool_call|>", ""),
    mark("<|python_tag|>", ""),
    mark("[TOOL_CALLS]", ""),
];

/// The fewest bytes in which a mark is recognised that the end of the answer cuts.
const CUT_MIN_BYTES: usize = 3;

const fn mark(opening: &'static str, closing: &'static str) -> Mark<'static> {
    Mark { opening, closing }
}

/// Lists the dialect's own mark first, then the others.
fn all<'a>(dialect: &'a Dialect) -> impl Iterator<Item = Mark<'a>> {
    let own = match &dialect.form {
        CallForm::TaggedJson(brackets) => Some(Mark {
            opening: &brackets.opening,
            closing: &brackets.closing,
        }),
        _ => None,
    };
    own.into_iter().chain(KNOWN)
}

/// Returns the mark whose opening stands at the beginning of `rest`.
pub(super) fn opening<'a>(dialect: &'a Dialect, rest: &str) -> Option<Mark<'a>> {
    all(dialect).find(|mark| rest.starts_with(mark.opening))
}

/// Tells whether `rest` is a beginning of an opening and no more.
pub(super) fn is_cut(dialect: &Dialect, rest: &str) -> bool {
    rest.len() >= CUT_MIN_BYTES
        && all(dialect).any(|mark| mark.opening.starts_with(rest) && mark.opening != rest)
}

/// Returns the closing that stands at the beginning of `rest`.
pub(super) fn closing<'a>(dialect: &'a Dialect, rest: &str) -> Option<&'a str> {
    all(dialect)
        .map(|mark| mark.closing)
        .find(|closing| !closing.is_empty() && rest.starts_with(closing))
}

/// Tells whether calls between these marks are of the dialect's own form.
pub(super) fn is_own(dialect: &Dialect, mark: Mark<'_>) -> bool {
    match &dialect.form {
        CallForm::TaggedJson(brackets) => brackets.opening == mark.opening,
        // A value that cannot be written as plain text is written as JSON there.
        CallForm::FunctionTags => mark.opening == "<tool_call>",
        _ => false,
    }
}
