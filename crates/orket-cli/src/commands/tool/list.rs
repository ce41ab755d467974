//! `orket tool list`: the tools, and which of them a role may use.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use orket_flow::{RunError, load_band};
use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::Workspace;
use orket_ports::tool::ToolSpec;
use orket_ports::workspace::AssetKind;

use super::unknown;
use crate::exit::{Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Lists the tools, sorted by name
#[derive(clap::Args)]
#[command(after_help = "Example: orket tool list --role coder")]
pub(super) struct Arguments {
    /// Only the tools that this role may use, each with the bands that let it
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let tools = wire::tools(&project)?;
    let specs = tools.values().map(|tool| tool.spec());
    let rows: Vec<(&ToolSpec, Option<Vec<String>>)> = match &arguments.role {
        None => specs.map(|spec| (spec, None)).collect(),
        Some(role) => {
            let granted = granted(&wire::workspace(&project)?, &wire::tool_names(&tools), role)?;
            specs
                .filter_map(|spec| Some((spec, Some(granted.get(spec.name)?.clone()))))
                .collect()
        }
    };
    let text = if arguments.json {
        json(&rows)
    } else {
        table(&rows)
    };
    terminal::print_bytes(text.as_bytes())
}

/// Returns the bands that grant each tool to a role.
fn granted(
    workspace: &dyn Workspace,
    known: &std::collections::BTreeSet<String>,
    role: &str,
) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let mut granted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut roles = std::collections::BTreeSet::new();
    let names = workspace.asset_names(AssetKind::Band);
    for name in names.map_err(RunError::from)? {
        let band = load_band(workspace, &name, known)?;
        for tool in band.roles.get(role).iter().flat_map(|asset| &asset.tools) {
            let bands = granted.entry(tool.clone()).or_default();
            if bands.last() != Some(&name) {
                bands.push(name.clone());
            }
        }
        roles.extend(band.roles.into_keys());
    }
    if !roles.contains(role) {
        return Err(unknown("role", role, roles.iter().map(String::as_str)));
    }
    Ok(granted)
}

fn table(rows: &[(&ToolSpec, Option<Vec<String>>)]) -> String {
    let mut text = String::new();
    for (spec, bands) in rows {
        let bands = bands
            .as_ref()
            .map(|bands| format!(" ({})", bands.join(", ")));
        let _ = writeln!(
            text,
            "{:20} {:14} {}{}",
            spec.name,
            spec.action.as_str(),
            spec.description,
            terminal::plain(&bands.unwrap_or_default())
        );
    }
    text
}

fn json(rows: &[(&ToolSpec, Option<Vec<String>>)]) -> String {
    let rows: Vec<Value> = rows
        .iter()
        .map(|(spec, bands)| {
            let mut row = object! {
                "name" => spec.name,
                "action" => spec.action.as_str(),
                "description" => spec.description,
            };
            if let (Value::Object(members), Some(bands)) = (&mut row, bands) {
                let bands: Vec<Value> = bands.iter().map(|it| Value::from(it.as_str())).collect();
                members.insert("bands".into(), Value::from(bands));
            }
            row
        })
        .collect();
    format!("{}\n", canonical::to_string(&Value::from(rows)))
}
