//! The limits of a policy: the last size that is taken, and the first that is refused.

use orket_kernel::canonical::Value;
use orket_kernel::capability::{Policy, PolicyError};
use orket_kernel::object;

/// Makes a policy of one rule, after `change` had its way with the rule's members.
fn with_rule(
    change: impl Fn(&mut std::collections::BTreeMap<String, Value>),
) -> Result<Policy, PolicyError> {
    let mut rule = object! {
        "role" => "coder", "task" => "build", "tools" => vec![Value::from("write_file")],
    };
    let Value::Object(members) = &mut rule else {
        panic!("an object");
    };
    change(members);
    of_rules(vec![rule])
}

fn of_rules(rules: Vec<Value>) -> Result<Policy, PolicyError> {
    Policy::from_value(object! {
        "policy_version" => "capability_policy/v1", "enabled" => true, "rules" => rules,
    })
}

fn names(count: usize) -> Value {
    Value::from(
        (0..count)
            .map(|it| Value::from(format!("n{it}")))
            .collect::<Vec<Value>>(),
    )
}

fn arguments(matcher: &str, list: Value) -> Value {
    object! { "/a" => object! { matcher => list } }
}

#[track_caller]
fn assert_limit(pointer: &str, limit: usize, make: impl Fn(usize) -> Result<Policy, PolicyError>) {
    if let Err(error) = make(limit) {
        panic!("{limit} were refused: {error}");
    }
    let error = make(limit + 1).unwrap_err();
    assert_eq!(error.pointer.as_str(), pointer, "{error}");
    let message = error.to_string();
    assert!(message.contains(&limit.to_string()), "{message}");
    assert!(message.contains(&(limit + 1).to_string()), "{message}");
}

#[test]
fn a_policy_has_at_most_1000_rules() {
    assert_limit("/rules", 1000, |count| {
        let rule = |it| object! { "role" => format!("r{it}"), "task" => "t", "tools" => names(1) };
        of_rules((0..count).map(rule).collect())
    });
}

#[test]
fn a_rule_has_at_most_64_arguments() {
    assert_limit("/rules/0/arguments", 64, |count| {
        let argument = |it| (format!("/a{it}"), object! { "one_of" => names(1) });
        let arguments = (0..count)
            .map(argument)
            .collect::<std::collections::BTreeMap<_, _>>();
        with_rule(|rule| {
            rule.insert("arguments".into(), arguments.clone().into());
        })
    });
}

#[test]
fn a_list_has_at_most_256_members() {
    for key in ["tools", "actions"] {
        assert_limit(&format!("/rules/0/{key}"), 256, |count| {
            with_rule(|rule| {
                rule.insert(key.into(), names(count));
            })
        });
    }
    for matcher in ["path_under", "host_in", "starts_with", "one_of"] {
        assert_limit(&format!("/rules/0/arguments/~1a/{matcher}"), 256, |count| {
            with_rule(|rule| {
                rule.insert("arguments".into(), arguments(matcher, names(count)));
            })
        });
    }
    for (key, tool) in [("match", "write_file"), ("no_match", "other")] {
        assert_limit(&format!("/rules/0/{key}"), 256, |count| {
            let example = object! { "tool" => tool };
            with_rule(|rule| {
                rule.insert(key.into(), vec![example.clone(); count].into());
            })
        });
    }
}

#[test]
fn a_text_has_at_most_4096_bytes() {
    let text = |bytes: usize| Value::from("x".repeat(bytes));
    for key in ["role", "task"] {
        assert_limit(&format!("/rules/0/{key}"), 4096, |bytes| {
            with_rule(|rule| {
                rule.insert(key.into(), text(bytes));
            })
        });
    }
    assert_limit("/rules/0/tools/0", 4096, |bytes| {
        with_rule(|rule| {
            rule.insert("tools".into(), vec![text(bytes)].into());
        })
    });
    assert_limit("/rules/0/arguments/~1a/path_under/0", 4096, |bytes| {
        with_rule(|rule| {
            let list = vec![text(bytes)].into();
            rule.insert("arguments".into(), arguments("path_under", list));
        })
    });
    // A text among values counts with its quotation marks.
    for matcher in ["starts_with", "one_of"] {
        assert_limit(
            &format!("/rules/0/arguments/~1a/{matcher}/0"),
            4096,
            |bytes| {
                with_rule(|rule| {
                    let list = vec![text(bytes - 2)].into();
                    rule.insert("arguments".into(), arguments(matcher, list));
                })
            },
        );
    }
    // {"a":"…"} has eight bytes beside the text.
    assert_limit("/rules/0/match/0/arguments", 4096, |bytes| {
        with_rule(|rule| {
            let example = object! { "arguments" => object! { "a" => text(bytes - 8) } };
            rule.insert("match".into(), vec![example].into());
        })
    });
    let long_key = |bytes: usize| format!("/{}", "k".repeat(bytes - 1));
    assert_limit(
        &format!("/rules/0/arguments/~1{}", "k".repeat(4096)),
        4096,
        |bytes| {
            with_rule(|rule| {
                let arguments = object! { long_key(bytes) => object! { "one_of" => names(1) } };
                rule.insert("arguments".into(), arguments);
            })
        },
    );
}
