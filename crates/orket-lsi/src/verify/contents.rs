//! Every object and record against its digest, in the database and beside it.

use std::collections::BTreeSet;

use orket_kernel::Digest;
use rusqlite::Row;

use super::Findings;
use crate::access::Access;
use crate::content::{self, Content};
use crate::{StoreError, row, whole_file};

/// Which objects and records were found to be damaged; `None` until all of them were looked at.
#[derive(Default)]
pub(super) struct Vetted {
    damaged_objects: Option<BTreeSet<Digest>>,
    damaged_records: Option<BTreeSet<Digest>>,
}

impl Vetted {
    /// Tells whether a content is kept and matches its digest.
    pub(super) fn is_intact(
        &self,
        access: Access<'_>,
        content: Content,
        digest: &Digest,
    ) -> Result<bool, StoreError> {
        let damaged = match content {
            Content::Object => &self.damaged_objects,
            Content::Record => &self.damaged_records,
        };
        match damaged {
            Some(damaged) => {
                Ok(!damaged.contains(digest) && content::exists(access, content, digest)?)
            }
            None => match content::check(access, content, digest) {
                Ok(is_kept) => Ok(is_kept),
                Err(error) if error.is_damage() => Ok(false),
                Err(error) => Err(error),
            },
        }
    }
}

pub(super) fn check(access: Access<'_>, findings: &mut Findings) -> Result<Vetted, StoreError> {
    let mut beside: BTreeSet<String> = BTreeSet::new();
    let mut vetted = Vetted::default();
    for (content, sql, damaged) in [
        (
            Content::Object,
            "SELECT digest, length_bytes, bytes FROM objects",
            &mut vetted.damaged_objects,
        ),
        (
            Content::Record,
            "SELECT digest, length_bytes, bytes FROM records",
            &mut vetted.damaged_records,
        ),
    ] {
        *damaged = check_table(access, findings, content, sql, &mut beside)?;
    }
    check_files(access, findings, &beside)?;
    Ok(vetted)
}

/// Returns the damaged ones; `None` if not every row could be looked at.
fn check_table(
    access: Access<'_>,
    findings: &mut Findings,
    content: Content,
    sql: &str,
    beside: &mut BTreeSet<String>,
) -> Result<Option<BTreeSet<Digest>>, StoreError> {
    let failed = access.failed("read");
    let mut damaged = BTreeSet::new();
    let mut each = |row: &Row<'_>| {
        let digest: Digest = row::digest(row.get(0).map_err(&failed)?);
        let inline = row
            .get_ref(2)
            .and_then(|value| Ok(value.as_blob_or_null()?));
        let Some(bytes) = inline.map_err(&failed)? else {
            beside.insert(digest.to_hex());
            let found = content::check(access, content, &digest);
            if found.is_err() {
                damaged.insert(digest);
            }
            return found.map(drop);
        };
        let length_bytes = row.get(1).map_err(&failed)?;
        let is_right = content::check_bytes(content, &digest, length_bytes, bytes);
        if is_right.is_err() {
            damaged.insert(digest);
        }
        is_right
    };
    let is_whole = findings.each_row_to_end(access, content.name(), sql, |_, row| each(row))?;
    Ok(is_whole.then_some(damaged))
}

fn check_files(
    access: Access<'_>,
    findings: &mut Findings,
    beside: &BTreeSet<String>,
) -> Result<(), StoreError> {
    // A row that named it may never have become durable; gc is what removes it.
    let root = access.home.blobs();
    let list = |path: &std::path::Path| {
        whole_file::entries(path).map_err(|error| StoreError::file(path, "listed", error))
    };
    let mut left = 0;
    for directory in list(&root)? {
        for file in list(&directory)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            left += u64::from(!beside.contains(name.as_ref()));
        }
    }
    if left > 0 {
        findings.note(format!(
            "{left} file(s) in {} belong to nothing that is committed",
            root.display()
        ));
    }
    Ok(())
}
