//! What a model is told about its tools and about the form of a call.

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::dialect::{CallForm, Dialect, ToolList};
use orket_ports::model::{ToolCall, ToolOffer};

use super::write;

/// Where the tools stand in the instructions.
pub(super) const TOOLS: &str = "{tools}";
/// Where the example stands in the instructions.
pub(super) const EXAMPLE: &str = "{example}";

/// Returns what the model is told; empty if the server tells it, or if there is no tool.
pub fn show(dialect: &Dialect, tools: &[ToolOffer]) -> String {
    if dialect.form == CallForm::Native || tools.is_empty() {
        return String::new();
    }
    let listed: Vec<String> = tools
        .iter()
        .map(|tool| canonical::to_string(&listed(dialect.tool_list, tool)))
        .collect();
    // What is put in is not looked at again: a description may hold a brace of its own.
    let text = dialect.instructions.join("\n");
    let (before, after) = text.split_once(TOOLS).unwrap_or((&text, ""));
    let example = write::write(dialect, &example(dialect, tools));
    let put = |part: &str| part.replacen(EXAMPLE, &example, 1);
    format!("{}{}{}", put(before), listed.join("\n"), put(after))
}

fn listed(list: ToolList, tool: &ToolOffer) -> Value {
    let plain = object! {
        "name" => tool.name.as_str(),
        "description" => tool.description.as_str(),
        "parameters" => tool.parameters.clone(),
    };
    match list {
        ToolList::Plain => plain,
        ToolList::Functions => object! { "type" => "function", "function" => plain },
    }
}

/// Returns the calls of the example: those of the dialect whose tool is offered, or else one of the first tool.
pub fn example(dialect: &Dialect, tools: &[ToolOffer]) -> Vec<ToolCall> {
    let offered = |call: &&ToolCall| tools.iter().any(|tool| tool.name == call.name);
    let calls: Vec<ToolCall> = dialect.example.iter().filter(offered).cloned().collect();
    if !calls.is_empty() {
        return calls;
    }
    let first = tools.first().map(|tool| ToolCall {
        name: tool.name.clone(),
        arguments: filled(&tool.parameters),
    });
    first.into_iter().collect()
}

/// Returns arguments that have what a schema requires.
fn filled(schema: &Value) -> Value {
    let required = schema.get("required").and_then(Value::as_array);
    let required = required
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str);
    let members = required.map(|name| {
        let property = schema.get("properties").and_then(|all| all.get(name));
        (name.to_owned(), sample(property))
    });
    Value::Object(members.collect())
}

fn sample(property: Option<&Value>) -> Value {
    let choices = property.and_then(|property| property.get("enum")?.as_array());
    if let Some(first) = choices.and_then(|choices| choices.first()) {
        return first.clone();
    }
    let declared = property.and_then(|property| property.get("type")?.as_str());
    match declared {
        Some("integer" | "number") => Value::from(1_u64),
        Some("boolean") => Value::Bool(true),
        Some("array") => Value::Array(Vec::new()),
        Some("object") => object! {},
        Some("null") => Value::Null,
        _ => Value::from("…"),
    }
}
