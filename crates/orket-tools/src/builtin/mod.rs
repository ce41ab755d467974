//! The built-in tools. Each is a specification and a few lines over the scope of its turn.

mod add_issue_comment;
mod list_directory;
mod read_file;
mod run_command;
mod update_issue_status;
mod write_file;

use std::collections::BTreeMap;
use std::sync::Arc;

use orket_kernel::canonical::Value;
use orket_ports::Tool;

use crate::command::Commands;
use crate::spaces::Spaces;

/// Returns the built-in tools by name, but for [`run_command`]. `spaces` is where they read what is not an artefact.
pub fn tools(spaces: Arc<Spaces>) -> BTreeMap<String, Arc<dyn Tool>> {
    let tools: [Arc<dyn Tool>; 5] = [
        Arc::new(read_file::ReadFile {
            spaces: Arc::clone(&spaces),
        }),
        Arc::new(write_file::WriteFile),
        Arc::new(list_directory::ListDirectory { spaces }),
        Arc::new(update_issue_status::UpdateIssueStatus),
        Arc::new(add_issue_comment::AddIssueComment),
    ];
    tools
        .into_iter()
        .map(|tool| (tool.spec().name.to_owned(), tool))
        .collect()
}

/// Returns the built-in tool that runs programs.
pub fn run_command(commands: Commands) -> Arc<dyn Tool> {
    Arc::new(run_command::RunCommand { commands })
}

/// Returns an argument that the specification checked to be a text; empty if it was left out.
fn text<'a>(arguments: &'a Value, name: &str) -> &'a str {
    arguments
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
