//! Why a run could not go on.

use orket_cards::{AssetError, StoreFault};
use orket_kernel::canonical::SerializeError;
use orket_kernel::{InvalidName, ReadError};
use orket_ports::ModelError;
use orket_ports::verifier::VerifyError;
use orket_ports::workspace::{AssetKind, WorkspaceError};

use crate::proposal::ProposalError;

/// Says why a run could not go on. What was promoted stays promoted; the same command goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no such asset.
    #[error("there is no {} {name:?} in model/{}/; {}", .kind.word(), .kind.directory(), known_names(.known))]
    NoAsset {
        /// The kind.
        kind: AssetKind,
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// An asset cannot be used.
    #[error(transparent)]
    Asset(#[from] AssetError),
    /// A name is not valid.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The model backend cannot be used.
    #[error("venue {venue}: {source}")]
    Backend {
        /// The venue.
        venue: String,
        /// Why.
        #[source]
        source: ModelError,
    },
    /// A check could not be run as confined as the venue demands.
    #[error("card {card}: {source}")]
    Verify {
        /// The card.
        card: String,
        /// Why.
        #[source]
        source: VerifyError,
    },
    /// A fixture is missing.
    #[error(
        "card {card} is checked by verification/{fixture}, which does not exist; write it or give \"none\" with a reason"
    )]
    NoFixture {
        /// The card.
        card: String,
        /// The fixture.
        fixture: String,
    },
    /// A fixture is not what it was when the command began.
    #[error(
        "verification/{fixture}, which checks the card {card}, was changed while the run was going on; look at it and run again"
    )]
    FixtureChanged {
        /// The card.
        card: String,
        /// The fixture.
        fixture: String,
    },
    /// Files in `agent_output/` hold changes that are not Orket's.
    #[error(
        "agent_output/{} was changed by someone else; take it over with `orket adopt`, or move it away to keep it (Orket then restores its own version), and run again",
        .paths.join(", agent_output/")
    )]
    ForeignChange {
        /// The paths below `agent_output/`.
        paths: Vec<String>,
    },
    /// The epic already has an unfinished run.
    #[error("the epic {epic} has the unfinished run {open}; continue it with --run-id {open}")]
    AnotherRun {
        /// The epic.
        epic: String,
        /// The unfinished run.
        open: String,
    },
    /// The run id belongs to another epic.
    #[error("the run {run} is a run of the epic {epic}; choose another --run-id")]
    OtherEpic {
        /// The run.
        run: String,
        /// Its epic.
        epic: String,
    },
    /// There is no such card.
    #[error(
        "there is no card {card:?}; `orket board` lists the cards, and model/epics/ defines them"
    )]
    NoCard {
        /// The id that was asked for.
        card: String,
    },
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The state could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file of the project could not be read or written.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A value has no canonical form.
    #[error(transparent)]
    Canonical(#[from] SerializeError),
    /// Something that cannot happen happened.
    #[error("this is a bug in Orket: {what}")]
    Bug {
        /// What happened.
        what: String,
    },
}

fn known_names(known: &[String]) -> String {
    if known.is_empty() {
        return "there are none yet (`orket init` writes samples)".into();
    }
    format!("there are: {}", known.join(", "))
}

/// Says that something happened which cannot.
pub(crate) fn bug(what: &str) -> RunError {
    RunError::Bug {
        what: what.to_owned(),
    }
}

impl From<ProposalError> for RunError {
    fn from(error: ProposalError) -> RunError {
        match error {
            ProposalError::Read(error) => error.into(),
            ProposalError::Asset(error) => error.into(),
            ProposalError::Name(error) => error.into(),
            ProposalError::Transition(error) => bug(&error.to_string()),
        }
    }
}
