//! A home, and turns written in few words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::Policy;
use orket_kernel::{
    Digest, LSI_VERSION, Payload, Profile, PromotionPlan, RefSource, RunEnvelope, RunId,
    StagedTriplet, StagedTurn, StateView, Stem, TripletRecord, TurnId, object, plan_promotion,
};
use orket_lsi::{Promoted, Settings, Store, StoreError};

pub(crate) struct Fixture {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) store: Store,
}

pub(crate) const IMPATIENT: Settings = Settings {
    busy_timeout: Duration::from_millis(20),
};

impl Fixture {
    pub(crate) fn new() -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open_with(&directory.path().join("home"), &[], IMPATIENT).unwrap();
        let fixture = Fixture { directory, store };
        for run in ["a", "b"] {
            fixture.start(run);
        }
        fixture
    }

    /// Makes a copy of the whole home, in another place.
    pub(crate) fn copy(&self) -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        for (name, bytes) in tree(self.directory.path()) {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
        }
        let store = Store::open_with(&directory.path().join("home"), &[], IMPATIENT).unwrap();
        Fixture { directory, store }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    pub(crate) fn database(&self) -> PathBuf {
        database(&self.home())
    }

    pub(crate) fn start(&self, run: &str) {
        let transaction = self.store.begin().unwrap();
        transaction.start_run(&envelope(run, "flow")).unwrap();
        transaction.commit().unwrap();
    }

    pub(crate) fn plan(&self, turn: &TurnText) -> PromotionPlan {
        plan_promotion(&turn.staged(), &self.store.snapshot().unwrap())
            .unwrap()
            .0
    }

    pub(crate) fn promote(&self, turn: &TurnText) -> Result<Promoted, StoreError> {
        self.promote_plan(&self.plan(turn))
    }

    pub(crate) fn promote_plan(&self, plan: &PromotionPlan) -> Result<Promoted, StoreError> {
        let transaction = self.store.begin()?;
        let record = format!("record of {} {}", plan.run_id, plan.turn_id);
        let promoted = transaction.promote(plan, record.as_bytes())?;
        transaction.commit()?;
        Ok(promoted)
    }

    /// Executes SQL behind the back of the store.
    pub(crate) fn tamper(&self, sql: &str) -> usize {
        let connection = rusqlite::Connection::open(self.database()).unwrap();
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        connection.execute(sql, []).unwrap()
    }

    /// Checks that stored nodes, chain and rows agree.
    pub(crate) fn check_whole(&self) {
        let snapshot = self.store.snapshot().unwrap();
        assert_eq!(snapshot.verify_chain().unwrap(), snapshot.head());
        assert_eq!(
            snapshot.recompute_state_digest().unwrap(),
            snapshot.head().state_digest
        );
        for stem in snapshot.stems("").unwrap() {
            assert!(snapshot.triplet(&stem).unwrap().is_some());
        }
    }
}

/// A statement that moves the horizon as retention does.
pub(crate) fn move_horizon(generation: u64) -> String {
    let row = format!("{{\"generation\":{generation},\"lsi_version\":\"lsi/v1\"}}");
    let digest = Digest::of_bytes(row.as_bytes());
    format!("UPDATE horizon SET generation = {generation}, digest = x'{digest}'")
}

pub(crate) fn database(home: &Path) -> PathBuf {
    home.join("durable/db/orket_persistence.db")
}

pub(crate) fn run_id(text: &str) -> RunId {
    RunId::parse(text).unwrap()
}

pub(crate) fn stem(text: &str) -> Stem {
    Stem::parse(text).unwrap()
}

pub(crate) fn envelope(run: &str, workflow: &str) -> RunEnvelope {
    let policy = Policy::deny_all().grant("coder", "work", "write_file");
    RunEnvelope::new(
        run_id(run),
        workflow,
        "venue",
        policy,
        Profile::orket(),
        object! {},
    )
}

/// A turn: stems with the text of their body and the ids they reference. The id of `x/y` is `y`.
#[derive(Clone)]
pub(crate) struct TurnText {
    run: String,
    turn: u64,
    puts: Vec<(String, String, Vec<String>)>,
    deletions: Vec<String>,
    relationship: &'static str,
}

pub(crate) fn turn(run: &str, turn: u64) -> TurnText {
    TurnText {
        run: run.to_owned(),
        turn,
        puts: Vec::new(),
        deletions: Vec::new(),
        relationship: "about",
    }
}

impl TurnText {
    pub(crate) fn put(mut self, stem: &str, text: &str, references: &[&str]) -> TurnText {
        let references = references.iter().map(|id| (*id).to_owned()).collect();
        self.puts
            .push((stem.to_owned(), text.to_owned(), references));
        self
    }

    pub(crate) fn delete(mut self, stem: &str) -> TurnText {
        self.deletions.push(stem.to_owned());
        self
    }

    /// The same with references that have no label.
    pub(crate) fn without_labels(mut self) -> TurnText {
        self.relationship = "";
        self
    }

    /// The same as another turn of the run.
    pub(crate) fn numbered(mut self, turn: u64) -> TurnText {
        self.turn = turn;
        self
    }

    fn reference(&self, id: &str) -> Value {
        match self.relationship {
            "" => object! { "type" => "note", "id" => id },
            label => object! { "type" => "note", "id" => id, "relationship" => label },
        }
    }

    pub(crate) fn staged(&self) -> StagedTurn {
        let turn_id = TurnId::new(self.turn).unwrap();
        let mut objects: BTreeMap<Digest, Payload> = BTreeMap::new();
        let mut keep = |value: Value| {
            let bytes = canonical::to_bytes(&value);
            let digest = Digest::of_bytes(&bytes);
            objects.insert(digest, bytes.into());
            digest
        };
        let mut triplets = BTreeMap::new();
        for (name, text, references) in &self.puts {
            let stem = stem(name);
            let id = stem.name().to_owned();
            let body =
                object! { "dto_type" => "note", "id" => id.as_str(), "text" => text.as_str() };
            let slot: Vec<Value> = references.iter().map(|id| self.reference(id)).collect();
            let links_digest = keep(object! { "about" => slot });
            let record = TripletRecord {
                stem: stem.clone(),
                body_digest: keep(body),
                links_digest,
                manifest_digest: keep(object! {}),
                updated_at_turn: turn_id,
                lsi_version: LSI_VERSION.into(),
            };
            let source = |(at, id): (usize, &String)| {
                let source = RefSource {
                    stem: stem.clone(),
                    location: format!("/links/about/{at}"),
                    relationship: self.relationship.into(),
                    artifact_digest: links_digest,
                };
                (id.clone(), source)
            };
            let mut references: Vec<_> = references.iter().enumerate().map(source).collect();
            references.sort();
            triplets.insert(
                stem.clone(),
                StagedTriplet {
                    record,
                    id,
                    references,
                },
            );
        }
        let deletions: BTreeSet<Stem> = self.deletions.iter().map(|text| stem(text)).collect();
        StagedTurn {
            run_id: run_id(&self.run),
            turn_id,
            triplets,
            deletions,
            objects,
        }
    }
}

/// All files below a directory, by path, with their bytes.
pub(crate) fn tree(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(directory_found) = open.pop() {
        for entry in std::fs::read_dir(&directory_found).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_path_buf();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}
