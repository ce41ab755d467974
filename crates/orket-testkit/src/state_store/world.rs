//! Runs, cards and turns in few words. The turns are executed by the kernel, so plans and records are genuine.

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::Policy;
use orket_kernel::{
    Code, CommittedView, KernelIssue, Profile, PromotionPlan, RefSource, RunEnvelope, RunId,
    StagedTurn, StagingArea, Standing, StateStore, StateView, Stem, StoreFailure, StoreTransaction,
    Triplet, TurnId, TurnInput, TurnTrace, execute_turn, object, plan_promotion,
};

pub(super) fn run_id(text: &str) -> RunId {
    RunId::parse(text).unwrap()
}

pub(super) fn turn_id(number: u64) -> TurnId {
    TurnId::new(number).unwrap()
}

pub(super) fn stem(card: &str) -> Stem {
    Stem::parse(&format!("card/{card}")).unwrap()
}

pub(super) fn envelope(run: &str) -> RunEnvelope {
    let (policy, profile) = (Policy::deny_all(), Profile::orket());
    RunEnvelope::new(run_id(run), "flow", "venue", policy, profile, object! {})
}

/// A card whose id is its stem, with the cards that it depends on.
pub(super) fn card(name: &str, needs: &[&str], title: &str) -> Triplet {
    identified(name, &format!("card/{name}"), needs, title)
}

/// A card with an id of its own.
pub(super) fn identified(name: &str, id: &str, needs: &[&str], title: &str) -> Triplet {
    let mut links: Vec<Value> = needs.iter().map(|needed| link(needed)).collect();
    links.sort_by_cached_key(canonical::to_bytes);
    Triplet {
        stem: stem(name),
        body: object! { "dto_type" => "card", "id" => id, "title" => title },
        links: object! { "depends_on" => links },
        manifest: object! { "order_insensitive" => vec![Value::from("depends_on")] },
    }
}

fn link(needed: &str) -> Value {
    let id = format!("card/{needed}");
    object! { "type" => "card", "id" => id, "relationship" => "depends_on" }
}

pub(super) fn turn(number: u64, triplets: Vec<Triplet>, deletions: &[&str]) -> TurnInput {
    TurnInput {
        triplets,
        deletions: deletions.iter().map(|name| stem(name)).collect(),
        ..TurnInput::empty(turn_id(number))
    }
}

/// What a turn came to over a state.
pub(super) struct Draft {
    pub(super) staged: StagedTurn,
    pub(super) plan: PromotionPlan,
    pub(super) issues: Vec<KernelIssue>,
    pub(super) record: Vec<u8>,
}

impl Draft {
    /// Returns the codes of the issues that the promotion would report.
    pub(super) fn codes(&self) -> Vec<Code> {
        self.issues.iter().map(|issue| issue.code).collect()
    }
}

/// Executes a turn of a run over a state; it must pass.
pub(super) fn draft(view: &impl StateView, run: &str, input: &TurnInput) -> Draft {
    let envelope = envelope(run);
    let handle = envelope.handle().unwrap();
    let execution = execute_turn(&envelope, &handle, input, view);
    let record = TurnTrace::new(&handle, input, &execution)
        .to_bytes()
        .unwrap();
    let issues = &execution.result.issues;
    let staged = execution.staged.unwrap_or_else(|| panic!("{issues:?}"));
    let (plan, issues) = plan_promotion(&staged, view).unwrap();
    Draft {
        staged,
        plan,
        issues,
        record,
    }
}

/// Executes a turn over what is committed.
pub(super) fn draft_now<S: StateStore>(store: &S, run: &str, input: &TurnInput) -> Draft {
    draft(&store.committed().unwrap(), run, input)
}

/// Does something in a transaction and commits it.
pub(super) fn commit<S: StateStore, T>(
    store: &S,
    change: impl FnOnce(&mut S::Transaction<'_>) -> Result<T, StoreFailure>,
) -> Result<T, StoreFailure> {
    let mut transaction = store.begin()?;
    let done = change(&mut transaction)?;
    transaction.commit()?;
    Ok(done)
}

pub(super) fn start<S: StateStore>(store: &S, runs: &[&str]) {
    for run in runs {
        commit(store, |transaction| transaction.start_run(&envelope(run))).unwrap();
    }
}

/// Executes a turn over what is committed and promotes it, in a transaction of its own.
pub(super) fn promote<S: StateStore>(store: &S, run: &str, input: &TurnInput) -> Standing {
    let draft = draft_now(store, run, input);
    promote_draft(store, &draft).unwrap()
}

pub(super) fn promote_draft<S: StateStore>(
    store: &S,
    draft: &Draft,
) -> Result<Standing, StoreFailure> {
    commit(store, |transaction| {
        transaction.promote(&draft.plan, &draft.record)
    })
}

/// Returns the word of the rule by which a store refused.
pub(super) fn reason<T>(result: Result<T, StoreFailure>) -> &'static str {
    match result {
        Err(StoreFailure::Refused { reason, .. }) => reason,
        Err(other) => panic!("it failed, where it should refuse: {other}"),
        Ok(_) => panic!("it was done, and should be refused"),
    }
}

/// Returns everything that a view shows, as text that can be compared.
pub(super) fn content(view: &impl CommittedView, runs: &[&str]) -> String {
    let mut lines = vec![format!("{:?}", view.standing().unwrap())];
    for stem in view.stems("").unwrap() {
        let record = view.triplet(&stem).unwrap().unwrap();
        let body = view.object(&record.body_digest).unwrap().unwrap();
        let body = String::from_utf8(body).unwrap();
        lines.push(format!("{record:?} {body}"));
        lines.push(format!("{:?}", view.sources(stem.as_str()).unwrap()));
    }
    for run in runs {
        let run_id = run_id(run);
        let standing = view.run(&run_id).unwrap();
        let last = standing.as_ref().and_then(|standing| standing.last_turn);
        for number in 1..=last.map_or(0, TurnId::number) + 1 {
            lines.push(format!(
                "{:?} {:?}",
                view.turn_record(&run_id, turn_id(number)).unwrap(),
                view.state_digest_after(&run_id, turn_id(number)).unwrap(),
            ));
        }
        lines.push(format!("{standing:?}"));
    }
    lines.join("\n")
}

pub(super) fn committed<S: StateStore>(store: &S, runs: &[&str]) -> String {
    content(&store.committed().unwrap(), runs)
}

/// Returns the names of the cards that reference a card, in the order of the sources.
pub(super) fn referrers(sources: &[RefSource]) -> Vec<&str> {
    sources.iter().map(|source| source.stem.name()).collect()
}

pub(super) fn staged_ids<S: StateStore>(store: &S, run: &str) -> Vec<u64> {
    let staged = store.staging().staged(&run_id(run)).unwrap();
    let ids = staged.iter().map(|(turn, _)| turn.turn_id.number());
    ids.collect()
}
