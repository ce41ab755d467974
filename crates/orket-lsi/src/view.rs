//! The browsable view: the committed state of the newest generation as the files of Spec-002.
//!
//! It is a projection: nothing is synced, nothing reads it to decide anything, and it can be written anew at any time.
//! `VIEW` says which generation it shows. After a restart of the machine it is written anew once, for a power cut may have torn
//! what was not synced. All objects that were ever promoted stay in it (Law 6).

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use orket_kernel::{Digest, LSI_VERSION, Stem, canonical, object};

use crate::content::{self, Content};
use crate::home::Home;
use crate::promotion::Head;
use crate::whole_file::{self, Durability};
use crate::{
    Snapshot, Store, StoreError, boot, history, home, horizon, record_file, reference, row, triplet,
};

/// The file that says which generation a view shows.
pub(crate) const MARKER: &str = "VIEW";

/// Where the view lies below `index/`, and what its writer locks.
pub(crate) const DIRECTORY: &str = "committed";
pub(crate) const LOCK: &str = "committed.lock";

/// Brings the view forward; see [`Store::project_view`].
pub(crate) fn project(store: &Store) -> Result<u64, StoreError> {
    if store.is_read_only() {
        return Err(StoreError::ReadOnly {
            path: store.layout().database(),
        });
    }
    // Two processes at once could put an older file over a newer one. The lock goes with its holder, however it ends.
    let _lock = lock_of(store.layout())?;
    let snapshot = store.snapshot()?;
    let mut view = View {
        root: store.layout().index().join(DIRECTORY),
        snapshot: &snapshot,
        files: 0,
    };
    let shown = view.generation()?;
    // Nothing of the view is synced: what was written before a power cut may be missing or torn, whatever the marker says.
    let is_whole = boot::is_same(store.layout())?;
    match shown.filter(|_| is_whole) {
        Some(generation) if generation == snapshot.head().generation => return Ok(0),
        // Below the horizon it is not known any more what has changed.
        Some(generation) if generation >= horizon::read(snapshot.access())? => {
            view.bring_forward(generation)?;
        }
        _ => view.rebuild()?,
    }
    view.finish(store)
}

/// Writes the view anew; see [`Store::rebuild_view`].
pub(crate) fn rebuild(store: &Store, accept_older: bool) -> Result<u64, StoreError> {
    if store.is_read_only() {
        return Err(StoreError::ReadOnly {
            path: store.layout().database(),
        });
    }
    let _lock = lock_of(store.layout())?;
    let snapshot = store.snapshot()?;
    let mut view = View {
        root: store.layout().index().join(DIRECTORY),
        snapshot: &snapshot,
        files: 0,
    };
    if !accept_older {
        view.generation()?;
    }
    view.rebuild()?;
    view.finish(store)
}

/// The content of the file `VIEW`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marker {
    pub(crate) lsi_version: String,
    pub(crate) generation: u64,
    pub(crate) state_digest: Digest,
}

/// Returns the generation that the view of a home says it shows; `None` if there is no view.
pub(crate) fn generation_shown(home: &Home) -> Result<Option<u64>, StoreError> {
    let path = home.index().join(DIRECTORY).join(MARKER);
    let bytes = whole_file::read(&path).map_err(|error| StoreError::file(&path, "read", error))?;
    let marker = bytes.and_then(|bytes| canonical::from_bytes::<Marker>(&bytes).ok());
    Ok(marker.map(|marker| marker.generation))
}

/// Returns the content of the file `VIEW`.
pub(crate) fn marker_bytes(head: &Head) -> Vec<u8> {
    canonical::to_bytes(&object! {
        "lsi_version" => LSI_VERSION,
        "generation" => head.generation,
        "state_digest" => head.state_digest.to_hex(),
    })
}

/// Takes the sole right to write the view of a home.
pub(crate) fn lock_of(home: &Home) -> Result<File, StoreError> {
    let index = home.index();
    home::create_directory(&index)?;
    lock(&index.join(LOCK))
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let opened = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path);
    let file = opened.map_err(|error| StoreError::file(path, "locked", error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy {
            path: path.to_path_buf(),
            waited_ms: 0,
        }),
        Err(TryLockError::Error(error)) => Err(StoreError::file(path, "locked", error)),
    }
}

struct View<'a> {
    root: PathBuf,
    snapshot: &'a Snapshot,
    /// How many files were written or removed.
    files: u64,
}

impl View<'_> {
    /// Returns the generation that the view shows; `None` if it shows none.
    fn generation(&self) -> Result<Option<u64>, StoreError> {
        let path = self.root.join(MARKER);
        let bytes =
            whole_file::read(&path).map_err(|error| StoreError::file(&path, "read", error))?;
        let Some(marker) = bytes.and_then(|bytes| canonical::from_bytes::<Marker>(&bytes).ok())
        else {
            return Ok(None);
        };
        if marker.lsi_version != LSI_VERSION {
            return Ok(None);
        }
        let held = match marker.generation {
            0 => Some(Head::empty().state_digest),
            generation => self
                .snapshot
                .promotion_at(generation)?
                .map(|row| row.state_digest),
        };
        if held == Some(marker.state_digest) {
            return Ok(Some(marker.generation));
        }
        Err(StoreError::OlderThanView {
            path: self.root.clone(),
            view_generation: marker.generation,
            view_state_digest: marker.state_digest,
            generation: self.snapshot.head().generation,
        })
    }

    /// Writes what has changed since `generation`. Cut short, it is done again from there.
    fn bring_forward(&mut self, generation: u64) -> Result<(), StoreError> {
        let access = self.snapshot.access();
        let newest = self.snapshot.head().generation;
        for name in history::changed(access, "object", generation, newest)? {
            self.write_object(&digest(&name)?)?;
        }
        for name in history::changed(access, "triplet", generation, newest)? {
            self.write_triplet(&row::stem(&name)?)?;
        }
        for name in history::changed(access, "refs", generation, newest)? {
            self.write_refs(&name)?;
        }
        Ok(())
    }

    /// Writes everything. The marker goes first, so that a view that is cut short is written anew.
    fn rebuild(&mut self) -> Result<(), StoreError> {
        self.remove(MARKER.as_ref())?;
        for directory in record_file::DIRECTORIES {
            self.remove(directory.as_ref())?;
        }
        let access = self.snapshot.access();
        for digest in content::objects(access)? {
            self.write_object(&digest)?;
        }
        let mut stems = Vec::new();
        let mut ids: BTreeSet<String> = reference::ids(access)?.into_iter().collect();
        triplet::for_each(access, |row| {
            stems.push(row.record.stem);
            ids.insert(row.id);
            Ok(())
        })?;
        stems.iter().try_for_each(|stem| self.write_triplet(stem))?;
        ids.iter().try_for_each(|id| self.write_refs(id))
    }

    /// Writes the marker, and tells how many files were written or removed.
    fn finish(mut self, store: &Store) -> Result<u64, StoreError> {
        self.write(MARKER.as_ref(), &marker_bytes(&self.snapshot.head()))?;
        boot::note(store.layout())?;
        Ok(self.files)
    }

    fn write_object(&mut self, digest: &Digest) -> Result<(), StoreError> {
        let relative = record_file::object_path(digest);
        match content::payload(self.snapshot.access(), Content::Object, digest)? {
            Some(payload) => {
                let path = self.root.join(relative);
                content::write_payload(&path, digest, &payload, Durability::Unsynced)?;
                self.files += 1;
                Ok(())
            }
            None => self.remove(&relative),
        }
    }

    fn write_triplet(&mut self, stem: &Stem) -> Result<(), StoreError> {
        let path = record_file::triplet_path(stem);
        match self.snapshot.committed().checked_row(stem)? {
            Some(row) => self.write(&path, &record_file::triplet_bytes(&row.record)),
            None => self.remove(&path),
        }
    }

    fn write_refs(&mut self, id: &str) -> Result<(), StoreError> {
        let path = record_file::ref_path(id);
        let committed = self.snapshot.committed();
        let defined_by = committed.checked_id(id)?.defined_by;
        let sources = committed.checked_sources(id)?;
        if defined_by.is_none() && sources.is_empty() {
            return self.remove(&path);
        }
        self.write(
            &path,
            &record_file::ref_bytes(id, defined_by.as_ref(), &sources),
        )
    }

    fn write(&mut self, relative: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.root.join(relative);
        whole_file::write(&path, bytes, Durability::Unsynced)
            .map_err(|error| StoreError::file(&path, "written", error))?;
        self.files += 1;
        Ok(())
    }

    fn remove(&mut self, relative: &Path) -> Result<(), StoreError> {
        let path = self.root.join(relative);
        let removed =
            whole_file::remove(&path).map_err(|error| StoreError::file(&path, "removed", error))?;
        self.files += u64::from(removed);
        // Also where the file was gone: a kill may have come between the two.
        if let Some(parent) = path.parent() {
            // Fails while other records share the directory, which is right.
            let _ = fs::remove_dir(parent);
        }
        Ok(())
    }
}

fn digest(name: &str) -> Result<Digest, StoreError> {
    Digest::parse(name)
        .map_err(|error| StoreError::corrupt(format!("changes {name:?}"), error.to_string()))
}
