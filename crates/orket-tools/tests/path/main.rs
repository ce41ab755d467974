//! Attacks on the path authority, as data, and what people do with files, which must go on working.
//!
//! The data is in `fixtures/paths`; everything runs with both ways of looking up a name. `ORKET_FULL=1` asks for the long
//! form of the races and of the random names.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test is loud, in what tests share too"
)]

mod again;
mod attacks;
mod corpus;
mod files;
mod hands;
mod names;
mod oracle;
mod races;
mod scene;
mod traps;
mod watch;

use orket_tools::path::{PathError, Resolution};

const RESOLUTIONS: [Resolution; 2] = [Resolution::Kernel, Resolution::StepByStep];
const LIMIT_BYTES: u64 = 1 << 20;

fn is_full() -> bool {
    std::env::var("ORKET_FULL").is_ok_and(|value| value == "1")
}

/// The name of an error's variant, `Ok` if there is none.
fn variant<T>(result: Result<T, PathError>) -> String {
    let debug = result.map_or_else(|error| format!("{error:?}"), |_| "Ok".to_owned());
    debug
        .split([' ', '{', '('])
        .next()
        .unwrap_or_default()
        .to_owned()
}
