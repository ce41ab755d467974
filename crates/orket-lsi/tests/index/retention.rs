//! Retention: what may go goes, what is needed stays, and nothing that is left changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use orket_kernel::{Digest, TurnId};
use orket_lsi::{Collected, Depth, Retention, RunClaims, Store, StoreError, Sweep};
use proptest::prelude::*;

use crate::fixture::{Fixture, run_id, turn};
use crate::history::{Model, changes, check, next};

/// A run that needs nothing but its turn records.
fn claims(run: &str, is_open: bool, generations: Option<(u64, u64)>) -> RunClaims {
    RunClaims {
        run_id: run_id(run),
        is_open,
        generations,
        records: BTreeSet::new(),
        objects: BTreeSet::new(),
    }
}

fn collect(
    store: &Store,
    policy: &Retention,
    runs: &[RunClaims],
    sweep: Sweep,
) -> Result<Collected, StoreError> {
    store.collect(policy, &mut |_| Ok(runs.to_vec()), |error| error, sweep)
}

fn generations(count: u64) -> Retention {
    Retention {
        generations: Some(count),
        ..Retention::default()
    }
}

fn blobs(fixture: &Fixture) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in fs::read_dir(fixture.home().join("durable/blobs")).unwrap() {
        let directory = directory.unwrap().path();
        found.extend(
            fs::read_dir(directory)
                .unwrap()
                .map(|entry| entry.unwrap().path()),
        );
    }
    found.sort();
    found
}

fn assert_verified(fixture: &Fixture) {
    let findings = fixture.store.verify(Depth::Full).unwrap().findings;
    assert_eq!(findings.faults, [], "{:?}", findings.notes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_retained_reads_as_before_and_the_state_is_the_same(
        turns in proptest::collection::vec(changes(), 1..10),
        kept in 1_u64..6,
        later in changes(),
    ) {
        let fixture = Fixture::new();
        let mut models = vec![Model::new()];
        for changes in &turns {
            let before = models.last().unwrap();
            let Some((text, after)) = next(before, models.len() as u64, changes) else {
                continue;
            };
            fixture.promote(&text).unwrap();
            models.push(after);
        }
        fixture.store.project_view().unwrap();
        let newest = models.len() as u64 - 1;
        let runs = [
            claims("a", false, (newest > 0).then_some((1, newest))),
            claims("b", true, None),
        ];
        let before = fixture.store.head().unwrap();
        let told = collect(&fixture.store, &generations(kept), &runs, Sweep::DryRun).unwrap();
        prop_assert_eq!(fixture.store.snapshot().unwrap().horizon().unwrap(), 0);
        let done = collect(&fixture.store, &generations(kept), &runs, Sweep::Apply).unwrap();
        prop_assert_eq!(Collected { given_back_bytes: 0, ..done }, told);
        prop_assert_eq!(fixture.store.head().unwrap(), before);
        assert_verified(&fixture);

        let horizon = (newest + 1).saturating_sub(kept);
        let snapshot = fixture.store.snapshot().unwrap();
        prop_assert_eq!(snapshot.horizon().unwrap(), horizon);
        for (generation, model) in models.iter().enumerate() {
            let generation = generation as u64;
            match snapshot.at(generation) {
                Ok(past) => {
                    prop_assert!(generation >= horizon);
                    check(&past, model);
                }
                Err(StoreError::NotRetained { .. }) => prop_assert!(generation < horizon),
                Err(other) => panic!("{other}"),
            }
        }
        drop(snapshot);
        prop_assert!(collect(&fixture.store, &generations(kept), &runs, Sweep::DryRun).unwrap().is_empty());

        // What came back after it was dropped is there again.
        if let Some((text, after)) = next(models.last().unwrap(), models.len() as u64, &later) {
            fixture.promote(&text).unwrap();
            fixture.store.project_view().unwrap();
            check(&fixture.store.snapshot().unwrap().at(newest + 1).unwrap(), &after);
            assert_verified(&fixture);
        }
    }
}

/// Two long texts and three turns: the first text is superseded by the second.
fn with_blobs() -> Fixture {
    let fixture = Fixture::new();
    for (number, text) in [(1, "one "), (2, "two ")] {
        let long = text.repeat(300_000);
        fixture
            .promote(&turn("a", number).put("note/x", &long, &[]))
            .unwrap();
    }
    fixture
        .promote(&turn("b", 1).put("note/y", "y", &[]))
        .unwrap();
    fixture
}

#[test]
fn a_large_object_goes_after_the_commit_that_forgets_it_and_space_is_given_back() {
    let fixture = with_blobs();
    assert_eq!(blobs(&fixture).len(), 2);
    let stray = fixture.home().join("durable/blobs/00");
    fs::create_dir_all(&stray).unwrap();
    let stray = stray.join("00".repeat(32));
    fs::write(&stray, "left of a commit that did not happen").unwrap();
    let runs = [
        claims("a", false, Some((1, 2))),
        claims("b", false, Some((3, 3))),
    ];

    let told = collect(&fixture.store, &Retention::default(), &runs, Sweep::DryRun).unwrap();
    assert_eq!(
        (told.objects, told.leftovers, told.leftover_bytes),
        (0, 1, 36)
    );
    assert!(stray.exists());
    // Generation 2 needs the second text, generation 1 the first.
    let done = collect(&fixture.store, &generations(2), &runs, Sweep::Apply).unwrap();
    assert_eq!((done.horizon, done.objects, done.leftovers), (2, 1, 1));
    assert!(done.content_bytes > 1_200_000);
    assert!(!stray.exists());
    let left = blobs(&fixture);
    let [left] = &left[..] else {
        panic!("{left:?}");
    };
    assert!(
        String::from_utf8(fs::read(left).unwrap())
            .unwrap()
            .contains("two two")
    );
    assert_verified(&fixture);
}

#[test]
fn the_database_becomes_smaller() {
    let fixture = Fixture::new();
    for number in 1..=20 {
        let text = format!("{number} ").repeat(20_000);
        fixture
            .promote(&turn("a", number).put("note/x", &text, &[]))
            .unwrap();
    }
    let runs = [claims("a", false, Some((1, 20))), claims("b", true, None)];
    let done = collect(&fixture.store, &generations(1), &runs, Sweep::Apply).unwrap();
    // Nineteen texts of 40 to 60 thousand bytes.
    assert!(done.given_back_bytes > 19 * 40_000, "{done:?}");
    let length = fs::metadata(fixture.database()).unwrap().len();
    assert!(length < 400_000, "{length}");
    assert_verified(&fixture);
}

#[test]
fn records_of_a_dropped_run_go_and_its_turns_stay_in_the_chain() {
    let fixture = with_blobs();
    let transaction = fixture.store.begin().unwrap();
    let [shared, own] =
        [b"shared".as_slice(), b"own"].map(|bytes| transaction.keep_record(bytes).unwrap());
    transaction.commit().unwrap();
    let needing = |run: RunClaims, records: &[Digest]| RunClaims {
        records: records.iter().copied().collect(),
        ..run
    };
    let runs = [
        needing(claims("a", false, Some((1, 2))), &[shared, own]),
        needing(claims("b", true, Some((3, 3))), &[shared]),
    ];
    let none = Retention {
        runs: Some(0),
        ..Retention::default()
    };
    fixture.store.pin(&run_id("a")).unwrap();
    assert!(
        collect(&fixture.store, &none, &runs, Sweep::DryRun)
            .unwrap()
            .is_empty()
    );
    assert!(fixture.store.unpin(&run_id("a")).unwrap());
    let done = collect(&fixture.store, &none, &runs, Sweep::Apply).unwrap();
    assert_eq!(done.runs, BTreeSet::from([run_id("a")]));
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.record(&own).unwrap(), None);
    assert_eq!(snapshot.record(&shared).unwrap(), Some(b"shared".to_vec()));
    let first = snapshot.promotions(&run_id("a")).unwrap();
    assert_eq!(first.len(), 2);
    assert_eq!(snapshot.record(&first[0].record_digest).unwrap(), None);
    let other = snapshot.promotions(&run_id("b")).unwrap();
    assert!(snapshot.record(&other[0].record_digest).unwrap().is_some());
    assert_verified(&fixture);
    assert!(matches!(
        fixture.store.pin(&run_id("a")),
        Err(StoreError::RecordsNotRetained { .. })
    ));
    assert!(matches!(
        fixture.store.pin(&run_id("c")),
        Err(StoreError::UnknownRun { .. })
    ));
}

/// What another process comes to need between the plan and the removal stays.
#[test]
fn a_promotion_that_comes_in_between_keeps_what_it_names() {
    let fixture = with_blobs();
    fixture
        .promote(&turn("b", 2).put("note/x", "short", &[]))
        .unwrap();
    let other = Store::open(&fixture.home(), &[]).unwrap();
    let runs = [
        claims("a", true, Some((1, 2))),
        claims("b", true, Some((3, 4))),
    ];
    // The second long text is doomed when the claims are asked for, and then promoted again, by way of its row.
    let mut calls = 0;
    let done = fixture
        .store
        .collect(
            &generations(1),
            &mut |_| {
                calls += 1;
                if calls == 1 {
                    let text = turn("a", 3).put("note/x", &"two ".repeat(300_000), &[]);
                    let plan = fixture.plan(&text);
                    let transaction = other.begin().unwrap();
                    transaction.promote(&plan, b"record").unwrap();
                    transaction.commit().unwrap();
                }
                Ok(runs.to_vec())
            },
            |error: StoreError| error,
            Sweep::Apply,
        )
        .unwrap();
    assert_eq!(done.newest, 4);
    assert!(calls > 1, "the plan was not made again");
    assert_eq!(fixture.store.head().unwrap().generation, 5);
    assert_verified(&fixture);
}

#[test]
fn stale_staging_goes_and_that_of_an_open_turn_stays() {
    let fixture = Fixture::new();
    let staging = fixture.store.staging();
    let at = |run: &str, number: u64| (run_id(run), TurnId::new(number).unwrap());
    for (run, number) in [("a", 1), ("a", 2), ("b", 1), ("unknown", 1)] {
        let (run, turn) = at(run, number);
        staging
            .write(&run, turn, "attempt-1/exchange-1.json", b"x")
            .unwrap();
    }
    fixture.promote(&turn("a", 1)).unwrap();
    let runs = [claims("a", true, Some((1, 1))), claims("b", false, None)];
    let done = collect(&fixture.store, &Retention::default(), &runs, Sweep::Apply).unwrap();
    assert_eq!((done.leftovers, done.leftover_bytes), (3, 3));
    for (run, number, stays) in [
        ("a", 1, false),
        ("a", 2, true),
        ("b", 1, false),
        ("unknown", 1, false),
    ] {
        let (run, turn) = at(run, number);
        let found = staging.turns(&run).unwrap().contains(&turn);
        assert_eq!(found, stays, "{run} {turn}");
    }
}

#[test]
fn nothing_is_removed_from_a_damaged_index() {
    for sql in [
        "UPDATE triplets SET links_digest = body_digest WHERE stem = 'note/y'",
        "UPDATE triplet_history SET manifest_digest = body_digest",
        "DELETE FROM changes WHERE kind = 'triplet' AND name = 'note/y'",
        "DELETE FROM changes WHERE kind = 'refs'",
    ] {
        let fixture = with_blobs();
        assert!(fixture.tamper(sql) > 0, "{sql}");
        let runs = [claims("a", false, Some((1, 2)))];
        let refused = collect(&fixture.store, &generations(1), &runs, Sweep::Apply);
        assert!(
            matches!(refused, Err(StoreError::Corrupt { .. })),
            "{sql}: {refused:?}"
        );
        assert_eq!(blobs(&fixture).len(), 2, "{sql}");
    }
}

#[test]
fn what_a_run_needs_that_nobody_speaks_for_stays() {
    let fixture = with_blobs();
    let runs = [claims("a", false, Some((1, 2)))];
    let done = collect(&fixture.store, &generations(1), &runs, Sweep::Apply).unwrap();
    assert_eq!((done.horizon, done.objects, done.records), (3, 0, 0));
    assert_eq!(done.notes.len(), 1);
    assert_eq!(blobs(&fixture).len(), 2);
    assert_verified(&fixture);
}
