//! `orket secrets scrub`: a filter.

use std::io::{ErrorKind, Read, Write};

use orket_secrets::Scrubber;

use crate::exit::{self, Code, Failure};

/// Copies standard input to standard output without its secrets
#[derive(clap::Args)]
#[command(
    // No comment of documentation: the mark would be taken for a link there.
    long_about = "Copies standard input to standard output without its secrets\n\n\
        In the place of each secret comes [secret:NAME], with the name that it has in .env or that of its shape. What \
        may be the beginning of a secret is held back until it is known; everything else is passed on at once.",
    after_help = "Examples: make 2>&1 | orket secrets scrub >build.log; orket secrets scrub <trace.txt"
)]
pub(super) struct Arguments {}

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

pub(super) fn execute(scrubber: &Scrubber) -> Result<Code, Failure> {
    let mut input = std::io::stdin().lock();
    let mut output = scrubber.writer(std::io::stdout().lock());
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => {
                let message = format!("standard input cannot be read: {error}");
                return Err(Failure::new(exit::INVALID, message));
            }
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        if let Err(error) = output.write_all(bytes).and_then(|()| output.flush()) {
            return lost(&error);
        }
    }
    output
        .finish()
        .map_or_else(|error| lost(&error), |_| Ok(exit::DONE))
}

/// A reader that went away is no failure; output that is lost is one.
fn lost(error: &std::io::Error) -> Result<Code, Failure> {
    if error.kind() == ErrorKind::BrokenPipe {
        return Ok(exit::DONE);
    }
    let message = format!("standard output cannot be written: {error}");
    Err(Failure::new(exit::INVALID, message))
}
