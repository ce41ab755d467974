//! A directory in which one subject is tried, and trees of files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One try: the tree that is looked at, and the output of its command beside it.
pub(crate) struct Place {
    directory: PathBuf,
}

impl Place {
    /// Makes an empty place.
    pub(crate) fn make(directory: PathBuf) -> Result<Place> {
        let place = Place { directory };
        place.remove()?;
        for path in [place.tree(), place.temporary()] {
            fs::create_dir_all(&path)
                .with_context(|| format!("failed to make {}", path.display()))?;
        }
        Ok(place)
    }

    /// Makes a place with the tree of another one.
    pub(crate) fn copy(from: &Place, directory: PathBuf) -> Result<Place> {
        let place = Place::make(directory)?;
        copy(&from.tree(), &place.tree())?;
        Ok(place)
    }

    /// Everything below is what survives or does not.
    pub(crate) fn tree(&self) -> PathBuf {
        self.directory.join("tree")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.directory.join("temporary")
    }

    pub(crate) fn stdout(&self) -> PathBuf {
        self.directory.join("stdout")
    }

    pub(crate) fn stderr(&self) -> PathBuf {
        self.directory.join("stderr")
    }

    /// What the command said; empty if it said nothing.
    pub(crate) fn said(&self) -> String {
        let bytes = fs::read(self.stderr()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The last generation that the command acknowledged.
    pub(crate) fn acknowledged(&self) -> Option<u64> {
        let bytes = fs::read(self.stdout()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        // A line that was cut short is no acknowledgement.
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        whole.lines().filter_map(acknowledgement).next_back()
    }

    pub(crate) fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("failed to remove {}", self.directory.display()))
            }
            _ => Ok(()),
        }
    }
}

/// Reads the generation of a line `ack GENERATION DIGEST`.
pub(crate) fn acknowledgement(line: &str) -> Option<u64> {
    line.strip_prefix("ack ")?.split(' ').next()?.parse().ok()
}

/// Copies a tree with its modes.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("failed to make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("failed to list {}", from.display()))? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target)
                .with_context(|| format!("failed to copy {}", source.display()))?;
        }
    }
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    Ok(())
}

/// All files below a directory, by path; nothing where there is none.
pub(crate) fn files(root: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(directory) = open.pop() {
        if !directory.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.insert(path.strip_prefix(root)?.to_path_buf(), fs::read(&path)?);
            }
        }
    }
    Ok(files)
}
