//! `orket kernel`: the operations of the kernel API for other languages.

use std::io::Read;
use std::path::{Path, PathBuf};

use orket_kernel::canonical;
use orket_kernel::wire::{self as api, Answer, CallError, Operation, Request, StoreUse};
use orket_kernel::{Kernel, MemoryStore, Outcome, StoreFailure};

use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::{terminal, wire};

/// Carries out one operation of the kernel API: one JSON request on standard input, one JSON answer on standard output
///
/// Exit codes: 0 the outcome is PASS, 1 it is FAIL, 2 the request is not valid.
#[derive(clap::Args)]
#[command(
    after_help = "Example: printf '{\"contract_version\":\"kernel_api/v1\",\"run_descriptor\":{\"run_id\":\"one\"}}' | orket kernel replay-run --home .orket\n\n`orket kernel schema` prints the JSON Schemas of all requests and answers."
)]
pub(crate) struct Arguments {
    /// The operation
    #[arg(value_name = "OPERATION", value_parser = operations())]
    operation: String,
    /// Print only the schema of this name (with `schema`)
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The directory that holds the index (default: that of the project, .orket)
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
}

const SCHEMA: &str = "schema";

fn operations() -> clap::builder::PossibleValuesParser {
    let schema = clap::builder::PossibleValue::new(SCHEMA).help("Print the JSON Schemas");
    let operations = Operation::ALL.iter().map(|operation| {
        clap::builder::PossibleValue::new(operation.as_str()).help(operation.meaning())
    });
    operations.chain([schema]).collect::<Vec<_>>().into()
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let Some(operation) = Operation::parse(&arguments.operation) else {
        return print_schemas(arguments.name.as_deref());
    };
    if let Some(name) = &arguments.name {
        let message =
            format!("{operation} takes no argument {name:?}; the request comes on standard input");
        return Err(Failure::new(exit::USAGE, message));
    }
    let request = read_request()?;
    let home = match &arguments.home {
        Some(home) => Some(home.clone()),
        // Operations that can do without a store must work outside of a project too.
        None => match Project::find(project) {
            Ok(project) => Some(project.home),
            Err(failure) if operation.store_use() != StoreUse::Optional => {
                let message = format!("{}; or name a home with --home DIR", failure.message);
                return Err(Failure::new(failure.code, message));
            }
            Err(_) => None,
        },
    };
    match answer(operation, &request, home.as_deref())? {
        Ok(answer) => {
            let mut text = answer.to_bytes().map_err(bug)?;
            text.push(b'\n');
            terminal::print_exact(&text)?;
            Ok(match answer.outcome {
                Outcome::Pass => exit::DONE,
                Outcome::Fail => exit::NO,
            })
        }
        Err(error) => refuse(operation, error),
    }
}

/// Answers a request over the index of a home. The request is read before anything is opened or made.
fn answer(
    operation: Operation,
    request: &[u8],
    home: Option<&Path>,
) -> Result<Result<Answer, CallError>, Failure> {
    let request = match Request::read(operation, request) {
        Ok(request) => request,
        Err(error) => return Ok(Err(error.into())),
    };
    let Some(home) = home else {
        return Ok(api::answer::<MemoryStore>(None, request));
    };
    Ok(match wire::state_store(home, operation)? {
        Some(store) => api::answer(Some(&Kernel::new(store)), request),
        // What was never made holds nothing.
        None => api::answer(Some(&Kernel::new(MemoryStore::new())), request),
    })
}

/// Tells what is wrong with the request, as data and in words, or what keeps the store from serving it.
fn refuse(operation: Operation, error: CallError) -> Result<Code, Failure> {
    if let Some(answer) = error.answer(operation) {
        let mut text = canonical::serialize(&answer).map_err(bug)?;
        text.push(b'\n');
        terminal::print_exact(&text)?;
        return Err(Failure::new(exit::USAGE, error.to_string()));
    }
    match error {
        CallError::Store(failure) => Err(store_failure(&failure)),
        CallError::Request(_) => Err(bug(error)),
    }
}

fn store_failure(failure: &StoreFailure) -> Failure {
    let mut message = failure.to_string();
    let mut source = std::error::Error::source(failure);
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    let code = match failure {
        StoreFailure::Busy { .. } => exit::BUSY,
        failure if wire::is_poisoned(failure) => exit::DISK,
        _ => exit::INVALID,
    };
    Failure::new(code, message)
}

fn bug(error: impl std::fmt::Display) -> Failure {
    Failure::new(exit::BUG, error.to_string())
}

fn read_request() -> Result<Vec<u8>, Failure> {
    let limit = canonical::Limits::BYTES as u64;
    let mut request = Vec::new();
    // One byte more than the limit is enough for the reader to refuse the request.
    let read = std::io::stdin().take(limit + 1).read_to_end(&mut request);
    read.map_err(|error| {
        Failure::new(
            exit::USAGE,
            format!("standard input cannot be read: {error}"),
        )
    })?;
    Ok(request)
}

/// Prints the schema of this name, or all of them as one object.
fn print_schemas(name: Option<&str>) -> Result<Code, Failure> {
    let Some(name) = name else {
        let mut text = String::from("{");
        for (index, (name, schema)) in api::schemas().iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            text.push_str(&format!("{comma}\n\"{name}\": {}", schema.trim_end()));
        }
        text.push_str("\n}\n");
        return terminal::print_exact(text.as_bytes());
    };
    let schema = api::schema(name).ok_or_else(|| {
        let names: Vec<&str> = api::schemas().iter().map(|(name, _)| *name).collect();
        let message = format!(
            "there is no schema {name:?}; there are {}",
            names.join(", ")
        );
        Failure::new(exit::USAGE, message)
    })?;
    terminal::print_exact(schema.as_bytes())
}
