//! `orket secrets scan|scrub`: finding secrets, and taking them out of a stream.

mod scan;
mod scrub;
mod walk;

use std::path::Path;
use std::sync::Arc;

use orket_secrets::Scrubber;

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::terminal;

/// Looks for secrets in files, or takes them out of a stream
///
/// Known are the secrets in the project's .env, those in the environment under names that tell (a word of the name is KEY,
/// TOKEN, SECRET, PASSWORD or the like), and the shapes of well-known tokens. Outside of a project it works without a .env.
#[derive(clap::Args)]
#[command(
    after_help = "Examples: orket secrets scan .; make 2>&1 | orket secrets scrub >build.log"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Scan(scan::Arguments),
    Scrub(scrub::Arguments),
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find_if_any(project)?;
    match &arguments.what {
        What::Scan(arguments) => scan::execute(arguments, project.as_ref()),
        What::Scrub(_) => scrub::execute(&*scrubber(project.as_ref())?),
    }
}

fn scrubber(project: Option<&Project>) -> Result<Arc<Scrubber>, Failure> {
    let scrubber = match project {
        Some(project) => Some(Arc::clone(&project.scrubber)),
        None => terminal::scrubber(),
    };
    scrubber.ok_or_else(|| {
        let message = "the secrets of the environment are too many to be looked for";
        Failure::new(exit::INVALID, message)
    })
}
