//! What lies in the staging area of turns that are promoted already, or of runs that are not known. None of it is a fault.

use super::Findings;
use crate::access::Access;
use crate::staging::Staging;
use crate::{StoreError, ledger, run, token, whole_file};

pub(super) fn check(access: Access<'_>, findings: &mut Findings) -> Result<(), StoreError> {
    let root = access.home.index().join("staging");
    let staging = Staging::new(root.clone());
    let mut known = Vec::new();
    for run_id in run::all(access)? {
        known.push(token(run_id.as_str()));
        let last = ledger::last_turn(access, &run_id).ok().flatten();
        for turn_id in staging.turns(&run_id)? {
            if last.is_some_and(|last| turn_id <= last) {
                findings.note(format!(
                    "{turn_id} of run {run_id} is promoted and still has files in the staging area"
                ));
            }
        }
    }
    let entries =
        whole_file::entries(&root).map_err(|error| StoreError::file(&root, "listed", error))?;
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !known.iter().any(|token| *token == name) {
            findings.note(format!(
                "{} belongs to no run that is known",
                path.display()
            ));
        }
    }
    Ok(())
}
