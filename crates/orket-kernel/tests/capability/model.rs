//! Policies against a plain model: nothing is allowed that no rule lists, and all that one lists is.

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::{Action, Policy, ToolRequest, Verdict, authorize};
use orket_kernel::{RunId, object};
use proptest::prelude::*;

const ROLES: [&str; 3] = ["coder", "guard", "coder "];
const TASKS: [&str; 2] = ["build", "judge"];
const TOOLS: [&str; 3] = ["read_file", "write_file", "fetch"];
const ACTIONS: [&str; 2] = ["read", "write"];
const PATHS: [&str; 9] = [
    "src", "src/a", "src/a/b", "srcx", "src/../a", "/src", "", "src/", "doc",
];
const PREFIXES: [&str; 4] = ["src", "src/a", "doc", "."];
/// The paths below each prefix, by the definition of a path and not by its text.
const BELOW: [&[&str]; 4] = [
    &["src", "src/a", "src/a/b"],
    &["src/a", "src/a/b"],
    &["doc"],
    &["src", "src/a", "src/a/b", "srcx", "doc"],
];

/// A rule as the model sees it: places in the tables above.
#[derive(Clone, Debug)]
struct Listed {
    role: usize,
    task: usize,
    tools: Vec<usize>,
    actions: Option<Vec<usize>>,
    prefixes: Option<Vec<usize>>,
}

#[derive(Clone, Debug)]
struct Call {
    role: usize,
    task: usize,
    tool: usize,
    action: usize,
    path: Option<usize>,
}

impl Listed {
    fn to_json(&self) -> Value {
        let names = |table: &[&str], places: &[usize]| -> Value {
            let names = places.iter().map(|place| Value::from(table[*place]));
            names.collect::<Vec<Value>>().into()
        };
        let mut rule = object! {
            "role" => ROLES[self.role],
            "task" => TASKS[self.task],
            "tools" => names(&TOOLS, &self.tools),
        };
        let Value::Object(members) = &mut rule else {
            panic!("an object");
        };
        if let Some(actions) = &self.actions {
            members.insert("actions".into(), names(&ACTIONS, actions));
        }
        if let Some(prefixes) = &self.prefixes {
            let matcher = object! { "path_under" => names(&PREFIXES, prefixes) };
            members.insert("arguments".into(), object! { "/path" => matcher });
        }
        rule
    }

    fn allows(&self, call: &Call) -> bool {
        let is_below = |prefix: &usize| {
            call.path
                .is_some_and(|path| BELOW[*prefix].contains(&PATHS[path]))
        };
        self.role == call.role
            && self.task == call.task
            && self.tools.contains(&call.tool)
            && self
                .actions
                .as_ref()
                .is_none_or(|actions| actions.contains(&call.action))
            && self
                .prefixes
                .as_ref()
                .is_none_or(|prefixes| prefixes.iter().any(is_below))
    }
}

fn request(call: &Call) -> ToolRequest {
    // Words that ask for more than the policy gives are in every request.
    let mut arguments = object! { "allow_tool_call" => true, "rules" => vec![Value::from("*")] };
    if let (Some(path), Value::Object(members)) = (call.path, &mut arguments) {
        members.insert("path".into(), PATHS[path].into());
    }
    ToolRequest {
        role: ROLES[call.role].into(),
        task: TASKS[call.task].into(),
        tool: TOOLS[call.tool].into(),
        action: Action::parse(ACTIONS[call.action]).unwrap(),
        arguments,
    }
}

fn some_of(count: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::sample::subsequence((0..count).collect::<Vec<usize>>(), 1..=count)
}

fn rules() -> impl Strategy<Value = Vec<Listed>> {
    let rule = (
        0..ROLES.len(),
        0..TASKS.len(),
        some_of(TOOLS.len()),
        prop::option::of(some_of(ACTIONS.len())),
        prop::option::of(some_of(PREFIXES.len())),
    );
    let rule = rule.prop_map(|(role, task, tools, actions, prefixes)| Listed {
        role,
        task,
        tools,
        actions,
        prefixes,
    });
    prop::collection::vec(rule, 0..6)
}

fn calls() -> impl Strategy<Value = Call> {
    let call = (
        0..ROLES.len(),
        0..TASKS.len(),
        0..TOOLS.len(),
        0..ACTIONS.len(),
        prop::option::of(0..PATHS.len()),
    );
    call.prop_map(|(role, task, tool, action, path)| Call {
        role,
        task,
        tool,
        action,
        path,
    })
}

fn policy(rules: &[Listed]) -> Policy {
    let rules: Vec<Value> = rules.iter().map(Listed::to_json).collect();
    let document = object! {
        "policy_version" => "capability_policy/v1", "enabled" => true, "rules" => rules,
    };
    canonical::from_value(document).unwrap()
}

/// A fixed seed: a run of the suite is the same everywhere.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x0_0e7),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn law_8_policy_evaluation_never_allows_what_is_not_listed(
        rules in rules(),
        calls in prop::collection::vec(calls(), 16),
    ) {
        let policy = policy(&rules);
        let run_id = RunId::parse("run").unwrap();
        for call in &calls {
            let decision = authorize(&policy, &run_id, 0, &request(call));
            let allowing = rules.iter().position(|rule| rule.allows(call));
            prop_assert_eq!(decision.rule, allowing.map(|place| place as u64), "{:?}", call);
            let is_granted = decision.verdict == Verdict::Granted;
            prop_assert_eq!(is_granted, allowing.is_some(), "{:?}", call);
            prop_assert_eq!(decision.verify(), Ok(()));
        }
    }

    #[test]
    fn law_8_a_rule_taken_away_never_allows_more(rules in rules(), call in calls(), place in 0_usize..6) {
        let mut fewer = rules.clone();
        if place < fewer.len() {
            fewer.remove(place);
        }
        let run_id = RunId::parse("run").unwrap();
        let verdict = |rules: &[Listed]| {
            authorize(&policy(rules), &run_id, 0, &request(&call)).verdict
        };
        prop_assert!(verdict(&fewer) == Verdict::Denied || verdict(&rules) == Verdict::Granted);
    }
}

/// The property means nothing if the random calls were all denied or all granted.
#[test]
fn the_random_calls_are_granted_and_denied_in_good_number() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::new(config(1));
    let mut granted = 0;
    for _ in 0..2000 {
        let rules = rules().new_tree(&mut runner).unwrap().current();
        let call = calls().new_tree(&mut runner).unwrap().current();
        granted += usize::from(rules.iter().any(|rule| rule.allows(&call)));
    }
    assert!(
        (100..1900).contains(&granted),
        "{granted} of 2000 were granted"
    );
}
