//! The hands of Orket: path authority, tool registry and gate, built-in tools, process sandbox.

pub mod path;
pub mod sandbox;
