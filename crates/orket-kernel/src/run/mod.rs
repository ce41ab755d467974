//! A run that is open: the methods that execute its turns, promote them and end it.

mod commit;
mod execute;
mod finish;
mod traces;

pub use finish::{Finish, RunStatus, RunSummary};

use crate::capability::{self, CapabilityPlan, Decision, ToolRequest};
use crate::{RunEnvelope, RunHandle, StateStore};

/// A run that is open.
///
/// There is one way to use it: turns are executed one after the other (each call borrows the run alone), and whoever
/// finishes it gives it away. Neither of these compiles:
///
/// ```compile_fail,E0382
/// # use orket_kernel::{Finish, KernelError, Run, StateStore, TurnInput};
/// fn goes_on_after_the_end<S: StateStore>(mut run: Run<'_, S>, turn: &TurnInput) -> Result<(), KernelError> {
///     run.finish(Finish::Discard)?;
///     run.execute_turn(turn)?; // the run was given away
///     Ok(())
/// }
/// ```
///
/// ```compile_fail,E0499
/// # use orket_kernel::{Run, StateStore};
/// fn two_turns_at_once<S: StateStore>(run: &mut Run<'_, S>) {
///     let one = &mut *run;
///     let two = &mut *run;
///     let _ = (one.handle(), two.handle());
/// }
/// ```
///
/// And a run cannot be made without a store that vouches for its envelope:
///
/// ```compile_fail,E0451
/// # use orket_kernel::{MemoryStore, Run, RunEnvelope, RunHandle};
/// fn forged<'a>(store: &'a MemoryStore, envelope: RunEnvelope, handle: RunHandle) -> Run<'a, MemoryStore> {
///     Run { store, envelope, handle }
/// }
/// ```
#[derive(Debug)]
pub struct Run<'k, S: StateStore> {
    store: &'k S,
    envelope: RunEnvelope,
    handle: RunHandle,
}

impl<'k, S: StateStore> Run<'k, S> {
    pub(crate) fn new(store: &'k S, envelope: RunEnvelope, handle: RunHandle) -> Run<'k, S> {
        Run {
            store,
            envelope,
            handle,
        }
    }

    /// Returns what was fixed when the run started.
    pub fn envelope(&self) -> &RunEnvelope {
        &self.envelope
    }

    /// Returns the handle that names the run on the wire.
    pub fn handle(&self) -> &RunHandle {
        &self.handle
    }

    /// `authorize_tool_call`: decides one call by the policy of the run. The result is the audit record of the decision.
    pub fn authorize_tool_call(&self, ordinal: u64, request: &ToolRequest) -> Decision {
        capability::authorize(&self.envelope.policy, &self.handle.run_id, ordinal, request)
    }

    /// `resolve_capability`: says what a role may do in a task, by the policy of the run.
    pub fn resolve_capability(&self, role: &str, task: &str) -> CapabilityPlan {
        capability::resolve_capability(&self.envelope.policy, role, task)
    }
}
