//! The board on the index database: [`Board`] implements the port `TurnStore` of `orket-cards`.
//!
//! A turn is one transaction: the index applies the kernel's plan, the card tables are derived from the card triplets
//! of that plan, the journal takes the record and the events, and one commit makes all of it durable.
//!
//! What it never does: change a card table by any other way than a promoted card triplet.
#![forbid(unsafe_code)]

mod board;
mod cards_table;
mod fault;
mod import;
mod journal;
mod lease;
mod retention;
mod snapshot;
mod turn;
mod verify;

pub use board::Board;
pub use fault::from_store as store_fault;
