//! `edit_file`.

use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_kernel::object;
use orket_ports::tool::{ArgumentType, Limit, Parameter, ToolSpec};
use orket_ports::{Refusal, Tool, TurnScope};

use super::text;
use crate::spaces::writable;

/// The most bytes of a file that is edited, before and after.
pub(super) const EDIT_MAX_BYTES: usize = 1024 * 1024;

/// The most bytes of each of the two texts.
pub(super) const TEXT_MAX_BYTES: usize = 256 * 1024;

static SPEC: ToolSpec = ToolSpec {
    name: "edit_file",
    action: Action::WRITE,
    description: "Replace an exact text in a file below agent_output/. The old text must occur exactly once, unless all is true.",
    parameters: &[
        Parameter {
            name: "path",
            description: "The path, relative to the project; it begins with agent_output/",
            argument_type: ArgumentType::Text { max_bytes: 1024 },
            required: true,
        },
        Parameter {
            name: "old",
            description: "The text that is there, exactly, blanks and line ends included",
            argument_type: ArgumentType::Text {
                max_bytes: TEXT_MAX_BYTES,
            },
            required: true,
        },
        Parameter {
            name: "new",
            description: "The text that takes its place",
            argument_type: ArgumentType::Text {
                max_bytes: TEXT_MAX_BYTES,
            },
            required: true,
        },
        Parameter {
            name: "all",
            description: "Whether every occurrence is replaced",
            argument_type: ArgumentType::Truth,
            required: false,
        },
    ],
    limits: &[Limit {
        what: "the file, before and after; a longer one is refused",
        most: EDIT_MAX_BYTES as u64,
        unit: "bytes",
    }],
    example: r#"{"path":"agent_output/notes.txt","old":"One line.","new":"The only line."}"#,
};

pub(super) struct EditFile;

impl Tool for EditFile {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, arguments: &Value) -> Result<(), Refusal> {
        writable(text(arguments, "path"))?;
        let (old, new) = (text(arguments, "old"), text(arguments, "new"));
        if old.is_empty() {
            return malformed("old must not be empty; write_file writes a whole file".to_owned());
        }
        if old == new {
            return malformed("old and new are the same, so nothing would change".to_owned());
        }
        Ok(())
    }

    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        let path = text(arguments, "path");
        let below = writable(path)?;
        let content = content(path, below.as_str(), scope)?;
        let all = arguments.get("all").and_then(Value::as_bool) == Some(true);
        let (edited, replaced) = edit(
            path,
            &content,
            text(arguments, "old"),
            text(arguments, "new"),
            all,
        )?;
        let length = edited.len() as u64;
        let executable = scope.is_executable(below.as_str())?;
        scope.write_artifact(below.as_str(), edited.into_bytes().into(), executable)?;
        Ok(object! { "replaced" => replaced as u64, "length" => length })
    }
}

fn malformed<T>(message: String) -> Result<T, Refusal> {
    Err(Refusal::malformed("edit", format!("edit_file: {message}")))
}

/// Returns the text of the file that is to be edited.
fn content(path: &str, below: &str, scope: &mut dyn TurnScope) -> Result<String, Refusal> {
    let Some(payload) = scope.artifact(below)? else {
        return malformed(format!("{path} does not exist; write_file makes it"));
    };
    if payload.length_bytes() > EDIT_MAX_BYTES as u64 {
        return malformed(format!("{path} is longer than {EDIT_MAX_BYTES} bytes"));
    }
    let bytes = payload.into_bytes().map_err(|error| {
        Refusal::forbidden(
            "unreadable_state",
            format!("{path} cannot be read: {error}"),
        )
    })?;
    String::from_utf8(bytes).or_else(|_| malformed(format!("{path} is not a text")))
}

/// Returns the edited text and how often the old one was replaced.
fn edit(
    path: &str,
    content: &str,
    old: &str,
    new: &str,
    all: bool,
) -> Result<(String, usize), Refusal> {
    let Some(first) = content.find(old) else {
        return malformed(format!(
            "{path} does not hold the old text; read the file and give the text as it stands there"
        ));
    };
    if !all {
        // Occurrences that overlap count too: which of them is meant cannot be told.
        let step = old.chars().next().map_or(1, char::len_utf8);
        let rest = content.get(first + step..).unwrap_or_default();
        if rest.contains(old) {
            return malformed(format!(
                "the old text occurs more than once in {path}; give more of what is around it, or set all"
            ));
        }
    }
    let count = if all { content.matches(old).count() } else { 1 };
    // What comes out is measured before it is made.
    let length =
        (content.len() - count * old.len()).saturating_add(count.saturating_mul(new.len()));
    if length > EDIT_MAX_BYTES {
        return malformed(format!(
            "{path} would become longer than {EDIT_MAX_BYTES} bytes"
        ));
    }
    Ok((content.replacen(old, new, count), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its name, the content, the old text, the new one, whether all; and what comes out, or a piece of the refusal.
    type Case<'a> = (
        &'a str,
        &'a str,
        &'a str,
        &'a str,
        bool,
        Result<(&'a str, usize), &'a str>,
    );

    #[test]
    fn a_text_is_replaced_where_it_is_meant_and_nowhere_else() {
        let long = "x".repeat(EDIT_MAX_BYTES);
        let cases: [Case<'_>; 12] = [
            ("once", "a b c", "b", "B", false, Ok(("a B c", 1))),
            ("gone", "a b c", " b", "", false, Ok(("a c", 1))),
            ("at both ends", "ab", "ab", "x", false, Ok(("x", 1))),
            (
                "several lines",
                "a\nb\nc\n",
                "a\nb",
                "z",
                false,
                Ok(("z\nc\n", 1)),
            ),
            ("twice", "b b", "b", "B", false, Err("more than once")),
            (
                "overlapping",
                "aaa",
                "aa",
                "b",
                false,
                Err("more than once"),
            ),
            (
                "overlapping in many bytes",
                "ééé",
                "éé",
                "b",
                false,
                Err("more than once"),
            ),
            ("all", "b b b", "b", "bb", true, Ok(("bb bb bb", 3))),
            ("all, overlapping", "aaa", "aa", "b", true, Ok(("ba", 1))),
            ("other case", "B", "b", "c", false, Err("does not hold")),
            (
                "other line ends",
                "a\r\nb",
                "a\nb",
                "c",
                true,
                Err("does not hold"),
            ),
            ("new in its own text", "a", "a", "aa", true, Ok(("aa", 1))),
        ];
        for (name, content, old, new, all, expected) in cases {
            match (edit("f", content, old, new, all), expected) {
                (Ok((edited, count)), Ok(expected)) => {
                    assert_eq!((edited.as_str(), count), expected, "{name}");
                }
                (Err(refusal), Err(expected)) => {
                    assert!(refusal.message.contains(expected), "{name}: {refusal}");
                    assert_eq!(refusal.kind, orket_ports::tool::RefusalKind::Malformed);
                }
                (found, expected) => panic!("{name}: {found:?}, not {expected:?}"),
            }
        }
        // At the limit and over it.
        assert!(edit("f", &long, &long, &"y".repeat(EDIT_MAX_BYTES), false).is_ok());
        let over = edit("f", &long, "x", &"y".repeat(TEXT_MAX_BYTES), true).unwrap_err();
        assert!(over.message.contains("would become longer"), "{over}");
    }
}
