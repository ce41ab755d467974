//! Settings from the environment and from `.env`; `.env.example` is made from the same table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use orket_secrets::env_file::{self, Entry};
use orket_secrets::{Secret, Vault};

use crate::exit::{self, Failure};

/// The file of settings and secrets in a project.
pub(crate) const ENV_FILE: &str = ".env";

/// One setting.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) default: &'static str,
    pub(crate) line: &'static str,
}

/// Every setting there is.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "ORKET_HOME",
        default: "",
        line: "Where the database lies; .orket in the project if empty. Relative to the project.",
    },
    Setting {
        name: "ORKET_OLLAMA_URL",
        default: "",
        line: "Where Ollama is; the venue's base_url if empty.",
    },
    Setting {
        name: "ORKET_AUTHOR",
        default: "",
        line: "Who acts when a person changes something, for the record; the name of the login if empty.",
    },
    Setting {
        name: "ORKET_CLOCK",
        default: "",
        line: "A fixed time for events, for sessions that must come out the same; the system's clock if empty.",
    },
    Setting {
        name: "NO_COLOR",
        default: "",
        line: "Any text turns colours off.",
    },
];

/// The settings of one command.
pub(crate) struct Settings(BTreeMap<&'static str, String>);

impl Settings {
    /// Reads the settings of a project, and its secrets: what else stands in `.env`, and what the environment holds under
    /// telling names. The environment goes before `.env` for settings. Names in `public` are no secrets.
    pub(crate) fn load(
        project: &Path,
        public: &BTreeSet<String>,
    ) -> Result<(Settings, Vault), Failure> {
        let (mut values, rest) = split(read_env_file(&project.join(ENV_FILE))?)?;
        for setting in SETTINGS {
            match std::env::var(setting.name) {
                Ok(value) => {
                    values.insert(setting.name, value);
                }
                Err(std::env::VarError::NotPresent) => {}
                Err(std::env::VarError::NotUnicode(_)) => {
                    let message = format!("the setting {} is not UTF-8 text", setting.name);
                    return Err(Failure::new(exit::INVALID, message));
                }
            }
        }
        let vault = Vault::gather(rest, environment(), public)
            .map_err(|error| Failure::new(exit::INVALID, format!("{ENV_FILE}:{error}")))?;
        Ok((Settings(values), vault))
    }

    /// Returns a setting; `None` if it is empty or not set.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// Returns the environment besides settings.
pub(crate) fn environment() -> impl Iterator<Item = (String, Secret)> {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        Some((name, Secret::new(value.into_string().ok()?)))
    });
    variables.filter(|(name, _)| setting(name).is_none())
}

fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

fn read_env_file(path: &Path) -> Result<Vec<Entry>, Failure> {
    let fault = |reason: String| {
        Failure::new(
            exit::INVALID,
            format!("{ENV_FILE} cannot be read: {reason}"),
        )
    };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error.to_string())),
        // Opening a pipe would wait for whoever writes into it.
        Ok(metadata) if !metadata.is_file() => return Err(fault("it is not a file".to_owned())),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| {
            // One byte more than the limit is enough for the reader to refuse the file.
            file.take(env_file::MAX_BYTES as u64 + 1)
                .read_to_end(&mut bytes)
        })
        .map_err(|error| fault(error.to_string()))?;
    env_file::read(&bytes)
        .map_err(|error| Failure::new(exit::INVALID, format!("{ENV_FILE}:{error}")))
}

/// Tells settings from what else stands in the file: other programs keep theirs there, and it is the place for secrets.
fn split(entries: Vec<Entry>) -> Result<(BTreeMap<&'static str, String>, Vec<Entry>), Failure> {
    let mut values = BTreeMap::new();
    let mut rest = Vec::new();
    for entry in entries {
        match setting(&entry.name) {
            Some(setting) => {
                values.insert(setting.name, entry.value.expose().to_owned());
            }
            None if entry.name.starts_with("ORKET_") => {
                let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
                let message = format!(
                    "{ENV_FILE}:{}: there is no setting {:?}; there are {}",
                    entry.line,
                    entry.name,
                    names.join(", ")
                );
                return Err(Failure::new(exit::INVALID, message));
            }
            None => rest.push(entry),
        }
    }
    Ok((values, rest))
}

/// Returns the text of `.env.example`.
pub(crate) fn env_example() -> String {
    let mut text = String::from(
        "# Settings of this project. Copy to .env, which is never committed, and change what you need.\n\
         # The environment goes before .env. Whatever else stands in .env is a secret: it is hidden wherever it appears.\n",
    );
    for setting in SETTINGS {
        text.push_str(&format!(
            "\n# {}\n{}={}\n",
            setting.line, setting.name, setting.default
        ));
    }
    text
}
