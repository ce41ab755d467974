//! One connection and the home it belongs to: what every read and write is given.

use rusqlite::Connection;

use crate::StoreError;
use crate::believed::Believed;
use crate::checked::Checked;
use crate::home::Home;

/// A connection, inside a transaction, and where its database lies.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) home: &'a Home,
    /// The nodes that were checked; `None` where everything is to be read anew.
    pub(crate) believed: Option<&'a Believed>,
    /// What the transaction has checked of stems and ids; `None` likewise.
    pub(crate) checked: Option<&'a Checked>,
}

impl Access<'_> {
    /// Returns what turns an answer of SQLite into an error that says what was tried.
    pub(crate) fn failed(
        &self,
        tried: &'static str,
    ) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
        move |error| StoreError::sqlite(&self.home.database(), tried, error)
    }
}
