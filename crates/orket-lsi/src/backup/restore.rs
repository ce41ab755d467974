//! Reading a backup: unpacked beside the home's truth, verified there, and put in its place in one step.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use orket_kernel::{Digest, canonical};
use rustix::fs::{CWD, RenameFlags};

use super::archive;
use super::{BLOBS, DATABASE, MANIFEST, Manifest, VERSION};
use crate::home::{self, Home};
use crate::{Store, StoreError, database, home_lock, whole_file};

const MANIFEST_MAX_BYTES: u64 = 4096;

/// What was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The newest generation.
    pub generation: u64,
    /// The state digest.
    pub state_digest: Digest,
    /// Whether another database was replaced.
    pub has_replaced: bool,
}

impl Store {
    /// Makes a backup the truth of `home`. `verify` looks at the unpacked home before anything takes effect, and refuses it by
    /// an error; `replace` allows that the home has a database. Projections are removed before the change, so that none is
    /// ahead of what is there after a kill.
    ///
    /// # Errors
    /// [`StoreError::InvalidBackup`] for an archive that is not exactly as a backup writes it: other names, links, lengths or
    /// digests. [`StoreError::HasDatabase`] without `replace`, [`StoreError::Busy`] while another command writes.
    ///
    /// # Limitations
    /// What was staged and not committed is lost with the projections. A command that only reads and began before sees the
    /// former database to its end. A file system that cannot exchange two directories in one step is refused if the home holds
    /// a database.
    pub fn restore<E>(
        home: &Path,
        archive: &Path,
        replace: bool,
        verify: impl FnOnce(&Path) -> Result<(), E>,
        fault: fn(StoreError) -> E,
    ) -> Result<Restored, E> {
        database::check_library().map_err(fault)?;
        // An archive that cannot be read leaves no home behind.
        let mut entries = Source::open(archive).map_err(fault)?;
        let home = Home::create(home).map_err(fault)?;
        let _alone = home_lock::alone(&home).map_err(fault)?;
        let has_database = home.database().symlink_metadata().is_ok();
        if has_database && !replace {
            let path = home.database();
            return Err(fault(StoreError::HasDatabase { path }));
        }
        let draft = Draft::create(&home).map_err(fault)?;
        let manifest = draft.unpack(&mut entries).map_err(fault)?;
        verify(&draft.root)?;
        draft.take_effect(&home, has_database).map_err(fault)?;
        Ok(Restored {
            generation: manifest.generation,
            state_digest: manifest.state_digest,
            has_replaced: has_database,
        })
    }
}

/// The name of the directory in which a restore prepares a home.
pub(crate) const DRAFT: &str = "restore.new";

/// The home that is being made; removed when dropped.
struct Draft {
    root: PathBuf,
    home: Home,
}

impl Draft {
    fn create(home: &Home) -> Result<Draft, StoreError> {
        let root = home.root().join(DRAFT);
        whole_file::remove(&root).map_err(|error| StoreError::file(&root, "removed", error))?;
        let home = Home::create(&root)?;
        Ok(Draft { root, home })
    }

    fn unpack(&self, source: &mut Source) -> Result<Manifest, StoreError> {
        let path = source.path.clone();
        let invalid = |reason: String| StoreError::InvalidBackup {
            path: path.clone(),
            reason,
        };
        let unreadable = |error: std::io::Error| invalid(format!("it cannot be read: {error}"));
        let mut manifest: Option<Manifest> = None;
        let mut last: Option<String> = None;
        let mut blobs = 0;
        // Raw: what tar knows beside plain files, such as long names, is refused like every other name.
        for entry in source.archive.entries().map_err(unreadable)?.raw(true) {
            let mut entry = entry.map_err(unreadable)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let shown: String = name.escape_debug().take(120).collect();
            if entry.header().entry_type() != tar::EntryType::Regular {
                return Err(invalid(format!("{shown} is not a plain file")));
            }
            let length = entry.size();
            match (&manifest, &last) {
                (None, _) if name == MANIFEST && length <= MANIFEST_MAX_BYTES => {
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes).map_err(unreadable)?;
                    let found: Manifest = canonical::from_bytes(&bytes)
                        .map_err(|error| invalid(format!("{MANIFEST}: {error}")))?;
                    if found.version != VERSION {
                        return Err(invalid(format!("its version is {:?}", found.version)));
                    }
                    manifest = Some(found);
                }
                (Some(manifest), None) if name == DATABASE && length == manifest.database_bytes => {
                    let database = self.home.database();
                    let found = self.put(&mut entry, &database)?;
                    if found != (length, manifest.database_digest) {
                        return Err(invalid("the database does not match its digest".to_owned()));
                    }
                    last = Some(name);
                }
                (Some(_), Some(before)) => {
                    let digest = name
                        .strip_prefix(BLOBS)
                        .and_then(|hex| hex.parse::<Digest>().ok())
                        .filter(|_| before == DATABASE || *before < name);
                    let Some(digest) = digest else {
                        return Err(invalid(format!("{shown} does not belong there")));
                    };
                    let hex = digest.to_hex();
                    let path = self.home.blobs().join(&hex[..2]).join(&hex);
                    if self.put(&mut entry, &path)? != (length, digest) {
                        return Err(invalid(format!("{shown} does not match its digest")));
                    }
                    blobs += 1;
                    last = Some(name);
                }
                _ => return Err(invalid(format!("{shown} does not belong there"))),
            }
        }
        let manifest = manifest.filter(|manifest| last.is_some() && manifest.blobs == blobs);
        let manifest = manifest.ok_or_else(|| invalid("it is not complete".to_owned()))?;
        database::make_live(&self.home.database())?;
        home::sync_parent(&self.home.database())?;
        let found = Store::open_raw_head(&self.home)?;
        if (found.generation, found.state_digest) != (manifest.generation, manifest.state_digest) {
            let reason = format!("its database is at generation {}", found.generation);
            return Err(invalid(reason));
        }
        Ok(manifest)
    }

    /// Writes one entry durably.
    fn put(&self, source: &mut dyn Read, path: &Path) -> Result<(u64, Digest), StoreError> {
        let mut written = || {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut file = archive::create(path)?;
            let found = archive::copy(source, &mut file)?;
            file.sync_all()?;
            Ok(found)
        };
        let found = written().map_err(|error| StoreError::file(path, "written", error))?;
        home::sync_parent(path)?;
        Ok(found)
    }

    fn take_effect(&self, home: &Home, has_database: bool) -> Result<(), StoreError> {
        let (new, old) = (self.home.durable(), home.durable());
        home::sync_parent(&new.join("db"))?;
        home::sync_parent(&self.home.blobs().join("any")).or_else(|error| match error {
            // There is no large content.
            StoreError::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Ok(())
            }
            other => Err(other),
        })?;
        // First the projections: those of the former database would be ahead of this one.
        let (index, gone) = (home.index(), self.root.join("index.old"));
        match fs::rename(&index, &gone) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::file(&index, "removed", error));
            }
            _ => home::sync_parent(&index)?,
        }
        if has_database {
            rustix::fs::renameat_with(CWD, &new, CWD, &old, RenameFlags::EXCHANGE)
                .map_err(|errno| StoreError::file(&old, "exchanged", errno.into()))?;
        } else {
            whole_file::remove(&old)
                .and_then(|_| fs::rename(&new, &old))
                .map_err(|error| StoreError::file(&old, "created", error))?;
        }
        home::sync_parent(&old)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The next command that writes removes what is left.
        let _ = whole_file::remove(&self.root);
    }
}

/// An archive that is open.
struct Source {
    path: PathBuf,
    archive: tar::Archive<BufReader<File>>,
}

impl Source {
    fn open(path: &Path) -> Result<Source, StoreError> {
        let file = File::open(path).map_err(|error| StoreError::file(path, "opened", error))?;
        let is_file = file
            .metadata()
            .map_err(|error| StoreError::file(path, "opened", error))?
            .is_file();
        if !is_file {
            return Err(StoreError::InvalidBackup {
                path: path.to_path_buf(),
                reason: "it is not a plain file".to_owned(),
            });
        }
        Ok(Source {
            path: path.to_path_buf(),
            archive: tar::Archive::new(BufReader::new(file)),
        })
    }
}
