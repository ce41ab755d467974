//! A tree as it is to the last bit that a transaction promises: every name, kind, byte and mode.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// What stands at a path: its kind, its mode, its bytes or where it leads.
pub(crate) type Tree = BTreeMap<String, (char, u32, Vec<u8>)>;

/// Makes a directory in memory where the machine has such a place: some tests make thousands of trees, each synced.
pub(crate) fn memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// Reads everything below a root, hidden and ignored files included.
pub(crate) fn read(root: &Path) -> Tree {
    let mut tree = Tree::new();
    collect(root, "", &mut tree);
    tree
}

fn collect(directory: &Path, prefix: &str, tree: &mut Tree) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        let metadata = fs::symlink_metadata(entry.path()).unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        let (kind, bytes) = if metadata.is_dir() {
            ('d', Vec::new())
        } else if metadata.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap();
            ('l', target.to_str().unwrap().as_bytes().to_vec())
        } else {
            ('f', fs::read(entry.path()).unwrap())
        };
        tree.insert(name.clone(), (kind, mode, bytes));
        if kind == 'd' {
            collect(&entry.path(), &format!("{name}/"), tree);
        }
    }
}

/// Writes a file with a mode; directories on the way are made.
pub(crate) fn write(root: &Path, path: &str, text: &str, mode: u32) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Fills a root with what a person's tree holds: changed files, untracked ones, ignored ones, a repository, a link, an
/// empty directory.
pub(crate) fn fill(root: &Path, has_home: bool) {
    write(root, "a.txt", "one\ntwo\n", 0o640);
    write(root, "bin/run", "#!/bin/sh\necho one\n", 0o755);
    write(root, "notes", "untracked\n", 0o600);
    write(root, ".gitignore", "*.log\n", 0o644);
    write(root, "ignored.log", "ignored\n", 0o444);
    write(root, ".git/HEAD", "ref: refs/heads/main\n", 0o644);
    fs::create_dir(root.join("empty")).unwrap();
    symlink("a.txt", root.join("link")).unwrap();
    if has_home {
        write(root, ".orket/durable/db/x", "database", 0o600);
    }
}

/// Copies a tree of directories and files.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
