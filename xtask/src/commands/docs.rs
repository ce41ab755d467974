//! `cargo xtask docs`: what can drift apart without anything failing to compile.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::checks::crate_roots::{self, Source};
use crate::checks::{
    code_map, dependency_page, file_shape, invariants, laws, links, schemas, test_command,
};
use crate::violation::{Violation, settle};
use crate::workspace::{Workspace, files_below, read};

const DEPENDENCY_PAGE: &str = "docs/dependencies.md";

/// Flags of `cargo xtask docs`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// First fill in what can be known: who uses each dependency, and the JSON Schemas of the kernel's types.
    #[arg(long)]
    write: bool,
}

/// Checks documents, dependency list, crate roots, file names and file lengths.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::load()?;
    if arguments.write {
        let path = workspace.root.join(DEPENDENCY_PAGE);
        let page = dependency_page::written(&read(&path)?, &workspace.members);
        write(&path, &page)?;
        for (file, text) in schemas::generated()? {
            write(&workspace.root.join(schemas::DIRECTORY).join(file), &text)?;
        }
    }
    check(&workspace)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
}

/// Checks without writing anything.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let root = &workspace.root;
    let repository = Repository { root };
    let architecture = read(&root.join("docs/architecture.md"))?;
    let crates: Vec<String> = workspace
        .members
        .iter()
        .map(|member| member.name.clone())
        .collect();

    let mut violations = code_map::check(&architecture, &crates);
    violations.extend(invariants::check(&architecture, &repository));
    let declared = dependency_page::declared(&read(&root.join("Cargo.toml"))?)?;
    let page = read(&root.join(DEPENDENCY_PAGE))?;
    violations.extend(dependency_page::check(&page, &declared, &workspace.members));
    for file in files_below(root, "md")? {
        violations.extend(links::check(
            &workspace.shown(&file),
            &read(&file)?,
            &repository,
        ));
    }
    violations.extend(schemas::check(&schemas::generated()?, &kept_schemas(root)?));
    violations.extend(sources(workspace)?);
    let law = read(&root.join(laws::PAGE))?;
    violations.extend(laws::check(&law, &rust_files(workspace)?));
    let telling = [".ci/run", "CONTRIBUTING.md", "README.md"]
        .map(|file| (file, fs::read_to_string(root.join(file)).ok()));
    violations.extend(test_command::check(&telling));
    settle("docs", violations)
}

/// The schemas that lie in the repository, by file name.
fn kept_schemas(root: &Path) -> Result<BTreeMap<String, String>> {
    let files = files_below(&root.join(schemas::DIRECTORY), "json")?;
    let kept = files.into_iter().map(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Ok((name.into_owned(), read(&file)?))
    });
    kept.collect()
}

fn sources(workspace: &Workspace) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for member in &workspace.members {
        let mut sources = Vec::new();
        for file in files_below(&member.dir, "rs")? {
            let text = read(&file)?;
            let shown = workspace.shown(&file);
            violations.extend(file_shape::check(&shown, &text));
            if file.starts_with(member.dir.join("src")) {
                sources.push(Source { file: shown, text });
            }
        }
        violations.extend(crate_roots::check(&sources));
    }
    Ok(violations)
}

/// Every Rust file of the workspace.
fn rust_files(workspace: &Workspace) -> Result<Vec<laws::Source>> {
    let mut sources = Vec::new();
    for member in &workspace.members {
        for file in files_below(&member.dir, "rs")? {
            sources.push(laws::Source {
                text: read(&file)?,
                file: workspace.shown(&file),
            });
        }
    }
    Ok(sources)
}

/// The files of this repository, for the checks that look things up.
struct Repository<'a> {
    root: &'a Path,
}

impl links::Tree for Repository<'_> {
    fn exists(&self, path: &Path) -> bool {
        self.root.join(path).exists()
    }

    fn text(&self, path: &Path) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }
}

impl invariants::Checks for Repository<'_> {
    fn has_command(&self, name: &str) -> bool {
        crate::command_names().iter().any(|it| it == name)
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }
}
