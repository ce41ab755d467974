//! How a framework wants a route: data, read from a file of its own.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::spec::Spec;
use super::{FieldType, Method, Route, Schema};
use crate::error::Error;
use crate::path::TouchPath;
use crate::plan::Before;
use crate::syntax::Language;
use crate::text::{self, capitalised, fill};

const SOURCES: [&str; 3] = [
    include_str!("../../adapters/axum-rust.toml"),
    include_str!("../../adapters/express-js.toml"),
    include_str!("../../adapters/fastapi-python.toml"),
];

/// How a framework wants a route.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    /// Its name.
    pub name: String,
    pub(super) language: String,
    /// Names that no route can have.
    reserved: Vec<String>,
    /// All of it has to be so for the framework to be in use.
    detect: Vec<Evidence>,
    /// What must be there besides, or what is made does not compile.
    #[serde(default)]
    requires: Vec<Evidence>,
    #[serde(default)]
    list: Vec<List>,
    pub(super) file: Vec<MadeFile>,
    pub(super) insert: Vec<Insertion>,
}

/// A file that holds all of some texts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Evidence {
    file: String,
    contains: Vec<String>,
}

/// A text for each method or field.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    name: String,
    over: Over,
    item: String,
    /// For methods whose requests have a body.
    item_with_body: Option<String>,
    separator: String,
    #[serde(default)]
    types: BTreeMap<String, String>,
    optional: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Over {
    Methods,
    Fields,
    RequiredFields,
}

/// A file that belongs to the route.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MadeFile {
    pub(super) path: String,
    text: String,
    /// Made if it is not there, and never looked at again.
    #[serde(default)]
    pub(super) keep: bool,
}

/// A text that a file which gathers the routes has to hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Insertion {
    pub(super) file: String,
    pub(super) text: String,
    /// Other ways to say the same.
    #[serde(default)]
    pub(super) also_present: Vec<String>,
    /// Behind the last statement that begins so; `*` stands for anything.
    #[serde(default)]
    pub(super) after_last: Vec<String>,
    /// Before the first statement that begins so.
    #[serde(default)]
    pub(super) before_first: Vec<String>,
    /// Right behind the first node of the grammar that is so.
    pub(super) after_node: Option<NodePattern>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodePattern {
    pub(super) kind: String,
    pub(super) text: String,
}

/// Returns the adapters, sorted by name.
///
/// # Errors
///
/// None that a test does not find: the data are part of the program.
pub fn adapters() -> Result<&'static [Adapter], Error> {
    static ADAPTERS: OnceLock<Result<Vec<Adapter>, Error>> = OnceLock::new();
    let read = || {
        let parsed = SOURCES.iter().map(|source| {
            toml::from_str(source).map_err(|error| Error::Internal {
                place: "an adapter".to_owned(),
                reason: error.to_string(),
            })
        });
        parsed.collect()
    };
    match ADAPTERS.get_or_init(read) {
        Ok(adapters) => Ok(adapters),
        Err(error) => Err(error.clone()),
    }
}

/// Finds the adapter: the one of this name, or the only one whose framework is in use.
pub(super) fn choose(
    name: Option<&str>,
    read: &dyn Fn(&TouchPath) -> Result<Before, Error>,
) -> Result<&'static Adapter, Error> {
    let adapters = adapters()?;
    let names = |adapters: &[&Adapter]| {
        let names: Vec<&str> = adapters.iter().map(|it| it.name.as_str()).collect();
        names.join(", ")
    };
    let all: Vec<&Adapter> = adapters.iter().collect();
    let mut used = Vec::new();
    for adapter in adapters {
        if name.is_none_or(|name| name == adapter.name) && holds(&adapter.detect, read)?.is_none() {
            used.push(adapter);
        }
    }
    let unsupported = |reason: String| Err(Error::ProjectStyleUnsupported { reason });
    let adapter = match (name, used[..].first(), used.len()) {
        (_, Some(adapter), 1) => *adapter,
        (Some(name), None, _) if !adapters.iter().any(|it| it.name == name) => {
            return unsupported(format!(
                "there is no framework {name:?}; there are {}",
                names(&all)
            ));
        }
        (_, None, _) => {
            let mut reasons = Vec::new();
            for adapter in adapters
                .iter()
                .filter(|it| name.is_none_or(|name| name == it.name))
            {
                let reason = holds(&adapter.detect, read)?.unwrap_or_default();
                reasons.push(format!("{}: {reason}", adapter.name));
            }
            return unsupported(format!("no framework is found ({})", reasons.join("; ")));
        }
        _ => {
            return unsupported(format!(
                "more than one framework is found ({}); name one with --framework",
                names(&used)
            ));
        }
    };
    match holds(&adapter.requires, read)? {
        None => Ok(adapter),
        Some(reason) => Err(adapter.unsupported(reason)),
    }
}

/// Says which evidence is missing, if one is.
fn holds(
    evidence: &[Evidence],
    read: &dyn Fn(&TouchPath) -> Result<Before, Error>,
) -> Result<Option<String>, Error> {
    for it in evidence {
        let path = TouchPath::parse(&it.file).map_err(|error| Error::Internal {
            place: "an adapter".to_owned(),
            reason: error.to_string(),
        })?;
        let Before::File(bytes) = read(&path)? else {
            return Ok(Some(format!("{path} is not there")));
        };
        let text = String::from_utf8_lossy(&bytes);
        if let Some(missing) = it.contains.iter().find(|it| !text.contains(it.as_str())) {
            return Ok(Some(format!("{path} does not hold `{missing}`")));
        }
    }
    Ok(None)
}

impl Adapter {
    pub(super) fn unsupported(&self, reason: String) -> Error {
        Error::ProjectStyleUnsupported {
            reason: format!("{}: {reason}", self.name),
        }
    }

    /// Checks that the names can stand in the language.
    pub(super) fn check(&self, route: &Route, schema: &Schema) -> Result<(), Error> {
        let language = match self.language.as_str() {
            "Rust" => Language::Rust,
            "Python" => Language::Python,
            _ => Language::JavaScript,
        };
        let snake = text::snake(route.as_str());
        let objection = language.objection(&snake).or_else(|| {
            let is_reserved = self.reserved.contains(&snake);
            is_reserved.then(|| "the framework's layout uses it".to_owned())
        });
        if let Some(reason) = objection {
            return Err(Error::RouteInvalid {
                text: route.to_string(),
                reason: format!("cannot be a route with {}: {reason}", self.name),
            });
        }
        for (index, field) in schema.fields().iter().enumerate() {
            if let Some(reason) = language.objection(&field.name) {
                return Err(Error::SchemaParseFailed {
                    field: index + 1,
                    reason: format!("{:?} cannot be a field in {language}: {reason}", field.name),
                });
            }
        }
        Ok(())
    }

    pub(super) fn path(
        &self,
        template: &str,
        names: &BTreeMap<String, String>,
    ) -> Result<TouchPath, Error> {
        let path = self.fill(template, names)?;
        TouchPath::parse(&path).map_err(|error| self.faulty(error.to_string()))
    }

    /// Returns the files that gather the routes, each once.
    pub(super) fn gathering(&self) -> Vec<&str> {
        let mut files: Vec<&str> = self.insert.iter().map(|it| it.file.as_str()).collect();
        files.dedup();
        files
    }

    pub(super) fn fill(
        &self,
        template: &str,
        names: &BTreeMap<String, String>,
    ) -> Result<String, Error> {
        fill(template, names).map_err(|word| self.faulty(format!("there is no value for {word}")))
    }

    /// Returns the content of a file for a route, with what a person finds between the USER lines at first.
    pub(super) fn render(&self, file: &MadeFile, spec: &Spec) -> Result<String, Error> {
        let mut names = spec.names();
        for list in &self.list {
            let text = self.list(list, spec)?;
            names.insert(list.name.clone(), text);
        }
        self.fill(&file.text, &names)
    }

    fn list(&self, list: &List, spec: &Spec) -> Result<String, Error> {
        let mut items = Vec::new();
        let mut names = spec.names();
        match list.over {
            Over::Methods => {
                for method in spec.methods() {
                    let item = list.item_with_body.as_ref().filter(|_| method.has_body());
                    names.extend(method_names(method));
                    items.push(self.fill(item.unwrap_or(&list.item), &names)?);
                }
            }
            Over::Fields | Over::RequiredFields => {
                let wanted = |is_optional: bool| list.over == Over::Fields || !is_optional;
                for field in spec
                    .schema()
                    .fields()
                    .iter()
                    .filter(|it| wanted(it.is_optional))
                {
                    names.insert("field".to_owned(), field.name.clone());
                    names.insert("type".to_owned(), self.type_of(list, field.kind)?);
                    if let (true, Some(optional)) = (field.is_optional, &list.optional) {
                        let optional = self.fill(optional, &names)?;
                        names.insert("type".to_owned(), optional);
                    }
                    items.push(self.fill(&list.item, &names)?);
                }
            }
        }
        Ok(items.join(&list.separator))
    }

    fn type_of(&self, list: &List, kind: FieldType) -> Result<String, Error> {
        let found = list.types.get(kind.as_str());
        found
            .cloned()
            .ok_or_else(|| self.faulty(format!("{} has no {}", list.name, kind.as_str())))
    }

    fn faulty(&self, reason: String) -> Error {
        Error::Internal {
            place: format!("the adapter {}", self.name),
            reason,
        }
    }
}

fn method_names(method: Method) -> [(String, String); 3] {
    let small = method.as_str().to_ascii_lowercase();
    [
        ("METHOD".to_owned(), method.as_str().to_owned()),
        ("Method".to_owned(), capitalised(&small)),
        ("method".to_owned(), small),
    ]
}
