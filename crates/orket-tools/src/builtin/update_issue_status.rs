//! `update_issue_status`.

use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_kernel::object;
use orket_ports::tool::{ArgumentType, Parameter, ToolSpec};
use orket_ports::{Refusal, Tool, TurnScope};

use super::text;

static SPEC: ToolSpec = ToolSpec {
    name: "update_issue_status",
    action: Action::CHANGE_STATUS,
    description: "Move your card to another status.",
    parameters: &[
        Parameter {
            name: "status",
            description: "The status to set, one of those that the card's text lists",
            argument_type: ArgumentType::Text { max_bytes: 64 },
            required: true,
        },
        Parameter {
            name: "wait_reason",
            description: "Why the card waits; needed for blocked and waiting_for_developer",
            argument_type: ArgumentType::OneOf(&[
                "resource",
                "dependency",
                "review",
                "input",
                "system",
            ]),
            required: false,
        },
        Parameter {
            name: "issue_id",
            description: "The card; your own if left out",
            argument_type: ArgumentType::Text { max_bytes: 64 },
            required: false,
        },
    ],
    limits: &[],
    example: r#"{"status":"code_review"}"#,
};

pub(super) struct UpdateIssueStatus;

impl Tool for UpdateIssueStatus {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, _: &Value) -> Result<(), Refusal> {
        Ok(())
    }

    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        let given = |name| arguments.get(name).and_then(Value::as_str);
        let status = text(arguments, "status");
        scope.move_card(given("issue_id"), status, given("wait_reason"))?;
        Ok(object! { "status" => status })
    }
}
