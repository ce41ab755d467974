//! `write_trace_artifacts` of an open run.

use super::Run;
use crate::issue::{self, KernelIssue, Stage};
use crate::kernel::misfit;
use crate::limits::TRACE_ARTIFACTS_MAX;
use crate::{
    Code, Digest, KernelError, Pointer, StateStore, StoreTransaction, TraceArtifact, event,
};

impl<S: StateStore> Run<'_, S> {
    /// `write_trace_artifacts`: keeps artifacts of the run as canonical JSON with their versions, all or none, and returns
    /// the digest of each, sorted by name.
    ///
    /// An artifact is kept for good: the same one again is no change, another one of the same name is refused.
    ///
    /// # Errors
    /// Refuses more than 1,000 artifacts, a name that is not portable or stands twice, and a schema without a version.
    pub fn write_trace_artifacts(
        &mut self,
        artifacts: &[TraceArtifact],
    ) -> Result<Vec<(String, Digest)>, KernelError> {
        check(artifacts)?;
        let mut sorted: Vec<(usize, &TraceArtifact)> = artifacts.iter().enumerate().collect();
        sorted.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
        let mut transaction = self.store.begin()?;
        let mut written = Vec::new();
        for (index, artifact) in sorted {
            let bytes = artifact.to_bytes(&self.handle);
            let kept = transaction.keep_trace_artifact(&self.handle.run_id, &artifact.name, &bytes);
            kept.map_err(|failure| misfit(failure, places().index(index).key("name")))?;
            written.push((artifact.name.clone(), Digest::of_bytes(&bytes)));
        }
        transaction.commit()?;
        Ok(written)
    }
}

/// Returns where the artifacts stand in the request.
fn places() -> Pointer {
    Pointer::root().key("trace_bundle").key("artifacts")
}

fn check(artifacts: &[TraceArtifact]) -> Result<(), KernelError> {
    let place = places();
    let issue = |place: Pointer, reason: &str, message: &str| {
        let details = event::details([("reason", reason.into())]);
        let code = Code::BaseShapeInvalid;
        KernelIssue::new(Stage::BaseShape, code, place, message, details)
    };
    let mut issues = Vec::new();
    if artifacts.len() > TRACE_ARTIFACTS_MAX {
        issues.push(issue(
            place.clone(),
            "too_many",
            "at most 1,000 artifacts are kept at once",
        ));
    }
    let mut names = std::collections::BTreeSet::new();
    for (index, artifact) in artifacts.iter().enumerate().take(TRACE_ARTIFACTS_MAX) {
        let place = place.index(index);
        if let Some((member, message)) = artifact.fault() {
            issues.push(issue(place.key(member), member, message));
        }
        if !names.insert(&artifact.name) {
            issues.push(issue(
                place.key("name"),
                "repeated_name",
                "the name stands twice",
            ));
        }
    }
    if issues.is_empty() {
        return Ok(());
    }
    issue::sort(&mut issues);
    Err(KernelError::Refused(issues))
}
