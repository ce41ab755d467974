//! Random turns over a small world, so that links, deletions and re-stagings meet often.

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::{Action, Policy, ToolRequest};
use orket_kernel::{
    GateRefusal, Profile, RunEnvelope, RunId, StateView, Stem, Triplet, TurnExecution, TurnId,
    TurnInput, execute_turn, object, plan_promotion,
};
use proptest::prelude::*;

use crate::shelf::Shelf;

/// The names of all cards there can be.
pub(crate) const CARDS: [&str; 5] = ["A", "B", "C", "D", "E"];

pub(crate) fn envelope(run: &str) -> RunEnvelope {
    let policy = Policy::deny_all().grant("coder", "build", "write_file");
    let run_id = RunId::parse(run).unwrap();
    RunEnvelope::new(
        run_id,
        "flow",
        "venue",
        policy,
        Profile::orket(),
        object! {},
    )
}

pub(crate) fn execute(input: &TurnInput, view: &dyn StateView) -> TurnExecution {
    let envelope = envelope("run");
    execute_turn(&envelope, &envelope.handle().unwrap(), input, view)
}

pub(crate) fn stem(text: &str) -> Stem {
    Stem::parse(text).unwrap()
}

pub(crate) fn card(name: &str, depends_on: &[&str], title: &str) -> Triplet {
    let id = format!("card/{name}");
    let mut links: Vec<Value> = depends_on
        .iter()
        .map(|name| {
            let id = format!("card/{name}");
            object! { "type" => "card", "id" => id, "relationship" => "depends_on" }
        })
        .collect();
    links.sort_by_cached_key(canonical::to_bytes);
    links.dedup();
    Triplet {
        stem: stem(&id),
        body: object! { "dto_type" => "card", "id" => id, "title" => title },
        links: object! { "depends_on" => links },
        manifest: object! { "order_insensitive" => vec![Value::from("depends_on")] },
    }
}

pub(crate) fn turn(number: u64, triplets: Vec<Triplet>, deletions: &[&str]) -> TurnInput {
    TurnInput {
        triplets,
        deletions: deletions
            .iter()
            .map(|name| stem(&format!("card/{name}")))
            .collect(),
        ..TurnInput::empty(TurnId::new(number).unwrap())
    }
}

/// What a turn is made from: cards with the cards they need, deletions, calls by tool, refusals by reason.
#[derive(Clone, Debug)]
pub(crate) struct TurnText {
    cards: Vec<(usize, Vec<usize>, bool)>,
    deletions: Vec<usize>,
    tools: Vec<bool>,
    refusals: Vec<(u64, bool)>,
}

impl TurnText {
    pub(crate) fn input(&self, number: u64) -> TurnInput {
        let name = |index: &usize| CARDS[*index];
        let triplets = self.cards.iter().map(|(index, needs, new)| {
            let needs: Vec<&str> = needs.iter().map(name).collect();
            card(name(index), &needs, if *new { "new" } else { "old" })
        });
        let deletions: Vec<&str> = self.deletions.iter().map(name).collect();
        let calls = self.tools.iter().map(|granted| ToolRequest {
            role: "coder".into(),
            task: "build".into(),
            tool: if *granted {
                "write_file"
            } else {
                "run_command"
            }
            .into(),
            action: Action::CALL,
            arguments: object! {},
        });
        let refusals = self.refusals.iter().map(|(call, path)| GateRefusal {
            call: Some(*call),
            reason: if *path { "path" } else { "invalid_transition" }.into(),
            message: "refused".into(),
        });
        TurnInput {
            tool_calls: calls.collect(),
            refusals: refusals.collect(),
            ..turn(number, triplets.collect(), &deletions)
        }
    }
}

/// Turns of which a good part passes.
pub(crate) fn turns() -> impl Strategy<Value = Vec<TurnText>> {
    let index = 0..CARDS.len();
    let one_card = (
        index.clone(),
        prop::collection::vec(index.clone(), 0..3),
        any::<bool>(),
    );
    let text = (
        prop::collection::vec(one_card, 0..4),
        prop::collection::vec(index, 0..2),
        prop::collection::vec(prop::bool::weighted(0.9), 0..3),
        prop::collection::vec((0_u64..3, any::<bool>()), 0..2),
        prop::bool::weighted(0.2),
    );
    let text = text.prop_map(|(cards, deletions, tools, refusals, refused)| TurnText {
        cards,
        deletions,
        tools,
        refusals: if refused { refusals } else { Vec::new() },
    });
    prop::collection::vec(text, 1..8)
}

/// Plays turns over an empty shelf and promotes what passes; shows each execution with the state it was computed on.
pub(crate) fn play(
    texts: &[TurnText],
    mut see: impl FnMut(&TurnInput, &TurnExecution, &Shelf),
) -> Shelf {
    let mut shelf = Shelf::default();
    let all = CARDS.map(|name| card(name, &[], "old")).to_vec();
    let first = execute(&turn(1, all, &[]), &shelf).staged.unwrap();
    shelf.apply(&plan_promotion(&first, &shelf).unwrap().0);
    let mut number = 2;
    for text in texts {
        let input = text.input(number);
        let execution = execute(&input, &shelf);
        see(&input, &execution, &shelf);
        if let Some(staged) = execution.staged {
            shelf.apply(&plan_promotion(&staged, &shelf).unwrap().0);
            number += 1;
        }
    }
    shelf
}

/// A fixed seed: a run of the suite is the same everywhere.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x0_0e7),
        ..ProptestConfig::default()
    }
}
