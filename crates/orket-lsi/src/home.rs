//! The home directory: where things lie in it, and whether it is safe to use.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::{StoreError, creation, network};

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The paths below one home.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// Makes the directories that are missing.
    pub(crate) fn create(home: &Path) -> Result<Home, StoreError> {
        create_directories(home)?;
        let home = Home {
            root: canonical(home)?,
        };
        check(&home.root)?;
        network::refuse(&home.root)?;
        create_directory(&home.durable())?;
        create_directory(&home.database_directory())?;
        Ok(home)
    }

    /// Checks a home that must be there; creates nothing.
    pub(crate) fn find(home: &Path) -> Result<Home, StoreError> {
        let no_database = || StoreError::NoDatabase {
            path: Home {
                root: home.to_path_buf(),
            }
            .database(),
        };
        match home.try_exists() {
            Ok(true) => {}
            Ok(false) => return Err(no_database()),
            Err(error) => return Err(StoreError::file(home, "opened", error)),
        }
        let found = Home {
            root: canonical(home)?,
        };
        check_to_read(&found.root)?;
        creation::refuse_lost(&found)?;
        match fs::symlink_metadata(found.database()) {
            Ok(metadata) if metadata.len() == 0 => return Err(no_database()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(no_database()),
            Err(error) => return Err(StoreError::file(&found.database(), "opened", error)),
        }
        network::refuse(&found.root)?;
        for path in [
            found.durable(),
            found.database_directory(),
            found.database(),
        ] {
            check_to_read(&path)?;
        }
        Ok(found)
    }

    /// Refuses a home that others own or can write.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        check(&self.durable())?;
        check(&self.database_directory())?;
        check(&self.database())
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
    pub(crate) fn durable(&self) -> PathBuf {
        self.root.join("durable")
    }
    fn database_directory(&self) -> PathBuf {
        self.durable().join("db")
    }
    /// The truth.
    pub(crate) fn database(&self) -> PathBuf {
        self.database_directory().join("orket_persistence.db")
    }
    /// Contents that are too long for the database.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.durable().join("blobs")
    }
    /// Projections, and what open turns have staged.
    pub(crate) fn index(&self) -> PathBuf {
        self.root.join("index")
    }
}

fn canonical(path: &Path) -> Result<PathBuf, StoreError> {
    path.canonicalize()
        .map_err(|error| StoreError::file(path, "opened", error))
}

/// Refuses what another user owns or can write, and symbolic links, which could be turned to another place.
fn check(path: &Path) -> Result<(), StoreError> {
    let metadata =
        fs::symlink_metadata(path).map_err(|error| StoreError::file(path, "opened", error))?;
    match unsafe_because(&metadata, rustix::process::geteuid().as_raw()) {
        Some(reason) => Err(StoreError::Unsafe {
            path: path.to_path_buf(),
            reason,
        }),
        None => Ok(()),
    }
}

/// As [`check`], for one who only reads: what belongs to another user is safe enough if this one cannot write it, for nothing is
/// believed that does not match its digest.
fn check_to_read(path: &Path) -> Result<(), StoreError> {
    let own_uid = rustix::process::geteuid().as_raw();
    let metadata =
        fs::symlink_metadata(path).map_err(|error| StoreError::file(path, "opened", error))?;
    let is_writable = rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    let judged_as = if is_writable { own_uid } else { metadata.uid() };
    match unsafe_because(&metadata, judged_as) {
        Some(reason) => Err(StoreError::Unsafe {
            path: path.to_path_buf(),
            reason,
        }),
        None => Ok(()),
    }
}

fn unsafe_because(metadata: &Metadata, own_uid: u32) -> Option<String> {
    if metadata.file_type().is_symlink() {
        return Some("it is a symbolic link".to_owned());
    }
    if metadata.uid() != own_uid {
        return Some(format!(
            "user {} owns it, Orket runs as user {own_uid}",
            metadata.uid()
        ));
    }
    if metadata.mode() & WRITABLE_BY_OTHERS != 0 {
        let mode = metadata.mode() & 0o7777;
        return Some(format!("group or others can write it (mode {mode:04o})"));
    }
    None
}

/// Makes one directory that only its owner can enter, and syncs its name. One that is there is left as it is.
pub(crate) fn create_directory(path: &Path) -> Result<(), StoreError> {
    match DirBuilder::new().mode(DIRECTORY_MODE).create(path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::file(path, "created", error)),
    }
}

fn create_directories(path: &Path) -> Result<(), StoreError> {
    let mut missing: Vec<&Path> = Vec::new();
    for directory in path.ancestors().filter(|path| !path.as_os_str().is_empty()) {
        match directory.try_exists() {
            Ok(true) => break,
            Ok(false) => missing.push(directory),
            Err(error) => return Err(StoreError::file(directory, "opened", error)),
        }
    }
    missing.into_iter().rev().try_for_each(create_directory)
}

/// SQLite gives the files beside the database the mode of the database.
pub(crate) fn create_database_file(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
    {
        Ok(_) => sync_parent(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::file(path, "created", error)),
    }
}

pub(crate) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| StoreError::file(parent, "synced", error))
}
