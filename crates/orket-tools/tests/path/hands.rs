//! Calls of the registry's file tools as a turn makes them, down to the files of the committed turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use orket_kernel::Payload;
use orket_kernel::canonical::Value;
use orket_kernel::capability::Action;
use orket_ports::tool::{NewCard, RunCommand};
use orket_ports::workspace::OutputFile;
use orket_ports::{Refusal, SpacePolicy, Tool, TurnScope, Workspace};
use orket_tools::builtin;

use crate::scene::Scene;

/// What the tools are made to write.
pub(crate) const WRITTEN: &str = "WRITTEN";

/// What the tools are made to look for: the beginning of the sentinel, so that an answer that repeats it is none.
const SOUGHT: &str = "SENTINEL";

/// How a call ended.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Refused(Refusal),
    Answered(Value),
}

impl Ending {
    /// Everything that is told to the model.
    pub(crate) fn told(&self) -> String {
        match self {
            Ending::Refused(refusal) => refusal.message.clone(),
            Ending::Answered(value) => value.to_string(),
        }
    }
}

/// The file tools: those of the registry that take a path.
pub(crate) fn file_tools(scene: &Scene) -> BTreeMap<String, Arc<dyn Tool>> {
    let mut tools = builtin::tools(scene.spaces());
    tools.retain(|_, tool| property(tool.as_ref(), "path").is_some());
    for needed in ["list_directory", "read_file", "write_file"] {
        assert!(
            tools.contains_key(needed),
            "{needed} is no file tool any more"
        );
    }
    tools
}

pub(crate) fn writes(tool: &dyn Tool) -> bool {
    tool.spec().action == Action::WRITE
}

fn property(tool: &dyn Tool, name: &str) -> Option<Value> {
    tool.spec().schema().get("properties")?.get(name).cloned()
}

/// Arguments that the tool's schema allows, with this path.
fn arguments(tool: &dyn Tool, path: &str) -> Value {
    let schema = tool.spec().schema();
    let required = schema.get("required").and_then(Value::as_array).unwrap();
    let needed = required
        .iter()
        .filter_map(Value::as_str)
        .filter(|name| *name != "path");
    let filled = needed.map(|name| {
        let schema = property(tool, name).unwrap();
        let first = schema
            .get("enum")
            .and_then(Value::as_array)
            .and_then(|texts| texts.first());
        let value = match (first, schema.get("type").and_then(Value::as_str)) {
            (Some(first), _) => first.clone(),
            (None, Some("string")) if writes(tool) => WRITTEN.into(),
            (None, Some("string")) => SOUGHT.into(),
            (None, Some("integer")) => schema
                .get("minimum")
                .cloned()
                .unwrap_or_else(|| 1_u64.into()),
            (None, Some("array")) => Vec::<Value>::new().into(),
            _ => false.into(),
        };
        (name.to_owned(), value)
    });
    Value::Object(filled.chain([("path".to_owned(), path.into())]).collect())
}

/// Makes one call and writes what it staged, as the commit of its turn would.
pub(crate) fn call(
    scene: &Scene,
    tool: &dyn Tool,
    path: &str,
    artifact: Option<(&str, &str)>,
) -> Ending {
    let mut scope = Turn::default();
    let own =
        artifact.and_then(|(path, content)| Some((path.strip_prefix("agent_output/")?, content)));
    for (path, content) in [("a.txt", "artefact"), ("dir/b.txt", "artefact")]
        .into_iter()
        .chain(own)
    {
        scope
            .artifacts
            .insert(path.to_owned(), content.as_bytes().to_vec().into());
    }
    let arguments = arguments(tool, path);
    let ending = tool
        .spec()
        .check(&arguments)
        .and_then(|()| tool.validate(&arguments))
        .and_then(|()| tool.call(&arguments, &mut scope));
    let workspace = scene.workspace();
    for file in scope.staged {
        // What is in the way on the disk stops the run; here it is enough that nothing happens.
        let _ = workspace.output_stamp(&file.path);
        let _ = workspace.output(&file.path);
        let _ = workspace.write_output(&file);
    }
    match ending {
        Ok(value) => Ending::Answered(value),
        Err(refusal) => Ending::Refused(refusal),
    }
}

/// A turn without cards: its artefacts, and what was staged.
#[derive(Default)]
struct Turn {
    policy: SpacePolicy,
    artifacts: BTreeMap<String, Payload>,
    staged: Vec<OutputFile>,
}

impl TurnScope for Turn {
    fn artifact(&mut self, path: &str) -> Result<Option<Payload>, Refusal> {
        Ok(self.artifacts.get(path).cloned())
    }

    fn artifacts(&mut self) -> Result<Vec<String>, Refusal> {
        Ok(self.artifacts.keys().cloned().collect())
    }

    fn write_artifact(
        &mut self,
        path: &str,
        payload: Payload,
        executable: bool,
    ) -> Result<(), Refusal> {
        self.artifacts.insert(path.to_owned(), payload.clone());
        self.staged.push(OutputFile {
            path: path.to_owned(),
            payload,
            executable,
        });
        Ok(())
    }

    fn remove_artifact(&mut self, path: &str) -> Result<(), Refusal> {
        self.artifacts.remove(path);
        Ok(())
    }

    fn space_policy(&self) -> &SpacePolicy {
        &self.policy
    }

    fn is_executable(&mut self, _: &str) -> Result<bool, Refusal> {
        Ok(false)
    }

    fn issue_context(&mut self, _: Option<&str>) -> Result<Value, Refusal> {
        Err(Refusal::forbidden("no_card", "this turn has no card"))
    }

    fn create_card(&mut self, _: NewCard) -> Result<String, Refusal> {
        Err(Refusal::forbidden("no_card", "this turn has no card"))
    }

    fn command(&mut self, _: &mut RunCommand<'_>) -> Result<Value, Refusal> {
        Err(Refusal::forbidden("no_command", "this turn runs none"))
    }

    fn move_card(&mut self, _: Option<&str>, _: &str, _: Option<&str>) -> Result<(), Refusal> {
        Err(Refusal::forbidden("no_card", "this turn has no card"))
    }

    fn comment(&mut self, _: &str) -> Result<(), Refusal> {
        Err(Refusal::forbidden("no_card", "this turn has no card"))
    }

    fn recorded(
        &mut self,
        work: &mut dyn FnMut() -> Result<Value, Refusal>,
    ) -> Result<Value, Refusal> {
        work()
    }
}
