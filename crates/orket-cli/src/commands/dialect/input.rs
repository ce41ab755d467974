//! The dialect and the tools that a command is given.

use std::io::Read;
use std::path::{Path, PathBuf};

use orket_kernel::canonical;
use orket_ports::Workspace;
use orket_ports::dialect::Dialect;
use orket_ports::model::ToolOffer;
use orket_ports::workspace::AssetKind;
use orket_provider::dialect;

use crate::exit::{self, Failure};
use crate::project::Project;
use crate::wire;

/// The most bytes of a file of tools.
const TOOLS_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Finds a dialect: an asset of the project, or one that is built in.
pub(super) fn dialect(name: &str, project: Option<&Path>) -> Result<Dialect, Failure> {
    let invalid = |message: String| Failure::new(exit::INVALID, message);
    let mut known: Vec<String> = dialect::built_in_names().map(str::to_owned).collect();
    if let Some(project) = Project::find_if_any(project)? {
        let workspace = wire::workspace(&project)?;
        let asset = workspace.asset(AssetKind::Dialect, name);
        if let Some((file, bytes)) = asset.map_err(|error| invalid(error.to_string()))? {
            let dialect =
                dialect::parse(&bytes).map_err(|error| invalid(format!("{file}: {error}")))?;
            if dialect.name != name {
                let found = &dialect.name;
                let message =
                    format!("{file}: /name: it must be {name:?}, like the file, not {found:?}");
                return Err(invalid(message));
            }
            return Ok(dialect);
        }
        let own = workspace.asset_names(AssetKind::Dialect);
        known.extend(own.map_err(|error| invalid(error.to_string()))?);
    }
    known.sort();
    known.dedup();
    dialect::built_in(name).ok_or_else(|| {
        invalid(format!(
            "there is no dialect {name:?}; there are {}",
            known.join(", ")
        ))
    })
}

/// Reads the tools that are offered; without a file they are those of Orket.
pub(super) fn tools(file: Option<&PathBuf>) -> Result<Vec<ToolOffer>, Failure> {
    let Some(file) = file else {
        return wire::offers();
    };
    let bytes = read(Some(file), TOOLS_MAX_BYTES)?;
    canonical::from_bytes(&bytes).map_err(|error| {
        let message = format!(
            "{}: {error}; a file of tools is a list of objects with name, description and parameters",
            file.display()
        );
        Failure::new(exit::INVALID, message)
    })
}

/// Reads a file or standard input, and at most one byte more than the limit.
pub(super) fn read(file: Option<&PathBuf>, limit_bytes: u64) -> Result<Vec<u8>, Failure> {
    let file = file.filter(|file| file.as_os_str() != "-");
    let place = file.map_or("standard input".to_owned(), |file| {
        file.display().to_string()
    });
    let unreadable = |error: std::io::Error| {
        Failure::new(exit::INVALID, format!("{place} cannot be read: {error}"))
    };
    let input: Box<dyn Read> = match file {
        Some(file) => Box::new(std::fs::File::open(file).map_err(unreadable)?),
        None => Box::new(std::io::stdin()),
    };
    let mut bytes = Vec::new();
    input
        .take(limit_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}
