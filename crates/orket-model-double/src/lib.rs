//! A real HTTP server that speaks the model protocols from a script, for tests.
#![forbid(unsafe_code)]
