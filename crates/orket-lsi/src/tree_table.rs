//! The nodes of the state trees, in two tables.

use std::sync::Arc;

use orket_kernel::Digest;
use rusqlite::CachedStatement;

use crate::StoreError;
use crate::access::Access;
use crate::state::Tree;
use crate::tree::{Node, Nodes};

const DIGEST_LENGTH_BYTES: usize = 32;
const BUCKET_TAG: u8 = 1;
const INNER_TAG: u8 = 2;

/// How deep a node can lie: sixteen digits and the one before them would not fit a row number. To come deeper, 17 key
/// hashes would have to agree in their first 60 bits.
const DEPTH_MAX: usize = 15;

/// The nodes of one tree.
pub(crate) struct TreeTable<'a> {
    pub(crate) access: Access<'a>,
    pub(crate) tree: Tree,
}

impl TreeTable<'_> {
    fn statement(
        &self,
        [triplets, refs]: [&'static str; 2],
    ) -> Result<CachedStatement<'_>, StoreError> {
        let sql = match self.tree {
            Tree::Triplets => triplets,
            Tree::Refs => refs,
        };
        let prepared = self.access.connection.prepare_cached(sql);
        prepared.map_err(self.access.failed("prepared"))
    }

    fn row(&self, path: &str) -> Result<i64, StoreError> {
        row_of(path).ok_or_else(|| StoreError::corrupt(self.place(path), "no tree is that deep"))
    }

    fn place(&self, path: &str) -> String {
        format!("{} {path:?}", self.tree.nodes())
    }
}

impl Nodes for TreeTable<'_> {
    type Error = StoreError;

    fn load(&self, path: &str) -> Result<Option<Node>, StoreError> {
        let mut statement = self.statement([
            "SELECT node FROM triplet_nodes WHERE path = ?1",
            "SELECT node FROM ref_nodes WHERE path = ?1",
        ])?;
        let mut rows = statement
            .query([self.row(path)?])
            .map_err(self.access.failed("read"))?;
        let row = rows.next().map_err(self.access.failed("read"))?;
        let Some(row) = row else { return Ok(None) };
        let bytes = row.get_ref(0).map_err(self.access.failed("read"))?;
        let node = bytes.as_blob().ok().and_then(decode);
        node.map(Some).ok_or_else(|| self.damaged(path))
    }

    fn store(&mut self, path: &str, node: &Node) -> Result<(), StoreError> {
        let mut statement = self.statement([
            "INSERT OR REPLACE INTO triplet_nodes (path, node) VALUES (?1, ?2)",
            "INSERT OR REPLACE INTO ref_nodes (path, node) VALUES (?1, ?2)",
        ])?;
        statement
            .execute((self.row(path)?, encode(node)))
            .map_err(self.access.failed("written"))?;
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), StoreError> {
        let mut statement = self.statement([
            "DELETE FROM triplet_nodes WHERE path = ?1",
            "DELETE FROM ref_nodes WHERE path = ?1",
        ])?;
        statement
            .execute([self.row(path)?])
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

/// A row number for a path: its digits behind a one, read as a hexadecimal number. So rows of one size stay in their places
/// when they change, and those near the root lie together. `None` for a path that is too deep.
pub(crate) fn row_of(path: &str) -> Option<i64> {
    let row = i64::from_str_radix(&format!("1{path}"), 16);
    row.ok().filter(|_| path.len() <= DEPTH_MAX)
}

/// A tag, then for a bucket its entries, for an inner node its count, a bit per child, and the digests of the
/// children that are there. Numbers have their high byte first.
pub(crate) fn encode(node: &Node) -> Vec<u8> {
    match node {
        Node::Bucket(entries) => {
            let mut bytes = vec![BUCKET_TAG];
            for (key, leaf) in entries {
                bytes.extend(key.as_bytes());
                bytes.extend(leaf.as_bytes());
            }
            bytes
        }
        Node::Inner { count, children } => {
            let mut bytes = vec![INNER_TAG];
            bytes.extend(count.to_be_bytes());
            let bits = (0..).zip(children.iter()).fold(0_u16, |bits, (at, child)| {
                bits | (u16::from(child.is_some()) << at)
            });
            bytes.extend(bits.to_be_bytes());
            children
                .iter()
                .flatten()
                .for_each(|child| bytes.extend(child.as_bytes()));
            bytes
        }
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Option<Node> {
    let (tag, rest) = bytes.split_first()?;
    match *tag {
        BUCKET_TAG => {
            let mut entries = Vec::with_capacity(rest.len() / (2 * DIGEST_LENGTH_BYTES));
            let mut rest = rest;
            while !rest.is_empty() {
                let key = take_digest(&mut rest)?;
                let leaf = take_digest(&mut rest)?;
                entries.push((key, leaf));
            }
            Some(Node::Bucket(entries))
        }
        INNER_TAG => {
            let (count, rest) = rest.split_first_chunk::<8>()?;
            let (bits, mut rest) = rest.split_first_chunk::<2>()?;
            let bits = u16::from_be_bytes(*bits);
            let mut children = Box::new([None; 16]);
            for (at, child) in children.iter_mut().enumerate() {
                if bits & (1 << at) != 0 {
                    *child = Some(take_digest(&mut rest)?);
                }
            }
            rest.is_empty().then_some(Node::Inner {
                count: u64::from_be_bytes(*count),
                children,
            })
        }
        _ => None,
    }
}

fn take_digest(bytes: &mut &[u8]) -> Option<Digest> {
    let (digest, rest) = bytes.split_first_chunk::<DIGEST_LENGTH_BYTES>()?;
    *bytes = rest;
    Some(Digest::from_bytes(*digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_read_back_and_torn_ones_do_not() {
        let digest = |text: &str| Digest::of_bytes(text.as_bytes());
        let mut children = Box::new([None; 16]);
        children[0] = Some(digest("a"));
        children[15] = Some(digest("b"));
        for node in [
            Node::Bucket(Vec::new()),
            Node::Bucket(vec![(digest("k"), digest("l")), (digest("m"), digest("n"))]),
            Node::Inner {
                count: 17,
                children,
            },
        ] {
            let bytes = encode(&node);
            assert_eq!(decode(&bytes), Some(node));
            if bytes.len() > 1 {
                assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
                assert_eq!(decode(&[&bytes[..], &[0]].concat()), None);
            }
        }
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[3]), None);
    }
}
