//! What the model is shown of a tool is what the tool checks.

use std::collections::BTreeSet;
use std::sync::Arc;

use orket_kernel::canonical;
use orket_ports::Tool;
use orket_ports::tool::{ArgumentType, Limit, Parameter, ToolSpec};
use orket_secrets::{Scrubber, Vault};
use serde_json::{Value, json};

use crate::command::Commands;
use crate::path::Directory;
use crate::sandbox::Sandbox;
use crate::spaces::Spaces;

/// The built-in tools by name.
pub(super) fn tools() -> Vec<Arc<dyn Tool>> {
    let project = tempfile::tempdir().unwrap();
    let spaces = Spaces::new(Directory::open(project.path()).unwrap(), None);
    let scrubber = Scrubber::new(&Vault::default()).unwrap();
    let commands = Commands::new(Sandbox::new().unwrap(), Arc::new(scrubber), BTreeSet::new());
    let others = super::super::tools(Arc::new(spaces)).into_values();
    others
        .chain([super::super::run_command(commands)])
        .collect()
}

fn is_checked(spec: &ToolSpec, arguments: &Value) -> bool {
    let arguments = canonical::parse(arguments.to_string().as_bytes()).unwrap();
    spec.check(&arguments).is_ok()
}

fn schema(spec: &ToolSpec) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&spec.schema().to_string()).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn every_example_passes_the_checks_and_the_schema_of_its_tool() {
    for tool in tools() {
        let spec = tool.spec();
        let arguments = canonical::parse(spec.example.as_bytes()).unwrap();
        spec.check(&arguments).unwrap();
        tool.validate(&arguments)
            .unwrap_or_else(|refusal| panic!("{}: {refusal}", spec.name));
        let example: Value = serde_json::from_str(spec.example).unwrap();
        assert!(schema(spec).is_valid(&example), "{}", spec.name);
    }
}

/// A value that each type takes.
fn fit(argument: ArgumentType) -> Value {
    match argument {
        ArgumentType::Text { .. } => json!("x"),
        ArgumentType::OneOf(texts) => json!(texts[0]),
        ArgumentType::Truth => json!(true),
        ArgumentType::Integer { min, .. } => json!(min),
        ArgumentType::Texts { .. } => json!(["x", "y"]),
    }
}

#[test]
fn the_schema_and_the_check_agree_on_every_single_change() {
    let values = [
        json!(null),
        json!(true),
        json!("x"),
        json!("no such word"),
        json!(0),
        json!(-1),
        json!(7),
        json!(1.5),
        json!(10),
        json!(1_000_000),
        json!({}),
        json!([]),
        json!(["x"]),
        json!(["x", "x"]),
        json!(["x", 7]),
        json!([["x"]]),
        Value::Array((0..40).map(|number| json!(number.to_string())).collect()),
    ];
    for tool in tools() {
        let spec = tool.spec();
        let schema = schema(spec);
        let agree = |arguments: &Value| {
            assert_eq!(
                schema.is_valid(arguments),
                is_checked(spec, arguments),
                "{}: {arguments}",
                spec.name
            );
        };
        let parameters = spec.parameters.iter();
        let whole: Value = parameters
            .map(|it| (it.name.to_owned(), fit(it.argument_type)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        assert!(is_checked(spec, &whole), "{}", spec.name);
        for odd in &values {
            agree(odd);
        }
        let mut more = whole.clone();
        more["no_such_argument"] = json!(1);
        agree(&more);
        for parameter in spec.parameters {
            let mut less = whole.clone();
            less.as_object_mut().unwrap().remove(parameter.name);
            agree(&less);
            assert_eq!(is_checked(spec, &less), !parameter.required);
            for value in &values {
                let mut other = whole.clone();
                other[parameter.name] = value.clone();
                agree(&other);
            }
        }
    }
}

static LIMITS: [Limit; 0] = [];

#[test]
fn lengths_are_checked_in_bytes_and_numbers_by_their_range() {
    let check = |argument_type: ArgumentType, value: &Value| {
        let parameters: &'static [Parameter] = Box::leak(Box::new([Parameter {
            name: "it",
            description: "",
            argument_type,
            required: true,
        }]));
        let spec = ToolSpec {
            name: "tool",
            action: orket_kernel::capability::Action::CALL,
            description: "",
            parameters,
            limits: &LIMITS,
            example: "{}",
        };
        let value = json!({ "it": value }).to_string();
        let checked = spec.check(&canonical::parse(value.as_bytes()).unwrap());
        checked.map_err(|refusal| refusal.message)
    };
    let text = ArgumentType::Text { max_bytes: 4 };
    let list = ArgumentType::Texts {
        min_items: 0,
        max_items: 2,
        max_bytes: 4,
        distinct: true,
    };
    let number = ArgumentType::Integer { min: 2, max: 9 };
    for (argument_type, value, expected) in [
        (text, json!("éé"), None),
        (text, json!("éée"), Some("is longer than 4 bytes")),
        (list, json!(["éé", ""]), None),
        (
            list,
            json!(["a", "b", "c"]),
            Some("has more than 2 members"),
        ),
        (
            list,
            json!(["éée"]),
            Some("has a member of more than 4 bytes"),
        ),
        (list, json!(["a", "a"]), Some("has the member \"a\" twice")),
        (list, json!("a"), Some("must be a list of texts")),
        (number, json!(2), None),
        (number, json!(9), None),
        (number, json!(1), Some("must be a whole number from 2 to 9")),
        (
            number,
            json!(10),
            Some("must be a whole number from 2 to 9"),
        ),
        (
            number,
            json!("2"),
            Some("must be a whole number from 2 to 9"),
        ),
    ] {
        let expected = expected.map(|fault| format!("tool: \"it\" {fault}"));
        assert_eq!(check(argument_type, &value).err(), expected, "{value}");
    }
}
