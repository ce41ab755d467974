//! The files below a path, in order, within limits.

use std::path::{Path, PathBuf};

/// How deep directories are entered.
const DEPTH_MAX: usize = 128;

/// How many files are listed.
const FILES_MAX: usize = 1_000_000;

/// What lies below a path.
#[derive(Default)]
pub(super) struct Walk {
    /// Plain files, sorted.
    pub(super) files: Vec<PathBuf>,
    /// What was not looked at, and why.
    pub(super) unseen: Vec<(PathBuf, String)>,
}

/// Lists the plain files below a path. No link is followed; pipes, devices and `.git` are passed over, and so is `except`
/// where it is not the path itself.
pub(super) fn walk(path: &Path, except: Option<&Path>) -> Walk {
    let mut walk = Walk::default();
    match path.symlink_metadata() {
        Err(error) => walk.leave_out(path, error.to_string()),
        Ok(metadata) if metadata.is_dir() => walk.enter(path, except, DEPTH_MAX),
        Ok(metadata) if metadata.is_file() => walk.files.push(path.to_path_buf()),
        Ok(_) => walk.leave_out(path, "it is a link or a special file".to_owned()),
    }
    walk
}

impl Walk {
    fn enter(&mut self, directory: &Path, except: Option<&Path>, depth: usize) {
        let listed = std::fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(error) => return self.leave_out(directory, error.to_string()),
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            match entry.file_type() {
                Err(error) => self.leave_out(&path, error.to_string()),
                Ok(kind) if kind.is_dir() && entry.file_name() == ".git" => {}
                Ok(kind) if kind.is_dir() && depth == 0 => {
                    self.leave_out(
                        &path,
                        format!("it is more than {DEPTH_MAX} directories deep"),
                    );
                }
                Ok(kind) if kind.is_dir() => self.enter(&path, except, depth - 1),
                Ok(kind) if kind.is_file() && is_same(&path, except) => {}
                Ok(kind) if kind.is_file() && self.files.len() == FILES_MAX => {
                    self.leave_out(&path, format!("it and more come after {FILES_MAX} files"));
                    return;
                }
                Ok(kind) if kind.is_file() => self.files.push(path),
                Ok(_) => {}
            }
        }
    }

    fn leave_out(&mut self, path: &Path, reason: String) {
        self.unseen.push((path.to_path_buf(), reason));
    }
}

fn is_same(path: &Path, except: Option<&Path>) -> bool {
    except.is_some_and(|except| {
        path.file_name() == except.file_name()
            && path.canonicalize().is_ok_and(|path| path == except)
    })
}
