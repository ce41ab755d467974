//! `api add`: a route in the manner of the project's framework, made anew as often as one likes, with what a person
//! wrote between its USER lines kept.

mod adapter;
mod insertion;
mod regions;
mod route;
mod schema;
mod spec;

use std::collections::BTreeMap;

use crate::error::Error;
use crate::path::TouchPath;
use crate::plan::{Before, Change, Limits, Plan};
use crate::scope::Scope;
use crate::transaction::Workbench;

pub use adapter::{Adapter, adapters};
pub use route::{Method, Route};
pub use schema::{Field, FieldType, Schema};
use spec::Spec;

/// What `api add` would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The touch set; empty if the route is there already, just so.
    pub plan: Plan,
    /// The name of the adapter.
    pub framework: String,
}

/// Plans a route. Without `framework`, the one that the project uses is found.
///
/// # Errors
///
/// When no framework is found, a file of the route is in the way or was changed outside its USER lines, a file that
/// gathers the routes cannot be read, or something would have to be touched outside the scope.
pub fn plan(
    workbench: &Workbench<'_>,
    scope: &Scope,
    route: &Route,
    method: Method,
    schema: &Schema,
    framework: Option<&str>,
    limits: Limits,
) -> Result<Addition, Error> {
    let snapshot = workbench.snapshot(limits);
    let read = |path: &TouchPath| snapshot.read(path);
    let adapter = adapter::choose(framework, &read)?;
    adapter.check(route, schema)?;
    let asked = Spec::new(route.clone(), method, schema.clone());
    let names = asked.names();
    let mut recorded: BTreeMap<TouchPath, (String, Spec)> = BTreeMap::new();
    let mut befores: BTreeMap<TouchPath, Before> = BTreeMap::new();
    let mut spec = asked.clone();
    for file in &adapter.file {
        let path = adapter.path(&file.path, &names)?;
        let before = read(&path)?;
        if let (Before::File(bytes), false) = (&before, file.keep) {
            let (text, found) = recorded_in(&path, bytes)?;
            if found.route() != route {
                return Err(Error::RouteConflict {
                    path: path.to_string(),
                    reason: format!("it belongs to the route {}", found.route()),
                });
            }
            spec.join(&found);
            recorded.insert(path.clone(), (text, found));
        }
        befores.insert(path, before);
    }
    let mut changes = Vec::new();
    for file in &adapter.file {
        let path = adapter.path(&file.path, &names)?;
        let before = befores.remove(&path).unwrap_or(Before::Absent);
        if file.keep && before != Before::Absent {
            continue;
        }
        let new = adapter.render(file, &spec)?;
        let after = match recorded.get(&path) {
            None => new.into_bytes(),
            Some((text, found)) => {
                let old = adapter.render(file, found)?;
                let carried =
                    regions::carry(text, &old, &new).map_err(|reason| Error::RouteConflict {
                        path: path.to_string(),
                        reason,
                    })?;
                like(&before, &carried)
            }
        };
        changes.push(Change {
            path,
            before,
            after,
        });
    }
    for path in adapter.gathering() {
        let path = adapter.path(path, &names)?;
        let Before::File(bytes) = read(&path)? else {
            return Err(adapter.unsupported(format!("{path} is not there")));
        };
        let after = insertion::insert(adapter, &path, &bytes, &names)?;
        changes.push(Change {
            path,
            before: Before::File(bytes),
            after,
        });
    }
    let plan = Plan::new(changes, limits)?;
    for change in plan.changes() {
        scope.admit(&change.path)?;
    }
    Ok(Addition {
        plan,
        framework: adapter.name.clone(),
    })
}

/// Reads a file that `api add` made, with the line ends of a template.
fn recorded_in(path: &TouchPath, bytes: &[u8]) -> Result<(String, Spec), Error> {
    let conflict = |reason: &str| Error::RouteConflict {
        path: path.to_string(),
        reason: reason.to_owned(),
    };
    let text = std::str::from_utf8(bytes).map_err(|_| conflict("it is there and not UTF-8"))?;
    let spec = Spec::find(text).ok_or_else(|| {
        conflict(
            "it is there and was not made by `orket api add`; move it away or choose another route",
        )
    })?;
    Ok((text.replace("\r\n", "\n"), spec))
}

/// Writes a text with the line ends that a file has.
fn like(before: &Before, text: &str) -> Vec<u8> {
    let has_returns = matches!(before, Before::File(bytes) if insertion::line_end(bytes) == "\r\n");
    if has_returns {
        text.replace('\n', "\r\n").into_bytes()
    } else {
        text.as_bytes().to_vec()
    }
}
