//! The conformance suite of the kernel's port `StateStore`: every promise of its documentation, by name.
//!
//! Each law is a function that takes where empty stores come from. `state_store_conformance!` makes a test of each:
//!
//! ```
//! use orket_kernel::MemoryStore;
//!
//! orket_testkit::state_store_conformance!(MemoryStore::new);
//! # fn main() {}
//! ```
//!
//! # Limitations
//! The suite cannot damage a store or cut its power: that damage is never taken for absence, and that a commit is durable,
//! are for the tests of the store that has a medium.
#![expect(
    clippy::unwrap_used,
    reason = "a law that does not hold fails the test, loudly"
)]

mod artifacts;
mod deletion;
mod digest;
mod envelope;
mod finish;
mod isolation;
mod life;
mod machine;
mod order;
mod references;
mod staging;
mod stale;
mod streams;
mod transaction;
mod world;

pub use artifacts::*;
pub use deletion::*;
pub use digest::*;
pub use envelope::*;
pub use finish::*;
pub use isolation::*;
pub use life::*;
pub use machine::*;
pub use order::*;
pub use references::*;
pub use staging::*;
pub use stale::*;
pub use streams::*;
pub use transaction::*;

/// Makes a test of every law of the port `StateStore`. Takes a function that returns an empty store at each call.
#[macro_export]
macro_rules! state_store_conformance {
    ($empty:expr) => {
        $crate::state_store_laws! { $empty;
            a_run_that_was_never_started_is_unknown
            a_started_run_keeps_its_envelope
            the_same_envelope_again_is_no_change
            another_envelope_for_a_run_is_refused
            law_2_turns_are_promoted_in_order_and_once
            law_2_the_ledger_of_a_run_is_its_own
            turn_records_are_kept_byte_for_byte
            nothing_is_promoted_for_an_unknown_run
            a_staged_turn_reads_back_with_its_record
            staging_again_replaces_the_earlier_attempt
            staged_turns_come_in_order_and_runs_do_not_mix
            discarding_forgets_one_turn
            law_1_staging_changes_nothing_committed
            staging_shadows_committed
            a_gap_in_the_staging_is_damage
            a_stream_is_staged_promoted_and_read_back
            a_stream_that_is_not_what_it_says_is_never_kept
            a_snapshot_stays_at_its_moment
            a_transaction_shows_its_changes_to_nobody_else
            a_dropped_transaction_has_done_nothing
            only_one_transaction_lives_at_a_time
            several_promotions_in_one_transaction_come_together
            a_transaction_of_which_a_call_failed_commits_nothing
            a_run_is_finished_once
            a_finished_run_promotes_nothing
            an_unknown_run_is_not_finished
            artifacts_are_kept_and_never_changed
            artifacts_belong_to_their_run
            sources_of_an_id_come_sorted
            pruning_law_old_references_of_a_stem_go
            collision_law_several_sources_are_kept_and_told
            an_id_moves_from_stem_to_stem_in_one_turn
            law_6_deletion_takes_the_stem_and_its_references
            law_6_objects_survive_deletion
            law_6_what_is_deleted_and_staged_in_one_turn_stays
            law_6_absence_is_no_deletion
            a_turn_that_changes_nothing_still_counts
            the_state_digest_of_nothing_is_the_published_one
            the_state_digest_follows_from_the_state
            the_same_content_by_another_history_has_the_same_digest
            a_plan_over_a_state_that_has_changed_is_refused
            a_run_lives_from_its_start_to_its_end
            an_interrupted_run_goes_on_where_it_was
            invariant_no_partial_promotion_of_several_turns
            random_histories_agree_with_the_model
        }
    };
}

/// Makes a test of each law that is named.
#[doc(hidden)]
#[macro_export]
macro_rules! state_store_laws {
    ($empty:expr; $($law:ident)*) => {
        $(
            #[test]
            fn $law() {
                $crate::state_store::$law($empty);
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_law_is_forgotten() {
        let laws: BTreeSet<&str> = [
            include_str!("artifacts.rs"),
            include_str!("deletion.rs"),
            include_str!("digest.rs"),
            include_str!("envelope.rs"),
            include_str!("finish.rs"),
            include_str!("isolation.rs"),
            include_str!("life.rs"),
            include_str!("machine/mod.rs"),
            include_str!("order.rs"),
            include_str!("references.rs"),
            include_str!("staging.rs"),
            include_str!("stale.rs"),
            include_str!("streams.rs"),
            include_str!("transaction.rs"),
        ]
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| line.strip_prefix("pub fn ")?.split('<').next())
        .collect();
        let listed: BTreeSet<&str> = include_str!("mod.rs")
            .lines()
            .skip_while(|line| !line.contains("state_store_laws! { $empty;"))
            .skip(1)
            .take_while(|line| !line.contains('}'))
            .map(str::trim)
            .collect();
        assert_eq!(listed, laws);
        assert!(laws.len() > 40);
    }
}
