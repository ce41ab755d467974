//! The workbench: changes to a user's own source tree, whole or not at all.
//!
//! A command of an operator (a new project, a new route, a new name) becomes a [`Plan`], which is data and can be shown
//! as a diff. [`Workbench::execute`] applies it as one transaction; what a crash leaves behind, the next
//! [`Workbench::open`] undoes.
//!
//! What it never does: ask a version control system, touch a path that is not in the plan, follow a link, or delete a
//! file that it did not make itself.
#![forbid(unsafe_code)]

pub mod api;
mod code;
mod diff;
mod disk;
mod error;
mod files;
mod path;
mod plan;
pub mod rename;
mod scope;
mod syntax;
pub mod template;
mod text;
mod transaction;
pub mod verification;

pub use code::Code;
pub use disk::Disk;
pub use error::Error;
pub use files::{Entry, Files, Kind};
pub use path::{InvalidPath, TouchPath};
pub use plan::{Before, Change, Limits, Plan, Snapshot};
pub use scope::{Found, Scope};
pub use syntax::Language;
pub use transaction::{JOURNALS, Recovered, Workbench};
