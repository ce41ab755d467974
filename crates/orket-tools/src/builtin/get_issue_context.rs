//! `get_issue_context`.

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::Action;
use orket_ports::tool::{ArgumentType, Limit, Parameter, ToolSpec};
use orket_ports::{Refusal, Tool, TurnScope};

use super::cut;

/// The most bytes of one text.
const TEXT_MAX_BYTES: usize = 16 * 1024;

/// The most members of each list but the comments.
const MEMBERS_MAX: usize = 200;

/// The most bytes of all comments, as JSON.
const COMMENTS_MAX_BYTES: usize = 64 * 1024;

static SPEC: ToolSpec = ToolSpec {
    name: "get_issue_context",
    action: Action::READ,
    description: "Get the facts of a card: what it is, where it stands, what it depends on, what waits for it, and the comments on it.",
    parameters: &[Parameter {
        name: "issue_id",
        description: "The card; your own if left out",
        argument_type: ArgumentType::Text { max_bytes: 64 },
        required: false,
    }],
    limits: &[
        Limit {
            what: "one text; of a longer one the beginning is shown and the result says so",
            most: TEXT_MAX_BYTES as u64,
            unit: "bytes",
        },
        Limit {
            what: "a list of cards or files; of more, the first are shown and the result says so",
            most: MEMBERS_MAX as u64,
            unit: "members",
        },
        Limit {
            what: "all comments; the oldest are left out and the result says so",
            most: COMMENTS_MAX_BYTES as u64,
            unit: "bytes",
        },
    ],
    example: r#"{"issue_id":"FL-1"}"#,
};

pub(super) struct GetIssueContext;

impl Tool for GetIssueContext {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, _: &Value) -> Result<(), Refusal> {
        Ok(())
    }

    fn call(&self, arguments: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        let card = arguments.get("issue_id").and_then(Value::as_str);
        Ok(within_limits(scope.issue_context(card)?))
    }
}

/// Cuts what is too long, and says what was cut.
fn within_limits(facts: Value) -> Value {
    let Value::Object(mut facts) = facts else {
        return facts;
    };
    let mut cuts = Vec::new();
    for (name, fact) in &mut facts {
        match fact {
            Value::Array(comments) if name == "comments" => cuts.extend(newest(comments)),
            Value::Array(members) if members.len() > MEMBERS_MAX => {
                let total = members.len();
                members.truncate(MEMBERS_MAX);
                cuts.push(format!(
                    "{name}: {}",
                    cut::statement(MEMBERS_MAX, total, "members")
                ));
            }
            Value::String(text) if text.len() > TEXT_MAX_BYTES => {
                let head = cut::head(text, TEXT_MAX_BYTES).to_owned();
                let said = cut::statement(head.len(), text.len(), "bytes");
                cuts.push(format!("{name}: {said}"));
                *text = head;
            }
            _ => {}
        }
    }
    if !cuts.is_empty() {
        let cuts: Vec<Value> = cuts.into_iter().map(Value::from).collect();
        facts.insert("cut".into(), Value::from(cuts));
    }
    Value::Object(facts)
}

/// Leaves the newest comments that fit.
fn newest(comments: &mut Vec<Value>) -> Option<String> {
    let mut bytes = 0;
    let fitting = comments
        .iter()
        .rev()
        .take_while(|comment| {
            bytes += canonical::to_bytes(comment).len();
            bytes <= COMMENTS_MAX_BYTES
        })
        .count();
    let total = comments.len();
    comments.drain(..total - fitting);
    (fitting < total).then(|| format!("comments: the last {fitting} of {total} are shown"))
}

#[cfg(test)]
mod tests {
    use orket_kernel::object;

    use super::*;

    fn comments(count: usize, bytes: usize) -> Value {
        let comment = |number: usize| {
            let text = format!("{number:04}{}", "x".repeat(bytes - 4));
            object! { "author" => "a", "text" => text }
        };
        Value::from((0..count).map(comment).collect::<Vec<_>>())
    }

    #[test]
    fn what_fits_is_left_as_it_is() {
        let facts = object! {
            "description" => "x".repeat(TEXT_MAX_BYTES),
            "comments" => comments(10, 4096),
            "needed_by" => vec![Value::from("A"); MEMBERS_MAX],
            "priority" => 2_u64,
        };
        assert_eq!(within_limits(facts.clone()), facts);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_named() {
        let told = within_limits(object! {
            "description" => "é".repeat(TEXT_MAX_BYTES / 2 + 1),
            "comments" => comments(50, 4096),
            "needed_by" => vec![Value::from("A"); MEMBERS_MAX + 1],
        });
        // A comment of 4096 bytes is 4120 bytes of JSON, and 15 of them are fewer than 65,536.
        let expected = [
            "comments: the last 15 of 50 are shown",
            "description: the first 16384 of 16386 bytes are shown",
            "needed_by: the first 200 of 201 members are shown",
        ];
        let cuts: Vec<&str> = told
            .get("cut")
            .and_then(Value::as_array)
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(cuts, expected);
        let shown = told.get("comments").and_then(Value::as_array).unwrap();
        let last = shown.last().and_then(|it| it.get("text")).unwrap();
        assert!(last.as_str().unwrap().starts_with("0049"));
        assert_eq!(shown.len(), 15);
    }
}
