//! The kernel's port `StateStore` over the index: what embedders without a board drive runs through.

mod committed_view;
mod failure;
mod staging_area;
mod transaction;

use orket_kernel::{StateStore, StoreFailure};

use crate::{CommitTransaction, Snapshot, Staging, Store};

impl StateStore for Store {
    type Committed<'a> = Snapshot;
    type Staging<'a> = Staging;
    type Transaction<'a> = CommitTransaction<'a>;

    fn committed(&self) -> Result<Snapshot, StoreFailure> {
        Ok(self.snapshot()?)
    }

    fn staging(&self) -> Staging {
        Store::staging(self)
    }

    fn begin(&self) -> Result<CommitTransaction<'_>, StoreFailure> {
        Ok(Store::begin(self)?)
    }
}
