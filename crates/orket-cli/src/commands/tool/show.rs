//! `orket tool show`: one tool, whole.

use std::fmt::Write;
use std::path::Path;

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::tool::{ArgumentType, Parameter, ToolSpec};

use super::find;
use crate::exit::{Code, Failure};
use crate::project::Project;
use crate::terminal::pretty;
use crate::{terminal, wire};

/// Shows what a tool does: its action, its arguments and limits, the schema that models are shown, and an example
#[derive(clap::Args)]
#[command(after_help = "Example: orket tool show edit_file")]
pub(super) struct Arguments {
    /// The tool
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let tools = wire::tools(&project)?;
    let spec = find(&tools, &arguments.name)?.spec();
    let text = if arguments.json {
        format!("{}\n", canonical::to_string(&json(spec)))
    } else {
        told(spec)
    };
    terminal::print_bytes(text.as_bytes())
}

fn told(spec: &ToolSpec) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} (action {})", spec.name, spec.action);
    let _ = writeln!(text, "{}", spec.description);
    text.push_str("\narguments\n");
    for parameter in spec.parameters {
        let needed = if parameter.required { ", needed" } else { "" };
        let _ = writeln!(
            text,
            "  {:12} {}{needed}: {}",
            parameter.name,
            of_type(parameter.argument_type),
            parameter.description
        );
    }
    let mut head = "\nlimits\n";
    for limit in spec.limits {
        text.push_str(std::mem::take(&mut head));
        let _ = writeln!(text, "  {} {}: {}", limit.most, limit.unit, limit.what);
    }
    let _ = write!(text, "\nschema\n{}", pretty::print(&spec.schema()));
    let _ = writeln!(
        text,
        "\nexample\n  orket tool call {} --role ROLE --card ID --args '{}'",
        spec.name, spec.example
    );
    text
}

fn of_type(argument_type: ArgumentType) -> String {
    match argument_type {
        ArgumentType::Text { max_bytes } => format!("text of at most {max_bytes} bytes"),
        ArgumentType::OneOf(texts) => texts.join(" | "),
        ArgumentType::Truth => "true | false".into(),
        ArgumentType::Integer { min, max } => format!("whole number, {min} to {max}"),
        ArgumentType::Texts {
            min_items,
            max_items,
            max_bytes,
            ..
        } => format!("list of {min_items} to {max_items} texts of at most {max_bytes} bytes"),
    }
}

fn json(spec: &ToolSpec) -> Value {
    let limits: Vec<Value> = spec
        .limits
        .iter()
        .map(|it| object! { "what" => it.what, "most" => it.most, "unit" => it.unit })
        .collect();
    let arguments: Vec<Value> = spec.parameters.iter().map(argument).collect();
    // A test holds that every example is JSON.
    let example = canonical::parse(spec.example.as_bytes()).unwrap_or_default();
    object! {
        "name" => spec.name,
        "action" => spec.action.as_str(),
        "description" => spec.description,
        "arguments" => arguments,
        "limits" => limits,
        "schema" => spec.schema(),
        "example" => example,
    }
}

fn argument(parameter: &Parameter) -> Value {
    let (max_bytes, max_items) = match parameter.argument_type {
        ArgumentType::Text { max_bytes } => (Some(max_bytes as u64), None),
        ArgumentType::Texts {
            max_items,
            max_bytes,
            ..
        } => (Some(max_bytes as u64), Some(max_items as u64)),
        ArgumentType::OneOf(_) | ArgumentType::Truth | ArgumentType::Integer { .. } => (None, None),
    };
    object! {
        "name" => parameter.name,
        "required" => parameter.required,
        "max_bytes" => max_bytes,
        "max_items" => max_items,
    }
}
