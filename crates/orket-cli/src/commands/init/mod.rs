//! `orket init`: a project of the user's own, here or from a template.

mod template;

use std::path::{Path, PathBuf};

use orket_tools::path::{Directory, PathError, RelativePath};

use crate::exit::{self, Code, Failure};
use crate::project::CONFIG;
use crate::settings::env_example;
use crate::terminal;

/// Makes a project here, or a directory NAME from a TEMPLATE: minimal-node, minimal-python, minimal-rust, flow
///
/// Without a template: the sample assets to edit, settings, and what git should leave alone. Files that exist are left as
/// they are, but for .gitignore: it gets the lines that it lacks.
///
/// With one: the directory NAME appears whole or not at all. A folder that holds a template.toml is a template too.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  mkdir work && cd work && orket init && orket run --epic first_light
  orket init minimal-rust tally --var \"description=Counts things.\"")]
pub(crate) struct Arguments {
    /// The template: one of those above, or a folder of your own
    #[arg(requires = "name")]
    template: Option<String>,
    /// The name of the new project and its directory
    name: Option<String>,
    /// A variable of the template; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", requires = "template")]
    variables: Vec<String>,
    /// Do not run the commands with which the template checks the new project
    #[arg(long, requires = "template")]
    no_verify: bool,
    /// Print JSON
    #[arg(long, requires = "template")]
    json: bool,
}

/// The files of the sample project that a new project begins with.
const SAMPLES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/samples.rs"));

/// What git should leave alone: secrets, the database, and what runs leave behind for people. What the agents produce
/// is the user's to commit.
const GITIGNORE: &str = ".env\n.orket/\nworkspace/\n";

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    if let (Some(template), Some(name)) = (&arguments.template, &arguments.name) {
        return template::execute(arguments, template, name, project);
    }
    let root: PathBuf = match project {
        Some(directory) => directory.to_path_buf(),
        None => PathBuf::from("."),
    };
    std::fs::create_dir_all(&root).map_err(|error| {
        Failure::new(
            exit::INVALID,
            format!("{} cannot be made: {error}", root.display()),
        )
    })?;
    let directory =
        Directory::open(&root).map_err(|error| Failure::new(exit::INVALID, error.to_string()))?;
    let example = env_example();
    let own: [(&str, &[u8]); 2] = [
        (".env.example", example.as_bytes()),
        (".gitignore", GITIGNORE.as_bytes()),
    ];
    let mut text = String::new();
    let mut made = 0;
    for (path, bytes) in own.iter().chain(SAMPLES) {
        let failed = |reason: String| {
            Failure::new(
                exit::INVALID,
                format!("{path} cannot be written in {}: {reason}", root.display()),
            )
        };
        let relative: RelativePath = path
            .parse()
            .map_err(|error: orket_tools::path::RelativePathError| failed(error.to_string()))?;
        if directory
            .exists(&relative)
            .map_err(|error| failed(error.to_string()))?
        {
            let is_extended = *path == ".gitignore" && extend_gitignore(&directory, &relative)?;
            text.push_str(&format!(
                "{}  {path}\n",
                if is_extended { "added" } else { "kept" }
            ));
            continue;
        }
        directory
            .write(&relative, bytes, false)
            .map_err(|error| failed(error.to_string()))?;
        text.push_str(&format!("made  {path}\n"));
        made += 1;
    }
    terminal::print_bytes(text.as_bytes())?;
    if made > 0 {
        terminal::say(&format!(
            "{CONFIG} and model/ are yours to edit; `orket run --epic first_light` works the sample\n"
        ));
    }
    Ok(exit::DONE)
}

/// Adds what an existing `.gitignore` lacks: secrets and the database must not be committed. Returns whether it lacked
/// something.
fn extend_gitignore(directory: &Directory, path: &RelativePath) -> Result<bool, Failure> {
    let failed = |error: PathError| Failure::new(exit::INVALID, error.to_string());
    let bytes = directory.read(path, 1 << 20).map_err(failed)?;
    let known = String::from_utf8_lossy(&bytes);
    let missing: Vec<&str> = GITIGNORE
        .lines()
        .filter(|line| !known.lines().any(|known| known.trim() == *line))
        .collect();
    if missing.is_empty() {
        return Ok(false);
    }
    let mut extended = bytes.clone();
    if !extended.is_empty() && !extended.ends_with(b"\n") {
        extended.push(b'\n');
    }
    for line in missing {
        extended.extend_from_slice(line.as_bytes());
        extended.push(b'\n');
    }
    directory.write(path, &extended, false).map_err(failed)?;
    Ok(true)
}
