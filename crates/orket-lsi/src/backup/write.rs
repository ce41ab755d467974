//! Writing a backup while others work.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use orket_kernel::{Digest, canonical};
use rusqlite::Connection;
use rustix::fs::{CWD, RenameFlags};

use super::archive::{self, Digesting};
use super::{BLOBS, BackedUp, DATABASE, MANIFEST, Manifest, VERSION};
use crate::access::Access;
use crate::home::{self, Home};
use crate::{Store, StoreError, content, database, home_lock, promotion, row, whole_file};

impl Store {
    /// Writes database and large contents as they are at one moment into one archive, durably; the file is there whole or not
    /// at all. Others may commit meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Occupied`] if something stands at the place, [`StoreError::Corrupt`] if a large content is damaged.
    ///
    /// # Limitations
    /// It needs the room of the database twice for a while, beside the archive. Staging and projections are not in it. A
    /// killed backup leaves files `<name>.new-<process>` beside the place.
    pub fn backup(&self, file: &Path) -> Result<BackedUp, StoreError> {
        if file.symlink_metadata().is_ok() {
            let path = file.to_path_buf();
            return Err(StoreError::Occupied { path });
        }
        let drafts = Drafts::beside(file)?;
        // What a row of the copy names must stay until it is in the archive.
        let _blobs = home_lock::keep_blobs(self.layout())?;
        self.copy_database(&drafts.database)?;
        let written = write(self.layout(), &drafts)?;
        rustix::fs::renameat_with(CWD, &drafts.archive, CWD, file, RenameFlags::NOREPLACE)
            .map_err(|errno| occupied(file, errno))?;
        home::sync_parent(file)?;
        Ok(written)
    }

    /// Copies one snapshot of the database. Writers go on meanwhile, and the copy does not begin again when they commit, as
    /// SQLite's page by page backup would.
    fn copy_database(&self, target: &Path) -> Result<(), StoreError> {
        let path = self.layout().database();
        let connection = self.open_copier()?;
        let name = target.to_str().ok_or_else(|| {
            let error = std::io::Error::from(std::io::ErrorKind::InvalidFilename);
            StoreError::file(target, "written", error)
        })?;
        connection
            .execute("VACUUM INTO ?1", [name])
            .map_err(|error| StoreError::sqlite(&path, "copied", error))?;
        Ok(())
    }
}

/// The files that a backup is made of before it has its name; removed when dropped.
struct Drafts {
    archive: PathBuf,
    database: PathBuf,
}

impl Drafts {
    fn beside(file: &Path) -> Result<Drafts, StoreError> {
        let with = |suffix: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(format!(".new-{}{suffix}", std::process::id()));
            PathBuf::from(name)
        };
        let drafts = Drafts {
            archive: with(""),
            database: with("-database"),
        };
        for path in [&drafts.archive, &drafts.database] {
            whole_file::remove(path).map_err(|error| StoreError::file(path, "removed", error))?;
        }
        // Its mode is that of the file which SQLite finds: nobody else reads a draft.
        let created = archive::create(&drafts.database);
        created.map_err(|error| StoreError::file(file, "created", error))?;
        Ok(drafts)
    }
}

impl Drop for Drafts {
    fn drop(&mut self) {
        for path in [&self.archive, &self.database] {
            // What cannot be removed has a name that says what it is.
            let _ = whole_file::remove(path);
        }
    }
}

fn write(home: &Home, drafts: &Drafts) -> Result<BackedUp, StoreError> {
    let copy = database::open_reader(&drafts.database, std::time::Duration::ZERO)?;
    let access = Access {
        connection: &copy,
        home,
        believed: None,
        checked: None,
    };
    let head = promotion::head(access)?;
    let blobs = beside(&copy, &drafts.database)?;
    let reading = |error| StoreError::file(&drafts.database, "read", error);
    let writing = |error| StoreError::file(&drafts.archive, "written", error);
    let mut database = File::open(&drafts.database).map_err(reading)?;
    let (database_bytes, database_digest) =
        archive::copy(&mut database, &mut std::io::sink()).map_err(reading)?;
    let manifest = Manifest {
        version: VERSION.to_owned(),
        generation: head.generation,
        state_digest: head.state_digest,
        database_digest,
        database_bytes,
        blobs: blobs.len() as u64,
    };
    let manifest = canonical::serialize(&manifest)
        .map_err(|error| StoreError::corrupt("the backup", error.to_string()))?;

    let file = archive::create(&drafts.archive).map_err(writing)?;
    let mut builder = tar::Builder::new(BufWriter::new(file));
    let entry = archive::header(MANIFEST, manifest.len() as u64).map_err(writing)?;
    builder.append(&entry, &manifest[..]).map_err(writing)?;
    let database = File::open(&drafts.database).map_err(reading)?;
    let entry = archive::header(DATABASE, database_bytes).map_err(writing)?;
    builder.append(&entry, database).map_err(writing)?;
    for (digest, length_bytes) in &blobs {
        let path = content::blob_path(access, digest);
        let damaged =
            |reason: &str| StoreError::corrupt(path.display().to_string(), reason.to_owned());
        let file = File::open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => damaged("it is missing"),
            _ => StoreError::file(&path, "read", error),
        })?;
        let found = file
            .metadata()
            .map_err(|error| StoreError::file(&path, "read", error))?;
        if found.len() != *length_bytes {
            return Err(damaged("it has another length than its row says"));
        }
        let name = format!("{BLOBS}{digest}");
        let entry = archive::header(&name, *length_bytes).map_err(writing)?;
        let mut source = Digesting::new(file);
        builder.append(&entry, &mut source).map_err(writing)?;
        if source.finish() != *digest {
            return Err(damaged("the bytes do not match the digest"));
        }
    }
    let mut file = builder.into_inner().map_err(writing)?;
    file.flush().map_err(writing)?;
    let file = file
        .into_inner()
        .map_err(|error| writing(error.into_error()))?;
    file.sync_all().map_err(writing)?;
    Ok(BackedUp {
        generation: head.generation,
        state_digest: head.state_digest,
        blobs: blobs.len() as u64,
        bytes: file.metadata().map_err(writing)?.len(),
    })
}

/// Returns the large contents that rows name, with their lengths, sorted.
fn beside(copy: &Connection, path: &Path) -> Result<BTreeMap<Digest, u64>, StoreError> {
    let failed = |error| StoreError::sqlite(path, "read", error);
    let sql = "SELECT digest, length_bytes FROM objects WHERE bytes IS NULL \
        UNION SELECT digest, length_bytes FROM records WHERE bytes IS NULL";
    let mut statement = copy.prepare(sql).map_err(failed)?;
    let rows = statement
        .query_map([], |row| Ok((row::digest(row.get(0)?), row.get(1)?)))
        .map_err(failed)?;
    rows.map(|found| {
        let (digest, length) = found.map_err(failed)?;
        Ok((digest, row::count(length, "objects")?))
    })
    .collect()
}

fn occupied(file: &Path, errno: rustix::io::Errno) -> StoreError {
    match errno {
        rustix::io::Errno::EXIST => StoreError::Occupied {
            path: file.to_path_buf(),
        },
        _ => StoreError::file(file, "created", errno.into()),
    }
}
