//! The built-in tools. Each is a specification and a few lines over the scope of its turn.

mod add_issue_comment;
mod create_issue;
mod cut;
mod edit_file;
mod get_issue_context;
mod list_directory;
mod matches;
mod read_file;
mod run_command;
mod search_files;
#[cfg(test)]
mod tests;
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
    let tools: Vec<Arc<dyn Tool>> = vec![
        Arc::new(read_file::ReadFile {
            spaces: Arc::clone(&spaces),
        }),
        Arc::new(write_file::WriteFile),
        Arc::new(edit_file::EditFile),
        Arc::new(list_directory::ListDirectory {
            spaces: Arc::clone(&spaces),
        }),
        Arc::new(search_files::SearchFiles { spaces }),
        Arc::new(update_issue_status::UpdateIssueStatus),
        Arc::new(add_issue_comment::AddIssueComment),
        Arc::new(get_issue_context::GetIssueContext),
        Arc::new(create_issue::CreateIssue),
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

/// Returns an argument that the specification checked to be a list of texts; empty if it was left out.
fn texts(arguments: &Value, name: &str) -> Vec<String> {
    arguments
        .get(name)
        .and_then(Value::as_array)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
