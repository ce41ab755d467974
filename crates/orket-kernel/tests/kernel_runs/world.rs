//! A kernel over a store in memory, and turns in few words.

use orket_kernel::canonical::Value;
use orket_kernel::capability::Policy;
use orket_kernel::{
    Code, CommittedView, Kernel, KernelError, KernelIssue, MemoryStore, Profile, Run, RunEnvelope,
    RunId, Standing, StateStore, StateView, Stem, Triplet, TurnId, TurnInput, object,
};

pub(crate) type MemoryKernel = Kernel<MemoryStore>;

pub(crate) fn run_id(text: &str) -> RunId {
    RunId::parse(text).unwrap()
}

pub(crate) fn turn_id(number: u64) -> TurnId {
    TurnId::new(number).unwrap()
}

pub(crate) fn stem(card: &str) -> Stem {
    Stem::parse(&format!("card/{card}")).unwrap()
}

pub(crate) fn envelope(run: &str) -> RunEnvelope {
    let policy = Policy::deny_all().grant("coder", "build", "write_file");
    let profile = Profile::orket();
    RunEnvelope::new(run_id(run), "flow", "venue", policy, profile, object! {})
}

pub(crate) fn start<'k>(kernel: &'k MemoryKernel, run: &str) -> Run<'k, MemoryStore> {
    kernel.start_run(&envelope(run)).unwrap()
}

/// A card, with the card that it depends on.
pub(crate) fn card(name: &str, needed: Option<&str>, title: &str) -> Triplet {
    let id = format!("card/{name}");
    let links = needed.iter().map(|needed| {
        let id = format!("card/{needed}");
        object! { "type" => "card", "id" => id, "relationship" => "depends_on" }
    });
    Triplet {
        stem: stem(name),
        body: object! { "dto_type" => "card", "id" => id, "title" => title },
        links: object! { "depends_on" => links.collect::<Vec<Value>>() },
        manifest: object! { "order_insensitive" => vec![Value::from("depends_on")] },
    }
}

pub(crate) fn turn(number: u64, triplets: Vec<Triplet>, deletions: &[&str]) -> TurnInput {
    TurnInput {
        triplets,
        deletions: deletions.iter().map(|name| stem(name)).collect(),
        ..TurnInput::empty(turn_id(number))
    }
}

/// Executes and promotes a turn.
pub(crate) fn play(run: &mut Run<'_, MemoryStore>, input: &TurnInput) {
    let execution = run.execute_turn(input).unwrap();
    assert!(execution.staged.is_some(), "{:?}", execution.result.issues);
    run.commit_turn(input.turn_id).unwrap();
}

pub(crate) fn standing(kernel: &MemoryKernel) -> Standing {
    kernel.store().committed().unwrap().standing().unwrap()
}

/// The names of all cards that are committed.
pub(crate) fn cards(kernel: &MemoryKernel) -> Vec<String> {
    let stems = kernel.store().committed().unwrap().stems("card/").unwrap();
    stems.iter().map(|stem| stem.name().to_owned()).collect()
}

pub(crate) fn reason(issue: &KernelIssue) -> &str {
    let reason = issue.details.get("reason").and_then(Value::as_str);
    reason.unwrap_or_default()
}

/// Returns code and reason of a refusal.
pub(crate) fn refusal<T>(result: Result<T, KernelError>) -> (Code, String) {
    match result {
        Err(KernelError::Refused(issues)) => (issues[0].code, reason(&issues[0]).to_owned()),
        Err(other) => panic!("it failed, where it should refuse: {other}"),
        Ok(_) => panic!("it was done, and should be refused"),
    }
}

pub(crate) fn promotion_failed(reason: &str) -> (Code, String) {
    (Code::LsiPromotionFailed, reason.to_owned())
}
