//! Plans that were made over another state.

use orket_kernel::{StateStore, Triplet};

use super::world::{
    card, committed, draft_now, identified, promote, promote_draft, reason, start, turn,
};

/// A plan that would leave the state at odds with itself is refused whole.
pub fn a_plan_over_a_state_that_has_changed_is_refused<S: StateStore>(empty: impl Fn() -> S) {
    type Turn = (Vec<Triplet>, &'static [&'static str]);
    let moved = || identified("Z", "card/new", &[], "");
    let cases: [(&str, Turn, Turn); 5] = [
        (
            "it deletes what is not there any more",
            (vec![], &["Y"]),
            (vec![], &["Y"]),
        ),
        (
            "it defines an id that another stem defines by now",
            (vec![card("new", &[], "")], &[]),
            (vec![moved()], &[]),
        ),
        (
            "it references what is gone by now",
            (vec![card("P", &["Y"], "")], &[]),
            (vec![], &["Y"]),
        ),
        (
            "it deletes what is referenced by now",
            (vec![], &["Y"]),
            (vec![card("P", &["Y"], "")], &[]),
        ),
        (
            "it takes away an id that is referenced by now",
            (vec![identified("Y", "card/y", &[], "")], &[]),
            (vec![card("P", &["Y"], "")], &[]),
        ),
    ];
    for (name, planned, meanwhile) in cases {
        let store = empty();
        start(&store, &["a", "b"]);
        let cards = vec![card("X", &[], ""), card("Y", &[], "")];
        promote(&store, "a", &turn(1, cards, &[]));
        let draft = draft_now(&store, "a", &turn(2, planned.0, planned.1));
        promote(&store, "b", &turn(1, meanwhile.0, meanwhile.1));
        let before = committed(&store, &["a", "b"]);
        assert_eq!(reason(promote_draft(&store, &draft)), "stale", "{name}");
        assert_eq!(committed(&store, &["a", "b"]), before, "{name}");
    }
}
