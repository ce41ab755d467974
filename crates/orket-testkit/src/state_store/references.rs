//! References: sources, the Pruning Law and the Collision Law (Spec-002 §5 and §6).

use orket_kernel::{Code, Digest, RefSource, StateStore, StateView, canonical};

use super::world::{
    card, draft_now, identified, promote, promote_draft, referrers, start, stem, turn,
};

/// The sources of an id come sorted by stem, whatever order they were promoted in, and name place, label and links.
pub fn sources_of_an_id_come_sorted<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    promote(
        &store,
        "a",
        &turn(1, vec![card("W", &[], ""), card("X", &[], "")], &[]),
    );
    let y = card("Y", &["W", "X"], "");
    promote(&store, "a", &turn(2, vec![y.clone()], &[]));
    let a = card("A", &["X"], "");
    promote(&store, "a", &turn(3, vec![a.clone()], &[]));
    let source = |card: &orket_kernel::Triplet, location: &str| RefSource {
        stem: card.stem.clone(),
        location: location.to_owned(),
        relationship: "depends_on".to_owned(),
        artifact_digest: Digest::of_bytes(&canonical::to_bytes(&card.links)),
    };
    let sources = store.committed().unwrap().sources("card/X").unwrap();
    let expected = [
        source(&a, "/links/depends_on/0"),
        source(&y, "/links/depends_on/1"),
    ];
    assert_eq!(sources, expected);
}

/// All old references of a stem go when it is put again, and only those.
pub fn pruning_law_old_references_of_a_stem_go<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let cards = vec![
        card("X", &[], ""),
        card("Y", &[], ""),
        card("P", &["X", "Y"], ""),
        card("Q", &["X"], ""),
    ];
    promote(&store, "a", &turn(1, cards, &[]));
    promote(&store, "a", &turn(2, vec![card("P", &["Y", "Q"], "")], &[]));
    let now = store.committed().unwrap();
    for (name, expected) in [
        ("X", vec!["Q"]),
        ("Y", vec!["P"]),
        ("Q", vec!["P"]),
        ("P", vec![]),
    ] {
        let sources = now.sources(&format!("card/{name}")).unwrap();
        assert_eq!(referrers(&sources), expected, "{name}");
    }
}

/// Several stems may reference one id: all sources are kept, and the promotion tells it.
pub fn collision_law_several_sources_are_kept_and_told<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    promote(
        &store,
        "a",
        &turn(1, vec![card("X", &[], ""), card("P", &["X"], "")], &[]),
    );
    let once = draft_now(&store, "a", &turn(2, vec![card("P", &["X"], "again")], &[]));
    assert!(
        !once.codes().contains(&Code::RefMultisource),
        "one stem, twice"
    );
    promote_draft(&store, &once).unwrap();
    let twice = draft_now(&store, "a", &turn(3, vec![card("Q", &["X"], "")], &[]));
    assert!(twice.codes().contains(&Code::RefMultisource), "two stems");
    promote_draft(&store, &twice).unwrap();
    let sources = store.committed().unwrap().sources("card/X").unwrap();
    assert_eq!(referrers(&sources), ["P", "Q"]);
}

/// One turn may give an id to another stem, and two stems may change their ids.
pub fn an_id_moves_from_stem_to_stem_in_one_turn<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let cards = vec![
        identified("P", "card/p", &[], ""),
        identified("Q", "card/q", &[], ""),
    ];
    promote(&store, "a", &turn(1, cards, &[]));
    promote(
        &store,
        "a",
        &turn(2, vec![identified("R", "card/p", &["q"], "")], &["P"]),
    );
    let swapped = vec![
        identified("R", "card/q", &[], ""),
        identified("Q", "card/p", &["q"], ""),
    ];
    let now = store.committed().unwrap();
    assert_eq!(now.definition("card/p").unwrap(), Some(stem("R")));
    assert_eq!(now.definition("card/q").unwrap(), Some(stem("Q")));
    promote(&store, "a", &turn(3, swapped, &[]));
    let now = store.committed().unwrap();
    assert_eq!(now.definition("card/p").unwrap(), Some(stem("Q")));
    assert_eq!(now.definition("card/q").unwrap(), Some(stem("R")));
    assert_eq!(referrers(&now.sources("card/q").unwrap()), ["Q"]);
    assert_eq!(
        referrers(&now.sources("card/p").unwrap()),
        Vec::<&str>::new()
    );
    assert_eq!(now.stems("").unwrap(), [stem("Q"), stem("R")]);
}
