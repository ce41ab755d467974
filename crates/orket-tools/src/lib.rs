//! The hands of Orket: the one way to open a file of a project, the built-in tools, and the sandbox.
//!
//! A model's answer is hostile input. Whatever it holds, a tool reaches nothing but the scope of its turn and what
//! [`spaces`] lets it read; whatever an agent wrote runs only in the [`sandbox`].
//!
//! What it never does: write a file on an agent's behalf (tools stage, the commit projects), follow a link, or run
//! what an agent wrote outside the sandbox.

pub mod builtin;
pub mod command;
pub mod path;
pub mod project;
pub mod sandbox;
mod scratch;
pub mod spaces;
pub mod verifier;
