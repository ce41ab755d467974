//! Any text as a turn: judged twice over an empty state and over a small one, with the same result and no panic.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::Policy;
use orket_kernel::{
    EmptyView, KernelIssue, Outcome, Profile, RecordedView, RunEnvelope, RunId, StateView, Stem,
    Triplet, TurnExecution, TurnId, TurnInput, event, execute_turn, object, plan_promotion,
};

#[path = "../turns/shelf.rs"]
mod shelf;
use shelf::Shelf;

/// Panics if a turn that is read from `bytes` breaks a promise.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(input) = canonical::from_bytes::<TurnInput>(bytes) else {
        return;
    };
    let written = canonical::serialize(&input).unwrap();
    assert_eq!(
        canonical::from_bytes::<TurnInput>(&written).as_ref(),
        Ok(&input)
    );
    static SHELF: OnceLock<Shelf> = OnceLock::new();
    let shelf = SHELF.get_or_init(small_shelf);
    judge(&input, &EmptyView);
    judge(&input, shelf);
    // The state was lent, and is what it was.
    assert_eq!(*shelf, small_shelf(), "a turn changed the state");
}

fn judge(input: &TurnInput, view: &dyn StateView) {
    let execution = execute(input, view);
    let again = execute(input, view);
    assert_eq!(again.result, execution.result, "two executions differ");
    assert_eq!(again.staged, execution.staged);
    assert_eq!(again.reads, execution.reads);
    assert_eq!(again.decisions, execution.decisions);

    let result = &execution.result;
    let parsed: Vec<_> = result
        .events
        .iter()
        .map(|line| event::parse(line))
        .collect();
    let issues: Vec<_> = result.issues.iter().cloned().map(Some).collect();
    assert_eq!(parsed, issues, "the events are not the issues");
    let mut sorted = result.issues.clone();
    sorted.sort_by(KernelIssue::order);
    assert_eq!(sorted, result.issues, "issues are unsorted");
    let passed = result.outcome == Outcome::Pass;
    assert_eq!(execution.staged.is_some(), passed, "staged without PASS");
    assert_eq!(
        passed,
        !result.issues.iter().any(|issue| issue.is_failure())
    );
    assert_eq!(execution.decisions.len(), input.tool_calls.len());
    replay(input, view, &execution);
    if let Some(staged) = &execution.staged {
        let (plan, _) = plan_promotion(staged, view).unwrap();
        assert!(
            plan.delete
                .iter()
                .all(|stem| input.deletions.contains(stem))
        );
    }
}

/// What the turn read is enough to judge it again.
fn replay(input: &TurnInput, view: &dyn StateView, execution: &TurnExecution) {
    let mut objects = BTreeMap::new();
    for digest in execution.reads.objects() {
        objects.insert(digest, view.payload(&digest).unwrap().unwrap());
    }
    let recorded = RecordedView::new(&execution.reads, &objects);
    assert_eq!(execute(input, &recorded).result, execution.result, "replay");
}

fn execute(input: &TurnInput, view: &dyn StateView) -> TurnExecution {
    let policy = Policy::deny_all()
        .grant("coder", "build", "write_file")
        .grant("coder", "build", "read_file");
    let run_id = RunId::parse("run").unwrap();
    let envelope = RunEnvelope::new(
        run_id,
        "flow",
        "venue",
        policy,
        Profile::orket(),
        object! {},
    );
    execute_turn(&envelope, &envelope.handle().unwrap(), input, view)
}

/// An epic, two cards of which one needs the other, and an artefact.
fn small_shelf() -> Shelf {
    let links = |slots: &str| canonical::parse(slots.as_bytes()).unwrap();
    let triplet = |stem: &str, kind: &str, slots: &str, set: Vec<Value>| Triplet {
        stem: Stem::parse(stem).unwrap(),
        body: object! { "dto_type" => kind, "id" => stem },
        links: links(slots),
        manifest: object! { "order_insensitive" => set },
    };
    let part = r#""epic":{"type":"epic","id":"epic/E","relationship":"part_of"}"#;
    let needs = r#""depends_on":[{"type":"card","id":"card/A","relationship":"depends_on"}]"#;
    let made = r#"{"card":{"type":"card","id":"card/A","relationship":"produced_by"}}"#;
    let first = TurnInput {
        triplets: vec![
            triplet("epic/E", "epic", "{}", Vec::new()),
            triplet("card/A", "card", &format!("{{{part}}}"), Vec::new()),
            triplet(
                "card/B",
                "card",
                &format!("{{{part},{needs}}}"),
                vec![Value::from("depends_on")],
            ),
            triplet("artifact/a.txt", "artifact", made, Vec::new()),
        ],
        ..TurnInput::empty(TurnId::FIRST)
    };
    let execution = execute(&first, &EmptyView);
    let staged = execution
        .staged
        .unwrap_or_else(|| panic!("{}", execution.result.events.join("\n")));
    let mut shelf = Shelf::default();
    shelf.apply(&plan_promotion(&staged, &EmptyView).unwrap().0);
    shelf
}
