//! The disk of Orket: the Local Sovereign Index on SQLite.
//!
//! One database holds what is committed, and a turn is one transaction in it: [`Store::begin`],
//! [`CommitTransaction::promote`], [`CommitTransaction::commit`]. Readers take a [`Snapshot`], which implements the
//! kernel's `StateView` and stays at its generation for as long as it lives. What a turn has staged lies in files
//! ([`Staging`]), and [`Store::project_view`] writes the committed state as the browsable layout of Spec-002.
//! [`Store`] implements the kernel's port `StateStore`, for embedders that drive runs without a board.
//!
//! What it promises: a transaction is applied whole or not at all, also if the process is killed or the power is cut;
//! when [`CommitTransaction::commit`] has returned, the turn is durable; every read that feeds a decision is checked
//! against a digest that the chain of promotions vouches for.
//!
//! What it never does: decide whether a turn is good. It applies a plan that the kernel made, or refuses it. It
//! repairs nothing silently, retries no failed sync, and reads no clock but to bound a wait.
//!
//! What it does not promise: service on a network file system (refused where it can be told), and protection from
//! somebody who rewrites the whole database consistently; whoever needs that keeps a state digest elsewhere.
//!
//! The tables are described in `docs/kernel/lsi-tables.md`.
#![forbid(unsafe_code)]

mod access;
mod backup;
mod believed;
mod boot;
mod checked;
mod checkpoint;
mod commit;
mod committed;
mod content;
mod creation;
mod database;
mod delta;
mod difference;
mod error;
mod export;
mod finish;
mod gate;
mod history;
mod home;
mod home_lock;
mod horizon;
mod import;
mod ledger;
mod migration;
mod network;
mod past;
mod promote;
mod promotion;
mod reach;
mod reading;
mod record_file;
mod recovery;
mod reference;
mod retention;
mod room;
mod row;
mod run;
mod snapshot;
mod source_tree;
mod staging;
mod state;
mod state_store;
mod store;
mod token;
mod trace_artifact;
mod tree;
mod tree_table;
mod triplet;
mod verify;
mod view;
mod whole_file;

pub use backup::{BackedUp, Restored};
pub use commit::{CommitTransaction, Promoted};
pub use committed::Committed;
pub use difference::StemDifference;
pub use error::StoreError;
pub use import::Imported;
pub use migration::Migration;
pub use past::Past;
pub use promotion::{Head, PromotionRow};
pub use recovery::Recovery;
pub use retention::{Collected, Kept, Retention, RunClaims, Sweep};
pub use room::{Limits, free_bytes};
pub use snapshot::Snapshot;
pub use staging::Staging;
pub use store::{Settings, Store};
pub use token::token;
pub use verify::{Depth, Fault, Findings, Verification};
