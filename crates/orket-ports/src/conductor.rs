//! The Conductor: sees the session before and after each step and may adjust it; it never calls a model.

use std::collections::BTreeSet;

/// What the Conductor is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The flow that is played.
    pub flow: String,
    /// How many steps this session has taken, skipped ones included.
    pub step_index: u64,
    /// The name of the Score step.
    pub step: String,
    /// The role that acts.
    pub role: String,
    /// The card it acts on.
    pub card: String,
    /// Short accounts of earlier steps, oldest first.
    pub transcript: Vec<String>,
}

/// What the Conductor wants changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adjustment {
    /// Pass over this step.
    pub skip: bool,
    /// Text to add to the role's prompt from now on; an empty text takes an earlier one away.
    pub prompt_patch: Option<String>,
    /// Roles that may act from now on.
    pub enable: BTreeSet<String>,
    /// Roles that may not act from now on.
    pub disable: BTreeSet<String>,
    /// End the session: before this step if it is asked for then, else after it. The run stays open.
    pub stop: bool,
}

/// Governs a session between its steps.
pub trait Conductor: Send {
    /// Is asked before each step.
    fn before_step(&mut self, session: &SessionView) -> Adjustment;

    /// Is told after each step, also after a skipped one.
    fn after_step(&mut self, session: &SessionView) -> Adjustment;
}
