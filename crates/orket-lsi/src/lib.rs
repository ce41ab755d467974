//! The Local Sovereign Index on SQLite: one transaction per turn, a state digest, a browsable view.
#![forbid(unsafe_code)]
