//! The hands of Orket: path authority, tool registry and gate, built-in tools, process sandbox.
#![forbid(unsafe_code)]
