//! `orket api add`: a route in the manner of the project's framework.

use std::path::Path;

use orket_kernel::canonical::Value;
use orket_workbench::api::{self, Method, Route, Schema};
use orket_workbench::{Error, Limits};

use super::change::{self, Flags, Proposal, Stop, Tree};
use crate::exit::{Code, Failure};

const COMMAND: &str = "api add";

/// Adds to the API of a project
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Subcommand,
}

#[derive(clap::Subcommand)]
enum Subcommand {
    Add(Add),
}

/// Adds a route: express-js, axum-rust or fastapi-python, whole or not at all
///
/// What stands between the USER lines of a made file is yours and stays when the same route is added again with another
/// method or schema. The commands of the table verify in orket.toml judge a copy first. It needs no git.
#[derive(clap::Args)]
#[command(
    after_help = "Example: orket api add users --schema \"id:int,name:string\" --scope src --dry-run"
)]
struct Add {
    /// The route, for instance users
    route: String,
    /// Its fields: NAME:TYPE with int, float, bool or string, and ? behind a type whose field may be missing
    #[arg(long, value_name = "FIELDS")]
    schema: String,
    /// The method that it answers: GET, POST, PUT, PATCH or DELETE
    #[arg(long, default_value = "GET")]
    method: String,
    /// The framework: express-js, axum-rust or fastapi-python (default: the one that the project uses)
    #[arg(long, value_name = "NAME")]
    framework: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let Subcommand::Add(arguments) = &arguments.command;
    add(arguments, project).map_err(|stop| change::stop(COMMAND, arguments.flags.json, stop))
}

fn add(arguments: &Add, project: Option<&Path>) -> Result<Code, Stop> {
    let route: Route = arguments.route.parse()?;
    let method: Method = arguments.method.parse()?;
    let schema: Schema = arguments.schema.parse()?;
    let tree = Tree::find(project)?;
    let scope = tree.scope(&arguments.flags)?;
    let workbench = tree.open()?;
    let framework = arguments.framework.as_deref();
    let addition = api::plan(
        &workbench,
        &scope,
        &route,
        method,
        &schema,
        framework,
        Limits::default(),
    )?;
    let is_idempotent = addition.plan.is_empty();
    let proposal = Proposal {
        command: COMMAND,
        plan: addition.plan,
        nothing: "no change: the route is there, just so",
        advisories: Vec::new(),
        facts: vec![
            ("framework", Value::from(addition.framework.as_str())),
            ("idempotent", Value::from(is_idempotent)),
        ],
        refusal: |command, ended, tail| Error::DraftFailure {
            command,
            ended,
            tail,
        },
    };
    tree.settle(&workbench, &arguments.flags, proposal)
}
