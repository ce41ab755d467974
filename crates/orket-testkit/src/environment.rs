//! A hermetic place to run the command line in.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::output::{Output, Redaction};
use crate::running::Running;
use crate::tree::copy_tree;

/// What runs of a project leave behind, and what is somebody's own.
const LEFTOVERS: &[&str] = &[".env", ".orket", "agent_output", "workspace"];

/// A temporary directory with a home, a directory for temporary files and a project, in which the program runs with an
/// empty environment, a clock that stands still and no colours to decide about.
///
/// Dropping it removes everything. Only `PATH` comes from outside.
#[derive(Debug)]
pub struct CliEnvironment {
    directory: TempDir,
    program: PathBuf,
    project: PathBuf,
    variables: BTreeMap<String, String>,
    redaction: Redaction,
}

impl CliEnvironment {
    /// Makes an environment with an empty directory in the place of the project.
    ///
    /// # Panics
    /// If the directories cannot be made.
    pub fn empty(program: &Path) -> CliEnvironment {
        let directory = tempfile::Builder::new()
            .prefix("orket-test-")
            // A check runs as a user of its own, who must be able to reach its directory.
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .unwrap_or_else(|error| panic!("no temporary directory can be made: {error}"));
        // The program prints paths without symbolic links.
        let root = directory
            .path()
            .canonicalize()
            .unwrap_or_else(|error| panic!("the temporary directory has no path: {error}"));
        let project = root.join("project");
        for path in [&project, &root.join("home"), &root.join("tmp")] {
            fs::create_dir(path)
                .unwrap_or_else(|error| panic!("{} cannot be made: {error}", path.display()));
        }
        let mut redaction = Redaction::default();
        redaction.hide(project.to_string_lossy(), "[project]");
        redaction.hide(root.to_string_lossy(), "[temp]");
        let mut environment = CliEnvironment {
            directory,
            program: program.to_path_buf(),
            project,
            variables: BTreeMap::new(),
            redaction,
        };
        environment.set("HOME", &root.join("home").to_string_lossy());
        environment.set("TMPDIR", &root.join("tmp").to_string_lossy());
        environment.set("ORKET_CLOCK", "2026-01-01T00:00:00Z");
        if let Ok(path) = std::env::var("PATH") {
            environment.set("PATH", &path);
        }
        environment
    }

    /// Makes an environment around a copy of a project, without what somebody's runs left behind in it.
    ///
    /// # Panics
    /// If the project cannot be copied.
    pub fn with_project(program: &Path, fixture: &Path) -> CliEnvironment {
        let environment = CliEnvironment::empty(program);
        copy_tree(fixture, &environment.project, LEFTOVERS);
        environment
    }

    /// Sets an environment variable for every later command.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Hides a text that differs by machine in the output of every later command.
    pub fn hide(&mut self, text: &str, word: &'static str) {
        self.redaction.hide(text, word);
    }

    /// Returns the directory of the project, in which commands run.
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// Returns a path of the project.
    pub fn path(&self, path: &str) -> PathBuf {
        self.project.join(path)
    }

    /// Returns the directory around home, temporary files and project.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the directory that the program takes for temporary files.
    pub fn temporary(&self) -> PathBuf {
        self.root().join("tmp")
    }

    /// Reads a file of the project as text.
    ///
    /// # Panics
    /// If it cannot be read or is not UTF-8.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
    }

    /// Writes a file of the project; directories on the way are made.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        if let Err(error) = made.and_then(|()| fs::write(&path, text)) {
            panic!("{} cannot be written: {error}", path.display());
        }
    }

    /// Replaces a text in a file of the project.
    ///
    /// # Panics
    /// If the text does not stand in it exactly once: the test would change something else than it means.
    #[track_caller]
    pub fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert_eq!(
            text.matches(old).count(),
            1,
            "{old:?} does not stand exactly once in {path}"
        );
        self.write(path, &text.replace(old, new));
    }

    /// Runs the program in the project and waits for its end; standard input is empty.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with_input(arguments, b"")
    }

    /// Runs the program in the project with a standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        Running::start(
            self.command(arguments),
            told(arguments),
            self.redaction.clone(),
            input,
        )
        .wait()
    }

    /// Starts the program in the project; standard input is empty.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let command = self.command(arguments);
        Running::start(command, told(arguments), self.redaction.clone(), b"")
    }

    /// Runs a command that [`CliEnvironment::command`] made and the test then changed.
    pub fn run_command(&self, command: Command) -> Output {
        let arguments: Vec<String> = command
            .get_args()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let told = told(&arguments);
        Running::start(command, told, self.redaction.clone(), b"").wait()
    }

    /// Returns the command without starting it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(self.program.as_os_str(), arguments)
    }

    /// Returns a command of another program in this environment.
    pub fn command_of(&self, program: &OsStr, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.project)
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Returns the program.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// Writes a command line as a person types it.
fn told(arguments: &[&str]) -> String {
    let mut text = "orket".to_owned();
    for argument in arguments {
        text.push(' ');
        text.push_str(argument);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that shows its surroundings.
    fn shell() -> CliEnvironment {
        CliEnvironment::empty(Path::new("/bin/sh"))
    }

    #[test]
    fn nothing_comes_in_from_outside_but_the_path() {
        let mut environment = shell();
        environment.set("ORKET_HOME", "here");
        let output = environment.run(&["-c", "env | cut -d= -f1 | sort | tr '\\n' ' '; pwd"]);
        // PWD, SHLVL and _ are the shell's own.
        let names: Vec<&str> = output
            .stdout
            .split_whitespace()
            .filter(|name| !matches!(*name, "PWD" | "SHLVL" | "_" | "OLDPWD"))
            .collect();
        assert_eq!(
            names,
            [
                "HOME",
                "ORKET_CLOCK",
                "ORKET_HOME",
                "PATH",
                "TMPDIR",
                "[project]"
            ]
        );
    }

    #[test]
    fn a_copy_of_a_project_begins_without_what_runs_left_behind() {
        let one = shell();
        for path in [
            ".orket/db",
            "agent_output/a",
            "workspace/w",
            ".env",
            "model/agent_output",
        ] {
            one.write(path, "x");
        }
        let two = CliEnvironment::with_project(Path::new("/bin/sh"), one.project());
        let found = crate::Tree::read(two.project());
        assert_eq!(found.files(), ["model/agent_output"]);
    }

    #[test]
    fn input_streams_and_code_come_through() {
        let output = shell().run_with_input(&["-c", "cat; echo why >&2; exit 7"], b"data\n");
        assert_eq!(
            output.to_string(),
            "$ orket -c cat; echo why >&2; exit 7\ndata\n-- standard error --\nwhy\n[exit 7]"
        );
    }

    #[test]
    #[should_panic(expected = "does not stand exactly once")]
    fn a_replacement_that_hits_nothing_is_a_mistake() {
        let environment = shell();
        environment.write("a", "text");
        environment.replace("a", "other", "new");
    }
}
