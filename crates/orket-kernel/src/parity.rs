//! Parity reports: what a replay or a comparison found (kernel API §2.5).

use crate::canonical::Value;
use crate::issue::{self, KernelIssue, Stage};
use crate::{CONTRACT_VERSION, Code, Divergence, Outcome, Pointer, event, object};

/// The version that every parity report carries.
pub const PARITY_REPORT_VERSION: &str = "parity_report/v1";

/// What was set side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ParityKind {
    /// A run and its replay.
    Replay,
    /// Two runs.
    Compare,
}

/// What a replay or a comparison found: every divergence, and the first one in words.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ParityReport {
    /// [`PARITY_REPORT_VERSION`].
    #[cfg_attr(feature = "schema", schemars(extend("const" = PARITY_REPORT_VERSION)))]
    pub report_version: String,
    /// [`CONTRACT_VERSION`](crate::CONTRACT_VERSION).
    #[cfg_attr(feature = "schema", schemars(extend("const" = CONTRACT_VERSION)))]
    pub contract_version: String,
    /// What was set side by side.
    pub kind: ParityKind,
    /// PASS if everything agrees; FAIL if something differs, or could not be compared.
    pub outcome: Outcome,
    /// How many turns were compared; never 0 in a report that passes.
    pub turns_compared: u64,
    /// Every structural difference, by (turn, stage, location). `recorded` is of the first side, `replayed` of the second.
    pub divergences: Vec<Divergence>,
    /// The first difference in words.
    pub first_divergence: Option<String>,
    /// `E_REPLAY_DIVERGENCE` if there is a difference, and whatever kept a turn from being compared.
    pub issues: Vec<KernelIssue>,
    /// The same as event lines.
    pub events: Vec<String>,
}

impl ParityReport {
    /// Makes the report. Comparing nothing is a failure, never "equal" (kernel decision 19).
    pub(crate) fn new(
        kind: ParityKind,
        turns_compared: u64,
        divergences: Vec<Divergence>,
        faults: Vec<KernelIssue>,
    ) -> ParityReport {
        let mut issues = faults;
        if turns_compared == 0 && issues.is_empty() {
            issues.push(nothing_compared());
        }
        let first_divergence = divergences.first().map(|first| words(kind, first));
        if let (Some(first), Some(words)) = (divergences.first(), &first_divergence) {
            issues.push(KernelIssue::new(
                Stage::Determinism,
                Code::ReplayDivergence,
                Pointer::root().key("turns").key(&first.turn_id.to_string()),
                words.clone(),
                object! {
                    "divergences" => divergences.len() as u64,
                    "stage" => first.stage.as_str(),
                    "location" => first.location.as_str(),
                },
            ));
        }
        issue::sort(&mut issues);
        ParityReport {
            report_version: PARITY_REPORT_VERSION.to_owned(),
            contract_version: CONTRACT_VERSION.to_owned(),
            kind,
            outcome: if issues.is_empty() {
                Outcome::Pass
            } else {
                Outcome::Fail
            },
            turns_compared,
            divergences,
            first_divergence,
            events: issues.iter().map(event::format).collect(),
            issues,
        }
    }
}

fn nothing_compared() -> KernelIssue {
    KernelIssue::new(
        Stage::BaseShape,
        Code::BaseShapeInvalid,
        Pointer::root().key("turns"),
        "the run has no promoted turn; nothing is equal to nothing",
        event::details([("reason", Value::from("empty_run"))]),
    )
}

fn words(kind: ParityKind, first: &Divergence) -> String {
    let (one, two) = match kind {
        ParityKind::Replay => ("recorded", "replayed"),
        ParityKind::Compare => ("in the first run", "in the second"),
    };
    format!(
        "{} differs in {} at {}: {} {one}, {} {two}",
        first.turn_id, first.stage, first.location, first.recorded, first.replayed
    )
}
