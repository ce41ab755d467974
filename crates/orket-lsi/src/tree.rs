//! The Merkle tree behind the state digest: its shape depends on what it holds, never on how it came to hold it.
//!
//! An entry is a key hash and a leaf digest. A subtree of at most [`BUCKET_ENTRIES_MAX`] entries is one bucket; a
//! larger one is an inner node with a child per hexadecimal digit of the key hash at its depth. So every content has
//! exactly one tree. The digest of a node is SHA-256 over canonical JSON:
//!
//! ```text
//! bucket  {"entries":[["<key hash>","<leaf>"],...]}        sorted by key hash
//! inner   {"children":["<digest>",null,...],"count":<n>}   16 children, null for an empty one; n entries below
//! ```
//!
//! This module computes; where nodes are kept is behind [`Nodes`].

use std::collections::BTreeMap;
use std::sync::Arc;

use orket_kernel::Digest;

/// The most entries that one bucket holds.
pub(crate) const BUCKET_ENTRIES_MAX: usize = 16;
const FANOUT: usize = 16;

/// A key hash and a leaf digest.
pub(crate) type Entry = (Digest, Digest);

/// What becomes of a key: a new leaf, or nothing.
pub(crate) type Change = (Digest, Option<Digest>);

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// At most [`BUCKET_ENTRIES_MAX`] entries, sorted by key hash.
    Bucket(Vec<Entry>),
    /// More entries than a bucket holds.
    Inner {
        /// The number of entries below.
        count: u64,
        /// The digests of the children; `None` for an empty one.
        children: Box<[Option<Digest>; FANOUT]>,
    },
}

/// Where nodes are kept, by the hexadecimal digits that lead to them; the root has the empty path.
pub(crate) trait Nodes {
    /// Why a node could not be read or written.
    type Error;
    /// Returns the node at `path`.
    fn load(&self, path: &str) -> Result<Option<Node>, Self::Error>;
    /// Keeps the node at `path`.
    fn store(&mut self, path: &str, node: &Node) -> Result<(), Self::Error>;
    /// Forgets the node at `path`.
    fn remove(&mut self, path: &str) -> Result<(), Self::Error>;
    /// Returns a node that was already found to have this digest.
    fn believed(&self, _: &Digest) -> Option<Arc<Node>> {
        None
    }
    /// Notes that a node has this digest.
    fn believe(&self, _: Digest, _: &Arc<Node>) {}
    /// Returns the error for a node that is not the one its parent vouches for.
    fn damaged(&self, path: &str) -> Self::Error;
}

impl Node {
    fn empty() -> Node {
        Node::Bucket(Vec::new())
    }

    /// Returns the number of entries below the node.
    pub(crate) fn count(&self) -> u64 {
        match self {
            Node::Bucket(entries) => entries.len() as u64,
            Node::Inner { count, .. } => *count,
        }
    }

    /// Returns the digest of the node.
    pub(crate) fn digest(&self) -> Digest {
        let mut text = Vec::with_capacity(2400);
        match self {
            Node::Bucket(entries) => {
                text.extend(b"{\"entries\":[");
                for (at, (key, leaf)) in entries.iter().enumerate() {
                    text.extend(if at == 0 { &b"[\""[..] } else { b",[\"" });
                    push_hex(&mut text, key);
                    text.extend(b"\",\"");
                    push_hex(&mut text, leaf);
                    text.extend(b"\"]");
                }
                text.extend(b"]}");
            }
            Node::Inner { count, children } => {
                text.extend(b"{\"children\":[");
                for (at, child) in children.iter().enumerate() {
                    text.extend(if at == 0 { &b""[..] } else { b"," });
                    match child {
                        Some(digest) => {
                            text.push(b'"');
                            push_hex(&mut text, digest);
                            text.push(b'"');
                        }
                        None => text.extend(b"null"),
                    }
                }
                text.extend(format!("],\"count\":{count}}}").as_bytes());
            }
        }
        Digest::of_bytes(&text)
    }
}

// A node holds up to 32 digests and is hashed at every step of a path: a text of its own for each of them costs more
// than the hash, and so does a check of the room for each digit.
fn push_hex(text: &mut Vec<u8>, digest: &Digest) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 64];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(digest.as_bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text.extend_from_slice(&digits);
}

/// Returns the root of the tree that holds nothing.
pub(crate) fn empty_root() -> Digest {
    Node::empty().digest()
}

/// Returns the hash under which a key is entered.
pub(crate) fn key_hash(key: &str) -> Digest {
    Digest::of_bytes(key.as_bytes())
}

/// Applies `changes` to the tree of root `root` and returns its new root. Costs the paths to what changes.
///
/// Every node that is read is checked against the digest that its parent, and at the top `root`, holds of it.
pub(crate) fn apply<N: Nodes>(
    nodes: &mut N,
    root: Digest,
    changes: &BTreeMap<Digest, Option<Digest>>,
) -> Result<Digest, N::Error> {
    let changes: Vec<Change> = changes.iter().map(|(key, leaf)| (*key, *leaf)).collect();
    if changes.is_empty() {
        return Ok(root);
    }
    let before = Some(root).filter(|root| *root != empty_root());
    let update = update(nodes, &mut String::new(), before, &changes)?;
    Ok(update.digest.unwrap_or_else(empty_root))
}

/// Returns the leaf of a key, checked up to the root.
pub(crate) fn lookup<N: Nodes>(
    nodes: &N,
    root: Digest,
    key: &Digest,
) -> Result<Option<Digest>, N::Error> {
    let mut path = String::new();
    let mut expected = Some(root).filter(|root| *root != empty_root());
    loop {
        match &*load(nodes, &path, expected)? {
            Node::Bucket(entries) => {
                let found = entries.binary_search_by(|(other, _)| other.cmp(key));
                return Ok(found.ok().map(|at| entries[at].1));
            }
            Node::Inner { children, .. } => {
                let digit = digit(key, path.len());
                expected = children[digit];
                path.push(hex_digit(digit));
            }
        }
    }
}

/// Visits every node from the root down, each checked against the digest that its parent holds; of a bucket the entries are
/// given, of an inner node none.
pub(crate) fn walk<N: Nodes>(
    nodes: &N,
    root: Digest,
    visit: &mut impl FnMut(&[Entry]),
) -> Result<(), N::Error> {
    let mut open = Vec::new();
    if root != empty_root() {
        open.push((String::new(), root));
    }
    while let Some((path, expected)) = open.pop() {
        match &*load(nodes, &path, Some(expected))? {
            Node::Bucket(entries) => visit(entries),
            Node::Inner { children, .. } => {
                visit(&[]);
                let below = children.iter().enumerate().filter_map(|(digit, child)| {
                    child.map(|child| (format!("{path}{}", hex_digit(digit)), child))
                });
                open.extend(below);
            }
        }
    }
    Ok(())
}

/// Returns the root of the tree of `entries` from nothing, as the kernel's law has it.
pub(crate) fn root_of(entries: &[Entry]) -> Digest {
    orket_kernel::state::root(&mut entries.to_vec())
}

/// What an update made of a subtree.
struct Update {
    digest: Option<Digest>,
    count_before: u64,
    count: u64,
}

fn update<N: Nodes>(
    nodes: &mut N,
    path: &mut String,
    expected: Option<Digest>,
    changes: &[Change],
) -> Result<Update, N::Error> {
    let before = load(nodes, path, expected)?;
    let count_before = before.count();
    let after = match &*before {
        Node::Bucket(entries) => build(nodes, path, merge(entries, changes))?,
        Node::Inner { count, children } => {
            let (mut count, mut children) = (*count, children.clone());
            let depth = path.len();
            for group in
                changes.chunk_by(|one, other| digit(&one.0, depth) == digit(&other.0, depth))
            {
                let digit = digit(&group[0].0, depth);
                path.push(hex_digit(digit));
                let child = update(nodes, path, children[digit], group)?;
                path.pop();
                children[digit] = child.digest;
                count = count.saturating_sub(child.count_before) + child.count;
            }
            if count > BUCKET_ENTRIES_MAX as u64 {
                Node::Inner { count, children }
            } else {
                Node::Bucket(gather(nodes, path, &children)?)
            }
        }
    };
    if after == *before {
        return Ok(Update {
            digest: expected,
            count_before,
            count: count_before,
        });
    }
    let count = after.count();
    let digest = keep(nodes, path, after)?;
    Ok(Update {
        digest,
        count_before,
        count,
    })
}

/// Makes the node of `entries` at `path`. The nodes below it are kept, the node itself is not yet.
fn build<N: Nodes>(
    nodes: &mut N,
    path: &mut String,
    entries: Vec<Entry>,
) -> Result<Node, N::Error> {
    if entries.len() <= BUCKET_ENTRIES_MAX {
        return Ok(Node::Bucket(entries));
    }
    let depth = path.len();
    let mut children = Box::new([None; FANOUT]);
    for group in entries.chunk_by(|one, other| digit(&one.0, depth) == digit(&other.0, depth)) {
        let digit = digit(&group[0].0, depth);
        path.push(hex_digit(digit));
        let child = build(nodes, path, group.to_vec())?;
        children[digit] = keep(nodes, path, child)?;
        path.pop();
    }
    Ok(Node::Inner {
        count: entries.len() as u64,
        children,
    })
}

fn keep<N: Nodes>(nodes: &mut N, path: &str, node: Node) -> Result<Option<Digest>, N::Error> {
    if node.count() == 0 {
        nodes.remove(path)?;
        return Ok(None);
    }
    nodes.store(path, &node)?;
    let digest = node.digest();
    nodes.believe(digest, &Arc::new(node));
    Ok(Some(digest))
}

/// Takes the entries out of children that are to become one bucket. They hold so few that each is a bucket.
fn gather<N: Nodes>(
    nodes: &mut N,
    path: &mut String,
    children: &[Option<Digest>; FANOUT],
) -> Result<Vec<Entry>, N::Error> {
    let mut gathered = Vec::with_capacity(BUCKET_ENTRIES_MAX);
    for (digit, expected) in children
        .iter()
        .enumerate()
        .filter(|(_, child)| child.is_some())
    {
        path.push(hex_digit(digit));
        match &*load(nodes, path, *expected)? {
            Node::Bucket(entries) => gathered.extend(entries),
            Node::Inner { .. } => return Err(nodes.damaged(path)),
        }
        nodes.remove(path)?;
        path.pop();
    }
    Ok(gathered)
}

fn load<N: Nodes>(nodes: &N, path: &str, expected: Option<Digest>) -> Result<Arc<Node>, N::Error> {
    let Some(expected) = expected else {
        return Ok(Arc::new(Node::empty()));
    };
    if let Some(node) = nodes.believed(&expected) {
        return Ok(node);
    }
    match nodes.load(path)? {
        Some(node) if node.digest() == expected => {
            let node = Arc::new(node);
            nodes.believe(expected, &node);
            Ok(node)
        }
        _ => Err(nodes.damaged(path)),
    }
}

/// Merges sorted changes into sorted entries.
fn merge(entries: &[Entry], changes: &[Change]) -> Vec<Entry> {
    let mut merged: BTreeMap<Digest, Digest> = entries.iter().copied().collect();
    for (key, leaf) in changes {
        match leaf {
            Some(leaf) => merged.insert(*key, *leaf),
            None => merged.remove(key),
        };
    }
    merged.into_iter().collect()
}

/// The hexadecimal digit of a key hash at a depth. Deeper than 64 no two keys differ: SHA-256 would have collided.
fn digit(key: &Digest, depth: usize) -> usize {
    let byte = key.as_bytes().get(depth / 2).copied().unwrap_or_default();
    usize::from(if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    })
}

fn hex_digit(digit: usize) -> char {
    char::from(b"0123456789abcdef"[digit])
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
