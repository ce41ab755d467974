//! Calls as a dialect writes them.

use orket_kernel::canonical::{self, Value};
use orket_ports::dialect::{CallForm, Dialect};
use orket_ports::model::ToolCall;

use super::function_tag;

/// Writes calls as the model should have written them; reading the text again gives the same calls.
///
/// A dialect whose calls are native has no text of its own; its calls are written as JSON, one on a line.
pub fn write(dialect: &Dialect, calls: &[ToolCall]) -> String {
    let calls: Vec<String> = calls
        .iter()
        .map(|call| one(dialect, &call.name, &call.arguments))
        .collect();
    calls.join("\n")
}

fn one(dialect: &Dialect, name: &str, arguments: &Value) -> String {
    let json = || json(dialect, name, arguments);
    match &dialect.form {
        CallForm::Native | CallForm::BareJson => json(),
        CallForm::FencedJson => format!("```json\n{}\n```", json()),
        CallForm::TaggedJson(marks) if marks.closing.is_empty() => {
            format!("{}{}", marks.opening, json())
        }
        CallForm::TaggedJson(marks) => {
            format!("{}\n{}\n{}", marks.opening, json(), marks.closing)
        }
        CallForm::FunctionTags => {
            let call = tags(name, arguments).unwrap_or_else(json);
            format!("<tool_call>\n{call}\n</tool_call>")
        }
    }
}

/// Writes a call as one line of JSON, the tool first.
pub(super) fn json(dialect: &Dialect, name: &str, arguments: &Value) -> String {
    format!(
        "{{\"{}\": {}, \"{}\": {}}}",
        dialect.tool_member.key(),
        canonical::to_string(&name.into()),
        dialect.arguments_member.key(),
        canonical::to_string(arguments)
    )
}

/// Writes a call as tags if all its values are texts that can stand there.
fn tags(name: &str, arguments: &Value) -> Option<String> {
    let mut text = format!("<function={name}>\n");
    for (key, value) in arguments.as_object()? {
        let value = value
            .as_str()
            .filter(|value| function_tag::is_plain(value))?;
        if !function_tag::is_key(key) {
            return None;
        }
        text.push_str(&format!("<parameter={key}>\n{value}\n</parameter>\n"));
    }
    text.push_str("</function>");
    Some(text)
}

/// Says how a call is written.
pub(super) fn hint(dialect: &Dialect, tool: Option<&str>) -> String {
    let name = tool.unwrap_or("TOOL");
    let form = match &dialect.form {
        CallForm::FunctionTags => {
            let call = "<tool_call>\n<function=NAME>\n<parameter=KEY>\nVALUE\n</parameter>\n</function>\n</tool_call>";
            return format!(
                "write the call on lines of its own:\n{}",
                call.replace("NAME", name)
            );
        }
        CallForm::Native => {
            return format!("call {name} through the interface for tool calls, not in the text");
        }
        CallForm::FencedJson => ("```json\n", "\n```"),
        CallForm::BareJson => ("", ""),
        CallForm::TaggedJson(marks) => (marks.opening.as_str(), marks.closing.as_str()),
    };
    format!(
        "write the call on lines of its own, as valid JSON:\n{}{{\"{}\": \"{name}\", \"{}\": {{…}}}}{}",
        form.0,
        dialect.tool_member.key(),
        dialect.arguments_member.key(),
        form.1
    )
}
