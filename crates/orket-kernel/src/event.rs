//! The event line of the kernel: one line, pipe-delimited, machine-parseable, never digested (Law 3).
//!
//! ```text
//! FAIL|policy|E_CAPABILITY_DENIED|/tool_calls/0|role coder may not …|{"role":"coder"}
//! ```

use crate::canonical::{self, Value};
use crate::{Code, KernelIssue, Pointer, Stage};

/// Writes an issue as an event line.
pub fn format(issue: &KernelIssue) -> String {
    let fields = [
        issue.level.to_string(),
        issue.stage.to_string(),
        issue.code.to_string(),
        issue.location.to_string(),
        issue.message.clone(),
        canonical::to_string(&issue.details),
    ];
    fields.map(|field| escape(&field)).join("|")
}

/// Reads an event line back; `None` if it is not one. An issue has one line: details that are not canonical, or a level that
/// does not follow from the code, make none.
pub fn parse(line: &str) -> Option<KernelIssue> {
    let fields = split(line)?;
    let [_, stage, code, location, message, details] = <[String; 6]>::try_from(fields).ok()?;
    let issue = KernelIssue::new(
        Stage::ALL.into_iter().find(|s| s.as_str() == stage)?,
        Code::parse(&code)?,
        Pointer::parse(&location)?,
        message,
        canonical::parse(details.as_bytes()).ok()?,
    );
    (format(&issue) == line).then_some(issue)
}

/// Returns `details` as a value for an issue made from name and value pairs.
pub(crate) fn details<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Object(
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

fn escape(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    for character in field.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '|' => text.push_str("\\|"),
            '\r' => text.push_str("\\r"),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    text
}

fn split(line: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let field = fields.last_mut()?;
        match character {
            '|' => fields.push(String::new()),
            '\r' | '\n' => return None,
            '\\' => match characters.next()? {
                '\\' => field.push('\\'),
                '|' => field.push('|'),
                'r' => field.push('\r'),
                'n' => field.push('\n'),
                _ => return None,
            },
            other => field.push(other),
        }
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn law_3_every_event_is_one_line_that_parses_back() {
        for text in [
            "",
            "plain",
            "a|b",
            "back\\slash",
            "two\nlines\r",
            "\\n",
            "é\u{2028}",
            "|||\\|",
        ] {
            let issue = KernelIssue::new(
                Stage::Policy,
                Code::CapabilityDenied,
                Pointer::root().key(text),
                text,
                object! { "text" => text },
            );
            let line = format(&issue);
            assert!(!line.contains(['\n', '\r']), "{line:?}");
            assert_eq!(parse(&line), Some(issue), "{line:?}");
        }
    }

    #[test]
    fn what_is_no_event_line_is_refused() {
        for line in [
            "",
            "FAIL",
            "FAIL|policy|E_NOSUCH||m|{}",
            "FAIL|policy|E_CAPABILITY_DENIED||m|{",
            "a\nb",
        ] {
            assert_eq!(parse(line), None, "{line:?}");
        }
    }
}
