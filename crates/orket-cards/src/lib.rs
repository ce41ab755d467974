//! The rules of the board: rocks, epics, cards, the one transition table, the ready order, and the commit of a turn.
//!
//! Pure: nothing here opens a file or a database. The ports [`TurnStore`] and [`TurnSnapshot`] say what a store
//! must do; a turn reaches it as one value, [`TurnCommit`].
#![forbid(unsafe_code)]

mod asset;
mod card;
mod command_outcome;
mod commit;
mod creation;
mod operator;
mod order;
mod status;
mod store;
mod transition;
mod turn_record;

pub use asset::{
    AssetError, CardAsset, DEFAULT_PRIORITY, EpicAsset, RockAsset, VerificationAsset, parse_asset,
};
pub use card::{Card, CardId, Comment, Verification, VerificationState};
pub use command_outcome::{CommandKind, CommandOutcome, WrittenFile};
pub use commit::{Committed, FailedAttempt, RunEnd, RunState, TurnCommit};
pub use creation::{CreatedCardsAsset, Creation, CreationRefusal};
pub use operator::{
    Author, Changes, OPERATOR_ROLE, OPERATOR_WORK, OperatorAction, PutStem, TurnName, Undone,
};
pub use order::{DependencyFault, Stall, check_dependencies, critical_weight, ready, stall};
pub use status::{Status, WaitReason};
pub use store::{
    AttemptRow, ExchangePlace, Lease, OutputLock, Promotion, RunRow, StoreFault, TurnRow,
    TurnSnapshot, TurnStore,
};
pub use transition::{Actor, Evidence, GUARD_ROLE, TABLE, TransitionRefusal, UNDO_FROM, decide};
pub use turn_record::{CallRecord, Cause, ExchangeRecord, TURN_RECORD_VERSION, Tokens, TurnRecord};
