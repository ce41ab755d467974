//! Every object and record against its digest, in the database and beside it.

use std::collections::BTreeSet;

use orket_kernel::Digest;

use super::Findings;
use crate::access::Access;
use crate::content::{self, Content};
use crate::{StoreError, row, whole_file};

pub(super) fn check(access: Access<'_>, findings: &mut Findings) -> Result<(), StoreError> {
    let failed = access.failed("read");
    let mut beside: BTreeSet<String> = BTreeSet::new();
    for (content, sql) in [
        (Content::Object, "SELECT digest, bytes IS NULL FROM objects"),
        (Content::Record, "SELECT digest, bytes IS NULL FROM records"),
    ] {
        findings.each_row(access, content.name(), sql, |_, row| {
            let digest: Digest = row::digest(row.get(0).map_err(&failed)?);
            if row.get(1).map_err(&failed)? {
                beside.insert(digest.to_hex());
            }
            content::read(access, content, &digest).map(drop)
        })?;
    }
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
