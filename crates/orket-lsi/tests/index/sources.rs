//! The trees of the sources of ids: an id that many stems reference.

use std::collections::BTreeSet;

use orket_kernel::{Code, StateView};
use orket_lsi::Depth;
use proptest::prelude::*;

use crate::fixture::{Fixture, TurnText, stem, turn};

/// What references the hub: a number each, and what their bodies say.
type Spokes = BTreeSet<u8>;

fn name(spoke: u8) -> String {
    format!("note/n{spoke}")
}

/// Returns the turn that makes the spokes reference the hub, or something else. Their links name the hub in a place that
/// depends on `form`.
fn linked(mut text: TurnText, spokes: &Spokes, others: &Spokes, form: u8) -> TurnText {
    for spoke in spokes {
        let references: &[&str] = match form {
            0 => &["hub"],
            1 => &["other", "hub"],
            _ => &["hub", "hub"],
        };
        text = text.put(&name(*spoke), "a spoke", references);
    }
    for spoke in others.difference(spokes) {
        text = text.put(&name(*spoke), "none", &["other"]);
    }
    text
}

fn began() -> Fixture {
    let fixture = Fixture::new();
    let first = turn("a", 1).put("note/hub", "h", &[]);
    fixture.promote(&first.put("note/other", "o", &[])).unwrap();
    fixture
}

/// Counts the nodes that are kept of the sources of the hub.
fn nodes(fixture: &Fixture) -> i64 {
    let snapshot = fixture.store.snapshot().unwrap();
    let sql = "SELECT count(*) FROM source_nodes WHERE id = 'hub'";
    let count = snapshot.connection().query_row(sql, [], |row| row.get(0));
    count.unwrap()
}

fn is_intact(fixture: &Fixture) -> bool {
    let verification = fixture.store.verify(Depth::Full).unwrap();
    verification.findings.faults.is_empty()
}

#[test]
fn an_id_of_few_sources_keeps_no_nodes() {
    let fixture = began();
    let spokes = |count: u8| (0..count).collect::<Spokes>();
    for (number, count, has_nodes) in [
        (2, 16, false),
        (3, 17, true),
        (4, 40, true),
        (5, 16, false),
        (6, 0, false),
    ] {
        let text = linked(turn("a", number), &spokes(count), &spokes(40), 0);
        fixture.promote(&text).unwrap();
        assert_eq!(nodes(&fixture) > 0, has_nodes, "{count}");
        let sources = fixture.store.snapshot().unwrap().sources("hub").unwrap();
        assert_eq!(sources.len(), usize::from(count));
        let count_told = fixture.store.snapshot().unwrap().source_count("hub");
        assert_eq!(count_told.unwrap(), u64::from(count));
        assert!(is_intact(&fixture), "{count}");
    }
}

/// A promotion reads and changes the path to a source, and looks at no other one.
#[test]
fn a_reference_more_changes_few_nodes_however_many_there_are() {
    let fixture = began();
    let many: Spokes = (0..=254).collect();
    fixture
        .promote(&linked(turn("a", 2), &many, &many, 0))
        .unwrap();
    let before = kept(&fixture);
    fixture
        .promote(&turn("a", 3).put("note/more", "m", &["hub"]))
        .unwrap();
    let after = kept(&fixture);
    let changed = after.difference(&before).count();
    assert!((2..=4).contains(&changed), "{changed} of {}", after.len());
    assert!(after.len() > 16);
    // A body alone changes none of them.
    fixture
        .promote(&turn("a", 4).put("note/more", "another", &["hub"]))
        .unwrap();
    assert_eq!(kept(&fixture), after);
}

fn kept(fixture: &Fixture) -> BTreeSet<(i64, Vec<u8>)> {
    let snapshot = fixture.store.snapshot().unwrap();
    let sql = "SELECT path, node FROM source_nodes WHERE id = 'hub'";
    let mut statement = snapshot.connection().prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// The rows and the tree of the sources contradict each other. Where the rows are read they are not believed; where the tree is
/// enough, the promotion seals what the tree holds, which is the truth, and the damage stays visible.
#[test]
fn a_lost_row_of_many_sources_is_never_sealed() {
    let whole = began();
    let many: Spokes = (0..40).collect();
    whole
        .promote(&linked(turn("a", 2), &many, &many, 0))
        .unwrap();
    let damaged = whole.copy();
    assert!(damaged.tamper("DELETE FROM refs WHERE id = 'hub' AND stem = 'note/n7'") > 0);
    let more = turn("b", 1).put("note/more", "m", &["hub"]);
    let expected = whole.promote(&more).unwrap();
    let promoted = damaged.promote(&more).unwrap();
    assert_eq!(promoted.state_digest, expected.state_digest);
    let error = damaged
        .store
        .snapshot()
        .unwrap()
        .sources("hub")
        .unwrap_err();
    assert!(error.to_string().contains("do not match the state digest"));
    assert!(!is_intact(&damaged));
    // The stem whose row is lost cannot go.
    let error = damaged
        .promote(&turn("b", 2).delete("note/n7"))
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::LsiCorruptRecord), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever way led to the sources of a hub, the state digest is the one of their content, of every generation.
    #[test]
    fn the_tree_of_sources_depends_on_them_alone(
        turns in prop::collection::vec((prop::collection::btree_set(0_u8..48, 0..48), 0_u8..3), 1..6)
    ) {
        let fixture = began();
        let all: Spokes = (0..48).collect();
        let mut digests = Vec::new();
        for (number, (spokes, form)) in (2..).zip(&turns) {
            let promoted = fixture.promote(&linked(turn("a", number), spokes, &all, *form)).unwrap();
            digests.push(promoted.state_digest);
            let fresh = began();
            let same = fresh.promote(&linked(turn("a", 2), spokes, &all, *form)).unwrap();
            prop_assert_eq!(promoted.state_digest, same.state_digest);
            fixture.check_whole();
        }
        prop_assert!(is_intact(&fixture));
        let snapshot = fixture.store.snapshot().unwrap();
        for (generation, digest) in (2..).zip(digests) {
            let past = snapshot.at(generation).unwrap();
            past.check().unwrap();
            prop_assert_eq!(past.head().state_digest, digest);
        }
        prop_assert!(snapshot.triplet(&stem("note/hub")).unwrap().is_some());
    }
}
