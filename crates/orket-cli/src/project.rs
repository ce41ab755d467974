//! The project that a command works on, and its `orket.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orket_cards::{Author, OPERATOR_ROLE};
use orket_lsi::{Limits, Retention};
use orket_ports::SpacePolicy;
use orket_secrets::{Scrubber, Vault};
use orket_tools::command::BUILD_OUTPUTS;
use orket_tools::spaces::Ground;
use orket_workbench::verification::VerifyConfig;

use crate::exit::{self, Failure};
use crate::settings::{ENV_FILE, Settings};
use crate::terminal;

/// The file that makes a directory a project.
pub(crate) const CONFIG: &str = "orket.toml";

/// A project.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) home: PathBuf,
    /// The real places of both.
    pub(crate) ground: Ground,
    pub(crate) settings: Settings,
    pub(crate) config: Config,
    /// The secrets of the project.
    pub(crate) vault: Vault,
    /// What takes the secrets of the project out of everything.
    pub(crate) scrubber: Arc<Scrubber>,
}

/// The content of `orket.toml`.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// What agents may read and write.
    #[serde(default)]
    pub(crate) policy: SpacePolicy,
    /// Where what they may read lies, if not in the project.
    #[serde(default)]
    pub(crate) spaces: SpacesConfig,
    /// What is kept, and how much room it may take.
    #[serde(default)]
    pub(crate) retention: RetentionConfig,
    /// What is no secret.
    #[serde(default)]
    pub(crate) secrets: SecretsConfig,
    /// The project's own commands, which judge what the workbench is about to change.
    #[serde(default)]
    pub(crate) verify: VerifyConfig,
    /// What commands of agents leave behind.
    #[serde(default)]
    pub(crate) commands: CommandsConfig,
}

/// What commands of agents leave behind.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandsConfig {
    /// Names of files and directories that are not taken over, at any depth.
    pub(crate) build_outputs: BTreeSet<String>,
}

impl Default for CommandsConfig {
    fn default() -> CommandsConfig {
        let names = BUILD_OUTPUTS.iter().copied().map(str::to_owned);
        CommandsConfig {
            build_outputs: names.collect(),
        }
    }
}

/// What is no secret although it stands in `.env` or has a telling name.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretsConfig {
    /// Names whose values everybody may see.
    #[serde(default)]
    pub(crate) public: BTreeSet<String>,
}

/// What is kept. Without a bound everything is.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetentionConfig {
    /// How many of the newest generations stay readable.
    pub(crate) generations: Option<u64>,
    /// Of how many of the newest runs the records stay.
    pub(crate) runs: Option<u64>,
    /// How many bytes objects and records may take.
    pub(crate) bytes: Option<u64>,
    /// How many bytes database and large contents may take.
    pub(crate) quota_bytes: Option<u64>,
    /// How many bytes must stay free on the file system.
    pub(crate) reserve_bytes: Option<u64>,
    /// Whether the policy is applied after each run.
    #[serde(default)]
    pub(crate) auto: bool,
}

impl RetentionConfig {
    /// Returns the room that the home may take.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            quota_bytes: self.quota_bytes,
            reserve_bytes: self.reserve_bytes,
        }
    }

    /// Returns the bounds.
    pub(crate) fn policy(&self) -> Retention {
        Retention {
            generations: self.generations,
            runs: self.runs,
            bytes: self.bytes,
        }
    }
}

/// Where the reference spaces lie.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpacesConfig {
    /// Directories with inputs, by the name that agents call them. A path that is not absolute begins at the project.
    #[serde(default)]
    pub(crate) reference: BTreeMap<String, PathBuf>,
}

impl Project {
    /// Returns who acts: `ORKET_AUTHOR`, else the name of the login, else `operator`.
    pub(crate) fn author(&self) -> Result<Author, Failure> {
        let login = || {
            let names = ["USER", "LOGNAME"].into_iter();
            let mut names = names.filter_map(|name| std::env::var(name).ok());
            names.find(|name| !name.is_empty())
        };
        let name = match self.settings.value("ORKET_AUTHOR") {
            Some(name) => name.to_owned(),
            None => login().unwrap_or_else(|| OPERATOR_ROLE.to_owned()),
        };
        name.parse().map_err(|error: orket_kernel::InvalidName| {
            let message = format!("{error}; set ORKET_AUTHOR");
            Failure::new(exit::INVALID, message)
        })
    }

    /// Finds the project, if the working directory is in one.
    pub(crate) fn find_if_any(given: Option<&Path>) -> Result<Option<Project>, Failure> {
        if given.is_none() && nearest().is_err() {
            return Ok(None);
        }
        Project::find(given).map(Some)
    }

    /// Finds the project: the given directory, or the nearest one upward that holds `orket.toml`.
    pub(crate) fn find(given: Option<&Path>) -> Result<Project, Failure> {
        let root = match given {
            Some(directory) => {
                if !directory.join(CONFIG).is_file() {
                    let message = format!(
                        "{} is not a project: it holds no {CONFIG}; `orket init --project {0}` makes one",
                        directory.display()
                    );
                    return Err(Failure::new(exit::INVALID, message));
                }
                directory.to_path_buf()
            }
            None => nearest()?,
        };
        let root = root.canonicalize().map_err(|error| {
            Failure::new(
                exit::INVALID,
                format!("{} cannot be opened: {error}", root.display()),
            )
        })?;
        let config = read_config(&root)?;
        let (settings, vault) = Settings::load(&root, &config.secrets.public)?;
        let scrubber = Scrubber::new(&vault)
            .map_err(|error| Failure::new(exit::INVALID, format!("{ENV_FILE}: {error}")))?;
        let scrubber = Arc::new(scrubber);
        terminal::hide(Arc::clone(&scrubber));
        let home = root.join(settings.value("ORKET_HOME").unwrap_or(".orket"));
        let ground = Ground::new(&root, &home)?;
        if config.retention.generations == Some(0) {
            let message = format!("{CONFIG}: retention.generations must be at least 1");
            return Err(Failure::new(exit::INVALID, message));
        }
        Ok(Project {
            root,
            home,
            ground,
            settings,
            config,
            vault,
            scrubber,
        })
    }
}

fn nearest() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir().map_err(|error| {
        Failure::new(
            exit::INVALID,
            format!("the current directory cannot be found: {error}"),
        )
    })?;
    let found = here
        .ancestors()
        .find(|directory| directory.join(CONFIG).is_file());
    found.map(Path::to_path_buf).ok_or_else(|| {
        let message = format!(
            "no {CONFIG} in {} or above it; go to a project, name one with --project DIR, or make one with `orket init`",
            here.display()
        );
        Failure::new(exit::INVALID, message)
    })
}

fn read_config(root: &Path) -> Result<Config, Failure> {
    let fault = |reason: String| Failure::new(exit::INVALID, format!("{CONFIG}: {reason}"));
    let text =
        std::fs::read_to_string(root.join(CONFIG)).map_err(|error| fault(error.to_string()))?;
    toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        fault(format!("line {line}: {}", error.message()))
    })
}
