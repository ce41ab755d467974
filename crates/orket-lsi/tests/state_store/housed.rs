//! A store with the home that it lies in, which goes away with it.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use orket_kernel::canonical::Value;
use orket_kernel::capability::Policy;
use orket_kernel::{
    Kernel, Profile, RunEnvelope, RunId, StateStore, Stem, StoreFailure, Triplet, TurnId,
    TurnInput, object,
};
use orket_lsi::{CommitTransaction, Settings, Snapshot, Staging, Store};

pub(crate) struct Housed {
    pub(crate) store: Store,
    directory: Rc<tempfile::TempDir>,
}

/// Tests meet a writer that does not end; they need not wait for it.
pub(crate) const IMPATIENT: Settings = Settings {
    busy_timeout: Duration::from_millis(20),
};

impl Housed {
    pub(crate) fn empty() -> Housed {
        Housed::at(Rc::new(tempfile::tempdir().unwrap()))
    }

    /// Closes the store of a kernel and opens its home again.
    pub(crate) fn reopened(kernel: Kernel<Housed>) -> Kernel<Housed> {
        let directory = Rc::clone(&kernel.store().directory);
        drop(kernel);
        Kernel::new(Housed::at(directory))
    }

    fn at(directory: Rc<tempfile::TempDir>) -> Housed {
        let store = Store::open_with(&directory.path().join("home"), &[], IMPATIENT).unwrap();
        Housed { store, directory }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// Executes SQL behind the back of the store, against the checks of the schema; it must change something.
    pub(crate) fn tamper(&self, sql: &str) {
        assert!(self.connection().execute(sql, []).unwrap() > 0, "{sql}");
    }

    /// Returns a connection that nothing checks.
    pub(crate) fn connection(&self) -> rusqlite::Connection {
        let path = self.home().join("durable/db/orket_persistence.db");
        let connection = rusqlite::Connection::open(path).unwrap();
        for (pragma, value) in [("foreign_keys", false), ("ignore_check_constraints", true)] {
            connection.pragma_update(None, pragma, value).unwrap();
        }
        connection
    }
}

impl StateStore for Housed {
    type Committed<'a> = Snapshot;
    type Staging<'a> = Staging;
    type Transaction<'a> = CommitTransaction<'a>;

    fn committed(&self) -> Result<Snapshot, StoreFailure> {
        self.store.committed()
    }

    fn staging(&self) -> Staging {
        StateStore::staging(&self.store)
    }

    fn begin(&self) -> Result<CommitTransaction<'_>, StoreFailure> {
        StateStore::begin(&self.store)
    }
}

pub(crate) fn run_id(text: &str) -> RunId {
    RunId::parse(text).unwrap()
}

pub(crate) fn turn_id(number: u64) -> TurnId {
    TurnId::new(number).unwrap()
}

pub(crate) fn envelope(run: &str) -> RunEnvelope {
    let (policy, profile) = (Policy::deny_all(), Profile::orket());
    RunEnvelope::new(run_id(run), "flow", "venue", policy, profile, object! {})
}

/// A turn that puts cards, each with a title and the one card that it needs.
pub(crate) fn turn(number: u64, cards: &[(&str, &str, Option<&str>)]) -> TurnInput {
    let triplet = |(name, title, needed): &(&str, &str, Option<&str>)| {
        let id = format!("card/{name}");
        let links = needed.iter().map(|needed| {
            let id = format!("card/{needed}");
            object! { "type" => "card", "id" => id, "relationship" => "depends_on" }
        });
        Triplet {
            stem: Stem::parse(&id).unwrap(),
            body: object! { "dto_type" => "card", "id" => id, "title" => *title },
            links: object! { "depends_on" => links.collect::<Vec<Value>>() },
            manifest: object! { "order_insensitive" => vec![Value::from("depends_on")] },
        }
    };
    TurnInput {
        triplets: cards.iter().map(triplet).collect(),
        ..TurnInput::empty(turn_id(number))
    }
}

/// Promotes two turns of the run `a`.
pub(crate) fn two_turns(kernel: &Kernel<Housed>) {
    let mut run = kernel.start_run(&envelope("a")).unwrap();
    for input in [
        turn(1, &[("X", "x", None)]),
        turn(2, &[("Y", "y", Some("X"))]),
    ] {
        run.execute_turn(&input).unwrap();
        run.commit_turn(input.turn_id).unwrap();
    }
}
