//! Law 6: deletion is staged, and takes what it names and nothing else.

use orket_kernel::{Code, CommittedView, StateStore, StateView};

use super::world::{
    card, draft_now, promote, promote_draft, referrers, start, stem, turn, turn_id,
};

/// A deleted stem is gone, with the id that it defined and the references that it held.
pub fn law_6_deletion_takes_the_stem_and_its_references<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let cards = vec![
        card("X", &[], ""),
        card("P", &["X"], ""),
        card("Q", &["X"], ""),
    ];
    promote(&store, "a", &turn(1, cards, &[]));
    promote(&store, "a", &turn(2, vec![], &["P"]));
    let now = store.committed().unwrap();
    assert_eq!(now.triplet(&stem("P")).unwrap(), None);
    assert_eq!(now.definition("card/P").unwrap(), None);
    assert_eq!(referrers(&now.sources("card/X").unwrap()), ["Q"]);
    assert_eq!(now.stems("").unwrap(), [stem("Q"), stem("X")]);
    assert_eq!(now.stems("card/X").unwrap(), [stem("X")]);
    assert_eq!(now.stems("epic/").unwrap(), []);
}

/// Promotion removes no object.
pub fn law_6_objects_survive_deletion<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let first = draft_now(&store, "a", &turn(1, vec![card("X", &[], "x")], &[]));
    promote_draft(&store, &first).unwrap();
    promote(&store, "a", &turn(2, vec![card("X", &[], "changed")], &[]));
    promote(&store, "a", &turn(3, vec![], &["X"]));
    let now = store.committed().unwrap();
    assert_eq!(now.stems("").unwrap(), []);
    assert!(!first.plan.objects.is_empty());
    for (digest, payload) in &first.plan.objects {
        assert_eq!(now.payload(digest).unwrap().as_ref(), Some(payload));
    }
}

/// A stem that one turn deletes and stages ends up staged (kernel decision 8).
pub fn law_6_what_is_deleted_and_staged_in_one_turn_stays<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    promote(
        &store,
        "a",
        &turn(1, vec![card("X", &[], "old"), card("P", &["X"], "")], &[]),
    );
    promote(&store, "a", &turn(2, vec![card("X", &[], "new")], &["X"]));
    let now = store.committed().unwrap();
    let record = now.triplet(&stem("X")).unwrap().unwrap();
    assert_eq!(record.updated_at_turn, turn_id(2));
    assert_eq!(referrers(&now.sources("card/X").unwrap()), ["P"]);
}

/// What a turn does not mention stays.
pub fn law_6_absence_is_no_deletion<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a", "b"]);
    promote(&store, "a", &turn(1, vec![card("X", &[], "x")], &[]));
    promote(&store, "b", &turn(1, vec![card("Y", &[], "y")], &[]));
    let now = store.committed().unwrap();
    assert_eq!(now.stems("").unwrap(), [stem("X"), stem("Y")]);
    let record = now.triplet(&stem("X")).unwrap().unwrap();
    assert_eq!(record.updated_at_turn, turn_id(1));
}

/// An empty turn, and one that stages what is there already, are promoted as turns; the state does not move.
pub fn a_turn_that_changes_nothing_still_counts<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a", "b"]);
    let before = promote(&store, "a", &turn(1, vec![card("X", &[], "x")], &[]));
    let inputs = [
        turn(1, vec![], &[]),
        turn(2, vec![card("X", &[], "x")], &[]),
    ];
    for (generation, input) in (2..).zip(inputs) {
        let draft = draft_now(&store, "b", &input);
        assert_eq!(draft.codes(), [Code::NoopPromotion]);
        let standing = promote_draft(&store, &draft).unwrap();
        assert_eq!(standing.generation, generation);
        assert_eq!(standing.state_digest, before.state_digest);
    }
    let now = store.committed().unwrap();
    assert_eq!(now.standing().unwrap().generation, 3);
    let record = now.triplet(&stem("X")).unwrap().unwrap();
    assert_eq!(record.updated_at_turn, turn_id(1));
}
