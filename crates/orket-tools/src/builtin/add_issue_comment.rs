//! `add_issue_comment`.

use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_kernel::object;
use orket_ports::tool::{ArgumentType, Parameter, ToolSpec};
use orket_ports::{Refusal, Tool, TurnScope};

use super::text;

static SPEC: ToolSpec = ToolSpec {
    name: "add_issue_comment",
    action: Action::COMMENT,
    description: "Leave a remark on your card for the roles that come after you.",
    parameters: &[Parameter {
        name: "comment",
        description: "The remark",
        argument_type: ArgumentType::Text { max_bytes: 4096 },
        required: true,
    }],
    limits: &[],
    example: r#"{"comment":"The tests cover the empty list too."}"#,
};

pub(super) struct AddIssueComment;

impl Tool for AddIssueComment {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, _: &Value) -> Result<(), Refusal> {
        Ok(())
    }

    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        scope.comment(text(arguments, "comment"))?;
        Ok(object! { "commented" => true })
    }
}
