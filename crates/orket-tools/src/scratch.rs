//! Scratch directories: where private copies lie while a program of somebody else works on them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use orket_ports::verifier::ArtifactFile;

use crate::path::{Directory, RelativePath};

/// How the name of a scratch directory begins; the number of the process follows.
const NAME: &str = "orket-check-";

/// A directory of its own, which goes with everything in it.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Makes one, and removes those of processes that were killed.
    pub(crate) fn new() -> io::Result<Scratch> {
        sweep(&std::env::temp_dir());
        // Where the engine is root, an unprivileged user has to come through.
        let is_root = rustix::process::geteuid().is_root();
        let mode = if is_root { 0o711 } else { 0o700 };
        let directory = tempfile::Builder::new()
            .prefix(&format!("{NAME}{}-", std::process::id()))
            .permissions(fs::Permissions::from_mode(mode))
            .tempdir()?;
        Ok(Scratch(directory))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left costs space; the directory above tries once more.
        let _ = remove_all(self.path());
    }
}

/// Removes a directory that a program filled as it liked: with directories that are closed to everybody, and so deep that
/// neither a path nor a descriptor for each level would do. So each directory is moved up before it is emptied.
fn remove_all(root: &Path) -> io::Result<()> {
    let mut moved = 0_u64;
    let mut pending = vec![root.to_path_buf()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
                continue;
            }
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700))?;
            moved += 1;
            let above = root.join(format!("{NAME}moved-{moved}"));
            fs::rename(entry.path(), &above)?;
            pending.push(above);
        }
        if directory != root {
            fs::remove_dir(&directory)?;
        }
    }
    fs::remove_dir(root)
}

/// Writes private copies of artefacts into a new directory.
pub(crate) fn fill(directory: &Path, files: &BTreeMap<String, ArtifactFile>) -> Result<(), String> {
    fs::create_dir(directory).map_err(|error| error.to_string())?;
    let directory = Directory::open(directory).map_err(|error| error.to_string())?;
    for (path, file) in files {
        let path: RelativePath = path
            .parse()
            .map_err(|error: crate::path::RelativePathError| error.to_string())?;
        directory
            .write_payload(&path, &file.payload, file.executable)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Removes the scratch directories of processes that were killed.
fn sweep(temporary: &Path) {
    // What cannot be listed or removed is left alone: it costs space and nothing else.
    let Ok(entries) = fs::read_dir(temporary) else {
        return;
    };
    let own_uid = rustix::process::geteuid().as_raw();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(NAME)?.split('-').next());
        let Some(process) = process.and_then(|process| process.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(metadata) = entry.path().symlink_metadata() else {
            continue;
        };
        let is_dead = rustix::process::Pid::from_raw(process).is_some_and(|pid| {
            rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
        });
        if is_dead && metadata.is_dir() && metadata.uid() == own_uid {
            let _ = remove_all(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copies of `agent_output/` stayed behind for good when a run was killed during a check.
    #[test]
    fn what_dead_processes_left_is_swept_and_nothing_else() {
        let temporary = tempfile::tempdir().unwrap();
        // The highest number that a process can have is below this one.
        let dead = format!("{NAME}{}-a", i32::MAX);
        let alive = format!("{NAME}{}-b", std::process::id());
        let others = ["orket-check-", "orket-check-x-y", "elsewhere"];
        for name in others
            .iter()
            .copied()
            .chain([dead.as_str(), alive.as_str()])
        {
            fs::create_dir_all(temporary.path().join(name).join("agent_output")).unwrap();
        }
        sweep(temporary.path());
        assert!(!temporary.path().join(&dead).exists());
        for name in others.iter().copied().chain([alive.as_str()]) {
            assert!(temporary.path().join(name).exists(), "{name}");
        }
    }

    /// Root is not stopped by a mode; everybody else could not remove the copy.
    #[test]
    fn a_directory_that_was_closed_goes_as_well() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_path_buf();
        let closed = path.join("closed/inner");
        fs::create_dir_all(&closed).unwrap();
        fs::write(closed.join("file"), "x").unwrap();
        for directory in [&closed, &path.join("closed")] {
            fs::set_permissions(directory, fs::Permissions::from_mode(0o000)).unwrap();
        }
        drop(scratch);
        assert!(!path.exists());
    }

    /// A descriptor for each level is more than a process may have, and the path is longer than the system takes.
    #[test]
    fn a_directory_deeper_than_any_path_goes_as_well() {
        use rustix::fs::{Mode, OFlags};
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_path_buf();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let mut level = rustix::fs::open(&path, flags, Mode::empty()).unwrap();
        for _ in 0..3000 {
            rustix::fs::mkdirat(&level, "d", Mode::from_raw_mode(0o755)).unwrap();
            level = rustix::fs::openat(&level, "d", flags, Mode::empty()).unwrap();
        }
        drop(scratch);
        assert!(!path.exists());
    }
}
