//! The one file that names concrete adapters.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use orket_board::{Board, store_fault};
use orket_flow::{ProviderKind, Tools, VenueAsset, VenueReach};
use orket_kernel::StoreFailure;
use orket_kernel::wire::{Operation, StoreUse};
use orket_lsi::{Store, StoreError};
use orket_ports::model::ToolOffer;
use orket_ports::{Clock, ModelProvider};
use orket_provider::{Ollama, OpenAiCompatible, Reach, Recorded};
use orket_secrets::Secret;
use orket_tools::builtin;
use orket_tools::command::Commands;
use orket_tools::path::Directory;
use orket_tools::project::ProjectWorkspace;
use orket_tools::sandbox::Sandbox;
use orket_tools::spaces::{InvalidSpaceName, SpaceName, Spaces};
use orket_tools::verifier::SandboxVerifier;
use orket_workbench::{Disk, Files};

use crate::clock::{FixedClock, SystemClock};
use crate::exit::{self, Failure};
use crate::project::{CONFIG, Project};
use crate::recovered;
use crate::settings::ENV_FILE;

/// Opens the files of a project.
pub(crate) fn workspace(project: &Project) -> Result<ProjectWorkspace, Failure> {
    Ok(ProjectWorkspace::new(directory(project)?))
}

/// Opens the database for a command that writes, and says what that found and cleaned up.
pub(crate) fn board(project: &Project) -> Result<Board, Failure> {
    let board = Board::open(&project.home)?.with_limits(project.config.retention.limits());
    recovered::tell(&board)?;
    Ok(board)
}

/// Opens the database for a command that reads; `None` if there is none yet.
pub(crate) fn read_only_board(project: &Project) -> Result<Option<Board>, Failure> {
    Ok(Board::open_read_only(&project.home)?)
}

/// Opens the database for a command that can only look at what is there.
pub(crate) fn board_to_look_at(project: &Project) -> Result<Board, Failure> {
    read_only_board(project)?.ok_or_else(|| {
        Failure::new(
            exit::NO,
            "nothing has run in this project yet; `orket run --epic NAME` begins",
        )
    })
}

/// Turns an error of the index into a failure.
pub(crate) fn store_failure(error: orket_lsi::StoreError) -> Failure {
    orket_board::store_fault(error).into()
}

/// Opens the index of a home for an operation of the kernel API; `None` if there is none, which only `start-run` makes.
///
/// A home that holds a board is for looking at alone: its turns are made by `orket run`, which changes board and index
/// together.
pub(crate) fn state_store(home: &Path, operation: Operation) -> Result<Option<Store>, Failure> {
    let commits = operation.store_use() == StoreUse::Commits;
    let opened = match Store::open_read_only(home, &[]) {
        Err(StoreError::NoDatabase { .. }) if operation != Operation::StartRun => return Ok(None),
        Err(StoreError::NoDatabase { .. } | StoreError::Older { .. }) if commits => {
            Store::open(home, &[])
        }
        Ok(_) if commits => Store::open(home, &[]),
        opened => opened,
    };
    match opened {
        Err(error @ StoreError::Newer { .. }) => {
            let Ok(Some(board)) = Board::open_read_only(home) else {
                return Err(store_fault(error).into());
            };
            if matches!(operation.store_use(), StoreUse::Optional | StoreUse::Reads) {
                return Ok(Some(board.into_index()));
            }
            let home = home.display();
            let message = format!(
                "{home} holds a board, whose turns are made by `orket run`; name another directory with --home"
            );
            Err(Failure::new(exit::USAGE, message))
        }
        opened => Ok(Some(opened.map_err(store_fault)?)),
    }
}

/// Tells whether a failure of the store means that its state is unknown until it is opened again.
pub(crate) fn is_poisoned(failure: &StoreFailure) -> bool {
    let source = std::error::Error::source(failure);
    let error = source.and_then(|source| source.downcast_ref::<StoreError>());
    matches!(error, Some(StoreError::Poisoned { .. }))
}

/// Makes the tools of a run: they read what its spaces hold.
pub(crate) fn tools(project: &Project) -> Result<Tools, Failure> {
    let mut spaces = own_spaces(project)?;
    for (name, path) in &project.config.spaces.reference {
        let name: SpaceName = name.parse().map_err(|error: InvalidSpaceName| {
            Failure::new(exit::INVALID, format!("{CONFIG}: {error}"))
        })?;
        let directory = project.ground.reference(&name, path)?;
        spaces = spaces.with_reference(name, directory);
    }
    let launch = std::env::current_dir().ok();
    if let Some(launch) = launch.and_then(|launch| project.ground.launch(&launch)) {
        spaces = spaces.with_launch(launch);
    }
    all_tools(project, spaces)
}

/// Makes the tools of a replay: what they read is fed to them, so the inputs of the run may be gone.
pub(crate) fn replaying_tools(project: &Project) -> Result<Tools, Failure> {
    all_tools(project, own_spaces(project)?)
}

fn all_tools(project: &Project, spaces: Spaces) -> Result<Tools, Failure> {
    let commands = Commands::new(
        sandbox()?,
        Arc::clone(&project.scrubber),
        project.config.commands.build_outputs.clone(),
    );
    let mut tools = builtin::tools(Arc::new(spaces));
    let run_command = builtin::run_command(commands);
    tools.insert(run_command.spec().name.to_owned(), run_command);
    Ok(tools)
}

fn own_spaces(project: &Project) -> Result<Spaces, Failure> {
    let home = project.ground.home_below().cloned();
    Ok(Spaces::new(directory(project)?, home))
}

/// Lists the tools as they are offered to a model; no project is needed to name them.
pub(crate) fn offers() -> Result<Vec<ToolOffer>, Failure> {
    Ok(tools_here()?
        .values()
        .map(|tool| ToolOffer {
            name: tool.spec().name.to_owned(),
            description: tool.spec().description.to_owned(),
            parameters: tool.spec().schema(),
        })
        .collect())
}

fn tools_here() -> Result<Tools, Failure> {
    let here = Directory::open(Path::new("."))
        .map_err(|error| Failure::new(exit::INVALID, error.to_string()))?;
    Ok(builtin::tools(Arc::new(Spaces::new(here, None))))
}

/// Returns the names of the tools.
pub(crate) fn tool_names(tools: &Tools) -> BTreeSet<String> {
    tools.keys().cloned().collect()
}

/// Makes the clock.
pub(crate) fn clock(project: &Project) -> Box<dyn Clock> {
    match project.settings.value("ORKET_CLOCK") {
        Some(time) => Box::new(FixedClock(time.to_owned())),
        None => Box::new(SystemClock),
    }
}

/// Makes the runner of checks.
pub(crate) fn verifier(project: &Project) -> Result<SandboxVerifier, Failure> {
    Ok(SandboxVerifier::new(
        sandbox()?,
        Arc::clone(&project.scrubber),
    ))
}

/// Makes the sandbox.
pub(crate) fn sandbox() -> Result<Sandbox, Failure> {
    Sandbox::new().map_err(|error| Failure::new(exit::BUG, error.to_string()))
}

/// Returns the file system that the workbench changes.
pub(crate) fn files() -> &'static dyn Files {
    &Disk
}

/// Makes the ModelProvider of a venue.
pub(crate) fn provider(
    project: &Project,
    venue: &VenueAsset,
) -> Result<Box<dyn ModelProvider>, Failure> {
    let fault =
        |message: String| Failure::new(exit::BACKEND, format!("venue {}: {message}", venue.name));
    let invalid =
        |message: String| Failure::new(exit::INVALID, format!("venue {}: {message}", venue.name));
    let timeout = Duration::from_secs(venue.timeout_seconds);
    let reach = match venue.reach {
        VenueReach::Loopback => Reach::Loopback,
        VenueReach::Anywhere => Reach::Anywhere,
    };
    match venue.provider {
        ProviderKind::Recorded => {
            let recorded = Recorded::open(&project.root.join("cassettes"))
                .map_err(|error| fault(error.to_string()))?;
            Ok(Box::new(recorded))
        }
        ProviderKind::Ollama => {
            let url = project
                .settings
                .value("ORKET_OLLAMA_URL")
                .or(venue.base_url.as_deref())
                .unwrap_or("http://127.0.0.1:11434");
            let ollama = Ollama::with_reach(url, timeout, reach)
                .map_err(|error| invalid(error.to_string()))?;
            Ok(Box::new(ollama))
        }
        ProviderKind::OpenaiCompatible => {
            // A venue without an address was refused when it was loaded.
            let url = venue.base_url.as_deref().unwrap_or_default();
            let mut server = OpenAiCompatible::with_reach(url, timeout, reach)
                .map_err(|error| invalid(error.to_string()))?;
            if let Some(name) = &venue.api_key {
                let key = project.vault.resolve(name).ok_or_else(|| {
                    invalid(format!(
                        "there is no secret {name}; put a line {name}=… into {ENV_FILE}, or set it in the environment"
                    ))
                })?;
                server = server.with_key(Arc::new(Secret::new(key.expose().to_owned())));
            }
            Ok(Box::new(server))
        }
    }
}

fn directory(project: &Project) -> Result<Directory, Failure> {
    Directory::open(&project.root).map_err(|error| Failure::new(exit::INVALID, error.to_string()))
}

#[cfg(test)]
mod tests {
    use orket_provider::dialect;

    use super::*;

    #[test]
    fn the_example_of_every_dialect_is_what_the_tools_take() {
        let tools = tools_here().unwrap_or_else(|failure| panic!("{}", failure.message));
        let offers = offers().unwrap_or_else(|failure| panic!("{}", failure.message));
        for name in dialect::built_in_names() {
            let dialect = dialect::built_in(name).unwrap();
            let example = dialect::example(&dialect, &offers);
            assert!(!example.is_empty());
            for call in example.iter().filter(|_| name != "native") {
                let tool = &tools[&call.name];
                assert_eq!(tool.spec().check(&call.arguments).err(), None, "{name}");
                assert_eq!(tool.validate(&call.arguments).err(), None, "{name}");
            }
        }
    }
}
