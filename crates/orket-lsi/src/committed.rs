//! The committed state as the kernel reads it, every fact checked against the head.

use orket_kernel::{
    Digest, Payload, ReadError, RefSource, StateView, Stem, TripletRecord, canonical, references_of,
};

use crate::access::Access;
use crate::checked::IdFacts;
use crate::content::{self, Content};
use crate::promotion::{self, Head};
use crate::reference::{self, Reference};
use crate::source_tree::SourceTree;
use crate::state::Tree;
use crate::tree_table::TreeTable;
use crate::triplet::TripletRow;
use crate::{StoreError, state, tree, triplet};

/// A view of the committed state inside a transaction.
///
/// What it returns about a stem or an id is checked up to the roots that the chain of promotions vouches for, absence
/// included; an object is checked against its digest. Only the list of [`StateView::stems`] is not checked as a
/// whole; reading each of its stems is.
#[derive(Clone, Copy)]
pub struct Committed<'a> {
    access: Access<'a>,
    head: Head,
}

impl<'a> Committed<'a> {
    pub(crate) fn new(access: Access<'a>, head: Head) -> Committed<'a> {
        Committed { access, head }
    }

    pub(crate) fn access(&self) -> Access<'a> {
        self.access
    }

    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Returns the row of a stem, checked against the leaf that the head vouches for.
    pub(crate) fn checked_row(&self, stem: &Stem) -> Result<Option<TripletRow>, StoreError> {
        let access = self.access;
        let root = self.head.triplet_root;
        if let Some(row) = access.checked.and_then(|checked| checked.row(root, stem)) {
            return Ok(row);
        }
        let row = self.check_row(stem)?;
        if let Some(checked) = access.checked {
            checked.keep_row(root, stem, &row);
        }
        Ok(row)
    }

    fn check_row(&self, stem: &Stem) -> Result<Option<TripletRow>, StoreError> {
        let access = self.access;
        let found = triplet::read(access, stem)?;
        let nodes = TreeTable {
            access,
            tree: Tree::Triplets,
        };
        let leaf = tree::lookup(
            &nodes,
            self.head.triplet_root,
            &tree::key_hash(stem.as_str()),
        )?;
        if found.as_ref().map(|row| state::triplet_leaf(&row.record)) != leaf {
            let reason = "the fields do not match the state digest";
            return Err(StoreError::corrupt(format!("triplets {stem}"), reason));
        }
        let Some(row) = found else { return Ok(None) };
        // The turn is no part of the leaf; the promotion that put the row says which it was.
        let promotion = promotion::at(access, row.generation)?;
        if promotion.map(|promotion| promotion.turn_id) != Some(row.record.updated_at_turn) {
            let reason = "its turn is not that of the promotion that put it";
            return Err(StoreError::corrupt(format!("triplets {stem}"), reason));
        }
        Ok(Some(row))
    }

    /// Returns what the links of a checked row reference, taken from the links themselves.
    pub(crate) fn references(&self, row: &TripletRow) -> Result<Vec<Reference>, StoreError> {
        let TripletRecord {
            stem, links_digest, ..
        } = &row.record;
        let damaged = |reason: String| {
            let place = format!("triplets {stem}");
            StoreError::corrupt(
                place,
                format!("its links, the object {links_digest}, {reason}"),
            )
        };
        let bytes = content::read(self.access, Content::Object, links_digest)?;
        let bytes = bytes.ok_or_else(|| damaged("are not kept".to_owned()))?;
        let links = canonical::parse(&bytes).map_err(|error| damaged(error.to_string()))?;
        Ok(references_of(stem, &links, *links_digest))
    }

    /// Returns who defines an id and the tree of who references it, checked against the leaf that the head vouches for.
    pub(crate) fn checked_id(&self, id: &str) -> Result<IdFacts, StoreError> {
        let access = self.access;
        let root = self.head.ref_root;
        if let Some(facts) = access.checked.and_then(|checked| checked.id(root, id)) {
            return Ok(facts);
        }
        let facts = self.check_id(id)?;
        if let Some(checked) = access.checked {
            checked.keep_id(root, id, &facts);
        }
        Ok(facts)
    }

    fn check_id(&self, id: &str) -> Result<IdFacts, StoreError> {
        let access = self.access;
        let defined_by = triplet::defining_stem(access, id)?;
        let (source_root, source_count) = SourceTree { access, id }.root()?;
        let nodes = TreeTable {
            access,
            tree: Tree::Refs,
        };
        let leaf = tree::lookup(&nodes, self.head.ref_root, &tree::key_hash(id))?;
        if state::ref_leaf(id, defined_by.as_ref(), &source_root) != leaf {
            let reason = "its definition and sources do not match the state digest";
            return Err(StoreError::corrupt(format!("refs {id:?}"), reason));
        }
        Ok(IdFacts {
            defined_by,
            source_root,
            source_count,
        })
    }

    /// Returns every place that references an id, sorted, checked as a whole. Costs time in proportion to their number.
    pub(crate) fn checked_sources(&self, id: &str) -> Result<Vec<RefSource>, StoreError> {
        let facts = self.checked_id(id)?;
        let sources = reference::sources(self.access, id)?;
        if state::source_root(&sources) != facts.source_root {
            let reason = "its sources do not match the state digest";
            return Err(StoreError::corrupt(format!("refs {id:?}"), reason));
        }
        Ok(sources)
    }
}

impl StateView for Committed<'_> {
    fn triplet(&self, stem: &Stem) -> Result<Option<TripletRecord>, ReadError> {
        let row = self.checked_row(stem);
        row.map(|row| row.map(|row| row.record))
            .map_err(|error| error.into_read_error(stem.as_str()))
    }

    fn definition(&self, id: &str) -> Result<Option<Stem>, ReadError> {
        Ok(self
            .checked_id(id)
            .map_err(|error| error.into_read_error(id))?
            .defined_by)
    }

    fn sources(&self, id: &str) -> Result<Vec<RefSource>, ReadError> {
        self.checked_sources(id)
            .map_err(|error| error.into_read_error(id))
    }

    fn source_count(&self, id: &str) -> Result<u64, ReadError> {
        Ok(self
            .checked_id(id)
            .map_err(|error| error.into_read_error(id))?
            .source_count)
    }

    fn payload(&self, digest: &Digest) -> Result<Option<Payload>, ReadError> {
        content::payload(self.access, Content::Object, digest)
            .map_err(|error| error.into_read_error(&digest.to_hex()))
    }

    fn stems(&self, prefix: &str) -> Result<Vec<Stem>, ReadError> {
        triplet::stems(self.access, prefix).map_err(|error| error.into_read_error(prefix))
    }
}
