//! `orket init TEMPLATE NAME`: a new directory, whole or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use orket_kernel::canonical::Value;
use orket_workbench::template::{self, NewProject, ProjectName, TEMPLATE, Template, TemplateFile};
use orket_workbench::verification::{Verdict, VerifyConfig, verify};
use orket_workbench::{Error, Limits, Plan};

use super::{Arguments, GITIGNORE, SAMPLES};
use crate::commands::change::{self, Stop, print_object};
use crate::exit::{self, Code, Failure};
use crate::settings::env_example;
use crate::terminal;
use crate::wire;

const COMMAND: &str = "init";

pub(super) fn execute(
    arguments: &Arguments,
    template: &str,
    name: &str,
    project: Option<&Path>,
) -> Result<Code, Failure> {
    let made = make(arguments, template, name, project);
    made.map_err(|stop| change::stop(COMMAND, arguments.json, stop))
}

fn make(
    arguments: &Arguments,
    template: &str,
    name: &str,
    project: Option<&Path>,
) -> Result<Code, Stop> {
    let name: ProjectName = name.parse()?;
    let template = find(template)?;
    let limits = Limits::default();
    let new = template.fill(&name, &variables(&arguments.variables)?, limits)?;
    let parent = project.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let parent = parent.canonicalize().map_err(|error| {
        let message = format!("{} cannot be opened: {error}", parent.display());
        Failure::new(exit::INVALID, message)
    })?;
    let sandbox = wire::sandbox()?;
    let check = |place: &Path| {
        if arguments.no_verify {
            return Ok(());
        }
        let config = VerifyConfig {
            commands: new.verify.clone(),
            ..VerifyConfig::default()
        };
        match verify(place, &Plan::default(), &config, &sandbox)? {
            Verdict::NotConfigured | Verdict::Passed { .. } => Ok(()),
            Verdict::Failed {
                command,
                ended,
                tail,
            } => Err(Error::InitVerifyFailed {
                command,
                ended,
                tail,
            }),
        }
    };
    let target = template::create(&parent, &name, &new, wire::files(), &check)?;
    report(arguments, &template, &name, &new, &target).map_err(Stop::from)
}

fn report(
    arguments: &Arguments,
    template: &Template,
    name: &ProjectName,
    new: &NewProject,
    target: &Path,
) -> Result<Code, Failure> {
    let paths: Vec<&str> = new.files.iter().map(|(path, _)| path.as_str()).collect();
    if arguments.json {
        return print_object(vec![
            ("command", Value::from(COMMAND)),
            ("ok", Value::from(true)),
            ("code", Value::from("OK")),
            ("template", Value::from(template.name())),
            ("project_name", Value::from(name.as_str())),
            ("output_dir", Value::from(target.display().to_string())),
            (
                "verify_enabled",
                Value::from(!arguments.no_verify && !new.verify.is_empty()),
            ),
            (
                "files",
                Value::from(paths.iter().map(|it| Value::from(*it)).collect::<Vec<_>>()),
            ),
        ]);
    }
    let lines = paths
        .iter()
        .map(|path| format!("made  {name}/{}\n", terminal::plain(path)));
    terminal::print_bytes(lines.collect::<String>().as_bytes())
}

/// Finds a template: by its name, or a folder.
fn find(text: &str) -> Result<Template, Error> {
    let mut templates = template::embedded()?;
    templates.push(flow());
    if let Some(at) = templates.iter().position(|it| it.name() == text) {
        return Ok(templates.swap_remove(at));
    }
    let folder = Path::new(text);
    if folder.join(TEMPLATE).is_file() {
        return template::read_folder(folder, wire::files(), Limits::default());
    }
    let mut names: Vec<&str> = templates.iter().map(Template::name).collect();
    names.sort_unstable();
    Err(Error::BlueprintNotFound {
        name: text.to_owned(),
        known: names.join(", "),
    })
}

/// An Orket project, as `orket init` makes it in place.
fn flow() -> Template {
    let file = |path: &str, bytes: &[u8]| TemplateFile {
        path: path.to_owned(),
        bytes: bytes.to_vec(),
        is_executable: false,
    };
    let mut files = vec![
        file(".env.example", env_example().as_bytes()),
        file(".gitignore", GITIGNORE.as_bytes()),
    ];
    files.extend(SAMPLES.iter().map(|(path, bytes)| file(path, bytes)));
    Template::verbatim("flow", "An Orket project: the sample epic to edit.", files)
}

fn variables(typed: &[String]) -> Result<BTreeMap<String, String>, Error> {
    let mut variables = BTreeMap::new();
    for text in typed {
        let invalid = |name: &str, reason: &str| Error::VariableInvalid {
            name: name.to_owned(),
            reason: reason.to_owned(),
        };
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| invalid(text, "write it as NAME=VALUE"))?;
        if variables
            .insert(name.to_owned(), value.to_owned())
            .is_some()
        {
            return Err(invalid(name, "it is given twice"));
        }
    }
    Ok(variables)
}
