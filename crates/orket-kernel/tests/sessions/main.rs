//! Sessions over the kernel API: `fixtures/kernel/` holds requests with the answers that an independent oracle expects.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod coverage;
mod lines;
mod oracle;
mod play;
mod session;
