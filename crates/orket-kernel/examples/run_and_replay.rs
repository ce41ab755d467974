//! Runs two turns over a store in memory, replays them, and shows that a turn that breaks the law changes nothing.
//!
//! ```text
//! cargo run -p orket-kernel --example run_and_replay
//! ```

use std::error::Error;

use orket_kernel::canonical::Value;
use orket_kernel::capability::Policy;
use orket_kernel::{
    CommittedView, Finish, Kernel, MemoryStore, Profile, Run, RunDescriptor, RunEnvelope, RunId,
    StateStore, Stem, Triplet, TurnId, TurnInput, object,
};

/// A card that needs other cards, as body, links and manifest.
fn card(name: &str, needs: &[&str]) -> Result<Triplet, Box<dyn Error>> {
    let links = needs.iter().map(|other| {
        object! { "type" => "card", "id" => format!("card/{other}"), "relationship" => "depends_on" }
    });
    Ok(Triplet {
        stem: Stem::parse(&format!("card/{name}"))?,
        body: object! { "dto_type" => "card", "id" => format!("card/{name}") },
        links: object! { "depends_on" => links.collect::<Vec<Value>>() },
        manifest: object! { "order_insensitive" => vec![Value::from("depends_on")] },
    })
}

/// Executes one turn that adds `cards`, and says what became of it.
#[expect(clippy::print_stdout, reason = "an example shows what it found")]
fn turn(
    run: &mut Run<'_, MemoryStore>,
    number: u64,
    cards: Vec<Triplet>,
) -> Result<(), Box<dyn Error>> {
    let turn_id = TurnId::new(number).ok_or("turns are counted from 1")?;
    let execution = run.execute_turn(&TurnInput {
        triplets: cards,
        ..TurnInput::empty(turn_id)
    })?;
    println!(
        "{turn_id}: {} {}",
        execution.result.outcome,
        execution.result.structural_digest()
    );
    for event in &execution.result.events {
        println!("  {event}");
    }
    if execution.staged.is_some() {
        let report = run.commit_turn(turn_id)?;
        println!(
            "  generation {}, state {}",
            report.generation, report.state_digest
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example shows what it found")]
fn main() -> Result<(), Box<dyn Error>> {
    let kernel = Kernel::new(MemoryStore::new());
    // The envelope fixes the policy and the vocabulary of the run; neither can change while it goes on.
    let run_id = RunId::parse("example-1")?;
    let (policy, profile) = (Policy::deny_all(), Profile::orket());
    let envelope = RunEnvelope::new(
        run_id.clone(),
        "cards",
        "no_model",
        policy,
        profile,
        object! {},
    );

    let mut run = kernel.start_run(&envelope)?;
    turn(&mut run, 1, vec![card("wall", &[])?])?;
    // Nothing defines card/door: the turn fails, and the state stays as it was.
    turn(&mut run, 2, vec![card("roof", &["door", "wall"])?])?;
    // The id of a failed turn is not used up.
    turn(&mut run, 2, vec![card("roof", &["wall"])?])?;
    run.finish(Finish::Commit)?;

    let descriptor = RunDescriptor {
        run_id,
        envelope_digest: None,
    };
    let report = kernel.replay_run(&descriptor)?;
    println!(
        "replay: {} over {} turn(s)",
        report.outcome, report.turns_compared
    );
    println!(
        "state {}",
        kernel.store().committed()?.standing()?.state_digest
    );
    Ok(())
}
