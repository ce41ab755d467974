//! What `cargo xtask crash` stops, cuts and fails: turns promoted through the board, as `orket` promotes them, and a look at
//! what is left of a home.
//!
//! ```text
//! crash_driver prepare SCENARIO HOME   makes the home as it is before the scenario
//! crash_driver act SCENARIO HOME       carries out what is left of the scenario; `ack GENERATION DIGEST` after each commit
//! crash_driver check HOME              opens the home, proves that everything in it agrees, and says where it stands
//! ```
//!
//! Exit codes: 0 done, 1 refused for a reason that is told, 2 wrong use, 70 bug, 74 the disk failed.
#![forbid(unsafe_code)]

mod check;
mod scenario;
mod turns;

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use orket_cards::StoreFault;

use scenario::Scenario;

/// An error of any kind; what `orket` would exit with is told by [`exit_code`].
type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut message = format!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                message.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            // Nobody is left to tell it to if even this fails.
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::from(exit_code(error.as_ref()))
        }
    }
}

fn run(arguments: &[&str]) -> Outcome<()> {
    match arguments {
        ["prepare", scenario, home] => Scenario::parse(scenario)?.prepare(Path::new(home)),
        ["act", scenario, home] => Scenario::parse(scenario)?.act(Path::new(home)),
        ["check", home] => check::check(Path::new(home)),
        _ => Err("usage: crash_driver (prepare|act) SCENARIO HOME | check HOME".into()),
    }
}

/// As `orket` does it, as far as the crash tests tell codes apart.
fn exit_code(error: &(dyn Error + 'static)) -> u8 {
    match error.downcast_ref::<StoreFault>() {
        Some(StoreFault::Poisoned { .. }) => 74,
        Some(StoreFault::Failed { .. }) => 70,
        Some(_) => 1,
        None => 2,
    }
}
