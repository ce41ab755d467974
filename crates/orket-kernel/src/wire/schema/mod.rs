//! The JSON Schemas of everything that stands on the wire or is kept, as texts.
//!
//! The texts are generated from the types by `cargo xtask docs --write`, committed, and embedded here. Whoever adds a
//! name to the list begins with an empty file of that name: what is embedded must be there to be compiled.

#[cfg(feature = "schema")]
mod generate;
#[cfg(feature = "schema")]
pub(crate) mod shapes;
#[cfg(feature = "schema")]
pub(crate) mod texts;

#[cfg(feature = "schema")]
use super::{Operation, answer, request};

macro_rules! schemas {
    ($($name:literal => $kind:ident($($of:tt)+);)+) => {
        const SCHEMAS: &[(&str, &str)] = &[$((
            $name,
            include_str!(concat!("../../../../../docs/kernel/schemas/", $name, ".schema.json")),
        )),+];

        /// Generates every schema from the types, in the order of [`schemas`].
        #[cfg(feature = "schema")]
        pub fn generated_schemas() -> Vec<(&'static str, schemars::Schema)> {
            vec![$(($name, schemas!(@$kind $name, $($of)+))),+]
        }
    };
    (@request $name:literal, $type:ident) => {
        generate::document::<request::$type>($name)
    };
    (@answer $name:literal, $operation:ident, ()) => {
        generate::answer::<()>($name, Operation::$operation)
    };
    (@answer $name:literal, $operation:ident, $type:ty) => {
        generate::answer::<Option<$type>>($name, Operation::$operation)
    };
    (@invalid $name:literal, $type:ty) => {
        generate::written::<$type>($name)
    };
    (@document $name:literal, $type:ty) => {
        generate::document::<$type>($name)
    };
}

schemas! {
    "start-run-request" => request(StartRun);
    "start-run-answer" => answer(StartRun, answer::RunAnswer);
    "execute-turn-request" => request(ExecuteTurn);
    "execute-turn-answer" => answer(ExecuteTurn, answer::TurnAnswer);
    "commit-turn-request" => request(CommitTurn);
    "commit-turn-answer" => answer(CommitTurn, crate::PromotionReport);
    "finish-run-request" => request(FinishRun);
    "finish-run-answer" => answer(FinishRun, crate::RunSummary);
    "emit-event-request" => request(EmitEvent);
    "emit-event-answer" => answer(EmitEvent, answer::EventAnswer);
    "write-trace-artifacts-request" => request(WriteTraceArtifacts);
    "write-trace-artifacts-answer" => answer(WriteTraceArtifacts, answer::TraceArtifactsAnswer);
    "validate-triplet-request" => request(ValidateTriplet);
    "validate-triplet-answer" => answer(ValidateTriplet, ());
    "validate-links-against-index-request" => request(ValidateLinksAgainstIndex);
    "validate-links-against-index-answer" => answer(ValidateLinksAgainstIndex, ());
    "stage-deletions-request" => request(StageDeletions);
    "stage-deletions-answer" => answer(StageDeletions, answer::TurnAnswer);
    "authorize-tool-call-request" => request(AuthorizeToolCall);
    "authorize-tool-call-answer" => answer(AuthorizeToolCall, answer::DecisionAnswer);
    "resolve-capability-request" => request(ResolveCapability);
    "resolve-capability-answer" => answer(ResolveCapability, answer::CapabilityAnswer);
    "replay-run-request" => request(ReplayRun);
    "replay-run-answer" => answer(ReplayRun, crate::ParityReport);
    "compare-runs-request" => request(CompareRuns);
    "compare-runs-answer" => answer(CompareRuns, crate::ParityReport);
    "invalid-request" => invalid(answer::InvalidRequest);
    "run-envelope" => document(crate::RunEnvelope);
    "capability-policy" => document(crate::capability::Policy);
    "profile" => document(crate::Profile);
    "turn-input" => document(crate::TurnInput);
    "turn-result" => document(crate::TurnResult);
    "turn-trace" => document(crate::TurnTrace);
    "triplet-record" => document(crate::TripletRecord);
    "ref-source" => document(crate::RefSource);
    "kernel-issue" => document(crate::KernelIssue);
    "decision" => document(crate::capability::Decision);
    "capability-plan" => document(crate::capability::CapabilityPlan);
    "promotion-report" => document(crate::PromotionReport);
    "run-summary" => document(crate::RunSummary);
    "parity-report" => document(crate::ParityReport);
    "recorded-run" => document(crate::RecordedRun);
}

/// Lists every schema: its name and its text, JSON Schema 2020-12.
///
/// An operation has the schemas `NAME-request` and `NAME-answer`; its answer to a request that cannot be read is
/// `invalid-request`.
///
/// # Limitations
/// A schema refuses nothing that the kernel takes, apart from what `docs/kernel/schemas/README.md` lists; the kernel
/// refuses more than a schema can say.
pub fn schemas() -> &'static [(&'static str, &'static str)] {
    SCHEMAS
}

/// Returns the text of the schema of this name.
pub fn schema(name: &str) -> Option<&'static str> {
    let found = SCHEMAS.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}
