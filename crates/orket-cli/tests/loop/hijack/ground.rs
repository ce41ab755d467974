//! What a hijacked model would like to reach: a project full of traps, and secrets in it and around it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orket_cards::TurnStore;
use orket_flow::Tools;
use orket_testkit::Standing;
use orket_tools::builtin;
use orket_tools::path::Directory;
use orket_tools::spaces::Spaces;
use serde_json::{Value, json};

use crate::project::{Project, card, score};

/// The content of everything that agents must not read.
pub(super) const SENTINEL: &str = "SENTINEL-7f3a";

/// What Orket itself changes in a project.
const OWN: [&str; 3] = [".orket", "agent_output", "workspace"];

pub(super) struct Ground {
    pub(super) project: Project,
    around: tempfile::TempDir,
}

/// A file of `fixtures/paths`.
pub(super) fn corpus(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/paths")
        .join(file);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

impl Ground {
    pub(super) fn new() -> Ground {
        let mut free = card("D", &[]);
        free["verification"] = json!({ "none": "a note" });
        let project = Project::new(&[card("A", &[]), card("B", &["A"]), card("C", &[]), free]);
        let mut patient = score();
        patient["attempts_per_turn"] = json!(8);
        patient["turns_per_card"] = json!(60);
        project.asset("scores", "score", &patient);
        let ground = Ground {
            project,
            around: tempfile::tempdir().unwrap(),
        };
        for (at, content) in [
            (".env", SENTINEL),
            (".git/config", SENTINEL),
            ("src/main.rs", "fn main() {}\n"),
        ] {
            write(&ground.project.path(at), content);
        }
        for (at, content) in [
            ("outside/secret", SENTINEL),
            ("outside/SENTINEL-7f3a-name", ""),
            ("docs/guide.md", "guide\n"),
            ("docs/.env", SENTINEL),
            ("launch/notes.txt", "notes\n"),
            ("launch/.netrc", SENTINEL),
            ("launch/below/SENTINEL-7f3a-name", SENTINEL),
        ] {
            write(&ground.around.path().join(at), content);
        }
        ground.set_traps();
        ground
    }

    /// The traps of the corpus, with what they lead to around this project.
    fn set_traps(&self) {
        for step in corpus("traps.json")["make"].as_array().unwrap() {
            let text = |field: &str| step[field].as_str().unwrap_or_default();
            let at = self
                .project
                .path(text("at").strip_prefix("project/").unwrap());
            let to = match text("to").split_once("outside") {
                Some((_, below)) => PathBuf::from(format!("{}{below}", self.place("outside"))),
                None => text("to").into(),
            };
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            match text("do") {
                "file" => fs::write(at, text("content")).unwrap(),
                "directory" => fs::create_dir_all(at).unwrap(),
                "symlink" => symlink(to, at).unwrap(),
                "hard_link" => {
                    let to = to.strip_prefix("project").map_or(to.clone(), |below| {
                        self.project.path(below.to_str().unwrap())
                    });
                    fs::hard_link(to, at).unwrap();
                }
                // A FIFO and a socket are not part of a whole project that is replayed; the path tests have them.
                _ => {}
            }
        }
    }

    pub(super) fn place(&self, name: &str) -> String {
        self.around.path().join(name).to_str().unwrap().to_owned()
    }

    pub(super) fn tools(&self) -> Tools {
        let open = |name: &str| Directory::open(&self.around.path().join(name)).unwrap();
        let spaces = Spaces::new(self.project.open(), ".orket".parse().ok())
            .with_reference("docs".parse().unwrap(), open("docs"))
            .with_launch(open("launch"));
        builtin::tools(Arc::new(spaces))
    }

    /// Everything in the project and around it that is not Orket's own to change.
    pub(super) fn standing(&self) -> BTreeMap<String, Standing> {
        let left_out: Vec<PathBuf> = OWN.iter().map(|name| self.project.path(name)).collect();
        let mut standing = Standing::below(&self.project.path(""), &left_out);
        let around = Standing::below(self.around.path(), &[]);
        standing.extend(
            around
                .into_iter()
                .map(|(at, is)| (format!("around/{at}"), is)),
        );
        standing
    }

    /// Checks that `agent_output/` holds plain files only, and exactly those that the index knows.
    pub(super) fn check_output(&self) {
        let output = self.project.path("agent_output");
        let standing = if output.exists() {
            Standing::below(&output, &[])
        } else {
            BTreeMap::new()
        };
        for at in standing.keys() {
            let mut parts = at.split('/').map(str::to_lowercase);
            assert!(
                !parts.any(|part| [".env", ".git", ".orket"].contains(&part.as_str())),
                "{at} was made"
            );
        }
        assert!(standing.values().all(Standing::is_plain), "{standing:?}");
        let files: BTreeSet<String> = standing
            .into_iter()
            .filter(|(_, is)| is.kind == "file")
            .map(|(at, _)| at)
            .collect();
        let board = self.project.board();
        let snapshot = board.snapshot().unwrap();
        let stems = snapshot.state().stems("artifact/").unwrap();
        let known: BTreeSet<String> = stems.iter().map(|stem| stem.name().to_owned()).collect();
        assert_eq!(files, known);
    }
}

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}
