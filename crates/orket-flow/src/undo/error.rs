//! Why something could not be put back.

use orket_cards::{StoreFault, TransitionRefusal, TurnName};
use orket_kernel::{ReadError, Stem};

use crate::error::{RunError, bug};
use crate::operator::OperatorProposalError;

/// Says why an undo or a redo was not made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The project could not be read or written, or another command is at it.
    #[error(transparent)]
    Run(#[from] RunError),
    /// No turn stands.
    #[error("there is nothing to undo: no turn stands that was not undone")]
    NothingToUndo,
    /// No undo stands.
    #[error("there is nothing to redo: no undo stands")]
    NothingToRedo,
    /// The run changed nothing after the turn, or all of it is as it was.
    #[error("there is nothing to undo: all that {turn} left is as it was right after it")]
    AsItWas {
        /// The turn.
        turn: TurnName,
    },
    /// Another turn changed what would be put back.
    #[error("{}; nothing was changed: {hint}", told(.stems))]
    ChangedSince {
        /// The stems, each with the newest turn that changed it.
        stems: Vec<(Stem, TurnName)>,
        /// What to do.
        hint: &'static str,
    },
    /// A file would lie where a directory is, or below a file.
    #[error(
        "agent_output/{path} cannot be put back: another turn has put agent_output/{known} in its way; nothing was changed"
    )]
    InTheWay {
        /// The path.
        path: String,
        /// What is in its way.
        known: String,
    },
    /// The transition table refused.
    #[error("{card}: {refusal}; nothing was changed")]
    Transition {
        /// The card.
        card: String,
        /// Why.
        #[source]
        refusal: TransitionRefusal,
    },
    /// The kernel refused: something else names what would go.
    #[error("the state does not admit it: {}; nothing was changed", .reasons.join("; "))]
    Refused {
        /// Why, one sentence each.
        reasons: Vec<String>,
    },
}

fn told(stems: &[(Stem, TurnName)]) -> String {
    let told = stems.iter();
    let told: Vec<String> = told
        .map(|(stem, turn)| format!("{stem} was changed since by {turn}"))
        .collect();
    told.join(", ")
}

impl From<StoreFault> for UndoError {
    fn from(fault: StoreFault) -> UndoError {
        RunError::from(fault).into()
    }
}

impl From<ReadError> for UndoError {
    fn from(error: ReadError) -> UndoError {
        RunError::from(error).into()
    }
}

impl From<OperatorProposalError> for UndoError {
    fn from(error: OperatorProposalError) -> UndoError {
        match error {
            OperatorProposalError::Read(error) => error.into(),
            OperatorProposalError::Transition { card, refusal } => {
                UndoError::Transition { card, refusal }
            }
            OperatorProposalError::Malformed(what) => bug(&what).into(),
        }
    }
}
