//! A new project from a template: its directory is there whole, or not at all.

mod create;
mod embedded;
mod folder;
mod variable;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::error::Error;
use crate::path::TouchPath;
use crate::plan::Limits;
use crate::syntax::Language;
use crate::text;
use variable::Variable;

pub use create::create;
pub use embedded::embedded;
pub use folder::read as read_folder;

/// The file that makes a folder a template.
pub const TEMPLATE: &str = "template.toml";

/// The files of a project that is not there yet.
#[derive(Clone, Debug)]
pub struct Template {
    name: String,
    header: Header,
    files: Vec<TemplateFile>,
}

/// A file of a template, or of what is made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFile {
    /// Where it goes. In a template, `{{word}}` stands in it too.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether its owner may execute it.
    pub is_executable: bool,
}

/// The content of `template.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    description: String,
    #[serde(default)]
    variable: Vec<Variable>,
    /// Paths of files in which nothing is filled in.
    #[serde(default)]
    verbatim: BTreeSet<String>,
    /// Commands that have to succeed in the new project.
    #[serde(default)]
    verify: Vec<String>,
}

/// The name of a new project: good for a directory, a package of npm, cargo and Python alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectName(String);

/// A project that can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProject {
    /// Its files, sorted by path.
    pub files: Vec<(TouchPath, TemplateFile)>,
    /// Commands that have to succeed in it.
    pub verify: Vec<String>,
}

impl FromStr for ProjectName {
    type Err = Error;

    fn from_str(text: &str) -> Result<ProjectName, Error> {
        let snake = text::snake(text);
        let reserved = [
            "test", "tests", "core", "std", "alloc", "main", "build", "deps", "examples",
        ];
        let objection = text::name_objection(text)
            .or_else(|| Language::Rust.objection(&snake))
            .or_else(|| Language::Python.objection(&snake))
            .or_else(|| Language::JavaScript.objection(&snake))
            .or_else(|| {
                let is_reserved =
                    reserved.contains(&snake.as_str()) || TouchPath::parse(text).is_err();
                is_reserved.then(|| "other tools use it".to_owned())
            });
        match objection {
            None => Ok(ProjectName(text.to_owned())),
            Some(reason) => Err(Error::NameInvalid {
                name: text.to_owned(),
                reason,
            }),
        }
    }
}

impl ProjectName {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Template {
    /// Makes a template without variables, of files that are taken as they are.
    pub fn verbatim(name: &str, description: &str, files: Vec<TemplateFile>) -> Template {
        let verbatim = files.iter().map(|file| file.path.clone()).collect();
        Template {
            name: name.to_owned(),
            header: Header {
                description: description.to_owned(),
                verbatim,
                ..Header::default()
            },
            files,
        }
    }

    fn parse(name: &str, header: &str, files: Vec<TemplateFile>) -> Result<Template, Error> {
        let invalid = |reason: String| Error::InitConfigInvalid {
            file: format!("{name}/{TEMPLATE}"),
            reason,
        };
        let header: Header =
            toml::from_str(header).map_err(|error| invalid(error.message().to_owned()))?;
        for variable in &header.variable {
            variable.check().map_err(&invalid)?;
        }
        let unknown = header
            .verbatim
            .iter()
            .find(|path| !files.iter().any(|file| file.path == **path));
        if let Some(path) = unknown {
            return Err(invalid(format!(
                "verbatim names {path}, which is not there"
            )));
        }
        Ok(Template {
            name: name.to_owned(),
            header,
            files,
        })
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says in one line what it is.
    pub fn description(&self) -> &str {
        &self.header.description
    }

    /// Fills the template in.
    ///
    /// # Errors
    ///
    /// When a variable is unknown, missing or has no valid value, or the template itself is not valid: a place without
    /// a value, a path that leads elsewhere, JSON or TOML that cannot be read.
    pub fn fill(
        &self,
        name: &ProjectName,
        given: &BTreeMap<String, String>,
        limits: Limits,
    ) -> Result<NewProject, Error> {
        let mut values = variable::values(&self.header.variable, given)?;
        values.insert("name".to_owned(), name.to_string());
        values.insert("snake".to_owned(), text::snake(name.as_str()));
        values.insert("Pascal".to_owned(), text::pascal(name.as_str()));
        let mut files = BTreeMap::new();
        let mut bytes = 0;
        for file in &self.files {
            let invalid = |reason: String| Error::InitConfigInvalid {
                file: format!("{}/{}", self.name, file.path),
                reason,
            };
            let missing = |word: String| invalid(format!("there is no variable {word}"));
            let path = text::fill(&file.path, &values).map_err(missing)?;
            let path = TouchPath::parse(&path).map_err(|error| invalid(error.to_string()))?;
            let is_verbatim = self.header.verbatim.contains(&file.path);
            let content = match std::str::from_utf8(&file.bytes) {
                Ok(text) if !is_verbatim => {
                    text::fill(text, &values).map_err(missing)?.into_bytes()
                }
                _ => file.bytes.clone(),
            };
            readable(&path, &content).map_err(invalid)?;
            bytes += content.len() as u64;
            let made = TemplateFile {
                path: path.to_string(),
                bytes: content,
                is_executable: file.is_executable,
            };
            if files.insert(path.clone(), made).is_some() {
                return Err(invalid(format!("{path} is made twice")));
            }
        }
        let inside = files
            .keys()
            .find(|path| path.directories().iter().any(|it| files.contains_key(it)));
        if let Some(path) = inside {
            return Err(Error::InitConfigInvalid {
                file: format!("{}/{path}", self.name),
                reason: "it lies below a file".to_owned(),
            });
        }
        if files.len() > limits.files || bytes > limits.bytes {
            return Err(Error::LimitExceeded {
                what: format!(
                    "the template {} has {} files with {bytes} bytes",
                    self.name,
                    files.len()
                ),
            });
        }
        Ok(NewProject {
            files: files.into_iter().collect(),
            verify: self.header.verify.clone(),
        })
    }
}

/// Checks that what other programs read first can be read.
fn readable(path: &TouchPath, bytes: &[u8]) -> Result<(), String> {
    let text = || std::str::from_utf8(bytes).map_err(|error| error.to_string());
    if path.as_str().ends_with(".json") {
        let read: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
        read.map_err(|error| format!("it is no JSON: {error}"))?;
    }
    if path.as_str().ends_with(".toml") {
        let read: Result<toml::Table, _> = toml::from_str(text()?);
        read.map_err(|error| format!("it is no TOML: {}", error.message()))?;
    }
    Ok(())
}
