//! What CPython says about a document, and documents to ask it about.
#![allow(dead_code, reason = "each test binary uses a part of this module")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this module is part of tests"
)]

pub(crate) mod cases;
pub(crate) mod documents;
pub(crate) mod python;
pub(crate) mod random;
