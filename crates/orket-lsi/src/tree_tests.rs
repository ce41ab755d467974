//! The tree against an oracle that builds it from nothing, through random histories.

use std::convert::Infallible;

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use proptest::prelude::*;

use super::*;

/// Nodes in memory.
#[derive(Default, Clone)]
struct Memory(BTreeMap<String, Node>);

impl Nodes for Memory {
    type Error = String;
    fn load(&self, path: &str) -> Result<Option<Node>, String> {
        Ok(self.0.get(path).cloned())
    }
    fn store(&mut self, path: &str, node: &Node) -> Result<(), String> {
        self.0.insert(path.to_owned(), node.clone());
        Ok(())
    }
    fn remove(&mut self, path: &str) -> Result<(), String> {
        self.0.remove(path);
        Ok(())
    }
    fn damaged(&self, path: &str) -> String {
        format!("damaged at {path:?}")
    }
}

/// The definition of the module's text, with values of the kernel, over the hexadecimal text of the hashes.
fn oracle(content: &BTreeMap<Digest, Digest>) -> Digest {
    fn node(entries: &[(String, String)], depth: usize) -> Digest {
        if entries.len() <= 16 {
            let pairs = entries
                .iter()
                .map(|(key, leaf)| Value::Array(vec![key.as_str().into(), leaf.as_str().into()]));
            return canonical::digest(&object! { "entries" => pairs.collect::<Vec<Value>>() });
        }
        let children = "0123456789abcdef".chars().map(|digit| {
            let below: Vec<(String, String)> = entries
                .iter()
                .filter(|(key, _)| key[depth..].starts_with(digit))
                .cloned()
                .collect();
            if below.is_empty() {
                Value::Null
            } else {
                node(&below, depth + 1).to_hex().into()
            }
        });
        canonical::digest(&object! {
            "children" => children.collect::<Vec<Value>>(),
            "count" => entries.len() as u64,
        })
    }
    let entries: Vec<_> = content
        .iter()
        .map(|(key, leaf)| (key.to_hex(), leaf.to_hex()))
        .collect();
    node(&entries, 0)
}

/// A key whose hash begins with few different digits, so that small contents make deep trees.
fn key(number: u16) -> Digest {
    let mut bytes = *Digest::of_bytes(&number.to_be_bytes()).as_bytes();
    bytes[0] = if number.is_multiple_of(3) {
        0xab
    } else {
        (number % 4) as u8
    };
    if number.is_multiple_of(2) {
        bytes[1] = 0xcd;
    }
    Digest::from_bytes(bytes)
}

fn leaf(number: u16) -> Digest {
    Digest::of_bytes(format!("leaf {number}").as_bytes())
}

type Batch = Vec<(u16, Option<u16>)>;

fn history() -> impl Strategy<Value = Vec<Batch>> {
    let change = (0_u16..120, proptest::option::weighted(0.6, 0_u16..5));
    proptest::collection::vec(proptest::collection::vec(change, 0..40), 0..12)
}

fn run(
    nodes: &mut Memory,
    root: Digest,
    content: &mut BTreeMap<Digest, Digest>,
    batch: &Batch,
) -> Digest {
    let changes: BTreeMap<Digest, Option<Digest>> = batch
        .iter()
        .map(|(number, to)| (key(*number), to.map(leaf)))
        .collect();
    for (key, leaf) in &changes {
        match leaf {
            Some(leaf) => content.insert(*key, *leaf),
            None => content.remove(key),
        };
    }
    apply(nodes, root, &changes).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_history_reaches_the_tree_of_its_content(history in history()) {
        let (mut nodes, mut content) = (Memory::default(), BTreeMap::new());
        let mut root = empty_root();
        for batch in &history {
            root = run(&mut nodes, root, &mut content, batch);
            prop_assert_eq!(root, oracle(&content));
        }
        // The same content in one step has the same nodes: nothing of the history is left over.
        let mut fresh = Memory::default();
        let all = content.iter().map(|(key, leaf)| (*key, Some(*leaf))).collect();
        prop_assert_eq!(apply(&mut fresh, empty_root(), &all).unwrap(), root);
        prop_assert_eq!(&fresh.0, &nodes.0);
        let mut entries: Vec<Entry> = content.iter().map(|(key, leaf)| (*key, *leaf)).collect();
        prop_assert_eq!(orket_kernel::state::root(&mut entries), root);
        for number in 0..120 {
            prop_assert_eq!(lookup(&nodes, root, &key(number)).unwrap(), content.get(&key(number)).copied());
        }
    }
}

#[test]
fn around_sixteen_entries_a_bucket_splits_and_merges() {
    let (mut nodes, mut content) = (Memory::default(), BTreeMap::new());
    let mut root = empty_root();
    for number in 0..40 {
        root = run(&mut nodes, root, &mut content, &vec![(number, Some(1))]);
        assert_eq!(root, oracle(&content), "{number} added");
        assert_eq!(matches!(nodes.0[""], Node::Bucket(_)), content.len() <= 16);
    }
    for number in 0..40 {
        root = run(&mut nodes, root, &mut content, &vec![(number, None)]);
        assert_eq!(root, oracle(&content), "{number} removed");
    }
    assert_eq!(root, empty_root());
    assert!(nodes.0.is_empty());
}

#[test]
fn the_root_of_nothing_is_pinned() {
    let text = "d801aa1fb7ddcc330a5e3173372ea6af4a3d08ec58074478e85aa5603e926658";
    assert_eq!(empty_root().to_hex(), text);
}

#[test]
fn a_damaged_node_is_found_on_the_way() {
    let (mut nodes, mut content) = (Memory::default(), BTreeMap::new());
    let batch = (0..60).map(|number| (number, Some(1))).collect();
    let root = run(&mut nodes, empty_root(), &mut content, &batch);
    for path in nodes.0.keys() {
        let mut damaged = nodes.clone();
        damaged
            .0
            .insert(path.clone(), Node::Bucket(vec![(key(0), leaf(9))]));
        let missing = Memory(
            nodes
                .0
                .iter()
                .filter(|(p, _)| *p != path)
                .map(|(p, n)| (p.clone(), n.clone()))
                .collect(),
        );
        for nodes in [damaged, missing] {
            let found = (0..60).any(|number| lookup(&nodes, root, &key(number)).is_err());
            assert!(found, "{path:?}");
        }
    }
}

#[test]
fn a_change_reads_only_its_path() {
    struct Counting(Memory, std::cell::Cell<usize>);
    impl Nodes for Counting {
        type Error = Infallible;
        fn load(&self, path: &str) -> Result<Option<Node>, Infallible> {
            self.1.set(self.1.get() + 1);
            Ok(self.0.0.get(path).cloned())
        }
        fn store(&mut self, path: &str, node: &Node) -> Result<(), Infallible> {
            self.1.set(self.1.get() + 1);
            self.0.0.insert(path.to_owned(), node.clone());
            Ok(())
        }
        fn remove(&mut self, path: &str) -> Result<(), Infallible> {
            self.0.0.remove(path);
            Ok(())
        }
        fn damaged(&self, path: &str) -> Infallible {
            panic!("damaged at {path:?}")
        }
    }
    let mut nodes = Counting(Memory::default(), std::cell::Cell::new(0));
    let hash = |number: u32| Digest::of_bytes(&number.to_be_bytes());
    let all = (0..5000)
        .map(|number| (hash(number), Some(leaf(1))))
        .collect();
    let Ok(root) = apply(&mut nodes, empty_root(), &all);
    nodes.1.set(0);
    let Ok(_) = apply(
        &mut nodes,
        root,
        &BTreeMap::from([(hash(7), Some(leaf(2)))]),
    );
    assert!(
        nodes.1.get() <= 10,
        "{} nodes for one of 5,000 entries",
        nodes.1.get()
    );
}
