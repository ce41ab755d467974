//! `create_issue`.

use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_kernel::object;
use orket_ports::tool::{ArgumentType, NewCard, Parameter, ToolSpec};
use orket_ports::{Refusal, Tool, TurnScope};

use super::{text, texts};
use crate::path::is_hidden;
use crate::spaces::writable;

static SPEC: ToolSpec = ToolSpec {
    name: "create_issue",
    action: Action::CREATE_CARD,
    description: "Make a new card of this epic, for work that no card covers. It begins as ready; its id comes back.",
    parameters: &[
        Parameter {
            name: "title",
            description: "What it is, in a line",
            argument_type: ArgumentType::Text { max_bytes: 200 },
            required: true,
        },
        Parameter {
            name: "description",
            description: "What is to be done, for somebody who knows nothing of your card",
            argument_type: ArgumentType::Text {
                max_bytes: 16 * 1024,
            },
            required: true,
        },
        Parameter {
            name: "seat",
            description: "The role that is to do it",
            argument_type: ArgumentType::Text { max_bytes: 64 },
            required: true,
        },
        Parameter {
            name: "priority",
            description: "How much it matters; higher goes first, 2 if left out",
            argument_type: ArgumentType::Integer { min: 0, max: 9 },
            required: false,
        },
        Parameter {
            name: "depends_on",
            description: "The cards of this epic that must be done first",
            argument_type: ArgumentType::Texts {
                min_items: 0,
                max_items: 32,
                max_bytes: 64,
                distinct: true,
            },
            required: false,
        },
        Parameter {
            name: "artifacts",
            description: "The files that it promises; each begins with agent_output/",
            argument_type: ArgumentType::Texts {
                min_items: 0,
                max_items: 32,
                max_bytes: 1024,
                distinct: true,
            },
            required: false,
        },
        Parameter {
            name: "checks",
            description: "The checks of other cards that apply to it too; those that the epic foresees if left out",
            argument_type: ArgumentType::Texts {
                min_items: 0,
                max_items: 8,
                max_bytes: 1024,
                distinct: true,
            },
            required: false,
        },
    ],
    limits: &[],
    example: r#"{"title":"Tell the season","description":"Write lib/season.sh: it prints the season of a month.","seat":"coder","artifacts":["agent_output/lib/season.sh"]}"#,
};

pub(super) struct CreateIssue;

impl Tool for CreateIssue {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, arguments: &Value) -> Result<(), Refusal> {
        card(arguments).map(|_| ())
    }

    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        let id = scope.create_card(card(arguments)?)?;
        Ok(object! { "issue_id" => id, "status" => "ready" })
    }
}

fn card(arguments: &Value) -> Result<NewCard, Refusal> {
    let malformed = |message: &str| {
        Err(Refusal::malformed(
            "new_card",
            format!("create_issue: {message}"),
        ))
    };
    let (title, description) = (text(arguments, "title"), text(arguments, "description"));
    // A title stands in a line of other roles' prompts.
    if title.trim().is_empty() || title.chars().any(|c| c.is_control() || is_hidden(c)) {
        return malformed("the title must be one line of visible text");
    }
    if description.trim().is_empty() {
        return malformed("the description must say what is to be done");
    }
    let mut artifacts = Vec::new();
    for path in texts(arguments, "artifacts") {
        artifacts.push(writable(&path)?.as_str().to_owned());
    }
    Ok(NewCard {
        title: title.to_owned(),
        description: description.to_owned(),
        seat: text(arguments, "seat").to_owned(),
        priority: arguments.get("priority").and_then(Value::as_u64),
        depends_on: texts(arguments, "depends_on"),
        artifacts,
        checks: texts(arguments, "checks"),
    })
}
