//! `orket board`: the cards as they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use orket_cards::{Card, EpicAsset, RockAsset, TurnStore, parse_asset};
use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_ports::Workspace;
use orket_ports::workspace::AssetKind;

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Shows rocks, epics and cards as they stand
#[derive(clap::Args)]
#[command(after_help = "Example: orket board")]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

struct Epic {
    name: String,
    cards: Vec<Card>,
    fault: Option<String>,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let workspace = wire::workspace(&project)?;
    let epics = epics(&project, &workspace)?;
    let rocks = rocks(&workspace)?;
    let broken = epics.iter().any(|epic| epic.fault.is_some());
    let text = if arguments.json {
        json(&rocks, &epics)
    } else {
        tree(&rocks, &epics)
    };
    terminal::print_bytes(text.as_bytes())?;
    Ok(if broken { exit::INVALID } else { exit::DONE })
}

/// Returns every epic: what the assets define, with the facts of the board where there are any.
fn epics(project: &Project, workspace: &dyn Workspace) -> Result<Vec<Epic>, Failure> {
    let mut known: BTreeMap<String, Vec<Card>> = BTreeMap::new();
    if let Some(board) = wire::read_only_board(project)? {
        for card in board.snapshot()?.cards(None)? {
            known.entry(card.epic.clone()).or_default().push(card);
        }
    }
    let mut names: BTreeSet<String> = known.keys().cloned().collect();
    names.extend(
        workspace
            .asset_names(AssetKind::Epic)
            .map_err(orket_flow::RunError::from)?,
    );
    let mut epics = Vec::new();
    for name in names {
        let mut cards = known.remove(&name).unwrap_or_default();
        let asset = workspace
            .asset(AssetKind::Epic, &name)
            .map_err(orket_flow::RunError::from)?;
        let defined = asset.map(|(file, bytes)| {
            parse_asset::<EpicAsset>(&file, &bytes).and_then(|epic| epic.cards(&file))
        });
        let mut fault = None;
        match defined {
            Some(Ok(defined)) => {
                let new = defined
                    .into_iter()
                    .filter(|card| cards.iter().all(|c| c.id != card.id));
                cards.extend(new.collect::<Vec<_>>());
            }
            Some(Err(error)) => fault = Some(error.to_string()),
            None => {}
        }
        epics.push(Epic { name, cards, fault });
    }
    Ok(epics)
}

fn rocks(workspace: &dyn Workspace) -> Result<Vec<RockAsset>, Failure> {
    let mut rocks = Vec::new();
    for name in workspace
        .asset_names(AssetKind::Rock)
        .map_err(orket_flow::RunError::from)?
    {
        rocks.push(orket_flow::load_rock(workspace, &name)?);
    }
    Ok(rocks)
}

fn tree(rocks: &[RockAsset], epics: &[Epic]) -> String {
    let mut text = String::new();
    let mut shown = BTreeSet::new();
    for rock in rocks {
        let _ = writeln!(text, "rock {}", rock.name);
        for name in &rock.epics {
            match epics.iter().find(|epic| epic.name == *name) {
                Some(epic) => write_epic(&mut text, epic, "  "),
                None => {
                    let _ = writeln!(text, "  epic {name}: there is no model/epics/{name}.json");
                }
            }
            shown.insert(name.clone());
        }
    }
    for epic in epics.iter().filter(|epic| !shown.contains(&epic.name)) {
        write_epic(&mut text, epic, "");
    }
    if text.is_empty() {
        text.push_str("no epics; write model/epics/NAME.json, or begin with `orket init`\n");
    }
    text
}

fn write_epic(text: &mut String, epic: &Epic, indent: &str) {
    let done = epic
        .cards
        .iter()
        .filter(|card| card.status.is_finished())
        .count();
    let _ = writeln!(
        text,
        "{indent}epic {} ({done} of {} done)",
        epic.name,
        epic.cards.len()
    );
    if let Some(fault) = &epic.fault {
        let _ = writeln!(text, "{indent}  error: {}", terminal::plain(fault));
    }
    let id_width = epic
        .cards
        .iter()
        .map(|card| card.id.as_str().len())
        .max()
        .unwrap_or(0);
    for card in &epic.cards {
        let status = card.wait_reason.map_or_else(
            || card.status.to_string(),
            |reason| format!("{} ({reason})", card.status),
        );
        let waits: Vec<&str> = card
            .depends_on
            .iter()
            .filter(|id| {
                epic.cards
                    .iter()
                    .any(|other| other.id == **id && !other.status.satisfies_dependency())
            })
            .map(|id| id.as_str())
            .collect();
        let waits = if waits.is_empty() {
            String::new()
        } else {
            format!(" <- {}", waits.join(", "))
        };
        let _ = writeln!(
            text,
            "{indent}  {:id_width$}  {status:22} {:9} {:14} {}{waits}",
            card.id,
            card.verified.as_str(),
            card.seat,
            terminal::plain(&card.title)
        );
    }
}

fn json(rocks: &[RockAsset], epics: &[Epic]) -> String {
    let rocks: Vec<Value> = rocks
        .iter()
        .map(|rock| {
            let epics: Vec<Value> = rock
                .epics
                .iter()
                .map(|name| Value::from(name.as_str()))
                .collect();
            object! { "name" => rock.name.as_str(), "epics" => epics }
        })
        .collect();
    let epics: Vec<Value> = epics
        .iter()
        .map(|epic| {
            object! {
                "name" => epic.name.as_str(),
                "error" => epic.fault.as_deref().map_or(Value::Null, Value::from),
                "cards" => epic.cards.iter().map(super::show::card_json).collect::<Vec<_>>(),
            }
        })
        .collect();
    format!(
        "{}\n",
        canonical::to_string(&object! { "rocks" => rocks, "epics" => epics })
    )
}
