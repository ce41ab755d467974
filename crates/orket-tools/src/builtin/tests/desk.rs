//! A turn in memory: artefacts, and what was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Payload, object};
use orket_ports::tool::{NewCard, RunCommand};
use orket_ports::{Refusal, SpacePolicy, TurnScope};

use crate::path::Directory;
use crate::spaces::Spaces;

/// A turn, and a project whose work domain it may read.
pub(super) struct Desk {
    pub(super) artifacts: BTreeMap<String, Vec<u8>>,
    pub(super) programs: BTreeSet<String>,
    pub(super) created: Vec<NewCard>,
    pub(super) policy: SpacePolicy,
    project: tempfile::TempDir,
}

impl Desk {
    pub(super) fn new(artifacts: &[(&str, &[u8])]) -> Desk {
        Desk {
            artifacts: artifacts
                .iter()
                .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))
                .collect(),
            programs: BTreeSet::new(),
            created: Vec::new(),
            policy: SpacePolicy::default(),
            project: tempfile::tempdir().unwrap(),
        }
    }

    /// Writes a file of the work domain.
    pub(super) fn file(&self, path: &str, bytes: &[u8]) {
        let path = self.project.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(super) fn path(&self, below: &str) -> std::path::PathBuf {
        self.project.path().join(below)
    }

    /// Takes a call through the tool's checks and carries it out; what it says as canonical JSON, or `reason: message`.
    pub(super) fn call(&mut self, tool: &str, arguments: &str) -> Result<String, String> {
        let home = Some("state".parse().unwrap());
        let spaces = Spaces::new(Directory::open(self.project.path()).unwrap(), home);
        let tools = super::super::tools(Arc::new(spaces));
        let tool = &tools[tool];
        let arguments = canonical::parse(arguments.as_bytes()).unwrap();
        let checked = tool.spec().check(&arguments);
        let checked = checked.and_then(|()| tool.validate(&arguments));
        let told = checked.and_then(|()| tool.call(&arguments, self));
        told.map(|value| value.to_string())
            .map_err(|refusal| format!("{}: {refusal}", refusal.reason))
    }
}

impl TurnScope for Desk {
    fn artifact(&mut self, path: &str) -> Result<Option<Payload>, Refusal> {
        Ok(self.artifacts.get(path).cloned().map(Payload::Held))
    }

    fn artifacts(&mut self) -> Result<Vec<String>, Refusal> {
        Ok(self.artifacts.keys().cloned().collect())
    }

    fn is_executable(&mut self, path: &str) -> Result<bool, Refusal> {
        Ok(self.programs.contains(path))
    }

    fn write_artifact(
        &mut self,
        path: &str,
        payload: Payload,
        executable: bool,
    ) -> Result<(), Refusal> {
        let bytes = payload.into_bytes().unwrap();
        self.artifacts.insert(path.to_owned(), bytes);
        self.programs.remove(path);
        if executable {
            self.programs.insert(path.to_owned());
        }
        Ok(())
    }

    fn remove_artifact(&mut self, path: &str) -> Result<(), Refusal> {
        self.artifacts.remove(path);
        Ok(())
    }

    fn space_policy(&self) -> &SpacePolicy {
        &self.policy
    }

    fn command(&mut self, _: &mut RunCommand<'_>) -> Result<Value, Refusal> {
        Err(Refusal::forbidden("no_command", "this turn runs none"))
    }

    fn move_card(&mut self, _: Option<&str>, _: &str, _: Option<&str>) -> Result<(), Refusal> {
        Ok(())
    }

    fn comment(&mut self, _: &str) -> Result<(), Refusal> {
        Ok(())
    }

    fn issue_context(&mut self, card: Option<&str>) -> Result<Value, Refusal> {
        Ok(object! { "id" => card.unwrap_or("own") })
    }

    fn create_card(&mut self, card: NewCard) -> Result<String, Refusal> {
        self.created.push(card);
        Ok("card-00000000".into())
    }

    fn recorded(
        &mut self,
        work: &mut dyn FnMut() -> Result<Value, Refusal>,
    ) -> Result<Value, Refusal> {
        work()
    }
}
