//! A project with one card, whose work is to hand in a file that lies outside `agent_output/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orket_board::Board;
use orket_flow::{NoConductor, RunOptions, RunSummary, Stage, Tools, load_play, run_epic};
use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_kernel::limits::ATTACHMENT_LENGTH_MAX_BYTES;
use orket_kernel::object;
use orket_ports::model::{Cancellation, Delta, ModelAnswer, ModelRequest, ToolCall};
use orket_ports::tool::ToolSpec;
use orket_ports::verifier::{ArtifactFile, Check, CheckOutcome, LeastTier, VerifyError};
use orket_ports::{
    Clock, Event, EventSink, ModelError, ModelProvider, Refusal, Tool, TurnScope, Verifier,
};
use orket_secrets::{Scrubber, Vault};
use orket_tools::builtin;
use orket_tools::path::Directory;
use orket_tools::project::ProjectWorkspace;
use orket_tools::spaces::Spaces;
use serde_json::{Value as Json, json};

/// Where the agent's tool made its file.
const MADE: &str = "made/large.bin";
/// What it is handed in as.
pub(crate) const HANDED_IN: &str = "large.bin";

/// Hands a file of the project in as an artefact, however long it is.
struct HandIn(Directory);

static SPEC: ToolSpec = ToolSpec {
    name: "hand_in",
    action: Action::WRITE,
    description: "Hand in what was made.",
    parameters: &[],
    limits: &[],
    example: "{}",
};

impl Tool for HandIn {
    fn spec(&self) -> &ToolSpec {
        &SPEC
    }

    fn validate(&self, _: &Value) -> Result<(), Refusal> {
        Ok(())
    }

    fn call(&self, _: &Value, scope: &mut dyn TurnScope) -> Result<Value, Refusal> {
        let made = self
            .0
            .payload(&MADE.parse().unwrap(), ATTACHMENT_LENGTH_MAX_BYTES);
        let (payload, executable) = made.unwrap();
        let length_bytes = payload.length_bytes();
        scope.write_artifact(HANDED_IN, payload, executable)?;
        Ok(object! { "handed_in" => length_bytes })
    }
}

/// A model whose coder hands in, while the others pass it on.
struct Passes;

impl ModelProvider for Passes {
    fn invoke(
        &self,
        request: &ModelRequest,
        _: &mut dyn FnMut(Delta),
        _: &Cancellation,
    ) -> Result<ModelAnswer, ModelError> {
        let system = &request.messages[0].content;
        let call = |name: &str, arguments: Value| ToolCall {
            name: name.into(),
            arguments,
        };
        let set = |status: &str| call("update_issue_status", object! { "status" => status });
        let tool_calls = if system.contains("the role code_reviewer ") {
            vec![set("awaiting_guard_review")]
        } else if system.contains("the role integrity_guard ") {
            vec![set("done")]
        } else {
            vec![call("hand_in", object! {}), set("code_review")]
        };
        Ok(ModelAnswer {
            content: "I do this.".into(),
            tool_calls,
            done_reason: Some("stop".into()),
            ..ModelAnswer::default()
        })
    }
}

/// Reads every file to its end and passes.
struct Reads;

impl Verifier for Reads {
    fn tier(&self) -> String {
        "full".into()
    }

    fn run(
        &self,
        check: &Check,
        files: &BTreeMap<String, ArtifactFile>,
        _: LeastTier,
    ) -> Result<CheckOutcome, VerifyError> {
        files[HANDED_IN].payload.check().unwrap();
        Ok(CheckOutcome {
            fixture: check.fixture.clone(),
            passed: true,
            ended: "exit 0".into(),
            output: String::new(),
            tier: "full".into(),
        })
    }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> String {
        "2026-01-01T12:00:00Z".into()
    }
}

struct Deaf;

impl EventSink for Deaf {
    fn emit(&mut self, _: &Event) {}
}

pub(crate) struct Table {
    directory: tempfile::TempDir,
}

impl Table {
    /// Lays out the project; the file that is handed in is `length_bytes` long.
    pub(crate) fn new(length_bytes: u64) -> Table {
        let directory = tempfile::tempdir().unwrap();
        let table = Table { directory };
        let tools = ["hand_in", "update_issue_status"];
        let role = json!({ "prompt": "You work.", "tools": tools });
        let assets = [
            (
                "bands/band",
                json!({ "name": "band", "roles": {
                    "coder": role, "code_reviewer": role, "integrity_guard": role,
                } }),
            ),
            (
                "scores/score",
                json!({ "name": "score", "attempts_per_turn": 1, "turns_per_card": 3, "steps": [
                    { "name": "build", "role": "$seat", "statuses": ["ready", "in_progress"] },
                    { "name": "review", "role": "code_reviewer", "statuses": ["code_review"] },
                    { "name": "guard", "role": "integrity_guard", "statuses": ["awaiting_guard_review"] },
                ] }),
            ),
            (
                "flows/flow",
                json!({ "name": "flow", "band": "band", "venue": "venue", "score": "score" }),
            ),
            (
                "venues/venue",
                json!({ "name": "venue", "provider": "recorded", "model": "m", "timeout_seconds": 60,
                    "least_tier": "partial",
                    "options": { "temperature": 0, "seed": 7, "num_ctx": 8192, "num_predict": 2048 } }),
            ),
            (
                "epics/e",
                json!({ "name": "e", "description": "d", "flow": "flow", "cards": [{
                    "id": "A", "title": "t", "description": "d", "seat": "coder", "depends_on": [],
                    "artifacts": [HANDED_IN], "verification": { "checks": ["check.sh"] },
                }] }),
            ),
        ];
        for (name, asset) in assets {
            table.write(&format!("model/{name}.json"), &asset);
        }
        fs::create_dir(table.path("verification")).unwrap();
        fs::write(table.path("verification/check.sh"), "exit 0\n").unwrap();
        make(&table.path(MADE), length_bytes);
        table
    }

    fn write(&self, below: &str, asset: &Json) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, asset.to_string()).unwrap();
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn open(&self) -> Directory {
        Directory::open(self.directory.path()).unwrap()
    }

    pub(crate) fn board(&self) -> Board {
        Board::open(&self.path(".orket")).unwrap()
    }

    pub(crate) fn workspace(&self) -> ProjectWorkspace {
        ProjectWorkspace::new(self.open())
    }

    pub(crate) fn tools(&self) -> Tools {
        let home = ".orket".parse().unwrap();
        let mut tools = builtin::tools(Arc::new(Spaces::new(self.open(), Some(home))));
        tools.insert("hand_in".into(), Arc::new(HandIn(self.open())));
        tools
    }

    pub(crate) fn play(&self) -> RunSummary {
        let (board, workspace, tools) = (self.board(), self.workspace(), self.tools());
        let known: BTreeSet<String> = tools.keys().cloned().collect();
        let play = load_play(&workspace, "e", None, &known).unwrap();
        let stage = Stage {
            store: &board,
            workspace: &workspace,
            provider: &Passes,
            verifier: &Reads,
            tools: &tools,
            clock: &Noon,
            scrubber: Arc::new(Scrubber::new(&Vault::default()).unwrap()),
            cancellation: Cancellation::new(),
        };
        run_epic(
            &stage,
            &mut Deaf,
            &mut NoConductor,
            play,
            &RunOptions::default(),
        )
        .unwrap()
    }

    /// Tells whether a file of the project is the one that was made.
    pub(crate) fn is_whole(&self, below: &str) -> bool {
        let digest = |path: &str| {
            let found = self.open().payload(&path.parse().unwrap(), u64::MAX - 1);
            found.unwrap().0.digest()
        };
        digest(below) == digest(MADE)
    }
}

/// Writes a file that no file system can keep short.
fn make(path: &Path, length_bytes: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = File::create(path).unwrap();
    let mut chance = orket_testkit::SplitMix64::new(7);
    let mut left = length_bytes;
    let mut block = vec![0; 64 * 1024];
    while left > 0 {
        for piece in block.chunks_exact_mut(8) {
            piece.copy_from_slice(&chance.next_u64().to_le_bytes());
        }
        let length = usize::try_from(left.min(block.len() as u64)).unwrap();
        file.write_all(&block[..length]).unwrap();
        left -= length as u64;
    }
}
