//! The board on the index database: card tables and run journal, changed in the same transaction as the index.
#![forbid(unsafe_code)]
