//! Bytes by digest: objects, which the state is made of, and records, which name a run and lie outside it.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orket_kernel::{Digest, Payload, Stream};
use rusqlite::OptionalExtension;

use crate::access::Access;
use crate::whole_file::{self, CopyError, Durability, FileSource};
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
    if bytes.len() <= INLINE_LENGTH_MAX_BYTES {
        return insert(access, content, digest, bytes.len() as u64, Some(bytes));
    }
    if exists(access, content, digest)? {
        return Ok(false);
    }
    let path = make_blob_directory(access, digest)?;
    whole_file::write(&path, bytes, Durability::Synced)
        .map_err(|error| StoreError::file(&path, "written", error))?;
    insert(access, content, digest, bytes.len() as u64, None)
}

/// As [`keep`], of a payload. What a stream yields is compared with its digest while it is copied, and is not kept if it is
/// something else.
pub(crate) fn keep_payload(
    access: Access<'_>,
    content: Content,
    digest: &Digest,
    payload: &Payload,
) -> Result<bool, StoreError> {
    let length_bytes = payload.length_bytes();
    if let Payload::Held(bytes) = payload {
        return keep(access, content, digest, bytes);
    }
    if exists(access, content, digest)? {
        return Ok(false);
    }
    if length_bytes <= INLINE_LENGTH_MAX_BYTES as u64 {
        let bytes = payload.to_bytes();
        let bytes = bytes.map_err(|error| unread(&place(content, digest), error))?;
        return keep(access, content, digest, &bytes);
    }
    let path = make_blob_directory(access, digest)?;
    write_payload(&path, digest, payload, Durability::Synced)?;
    insert(access, content, digest, length_bytes, None)
}

fn insert(
    access: Access<'_>,
    content: Content,
    digest: &Digest,
    length_bytes: u64,
    inline: Option<&[u8]>,
) -> Result<bool, StoreError> {
    let length_bytes = row::integer(length_bytes, content.name())?;
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

/// Returns what has this digest: bytes that were checked against it, or the stream of a file that has the right length and is
/// checked while it is read.
pub(crate) fn payload(
    access: Access<'_>,
    content: Content,
    digest: &Digest,
) -> Result<Option<Payload>, StoreError> {
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
    if let Some(bytes) = inline {
        check_bytes(content, digest, length_bytes, &bytes)?;
        return Ok(Some(Payload::Held(bytes)));
    }
    let length_bytes = row::count(length_bytes, content.name())?;
    let damaged = |reason: String| StoreError::corrupt(place(content, digest), reason);
    let path = blob_path(access, digest);
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(damaged(format!("{} is missing", path.display())));
        }
        Err(error) => return Err(StoreError::file(&path, "read", error)),
    };
    if metadata.is_file() && metadata.len() != length_bytes {
        return Err(damaged("the bytes do not match the digest".to_owned()));
    }
    let source = Arc::new(FileSource(path));
    let stream = Stream::new(*digest, length_bytes, source);
    Ok(Some(Payload::Streamed(stream)))
}

/// Returns the bytes of this digest in memory, checked against it: a record, or an object that is a document.
pub(crate) fn read(
    access: Access<'_>,
    content: Content,
    digest: &Digest,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(payload) = payload(access, content, digest)? else {
        return Ok(None);
    };
    let read = match (content, &payload) {
        (Content::Record, Payload::Streamed(_)) => {
            let mut bytes = Vec::new();
            let read = payload.open().and_then(|mut it| it.read_to_end(&mut bytes));
            read.map(|_| bytes)
        }
        _ => payload.into_bytes(),
    };
    read.map(Some)
        .map_err(|error| unread(&place(content, digest), error))
}

/// Reads the bytes of this digest once, without holding them, and tells whether they are kept.
pub(crate) fn check(
    access: Access<'_>,
    content: Content,
    digest: &Digest,
) -> Result<bool, StoreError> {
    let Some(payload) = payload(access, content, digest)? else {
        return Ok(false);
    };
    let checked = payload.check();
    checked.map_err(|error| unread(&place(content, digest), error))?;
    Ok(true)
}

/// Writes a payload as a file, which is there whole or not at all.
pub(crate) fn write_payload(
    path: &Path,
    digest: &Digest,
    payload: &Payload,
    durability: Durability,
) -> Result<(), StoreError> {
    let of_source = |error| unread(&place(Content::Object, digest), error);
    if let Payload::Held(bytes) = payload {
        return whole_file::write(path, bytes, durability)
            .map_err(|error| StoreError::file(path, "written", error));
    }
    let mut reader = payload.open().map_err(of_source)?;
    whole_file::copy(&mut *reader, path, durability).map_err(|error| match error {
        CopyError::Read(error) => of_source(error),
        CopyError::Write(error) => StoreError::file(path, "written", error),
    })
}

/// Says that a payload could not be read to its end, or is no document.
pub(crate) fn unread(place: &str, error: std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::InvalidData => StoreError::corrupt(place, "the bytes do not match the digest"),
        ErrorKind::FileTooLarge => StoreError::corrupt(place, "it is too long for a document"),
        _ => StoreError::file(Path::new(place), "read", error),
    }
}

fn place(content: Content, digest: &Digest) -> String {
    format!("{} {digest}", content.name())
}

/// Checks bytes against the digest and the length that they are kept under.
pub(crate) fn check_bytes(
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
    Err(StoreError::corrupt(
        place(content, digest),
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

/// Makes the directory that a long content lies in, and returns where it lies. A file of that name may be there already, left by
/// a commit that did not happen; it is replaced rather than trusted, for it may never have been synced.
fn make_blob_directory(access: Access<'_>, digest: &Digest) -> Result<PathBuf, StoreError> {
    let path = blob_path(access, digest);
    crate::home::create_directory(&access.home.blobs())?;
    path.parent()
        .map_or(Ok(()), crate::home::create_directory)?;
    Ok(path)
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
