//! HTTP to a model server: one connection for each call, closed when the call is cancelled or its time is over.

mod address;
mod call;
mod connection;

pub(crate) use address::Address;
pub use address::{BadAddress, Reach};
pub(crate) use call::{Call, Method};
