//! Governs one turn of two tool calls: the policy of the run grants one and denies the other.
//!
//! ```text
//! cargo run -p orket-kernel --example govern_one_call
//! ```

use std::error::Error;

use orket_kernel::capability::{Action, Policy, ToolRequest};
use orket_kernel::{
    EmptyView, Profile, RunEnvelope, RunId, TurnId, TurnInput, TurnResult, execute_turn, object,
};

/// Asks the kernel what it says to these tools, used by the coder in the step `build`.
fn judge(tools: &[&str]) -> Result<TurnResult, Box<dyn Error>> {
    // What is not granted here is denied; nothing in a request can widen it.
    let policy = Policy::deny_all().grant("coder", "build", "write_file");
    // The envelope fixes what a run may do. The handle names it by digest, so nobody can exchange it on the way.
    let envelope = RunEnvelope::new(
        RunId::parse("example-1")?,
        "one_turn",
        "no_model",
        policy,
        Profile::orket(),
        object! {},
    );
    let handle = envelope.handle()?;

    let mut turn = TurnInput::empty(TurnId::FIRST);
    turn.tool_calls = tools
        .iter()
        .map(|tool| ToolRequest {
            role: "coder".into(),
            task: "build".into(),
            tool: (*tool).into(),
            action: Action::CALL,
            arguments: object! { "path" => "agent_output/hello.sh" },
        })
        .collect();

    // The view says what is committed: here nothing. The kernel cannot write through it.
    Ok(execute_turn(&envelope, &handle, &turn, &EmptyView).result)
}

#[expect(clippy::print_stdout, reason = "an example shows what it found")]
fn main() -> Result<(), Box<dyn Error>> {
    for tools in [&["write_file"][..], &["write_file", "run_command"]] {
        let result = judge(tools)?;
        println!(
            "{}: {} at {}",
            tools.join(", "),
            result.outcome,
            result.stage
        );
        for event in &result.events {
            println!("  {event}");
        }
        println!("  structural digest {}", result.structural_digest());
    }
    Ok(())
}
