//! The capability plan.

use orket_kernel::canonical;
use orket_kernel::capability::{CapabilityPlan, Policy, resolve_capability};

const POLICY: &str = r#"{"policy_version":"capability_policy/v1","enabled":true,"rules":[
    {"role":"coder","task":"build","tools":["write_file"],"arguments":{"/path":{"path_under":["src"]}}},
    {"role":"guard","task":"build","tools":["judge"]},
    {"role":"coder","task":"review","tools":["comment"]},
    {"role":"coder","task":"build","tools":["write_file","read_file"],"actions":["read"]}]}"#;

fn policy(text: &str) -> Policy {
    canonical::from_bytes(text.as_bytes()).unwrap()
}

#[test]
fn a_plan_holds_the_rules_of_the_role_in_the_task_and_their_tools() {
    let policy = policy(POLICY);
    let plan = resolve_capability(&policy, "coder", "build");
    let expected = format!(
        r#"{{"mode":"enabled","plan_version":"capability_plan/v1","policy_digest":"{}","role":"coder","rules":[{{"actions":null,"arguments":{{"/path":{{"path_under":["src"]}}}},"rule":0,"tools":["write_file"]}},{{"actions":["read"],"arguments":{{}},"rule":3,"tools":["read_file","write_file"]}}],"task":"build","tools":["read_file","write_file"]}}"#,
        policy.digest()
    );
    let written = canonical::serialize(&plan).unwrap();
    assert_eq!(String::from_utf8(written.clone()).unwrap(), expected);
    assert_eq!(canonical::from_bytes::<CapabilityPlan>(&written), Ok(plan));
}

#[test]
fn a_plan_for_what_no_rule_lists_is_empty() {
    for (role, task) in [
        ("coder", "guard"),
        ("nobody", "build"),
        ("", ""),
        ("Coder", "build"),
    ] {
        let plan = resolve_capability(&policy(POLICY), role, task);
        assert!(
            plan.rules.is_empty() && plan.tools.is_empty(),
            "{role} in {task}"
        );
    }
}

#[test]
fn a_plan_says_that_the_module_is_disabled() {
    let disabled = policy(&POLICY.replace("true", "false"));
    let plan = resolve_capability(&disabled, "guard", "build");
    let written = canonical::to_value(&plan).unwrap();
    assert_eq!(written.get("mode"), Some(&"disabled".into()));
    assert!(plan.tools.contains("judge"));
}
