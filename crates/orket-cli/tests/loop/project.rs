//! A project in a directory of its own, with small assets, and what its database and its tree hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orket_board::Board;
use orket_cards::{AttemptRow, Card, RunRow, TurnRecord, TurnRow, TurnStore};
use orket_flow::{Tools, replay_turn};
use orket_kernel::{Digest, RunId};
use orket_lsi::{Migration, Store};
use orket_ports::Event;
use orket_secrets::{Scrubber, Vault};
use orket_tools::builtin;
use orket_tools::command::{BUILD_OUTPUTS, Commands};
use orket_tools::path::Directory;
use orket_tools::project::ProjectWorkspace;
use orket_tools::sandbox::Sandbox;
use orket_tools::spaces::Spaces;
use serde_json::{Value, json};

pub(crate) struct Project {
    directory: tempfile::TempDir,
}

/// A card of the coder, checked by one fixture, with one promised file.
pub(crate) fn card(id: &str, depends_on: &[&str]) -> Value {
    json!({
        "id": id,
        "title": format!("card {id}"),
        "description": "write what is promised",
        "seat": "coder",
        "depends_on": depends_on,
        "artifacts": [format!("{id}.txt")],
        "verification": { "checks": ["check.sh"] },
    })
}

/// The usual score: build, review, guard.
pub(crate) fn score() -> Value {
    json!({
        "name": "score",
        "steps": [
            { "name": "build", "role": "$seat", "statuses": ["ready", "in_progress", "guard_requested_changes"] },
            { "name": "review", "role": "code_reviewer", "statuses": ["code_review"] },
            { "name": "guard", "role": "integrity_guard", "statuses": ["awaiting_guard_review"] },
        ],
        "attempts_per_turn": 3,
        "turns_per_card": 12,
    })
}

/// The usual band; `guard_tools` come on top of what the guard has.
pub(crate) fn band(guard_tools: &[&str]) -> Value {
    let judge = [
        "read_file",
        "list_directory",
        "update_issue_status",
        "add_issue_comment",
    ];
    let work = [&judge[..], &["write_file"]].concat();
    let guard = [&judge[..], guard_tools].concat();
    json!({
        "name": "band",
        "roles": {
            "architect": { "prompt": "You design.", "tools": work.clone() },
            "coder": { "prompt": "You write.", "tools": work },
            "code_reviewer": { "prompt": "You read.", "tools": judge },
            "integrity_guard": { "prompt": "You judge.", "tools": guard },
        }
    })
}

impl Project {
    /// A project with the epic `e` of these cards.
    pub(crate) fn new(cards: &[Value]) -> Project {
        let project = Project {
            directory: tempfile::tempdir().unwrap(),
        };
        project.asset("scores", "score", &score());
        project.asset("bands", "band", &band(&[]));
        project.asset(
            "flows",
            "flow",
            &json!({ "name": "flow", "band": "band", "venue": "venue", "score": "score" }),
        );
        project.asset(
            "venues",
            "venue",
            &json!({
                "name": "venue", "provider": "recorded", "model": "m", "timeout_seconds": 60, "least_tier": "partial",
                "options": { "temperature": 0, "seed": 7, "num_ctx": 8192, "num_predict": 2048 },
            }),
        );
        fs::create_dir(project.path("verification")).unwrap();
        fs::write(project.path("verification/check.sh"), "exit 0\n").unwrap();
        project.epic("e", cards);
        project
    }

    pub(crate) fn epic(&self, name: &str, cards: &[Value]) {
        let epic = json!({ "name": name, "description": "d", "flow": "flow", "cards": cards });
        self.asset("epics", name, &epic);
    }

    pub(crate) fn asset(&self, kind: &str, name: &str, asset: &Value) {
        let directory = self.path(&format!("model/{kind}"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("{name}.json")), asset.to_string()).unwrap();
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path(".orket")
    }

    pub(crate) fn open(&self) -> Directory {
        Directory::open(self.directory.path()).unwrap()
    }

    pub(crate) fn board(&self) -> Board {
        Board::open(&self.home()).unwrap()
    }

    pub(crate) fn workspace(&self) -> ProjectWorkspace {
        ProjectWorkspace::new(self.open())
    }

    pub(crate) fn tools(&self) -> Tools {
        self.tools_with(Sandbox::with_child(env!("CARGO_BIN_EXE_orket").into()))
    }

    /// The tools on a machine with this sandbox.
    pub(crate) fn tools_with(&self, sandbox: Sandbox) -> Tools {
        let home = ".orket".parse().unwrap();
        let spaces = Spaces::new(self.open(), Some(home));
        let scrubber = Arc::new(Scrubber::new(&Vault::default()).unwrap());
        let ignored = BUILD_OUTPUTS.iter().copied().map(str::to_owned);
        let commands = Commands::new(sandbox, scrubber, ignored.collect());
        let mut tools = builtin::tools(Arc::new(spaces));
        tools.insert("run_command".into(), builtin::run_command(commands));
        tools
    }

    /// All cards, by id.
    pub(crate) fn cards(&self) -> BTreeMap<String, Card> {
        let board = self.board();
        let snapshot = board.snapshot().unwrap();
        let cards = snapshot.cards(None).unwrap().into_iter();
        cards.map(|card| (card.id.to_string(), card)).collect()
    }

    /// The statuses of all cards: `A done, B ready`.
    pub(crate) fn statuses(&self) -> String {
        let cards = self.cards().into_values();
        let one = |card: Card| match card.wait_reason {
            None => format!("{} {}", card.id, card.status),
            Some(reason) => format!("{} {} ({reason})", card.id, card.status),
        };
        cards.map(one).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn run_row(&self, run: &str) -> Option<RunRow> {
        let board = self.board();
        board.snapshot().unwrap().run(&run_id(run)).unwrap()
    }

    pub(crate) fn turns(&self, run: &str) -> Vec<TurnRow> {
        let board = self.board();
        board.snapshot().unwrap().turns(&run_id(run)).unwrap()
    }

    pub(crate) fn attempts(&self, run: &str) -> Vec<AttemptRow> {
        let board = self.board();
        board.snapshot().unwrap().attempts(&run_id(run)).unwrap()
    }

    pub(crate) fn record(&self, digest: &Digest) -> TurnRecord {
        let board = self.board();
        board.snapshot().unwrap().turn_record(digest).unwrap()
    }

    /// The durable events of a run, in order.
    pub(crate) fn events(&self, run: &str) -> Vec<Event> {
        let board = self.board();
        board
            .snapshot()
            .unwrap()
            .events_after(&run_id(run), 0)
            .unwrap()
    }

    /// The records of the failed attempts of a run, in order.
    pub(crate) fn failures(&self, run: &str) -> Vec<TurnRecord> {
        let attempts = self.attempts(run);
        attempts
            .iter()
            .map(|row| self.record(&row.record_digest))
            .collect()
    }

    pub(crate) fn state_digest(&self) -> Digest {
        let board = self.board();
        board.snapshot().unwrap().state_digest()
    }

    /// Replays every promoted turn of a run, and says how many there are.
    pub(crate) fn replay_all(&self, run: &str) -> usize {
        let board = self.board();
        let snapshot = board.snapshot().unwrap();
        let turns = snapshot.turns(&run_id(run)).unwrap();
        for turn in &turns {
            let replayed =
                replay_turn(snapshot.as_ref(), &self.tools(), &run_id(run), turn.turn_id)
                    .unwrap_or_else(|error| panic!("{} of {run}: {error}", turn.turn_id));
            assert_eq!(replayed.divergences, [], "{} of {run}", turn.turn_id);
            assert_eq!(replayed.replayed_digest, Some(turn.result_digest));
            assert_eq!(replayed.recorded_digest, turn.result_digest);
            let recorded = replayed.record.result.unwrap().issues;
            assert_eq!(replayed.issues, recorded, "{} of {run}", turn.turn_id);
        }
        turns.len()
    }

    /// Walks the chain of promotions and computes the state digest from the rows.
    pub(crate) fn verify_index(&self) {
        let migrations: &'static [Migration] = &[Migration {
            version: 101,
            sql: include_str!("../../../orket-board/src/schema/0101_board.sql"),
        }];
        let store = Store::open_read_only(&self.home(), migrations).unwrap();
        let snapshot = store.snapshot().unwrap();
        assert_eq!(snapshot.verify_chain().unwrap(), snapshot.head());
        assert_eq!(
            snapshot.recompute_state_digest().unwrap(),
            snapshot.head().state_digest
        );
    }

    pub(crate) fn output(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path("agent_output").join(path)).ok()
    }

    /// All files below a directory of the project.
    pub(crate) fn tree(&self, below: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let root = self.path(below);
        let mut files = BTreeMap::new();
        let mut open = vec![root.clone()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    files.insert(relative(&path, &root), fs::read(&path).unwrap());
                }
            }
        }
        files
    }
}

fn relative(path: &Path, root: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap().to_path_buf()
}

pub(crate) fn run_id(text: &str) -> RunId {
    RunId::parse(text).unwrap()
}
