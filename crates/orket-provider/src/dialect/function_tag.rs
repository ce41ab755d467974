//! Calls written as tags: `<function=NAME>` with one `<parameter=NAME>` for each argument, whose value is plain text.
//!
//! Such a value has no escapes. It ends where `</parameter>` is followed by the next parameter or by the end of the
//! function; where something inside it could be either, nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::canonical::{self, Limits, Value};
use orket_ports::dialect::{CallForm, RepairKind, Unreadable};

use super::extent::{DEPTH_MAX, Seen};
use super::mark::Mark;
use super::offered::{NAME_MAX_BYTES, Takes};
use super::shape::Draft;
use super::value::Read;
use super::walk::{Walk, is_name};

/// How the tag of a function is spelled.
const FUNCTIONS: [(&str, &str, &str); 3] = [
    ("<function=", ">", "</function>"),
    ("<function name=\"", "\">", "</function>"),
    ("<invoke name=\"", "\">", "</invoke>"),
];

/// How the tag of a parameter is spelled.
const PARAMETERS: [(&str, &str); 2] = [("<parameter=", ">"), ("<parameter name=\"", "\">")];
const PARAMETER_END: &str = "</parameter>";

/// What a value may not hold, for it might as well end it.
const AMBIGUOUS: [&str; 8] = [
    "<parameter=",
    "<parameter name=",
    "</function>",
    "</invoke>",
    "<function=",
    "<function name=",
    "<tool_call>",
    "</tool_call>",
];

/// Tells whether a text can stand as the value of a parameter and is read as the same text again.
pub(super) fn is_plain(value: &str) -> bool {
    !value.contains(PARAMETER_END) && !value.ends_with('\r') && !is_ambiguous(value)
}

fn is_ambiguous(value: &str) -> bool {
    let mut tags = value.match_indices('<');
    tags.any(|(at, _)| {
        let rest = value.get(at..).unwrap_or_default();
        AMBIGUOUS.iter().any(|tag| rest.starts_with(tag))
    })
}

/// Tells whether `rest` is a tag of a function whose name is not whole.
pub(super) fn is_cut(rest: &str) -> bool {
    let mut spelled = FUNCTIONS.iter();
    let name = spelled.find_map(|(opening, _, _)| rest.strip_prefix(opening));
    name.is_some_and(|name| name.bytes().all(is_name))
}

/// Why the parameters of a call could not be read.
struct Stop {
    reason: Unreadable,
    at: usize,
    /// Where to go on.
    next: usize,
    message: String,
}

impl<'a> Walk<'a> {
    /// Reads the function that may begin here; `outer` is the mark around it.
    pub(super) fn function_tag(&mut self, outer: Option<(usize, Mark<'a>)>) -> bool {
        let rest = self.rest();
        let Some((opening, end, closing)) = FUNCTIONS
            .iter()
            .find(|(opening, _, _)| rest.starts_with(opening))
        else {
            return false;
        };
        let tag = self.at;
        let start = outer.map_or(tag, |(start, _)| start);
        let Some((name, body)) = self.tag_name(tag + opening.len(), end) else {
            return false;
        };
        let is_known = self.offered.has(name);
        if !is_known && !self.fresh && outer.is_none() {
            return false;
        }
        let (arguments, mut after) = match self.parameters(name, body, closing) {
            Ok(read) => read,
            Err(stop) => {
                self.refuse(stop.reason, stop.at, stop.message, is_known.then_some(name));
                self.at = stop.next.max(tag + 1);
                self.fresh = false;
                return true;
            }
        };
        let mut repairs = Vec::new();
        let next = self.skip_space(after);
        let closes = |mark: &str| self.text_from(next).starts_with(mark);
        match outer {
            Some((_, mark)) if mark.closing.is_empty() => {}
            Some((_, mark)) if closes(mark.closing) => after = next + mark.closing.len(),
            // Several functions may stand between the same marks.
            Some(_) if FUNCTIONS.iter().any(|(opening, _, _)| closes(opening)) => {}
            Some(_) => repairs.push(RepairKind::ClosingMissing),
            None if closes("</tool_call>") => {
                after = next + "</tool_call>".len();
                if !self.after_call {
                    repairs.push(RepairKind::OpeningMissing);
                }
            }
            None if self.after_call => {}
            None => repairs.push(RepairKind::OpeningMissing),
        }
        let is_own = self.dialect.form == CallForm::FunctionTags
            && *opening == "<function="
            && outer.is_none_or(|(_, mark)| mark.opening == "<tool_call>");
        if !is_own {
            repairs.retain(|kind| *kind != RepairKind::OpeningMissing);
            repairs.push(RepairKind::OtherForm);
        }
        let draft = if is_known {
            Ok(Draft {
                name: name.to_owned(),
                arguments,
                repairs: BTreeSet::new(),
            })
        } else {
            Err(super::shape::Fault {
                reason: Unreadable::UnknownTool,
                message: name.to_owned(),
                tool: None,
            })
        };
        let read = Read {
            start,
            end: after,
            seen: Seen::default(),
            drafts: vec![draft],
        };
        if self.take(read, &repairs) {
            self.report.remove(start, after);
        }
        self.at = after;
        self.after_call = true;
        true
    }

    /// Returns the name that begins at `at` and where the tag ends.
    fn tag_name(&self, at: usize, end: &str) -> Option<(&'a str, usize)> {
        let text = self.text_from(at);
        let length = text.bytes().take(NAME_MAX_BYTES + 1);
        let length = length.take_while(|byte| is_name(*byte)).count();
        let name = text.get(..length)?;
        let is_whole = !name.is_empty() && text.get(length..)?.starts_with(end);
        is_whole.then(|| (name, at + length + end.len()))
    }

    fn parameters(&self, tool: &str, body: usize, closing: &str) -> Result<(Value, usize), Stop> {
        let mut arguments = BTreeMap::new();
        let mut at = body;
        loop {
            at = self.skip_space(at);
            let rest = self.text_from(at);
            if rest.starts_with(closing) {
                return Ok((Value::Object(arguments), at + closing.len()));
            }
            let spelled = PARAMETERS
                .iter()
                .find(|(opening, _)| rest.starts_with(opening));
            let tag = spelled.and_then(|(opening, end)| self.tag_name(at + opening.len(), end));
            let Some((name, value)) = tag else {
                let (reason, message) = if rest.is_empty() || PARAMETERS[0].0.starts_with(rest) {
                    (
                        Unreadable::Truncated,
                        format!("the answer ends within this call of {tool}"),
                    )
                } else {
                    let message =
                        format!("in a call of {tool} a parameter or {closing} should stand here");
                    (Unreadable::UnknownForm, message)
                };
                return Err(Stop {
                    reason,
                    at,
                    next: at,
                    message,
                });
            };
            let Some((end, next)) = self.value_end(value, closing) else {
                return Err(Stop {
                    reason: Unreadable::Truncated,
                    at,
                    next: self.bytes.len(),
                    message: format!("the answer ends within the parameter {name} of {tool}"),
                });
            };
            let stop = |reason, message| {
                Err(Stop {
                    reason,
                    at,
                    next,
                    message,
                })
            };
            let text = trimmed(self.text.get(value..end).unwrap_or_default());
            if is_ambiguous(text) {
                let message = format!(
                    "the parameter {name} of {tool} holds what begins like a tag of a call, so that its end cannot be told"
                );
                return stop(Unreadable::AmbiguousParameter, message);
            }
            let value = match self.offered.takes(tool, name) {
                Takes::Text => Value::from(text),
                Takes::Json => {
                    let limits = Limits {
                        max_depth: DEPTH_MAX as usize,
                        ..Limits::default()
                    };
                    match canonical::parse_with(text.trim().as_bytes(), &limits) {
                        Ok(value) => value,
                        Err(error) => {
                            let message = format!(
                                "the parameter {name} of {tool} is no text, and no JSON: {error}"
                            );
                            return stop(Unreadable::WrongType, message);
                        }
                    }
                }
            };
            if arguments.insert(name.to_owned(), value).is_some() {
                let message = format!("the parameter {name} of {tool} is given twice");
                return stop(Unreadable::TwoMeanings, message);
            }
            at = next;
        }
    }

    /// Returns where the value that begins at `start` ends, and where its closing tag does.
    fn value_end(&self, start: usize, closing: &str) -> Option<(usize, usize)> {
        let mut at = start;
        loop {
            let end = at + self.text_from(at).find(PARAMETER_END)?;
            let next = end + PARAMETER_END.len();
            let rest = self.text_from(self.skip_space(next));
            let follows = |tag: &str| rest.starts_with(tag);
            if follows(closing) || PARAMETERS.iter().any(|(opening, _)| follows(opening)) {
                return Some((end, next));
            }
            at = next;
        }
    }
}

/// Leaves out the line feed behind the opening tag and the one before the closing tag.
fn trimmed(text: &str) -> &str {
    let begun = text.strip_prefix("\r\n").or(text.strip_prefix('\n'));
    let text = begun.unwrap_or(text);
    let ended = text.strip_suffix("\r\n").or(text.strip_suffix('\n'));
    ended.unwrap_or(text)
}

/// Tells whether a key can stand in the tag of a parameter.
pub(super) fn is_key(key: &str) -> bool {
    (1..=NAME_MAX_BYTES).contains(&key.len()) && key.bytes().all(is_name)
}
