//! Settings from the environment and from `.env`; `.env.example` is made from the same table.

use std::collections::BTreeMap;
use std::path::Path;

use crate::exit::{self, Failure};

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
    /// Reads the settings of a project. The environment goes before `.env`.
    pub(crate) fn load(project: &Path) -> Result<Settings, Failure> {
        let mut values = read_env_file(&project.join(".env"))?;
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
        Ok(Settings(values))
    }

    /// Returns a setting; `None` if it is empty or not set.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

fn read_env_file(path: &Path) -> Result<BTreeMap<&'static str, String>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => {
            return Err(Failure::new(
                exit::INVALID,
                format!(".env cannot be read: {error}"),
            ));
        }
    };
    let mut values = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fault = |reason: &str| Failure::new(exit::INVALID, format!(".env:{number}: {reason}"));
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| fault("a line has the form NAME=value"))?;
        // Other programs keep their settings in the same file.
        let name = name.trim();
        if !name.starts_with("ORKET_") && name != "NO_COLOR" {
            continue;
        }
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.name == name)
            .ok_or_else(|| {
                let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
                fault(&format!(
                    "there is no setting {:?}; there are {}",
                    name,
                    names.join(", ")
                ))
            })?;
        values.insert(setting.name, value.trim().trim_matches('"').to_owned());
    }
    Ok(values)
}

/// Returns the text of `.env.example`.
pub(crate) fn env_example() -> String {
    let mut text = String::from(
        "# Settings of this project. Copy to .env, which is never committed, and change what you need.\n\
         # The environment goes before .env.\n",
    );
    for setting in SETTINGS {
        text.push_str(&format!(
            "\n# {}\n{}={}\n",
            setting.line, setting.name, setting.default
        ));
    }
    text
}
