//! Transactions of which a part failed.

use orket_kernel::{StateStore, StoreTransaction};

use super::world::{card, committed, draft_now, envelope, promote_draft, reason, start, turn};

/// After a call on it has failed, a transaction can only be dropped: what came before the failure is not committed.
pub fn a_transaction_of_which_a_call_failed_commits_nothing<S: StateStore>(empty: impl Fn() -> S) {
    let store = empty();
    start(&store, &["a"]);
    let before = committed(&store, &["a", "b"]);
    let good = draft_now(&store, "a", &turn(1, vec![card("X", &[], "x")], &[]));
    let mut transaction = store.begin().unwrap();
    transaction.start_run(&envelope("b")).unwrap();
    transaction.promote(&good.plan, &good.record).unwrap();
    let again = transaction.promote(&good.plan, &good.record);
    assert_eq!(reason(again), "turn_order");
    assert_eq!(reason(transaction.commit()), "undone");
    assert_eq!(committed(&store, &["a", "b"]), before);
    promote_draft(&store, &good).unwrap();
}
