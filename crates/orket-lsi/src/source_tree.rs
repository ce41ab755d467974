//! The trees of the sources of ids: which places reference an id, under one digest that its leaf holds.
//!
//! The nodes of a tree of more sources than one bucket takes are kept in a table; a smaller tree is one bucket, made of the
//! rows of `refs`. So a reference more costs the path to it, and an id that few reference has no node.

use std::collections::BTreeMap;
use std::sync::Arc;

use orket_kernel::{Digest, RefSource};
use rusqlite::{CachedStatement, OptionalExtension};

use crate::access::Access;
use crate::tree::{self, BUCKET_ENTRIES_MAX, Node, Nodes};
use crate::tree_table::{decode, encode, row_of};
use crate::{StoreError, reference, state};

/// As many sources as one bucket takes.
const FEW_MAX: u32 = BUCKET_ENTRIES_MAX as u32;

/// What changes in a tree of sources.
pub(crate) type SourceChanges = BTreeMap<Digest, Option<Digest>>;

/// How the links of a stem and the tree of the sources contradict each other.
pub(crate) enum Contradiction<'a> {
    /// The tree does not hold what goes.
    NotHeld(&'a RefSource),
    /// The tree already holds what comes.
    Held(&'a RefSource),
}

/// The tree of the sources of one id.
#[derive(Clone, Copy)]
pub(crate) struct SourceTree<'a> {
    pub(crate) access: Access<'a>,
    pub(crate) id: &'a str,
}

impl SourceTree<'_> {
    /// Returns the root as it is kept, which nothing vouches for yet, and the number of sources below it.
    pub(crate) fn root(&self) -> Result<(Digest, u64), StoreError> {
        let root = match self.kept("")? {
            Some(node) => node,
            None => self.bucket()?,
        };
        let digest = root.digest();
        let count = root.count();
        self.believe(digest, &Arc::new(root));
        Ok((digest, count))
    }

    /// Applies changes to the tree of root `root`, whose rows in `refs` are still as they were, and returns its new root.
    pub(crate) fn apply(
        mut self,
        root: Digest,
        changes: &SourceChanges,
    ) -> Result<Digest, StoreError> {
        tree::apply(&mut self, root, changes)
    }

    /// Returns what changes where `removed` go and `added` come; the first of them that contradicts the tree of root `root` is
    /// the error. A source whose links change is in both.
    pub(crate) fn changes<'s>(
        &self,
        root: Digest,
        removed: &[&'s RefSource],
        added: &[&'s RefSource],
    ) -> Result<Result<SourceChanges, Contradiction<'s>>, StoreError> {
        let mut changes = SourceChanges::new();
        for source in removed {
            let (key, leaf) = state::source_entry(source);
            if tree::lookup(self, root, &key)? != Some(leaf) {
                return Ok(Err(Contradiction::NotHeld(source)));
            }
            changes.insert(key, None);
        }
        for source in added {
            let (key, leaf) = state::source_entry(source);
            if !changes.contains_key(&key) && tree::lookup(self, root, &key)?.is_some() {
                return Ok(Err(Contradiction::Held(source)));
            }
            changes.insert(key, Some(leaf));
        }
        Ok(Ok(changes))
    }

    /// Makes the root of a tree that has no nodes of its own.
    fn bucket(&self) -> Result<Node, StoreError> {
        let sources = reference::first_sources(self.access, self.id, FEW_MAX + 1)?;
        if sources.len() > BUCKET_ENTRIES_MAX {
            return Err(self.damaged(""));
        }
        let mut entries: Vec<_> = sources.iter().map(state::source_entry).collect();
        entries.sort();
        Ok(Node::Bucket(entries))
    }

    fn kept(&self, path: &str) -> Result<Option<Node>, StoreError> {
        let sql = "SELECT node FROM source_nodes WHERE id = ?1 AND path = ?2";
        let mut statement = self.statement(sql)?;
        let bytes: Option<Vec<u8>> = statement
            .query_row((self.id, self.row(path)?), |row| row.get(0))
            .optional()
            .map_err(self.access.failed("read"))?;
        let Some(bytes) = bytes else { return Ok(None) };
        decode(&bytes).map(Some).ok_or_else(|| self.damaged(path))
    }

    fn statement(&self, sql: &'static str) -> Result<CachedStatement<'_>, StoreError> {
        let prepared = self.access.connection.prepare_cached(sql);
        prepared.map_err(self.access.failed("prepared"))
    }

    fn row(&self, path: &str) -> Result<i64, StoreError> {
        row_of(path).ok_or_else(|| StoreError::corrupt(self.place(path), "no tree is that deep"))
    }

    fn place(&self, path: &str) -> String {
        format!("source_nodes {:?} {path:?}", self.id)
    }
}

impl Nodes for SourceTree<'_> {
    type Error = StoreError;

    fn load(&self, path: &str) -> Result<Option<Node>, StoreError> {
        match self.kept(path)? {
            None if path.is_empty() => self.bucket().map(Some),
            node => Ok(node),
        }
    }

    fn store(&mut self, path: &str, node: &Node) -> Result<(), StoreError> {
        if path.is_empty() && matches!(node, Node::Bucket(_)) {
            return self.remove(path);
        }
        let sql = "INSERT OR REPLACE INTO source_nodes (id, path, node) VALUES (?1, ?2, ?3)";
        self.statement(sql)?
            .execute((self.id, self.row(path)?, encode(node)))
            .map_err(self.access.failed("written"))?;
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM source_nodes WHERE id = ?1 AND path = ?2";
        self.statement(sql)?
            .execute((self.id, self.row(path)?))
            .map_err(self.access.failed("written"))?;
        Ok(())
    }

    fn believed(&self, digest: &Digest) -> Option<Arc<Node>> {
        self.access.believed?.get(digest)
    }

    fn believe(&self, digest: Digest, node: &Arc<Node>) {
        if let Some(believed) = self.access.believed {
            believed.keep(digest, node);
        }
    }

    fn damaged(&self, path: &str) -> StoreError {
        StoreError::corrupt(
            self.place(path),
            "the node is missing or does not match the digest that vouches for it",
        )
    }
}
