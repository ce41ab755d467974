//! The play of Orket: Flow, Band, Venue and Score, the Agent, and the Orchestrator with its traction loop.
//!
//! This crate knows ports and cards and no adapter: what it drives is handed to it as [`Stage`].
//! Everything between a model's answer and the commit is a pure function ([`govern`]); a replay calls the same one.
#![forbid(unsafe_code)]

mod agent;
mod asset;
mod attempt;
mod choice;
mod command;
mod compare;
mod conductor;
mod created;
mod deltas;
mod error;
mod evidence;
mod exchange;
mod govern;
mod issue_context;
mod ledger;
mod narrative;
mod nearest;
mod observation;
mod operation;
mod operator;
mod orchestrator;
mod outcomes;
mod output;
mod past_calls;
mod play;
mod projection;
mod promote;
mod prompt;
mod proposal;
mod rebuild;
mod replay;
mod scope;
mod scrub;
mod summary;
mod undo;
mod verification;
mod voice;

pub use agent::{Brief, PastTurn, request};
pub use asset::{
    BandAsset, FlowAsset, ProviderKind, RefusedCalls, RoleAsset, ScoreAsset, StepAsset, VenueAsset,
    VenueReach,
};
pub use compare::recorded_run;
pub use conductor::NoConductor;
pub use error::RunError;
pub use evidence::{EvidenceState, check_evidence};
pub use govern::{Governed, Tools, TurnContext, govern};
pub use ledger::{Ledger, LedgerRow, token_ledger};
pub use nearest::nearest;
pub use operation::{Operation, operations};
pub use operator::{
    CardEffect, ChangeError, Desk, Effects, FileEffect, Judged, OperatorEnd, OperatorTurn,
    OperatorWork, PersonalCall, PromotedTurn, adopt, call_tool, change, operate,
};
pub use orchestrator::{RunOptions, Stage, run_epic};
pub use outcomes::Outcomes;
pub use past_calls::{PastCalls, past_calls};
pub use play::{Play, load_band, load_play, load_rock};
pub use prompt::{NextRequest, PromptError, next_request};
pub use proposal::ProposalError;
pub use rebuild::{Rebuilt, rebuild};
pub use replay::{ReplayError, Replayed, ReplayedTurn, replay_run, replay_turn};
pub use scrub::value as scrub_value;
pub use summary::{RunEnding, RunSummary};
pub use undo::{Backwards, RestoredStem, UndoError, UndoPlan, Undone, plan_back, put_back};
