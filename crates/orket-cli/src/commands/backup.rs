//! `orket backup`: the truth in one file.

use std::path::{Path, PathBuf};

use orket_kernel::canonical;
use orket_kernel::object;

use crate::exit::{Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Writes database and large contents into one file, while others may work
///
/// The file is a tar archive; it is there whole or not at all, and on the disk when the command ends. `orket restore` reads it.
#[derive(clap::Args)]
#[command(after_help = "Example: orket backup ../first_light.orket.tar")]
pub(crate) struct Arguments {
    /// The file; it must not be there
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let board = wire::board_to_look_at(&project)?;
    let backed_up = board
        .index()
        .backup(&arguments.file)
        .map_err(wire::store_failure)?;
    if arguments.json {
        let report = object! {
            "generation" => backed_up.generation,
            "state_digest" => backed_up.state_digest.to_hex(),
            "large_contents" => backed_up.blobs,
            "bytes" => backed_up.bytes,
        };
        return terminal::print_bytes(format!("{}\n", canonical::to_string(&report)).as_bytes());
    }
    terminal::say(&format!(
        "generation {} is in {}: {} bytes, {} large content(s) beside the database\n",
        backed_up.generation,
        arguments.file.display(),
        backed_up.bytes,
        backed_up.blobs
    ));
    terminal::print_bytes(format!("{}\n", backed_up.state_digest).as_bytes())
}
