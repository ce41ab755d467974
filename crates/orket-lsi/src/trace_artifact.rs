//! Trace artifacts: bytes that a host keeps under a name beside the turns of a run. They are never changed.

use orket_kernel::{Digest, LSI_VERSION, RunId, canonical, object};
use rusqlite::OptionalExtension;

use crate::access::Access;
use crate::content::{self, Content};
use crate::{StoreError, row, run};

/// Keeps an artifact. The same bytes again are no change; other ones are refused.
pub(crate) fn keep(
    access: Access<'_>,
    run_id: &RunId,
    name: &str,
    bytes: &[u8],
) -> Result<(), StoreError> {
    run::check_known(access, run_id)?;
    let content_digest = Digest::of_bytes(bytes);
    match kept(access, run_id, name)? {
        Some(kept) if kept == content_digest => return Ok(()),
        Some(_) => {
            return Err(StoreError::ArtifactExists {
                run_id: run_id.clone(),
                name: name.to_owned(),
            });
        }
        None => {}
    }
    content::keep(access, Content::Record, &content_digest, bytes)?;
    let failed = access.failed("written");
    let sql = "INSERT INTO trace_artifacts (run_id, name, content_digest, digest) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    statement
        .execute((
            run_id.as_str(),
            name,
            content_digest.as_bytes(),
            digest(run_id, name, &content_digest).as_bytes(),
        ))
        .map_err(&failed)?;
    Ok(())
}

/// Returns the bytes of an artifact; `None` if the run has none of this name.
pub(crate) fn read(
    access: Access<'_>,
    run_id: &RunId,
    name: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(content_digest) = kept(access, run_id, name)? else {
        return Ok(None);
    };
    content::read_kept(access, Content::Record, &content_digest).map(Some)
}

/// Returns the digest of the bytes of an artifact.
pub(crate) fn kept(
    access: Access<'_>,
    run_id: &RunId,
    name: &str,
) -> Result<Option<Digest>, StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT content_digest, digest FROM trace_artifacts WHERE run_id = ?1 AND name = ?2";
    let mut statement = access.connection.prepare_cached(sql).map_err(&failed)?;
    let found: Option<([u8; 32], [u8; 32])> = statement
        .query_row((run_id.as_str(), name), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(&failed)?;
    let Some((content_digest, of_row)) = found else {
        return Ok(None);
    };
    let content_digest = row::digest(content_digest);
    if digest(run_id, name, &content_digest).as_bytes() != &of_row {
        return Err(StoreError::corrupt(
            format!("trace_artifacts {run_id} {name:?}"),
            "the fields do not match the digest of the row",
        ));
    }
    Ok(Some(content_digest))
}

/// SHA-256 over the fields of the row and the version of the index as canonical JSON.
fn digest(run_id: &RunId, name: &str, content_digest: &Digest) -> Digest {
    canonical::digest(&object! {
        "run_id" => run_id.as_str(),
        "name" => name,
        "content_digest" => content_digest.to_hex(),
        "lsi_version" => LSI_VERSION,
    })
}
