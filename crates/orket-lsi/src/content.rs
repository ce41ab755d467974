//! Bytes by digest: objects, which the state is made of, and records, which name a run and lie outside it.

use std::path::PathBuf;

use orket_kernel::Digest;
use rusqlite::OptionalExtension;

use crate::access::Access;
use crate::whole_file::{self, Durability};
use crate::{StoreError, row};

/// Longer contents lie in `durable/blobs/`: SQLite is slow with rows that span hundreds of pages.
pub(crate) const INLINE_LENGTH_MAX_BYTES: usize = 1024 * 1024;

/// The two stores of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// What triplets name.
    Object,
    /// Turn records, exchanges and other evidence.
    Record,
}

impl Content {
    fn insert(self) -> &'static str {
        match self {
            Content::Object => {
                "INSERT OR IGNORE INTO objects (digest, length_bytes, bytes) VALUES (?1, ?2, ?3)"
            }
            Content::Record => {
                "INSERT OR IGNORE INTO records (digest, length_bytes, bytes) VALUES (?1, ?2, ?3)"
            }
        }
    }

    fn select(self) -> &'static str {
        match self {
            Content::Object => "SELECT length_bytes, bytes FROM objects WHERE digest = ?1",
            Content::Record => "SELECT length_bytes, bytes FROM records WHERE digest = ?1",
        }
    }

    fn exists(self) -> &'static str {
        match self {
            Content::Object => "SELECT 1 FROM objects WHERE digest = ?1",
            Content::Record => "SELECT 1 FROM records WHERE digest = ?1",
        }
    }

    /// Returns the name of the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Content::Object => "objects",
            Content::Record => "records",
        }
    }
}

/// Keeps bytes whose digest the caller has checked; tells whether they are new.
pub(crate) fn keep(
    access: Access<'_>,
    content: Content,
    digest: &Digest,
    bytes: &[u8],
) -> Result<bool, StoreError> {
    let length_bytes = row::integer(bytes.len() as u64, content.name())?;
    let inline = if bytes.len() > INLINE_LENGTH_MAX_BYTES {
        if exists(access, content, digest)? {
            return Ok(false);
        }
        keep_blob(access, digest, bytes)?;
        None
    } else {
        Some(bytes)
    };
    let failed = access.failed("written");
    let mut statement = access
        .connection
        .prepare_cached(content.insert())
        .map_err(&failed)?;
    let added = statement
        .execute((digest.as_bytes(), length_bytes, inline))
        .map_err(&failed)?;
    Ok(added == 1)
}

/// Tells whether bytes of this digest are kept.
pub(crate) fn exists(
    access: Access<'_>,
    content: Content,
    digest: &Digest,
) -> Result<bool, StoreError> {
    let failed = access.failed("read");
    let mut statement = access
        .connection
        .prepare_cached(content.exists())
        .map_err(&failed)?;
    statement.exists([digest.as_bytes()]).map_err(failed)
}

/// Returns the bytes of this digest, checked against it.
pub(crate) fn read(
    access: Access<'_>,
    content: Content,
    digest: &Digest,
) -> Result<Option<Vec<u8>>, StoreError> {
    let failed = access.failed("read");
    let mut statement = access
        .connection
        .prepare_cached(content.select())
        .map_err(&failed)?;
    let found: Option<(i64, Option<Vec<u8>>)> = statement
        .query_row([digest.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(&failed)?;
    let Some((length_bytes, inline)) = found else {
        return Ok(None);
    };
    let place = || format!("{} {digest}", content.name());
    let bytes = match inline {
        Some(bytes) => bytes,
        None => {
            let path = blob_path(access, digest);
            whole_file::read(&path)
                .map_err(|error| StoreError::file(&path, "read", error))?
                .ok_or_else(|| {
                    StoreError::corrupt(place(), format!("{} is missing", path.display()))
                })?
        }
    };
    check(content, digest, length_bytes, &bytes)?;
    Ok(Some(bytes))
}

/// Checks bytes against the digest and the length that they are kept under.
pub(crate) fn check(
    content: Content,
    digest: &Digest,
    length_bytes: i64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    if bytes.len() as u64 == row::count(length_bytes, content.name())?
        && Digest::of_bytes(bytes) == *digest
    {
        return Ok(());
    }
    let place = format!("{} {digest}", content.name());
    Err(StoreError::corrupt(
        place,
        "the bytes do not match the digest",
    ))
}

/// Returns the bytes of this digest, which a row names: that they are missing is damage.
pub(crate) fn read_kept(
    access: Access<'_>,
    content: Content,
    digest: &Digest,
) -> Result<Vec<u8>, StoreError> {
    read(access, content, digest)?.ok_or_else(|| {
        let place = format!("{} {digest}", content.name());
        StoreError::corrupt(place, "it is missing, and a row names it")
    })
}

/// Where the bytes of a long content lie.
pub(crate) fn blob_path(access: Access<'_>, digest: &Digest) -> PathBuf {
    let name = digest.to_hex();
    access.home.blobs().join(&name[..2]).join(name)
}

/// Writes the bytes durably. A file of that name may be there already, left by a commit that did not happen; it is
/// replaced rather than trusted, for it may never have been synced.
fn keep_blob(access: Access<'_>, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
    let path = blob_path(access, digest);
    crate::home::create_directory(&access.home.blobs())?;
    path.parent()
        .map_or(Ok(()), crate::home::create_directory)?;
    whole_file::write(&path, bytes, Durability::Synced)
        .map_err(|error| StoreError::file(&path, "written", error))
}

/// Returns the digests of all objects, sorted.
pub(crate) fn objects(access: Access<'_>) -> Result<Vec<Digest>, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT digest FROM objects ORDER BY digest";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement
        .query_map([], |row| Ok(row::digest(row.get(0)?)))
        .map_err(&failed)?;
    rows.collect::<Result<_, _>>().map_err(&failed)
}
