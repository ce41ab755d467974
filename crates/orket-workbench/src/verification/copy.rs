//! The private copy of a tree.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// What is never copied: other programs' state, ours, and secrets.
const LEFT_OUT: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".jj",
    ".orket",
    ".orket-workbench",
    ".env",
    "target",
];
const LIMIT_ENTRIES: usize = 200_000;
const LIMIT_BYTES: u64 = 2 << 30;

/// Copies a tree to a place where nothing is. Links stay links; special files are left out.
pub(super) fn tree(from: &Path, to: &Path, left_out: &[String]) -> Result<(), Error> {
    let failed = |path: &Path| {
        let place = path.to_string_lossy().into_owned();
        move |error: io::Error| Error::Internal {
            place,
            reason: error.to_string(),
        }
    };
    let mut open: Vec<(PathBuf, PathBuf)> = vec![(from.to_path_buf(), to.to_path_buf())];
    let mut entries = 0;
    let mut bytes = 0;
    while let Some((from, to)) = open.pop() {
        fs::create_dir(&to).map_err(failed(&to))?;
        for entry in fs::read_dir(&from).map_err(failed(&from))? {
            let entry = entry.map_err(failed(&from))?;
            let name = entry.file_name();
            let is_left_out = |it: &str| name.to_str() == Some(it);
            if LEFT_OUT.iter().any(|it| is_left_out(it))
                || left_out.iter().any(|it| is_left_out(it))
            {
                continue;
            }
            let source = entry.path();
            let target = to.join(&name);
            let metadata = fs::symlink_metadata(&source).map_err(failed(&source))?;
            entries += 1;
            bytes += metadata.len();
            if entries > LIMIT_ENTRIES || bytes > LIMIT_BYTES {
                return Err(Error::LimitExceeded {
                    what: format!(
                        "the project has more than {LIMIT_ENTRIES} files or {LIMIT_BYTES} bytes to copy for its verification; name what is not needed under leave_out in [verify]"
                    ),
                });
            }
            if metadata.is_dir() {
                open.push((source, target));
            } else if metadata.is_symlink() {
                let link = fs::read_link(&source).map_err(failed(&source))?;
                symlink(link, &target).map_err(failed(&target))?;
            } else if metadata.is_file() {
                fs::copy(&source, &target).map_err(failed(&source))?;
            }
        }
    }
    Ok(())
}
