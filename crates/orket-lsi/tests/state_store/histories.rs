//! Random histories on a disk: closed and opened, killed in the middle of a commit, swept, exported and imported.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::identity;
use std::path::PathBuf;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{CommittedView, Digest, Kernel, Outcome, RunId, StateStore, TurnInput};
use orket_lsi::{Depth, Imported, Kept, Retention, RunClaims, Store, StoreError, Sweep};
use orket_testkit::copy_tree;
use orket_testkit::state_store::{Medium, random_histories_on_a_medium_agree_with_the_model};

use crate::housed::{IMPATIENT, envelope, turn_id};

/// A home that a kill replaces by what it would leave.
struct Disk {
    directory: tempfile::TempDir,
    home: RefCell<PathBuf>,
}

impl Disk {
    fn empty() -> Disk {
        // In memory where that is possible: what a power cut does is another test.
        let directory = tempfile::tempdir_in("/dev/shm");
        let directory = directory.unwrap_or_else(|_| tempfile::tempdir().unwrap());
        let home = RefCell::new(directory.path().join("home-0"));
        Disk { directory, home }
    }

    fn next_home(&self) -> PathBuf {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let number = entries.count();
        self.directory.path().join(format!("home-{number}"))
    }
}

impl Medium for Disk {
    type Store = Store;

    fn open(&self) -> Store {
        let store = Store::open_with(&self.home.borrow(), &[], IMPATIENT).unwrap();
        assert_eq!(store.verify(Depth::Quick).unwrap().findings.faults, []);
        store
    }

    /// What another process would find in the files at a moment at which a transaction is half done and a turn half staged.
    fn kill(&self, store: &Store) {
        let transaction = store.begin().unwrap();
        transaction.start_run(&envelope("never")).unwrap();
        transaction.keep_record(&vec![1; 1024 * 1024 + 1]).unwrap();
        let run = RunId::parse("run-0").unwrap();
        let staging = store.staging();
        let evidence = staging.write(&run, turn_id(99), "attempt-1/exchange-1.json", b"{}");
        evidence.unwrap();
        let home = self.next_home();
        copy_tree(&self.home.borrow(), &home, &[]);
        drop(transaction);
        *self.home.borrow_mut() = home;
    }

    fn collect(&self, store: &Store) {
        store.project_view().unwrap();
        let policy = Retention {
            generations: Some(2),
            ..Retention::default()
        };
        let mut claim = |kept: &Kept<'_>| -> Result<Vec<RunClaims>, StoreError> {
            let runs = store.snapshot()?.runs()?;
            runs.iter().map(|run| claims(store, kept, run)).collect()
        };
        store
            .collect(&policy, &mut claim, identity, Sweep::Apply)
            .unwrap();
        assert_eq!(store.verify(Depth::Full).unwrap().findings.faults, []);
    }

    fn carry(&self, store: &Store) -> Digest {
        let snapshot = store.snapshot().unwrap();
        let past = snapshot.at(snapshot.head().generation).unwrap();
        let export = self.next_home();
        snapshot.export(&past, &export).unwrap();
        let imported = Imported::read(&export).unwrap();
        assert_eq!(imported.state_digest, snapshot.head().state_digest);
        let other = Kernel::new(Store::open(&self.next_home(), &[]).unwrap());
        let mut run = other.start_run(&envelope("import")).unwrap();
        let input = TurnInput {
            triplets: imported.triplets,
            attachments: imported.attachments,
            ..TurnInput::empty(turn_id(1))
        };
        let execution = run.execute_turn(&input).unwrap();
        assert_eq!(execution.result.outcome, Outcome::Pass);
        run.commit_turn(turn_id(1)).unwrap().state_digest
    }
}

/// What a run needs: its records, and every object that stands in one of them.
fn claims(store: &Store, kept: &Kept<'_>, run: &RunId) -> Result<RunClaims, StoreError> {
    let snapshot = store.snapshot()?;
    let rows = snapshot.promotions(run)?;
    let mut claims = RunClaims {
        run_id: run.clone(),
        is_open: snapshot.run(run).unwrap().unwrap().finished.is_none(),
        generations: rows
            .first()
            .zip(rows.last())
            .map(|(first, last)| (first.generation, last.generation)),
        records: BTreeSet::new(),
        objects: BTreeSet::new(),
    };
    for row in rows {
        let record = kept.record(&row.record_digest)?.unwrap();
        claims.records.insert(row.record_digest);
        let mut open = vec![canonical::parse(&record).unwrap()];
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) => claims.objects.extend(Digest::parse(&text).ok()),
                Value::Array(values) => open.extend(values),
                Value::Object(members) => open.extend(members.into_values()),
                _ => {}
            }
        }
    }
    Ok(claims)
}

#[test]
fn random_histories_on_a_disk_agree_with_the_model() {
    let is_full = std::env::var("ORKET_FULL").is_ok_and(|value| value == "1");
    let cases = if is_full { 10_000 } else { 24 };
    let steps = random_histories_on_a_medium_agree_with_the_model(Disk::empty, cases);
    println!("{cases} histories, {steps} steps");
}

#[test]
fn the_half_done_transaction_of_a_kill_is_gone() {
    let disk = Disk::empty();
    let store = disk.open();
    disk.kill(&store);
    drop(store);
    let store = disk.open();
    assert_eq!(store.snapshot().unwrap().runs().unwrap(), []);
    StateStore::begin(&store).unwrap();
}
