//! What the kernel's port keeps of runs beside their turns: how they were finished, and their trace artifacts.

use orket_kernel::RunId;

use super::Findings;
use crate::access::Access;
use crate::content::{self, Content};
use crate::{StoreError, finish, row, run, trace_artifact};

pub(super) fn check(access: Access<'_>, findings: &mut Findings) -> Result<(), StoreError> {
    let failed = access.failed("read");
    let sql = "SELECT run_id FROM finished_runs ORDER BY run_id";
    findings.each_row(access, "finished_runs", sql, |_, row| {
        let run_id: String = row.get(0).map_err(&failed)?;
        let run_id = row::run_id(&run_id)?;
        check_run(access, "finished_runs", &run_id)?;
        finish::outcome(access, &run_id).map(drop)
    })?;
    let sql = "SELECT run_id, name FROM trace_artifacts ORDER BY run_id, name";
    findings.each_row(access, "trace_artifacts", sql, |_, row| {
        let (run_id, name): (String, String) =
            (row.get(0).map_err(&failed)?, row.get(1).map_err(&failed)?);
        let run_id = row::run_id(&run_id)?;
        check_run(access, "trace_artifacts", &run_id)?;
        let Some(digest) = trace_artifact::kept(access, &run_id, &name)? else {
            return Ok(());
        };
        // Whether the bytes match their digest is looked at with the records.
        if content::exists(access, Content::Record, &digest)? {
            return Ok(());
        }
        let place = format!("trace_artifacts {run_id} {name:?}");
        Err(StoreError::corrupt(place, "its bytes are not kept"))
    })
}

fn check_run(access: Access<'_>, table: &str, run_id: &RunId) -> Result<(), StoreError> {
    match run::digest(access, run_id)? {
        Some(_) => Ok(()),
        None => Err(StoreError::corrupt(
            format!("{table} {run_id}"),
            "no run of this id was started",
        )),
    }
}
