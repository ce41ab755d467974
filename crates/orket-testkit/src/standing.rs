//! What stands on a disk, down to links and special files: nothing is followed and nothing is opened but plain files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// What stands at a path, as far as somebody could change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `file`, `directory`, `link`, `FIFO` or `special file`.
    pub kind: &'static str,
    /// Type and permissions, as the system writes them in one number.
    pub mode: u32,
    /// How many names a file has; 0 for a directory.
    pub links: u64,
    /// The bytes of a file, the target of a link.
    pub content: Vec<u8>,
}

impl Standing {
    /// Returns everything below a directory by its path from there, except for what is below `left_out`.
    ///
    /// # Panics
    /// If something cannot be read, or has a name that is not UTF-8.
    pub fn below(root: &Path, left_out: &[PathBuf]) -> BTreeMap<String, Standing> {
        let mut standing = BTreeMap::new();
        let mut open = vec![root.to_path_buf()];
        while let Some(directory) = open.pop() {
            for entry in read(&directory, fs::read_dir(&directory)) {
                let path = read(&directory, entry).path();
                if left_out.contains(&path) {
                    continue;
                }
                let metadata = read(&path, path.symlink_metadata());
                if metadata.is_dir() {
                    open.push(path.clone());
                }
                let name = path.strip_prefix(root).ok().and_then(Path::to_str);
                let name =
                    name.unwrap_or_else(|| panic!("{} has no name in UTF-8", path.display()));
                standing.insert(name.to_owned(), Standing::of(&path, &metadata));
            }
        }
        standing
    }

    fn of(path: &Path, metadata: &fs::Metadata) -> Standing {
        let file_type = metadata.file_type();
        let (kind, content) = if file_type.is_symlink() {
            let target = read(path, fs::read_link(path));
            ("link", target.into_os_string().into_encoded_bytes())
        } else if file_type.is_dir() {
            ("directory", Vec::new())
        } else if file_type.is_file() {
            ("file", read(path, fs::read(path)))
        } else if file_type.is_fifo() {
            ("FIFO", Vec::new())
        } else {
            ("special file", Vec::new())
        };
        let links = if metadata.is_dir() {
            0
        } else {
            metadata.nlink()
        };
        Standing {
            kind,
            mode: metadata.mode(),
            links,
            content,
        }
    }

    /// Tells whether it is a directory, or a file with one name.
    pub fn is_plain(&self) -> bool {
        self.kind == "directory" || (self.kind == "file" && self.links == 1)
    }
}

fn read<T>(path: &Path, result: std::io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}
