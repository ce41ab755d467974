//! The files of one project behind the port `Workspace`.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::Payload;
use orket_kernel::limits::ATTACHMENT_LENGTH_MAX_BYTES;
use orket_ports::Workspace;
use orket_ports::workspace::{
    AssetKind, OnDisk, OutputFile, OutputStamp, OutputTree, WorkspaceError,
};

use crate::path::{self, Directory, Kind, PathError, RelativePath};
use crate::spaces::OUTPUT;

const ASSET_MAX_BYTES: u64 = 4 * 1024 * 1024;
const LOG_MAX_BYTES: u64 = 1024 * 1024 * 1024;
const LOG: &str = "workspace/default/orket.log";

/// A project directory.
pub struct ProjectWorkspace {
    project: Directory,
}

impl ProjectWorkspace {
    /// Makes the workspace of an opened project directory.
    pub fn new(project: Directory) -> ProjectWorkspace {
        ProjectWorkspace { project }
    }

    fn read(&self, path: &str, limit_bytes: u64) -> Result<Option<Vec<u8>>, WorkspaceError> {
        match self.project.read(&relative(path, "read")?, limit_bytes) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(fault(path, "read", &error)),
        }
    }

    fn write(&self, path: &str, bytes: &[u8], executable: bool) -> Result<(), WorkspaceError> {
        let relative = relative(path, "written")?;
        self.project
            .write(&relative, bytes, executable)
            .map_err(|error| fault(path, "written", &error))
    }
}

impl ProjectWorkspace {
    /// Tells whether a path could be made: a file where a directory is needed stands in its way.
    fn missing(&self, path: &RelativePath) -> Result<OnDisk, WorkspaceError> {
        let mut parent = path.parent();
        while let Some(directory) = parent {
            match self.project.kind(&directory) {
                Ok(None) => {}
                Ok(Some(Kind::Directory)) => return Ok(OnDisk::Absent),
                Ok(Some(_)) => return Ok(OnDisk::Other),
                Err(error) => return Err(fault(directory.as_str(), "read", &error)),
            }
            parent = directory.parent();
        }
        Ok(OnDisk::Absent)
    }
}

impl Workspace for ProjectWorkspace {
    fn asset(
        &self,
        kind: AssetKind,
        name: &str,
    ) -> Result<Option<(String, Vec<u8>)>, WorkspaceError> {
        let path = format!("model/{}/{name}.json", kind.directory());
        let is_plain =
            !name.is_empty() && !name.contains('/') && path.parse::<RelativePath>().is_ok();
        if !is_plain {
            return Ok(None);
        }
        Ok(self
            .read(&path, ASSET_MAX_BYTES)?
            .map(|bytes| (path, bytes)))
    }

    fn asset_names(&self, kind: AssetKind) -> Result<Vec<String>, WorkspaceError> {
        let path = format!("model/{}", kind.directory());
        let entries = match self.project.list(Some(&relative(&path, "listed")?)) {
            Ok(entries) => entries,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(fault(&path, "listed", &error)),
        };
        let names = entries.into_iter().filter(|entry| entry.kind == Kind::File);
        Ok(names
            .filter_map(|entry| Some(entry.name.strip_suffix(".json")?.to_owned()))
            .collect())
    }

    fn fixture(&self, path: &str) -> Result<Option<Vec<u8>>, WorkspaceError> {
        self.read(&format!("verification/{path}"), ASSET_MAX_BYTES)
    }

    fn output(&self, path: &str) -> Result<OnDisk, WorkspaceError> {
        let path = format!("{OUTPUT}/{path}");
        let relative = relative(&path, "read")?;
        match self.project.kind(&relative) {
            Ok(None) => return self.missing(&relative),
            Ok(Some(Kind::File)) => {}
            Ok(Some(_)) => return Ok(OnDisk::Other),
            Err(error) => return Err(fault(&path, "read", &error)),
        }
        match self.project.payload(&relative, ATTACHMENT_LENGTH_MAX_BYTES) {
            Ok((payload, executable)) => Ok(OnDisk::File {
                digest: payload.digest(),
                executable,
            }),
            Err(error) if error.is_not_found() => Ok(OnDisk::Absent),
            // A hard link, a file that is too long: not one that Orket wrote.
            Err(_) => Ok(OnDisk::Other),
        }
    }

    fn output_payload(&self, path: &str) -> Result<Option<(Payload, bool)>, WorkspaceError> {
        let path = format!("{OUTPUT}/{path}");
        let relative = relative(&path, "read")?;
        match self.project.kind(&relative) {
            Ok(Some(Kind::File)) => {}
            Ok(_) => return Ok(None),
            Err(error) => return Err(fault(&path, "read", &error)),
        }
        match self.project.payload(&relative, ATTACHMENT_LENGTH_MAX_BYTES) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(fault(&path, "read", &error)),
        }
    }

    fn output_stamp(&self, path: &str) -> Result<Option<OutputStamp>, WorkspaceError> {
        let path = format!("{OUTPUT}/{path}");
        let stamp = self.project.stamp(&relative(&path, "read")?);
        let stamp = stamp.map_err(|error| fault(&path, "read", &error))?;
        Ok(stamp.map(|stamp| OutputStamp {
            file: stamp.file,
            length_bytes: stamp.length_bytes,
            modified: stamp.modified,
            changed: stamp.changed,
        }))
    }

    fn write_output(&self, file: &OutputFile) -> Result<(), WorkspaceError> {
        let path = format!("{OUTPUT}/{}", file.path);
        let relative = relative(&path, "written")?;
        self.project
            .write_payload(&relative, &file.payload, file.executable)
            .map_err(|error| fault(&path, "written", &error))
    }

    fn remove_output(&self, path: &str) -> Result<(), WorkspaceError> {
        // As an authority of its own, so that `agent_output/` itself stays when nothing is left in it.
        let output = self.project.subdirectory(&relative(OUTPUT, "removed")?);
        let below = relative(path, "removed")?;
        let removed = output.and_then(|output| match output.remove(&below) {
            // A kill may have come between the file and its directories.
            Err(error) if error.is_not_found() => output.remove_emptied(&below),
            removed => removed,
        });
        match removed {
            Err(error) if !error.is_not_found() => {
                Err(fault(&format!("{OUTPUT}/{path}"), "removed", &error))
            }
            _ => Ok(()),
        }
    }

    fn outputs(&self) -> Result<OutputTree, WorkspaceError> {
        let output = relative(OUTPUT, "listed")?;
        match self.project.kind(&output) {
            Ok(None) => return Ok(OutputTree::default()),
            Ok(Some(Kind::Directory)) => {}
            Ok(Some(found)) => {
                return Err(WorkspaceError {
                    path: OUTPUT.to_owned(),
                    action: "listed",
                    reason: format!("it is a {found}"),
                });
            }
            Err(error) => return Err(fault(OUTPUT, "listed", &error)),
        }
        let directory = self.project.subdirectory(&output);
        let walk = directory.and_then(|directory| directory.walk());
        let walk = walk.map_err(|error| fault(OUTPUT, "listed", &error))?;
        // What a killed write left is nobody's work.
        let files = walk.files.iter().filter(|file| !path::is_draft(&file.path));
        let files = files.map(|file| file.path.to_string());
        Ok(OutputTree {
            files: files.collect(),
            others: walk.others,
        })
    }

    fn write_observation(&self, path: &str, bytes: &[u8]) -> Result<(), WorkspaceError> {
        self.write(
            &format!("workspace/default/observability/{path}"),
            bytes,
            false,
        )
    }

    fn logged(&self) -> Result<BTreeMap<String, u64>, WorkspaceError> {
        let Some(bytes) = self.read(LOG, LOG_MAX_BYTES)? else {
            return Ok(BTreeMap::new());
        };
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |last| last + 1);
        if whole < bytes.len() {
            self.write(LOG, &bytes[..whole], false)?;
        }
        let mut last = BTreeMap::new();
        for line in bytes[..whole].split(|byte| *byte == b'\n') {
            if let Some((run_id, seq)) = event_of(line) {
                let known: &mut u64 = last.entry(run_id).or_default();
                *known = seq.max(*known);
            }
        }
        Ok(last)
    }

    fn forget_logged(&self, runs: &BTreeSet<String>) -> Result<(), WorkspaceError> {
        let Some(bytes) = self.read(LOG, LOG_MAX_BYTES)? else {
            return Ok(());
        };
        let stays = |line: &&[u8]| event_of(line).is_none_or(|(run_id, _)| !runs.contains(&run_id));
        let left: Vec<&[u8]> = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .filter(stays)
            .collect();
        self.write(LOG, &left.concat(), false)
    }

    fn append_log(&self, lines: &[String]) -> Result<(), WorkspaceError> {
        let mut text = String::new();
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        self.project
            .append(&relative(LOG, "written")?, text.as_bytes())
            .map_err(|error| fault(LOG, "written", &error))
    }
}

/// Returns run and number of an event of the log. A line that is no event is somebody else's; it is left alone.
fn event_of(line: &[u8]) -> Option<(String, u64)> {
    let line = orket_kernel::canonical::parse(line.trim_ascii_end()).ok()?;
    let run_id = line.get("run_id").and_then(|run_id| run_id.as_str())?;
    let seq = line.get("seq").and_then(|seq| seq.as_u64())?;
    Some((run_id.to_owned(), seq))
}

fn relative(path: &str, action: &'static str) -> Result<RelativePath, WorkspaceError> {
    path.parse()
        .map_err(|error: crate::path::RelativePathError| WorkspaceError {
            path: path.to_owned(),
            action,
            reason: error.to_string(),
        })
}

fn fault(path: &str, action: &'static str, error: &PathError) -> WorkspaceError {
    let reason = match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    WorkspaceError {
        path: path.to_owned(),
        action,
        reason,
    }
}
