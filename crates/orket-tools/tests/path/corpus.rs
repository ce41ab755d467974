//! The corpus in `fixtures/paths`, read; its README says what the fields mean.

use std::fs;
use std::path::{Path, PathBuf};

use orket_tools::path::ComponentRule;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A thing that is made on the disk before a case is played. Places are below the scene.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Step {
    File {
        at: String,
        content: String,
    },
    Directory {
        at: String,
    },
    Symlink {
        at: String,
        to: String,
    },
    HardLink {
        at: String,
        to: String,
    },
    Fifo {
        at: String,
    },
    Socket {
        at: String,
    },
    Device {
        at: String,
        kind: String,
        major: u32,
        minor: u32,
    },
    Bind {
        at: String,
        to: String,
    },
    Remove {
        at: String,
    },
}

impl Step {
    /// Whether only the owner of the machine can take it.
    pub(crate) fn is_privileged(&self) -> bool {
        matches!(self, Step::Device { .. } | Step::Bind { .. })
    }
}

/// What must become of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expect {
    /// The call is refused before anything is looked at.
    Refused,
    /// Whatever is answered, nothing of outside is in it, and nothing outside is changed.
    Contained,
}

/// A path that must lead nowhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attack {
    pub(crate) name: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) make: Vec<Step>,
    pub(crate) expect: Expect,
    /// One of the reasons of a refusal.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// The action of the tools that refuse; for the others it is to be contained.
    #[serde(default)]
    pub(crate) action: Option<String>,
}

/// A path that must be accepted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) make: Vec<Step>,
    /// What stands there, as an artefact of the index.
    #[serde(default)]
    pub(crate) artifact: Option<String>,
    /// What stands there, on the disk.
    #[serde(default)]
    pub(crate) content: Option<String>,
    /// What is in the directory.
    #[serde(default)]
    pub(crate) entries: Option<Vec<String>>,
    /// Whether it may be written.
    #[serde(default)]
    pub(crate) writable: bool,
}

/// Traps that stand in one directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traps {
    pub(crate) make: Vec<Step>,
    pub(crate) refused: Vec<Refused>,
}

/// What is refused on the way to the disk, and the error that reading and appending give for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refused {
    pub(crate) path: String,
    pub(crate) error: String,
}

/// Names for the portable policy alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Names {
    pub(crate) unfit: Vec<Unfit>,
    pub(crate) fit: Vec<Fit>,
}

/// A name that is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unfit {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) rule: String,
    /// The component that breaks the rule, cut to 80 characters.
    #[serde(default)]
    pub(crate) part: Option<String>,
}

/// A name that people use.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fit {
    pub(crate) path: String,
}

pub(crate) fn names() -> Names {
    read("names.json")
}

pub(crate) fn traps() -> Traps {
    read("traps.json")
}

/// The attacks on spaces and disk, and the unfit names wherever a path can begin.
pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks: Vec<Attack> = read("spaces.json");
    attacks.extend(read::<Vec<Attack>>("disk.json"));
    for unfit in names()
        .unfit
        .into_iter()
        .filter(|unfit| !unfit.path.is_empty())
    {
        for prefix in ["", "agent_output/", "docs:", "launch:"] {
            attacks.push(Attack {
                name: format!("{prefix} {}", unfit.name),
                path: format!("{prefix}{}", unfit.path),
                make: Vec::new(),
                expect: Expect::Refused,
                reason: Some("path".into()),
                action: None,
            });
        }
    }
    attacks
}

pub(crate) fn controls() -> Vec<Control> {
    read("controls.json")
}

/// The word of the corpus for a rule.
pub(crate) fn rule_word(rule: ComponentRule) -> &'static str {
    match rule {
        ComponentRule::Empty => "empty",
        ComponentRule::Dots => "dots",
        ComponentRule::TooLong => "too_long",
        ComponentRule::Control(_) => "control",
        ComponentRule::Hidden(_) => "hidden",
        ComponentRule::Reserved(_) => "reserved",
        ComponentRule::TrailingDotOrBlank => "trailing",
        ComponentRule::DeviceName => "device",
        _ => "a rule without a word",
    }
}

fn read<T: DeserializeOwned>(file: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/paths")
        .join(file);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where the corpus lies, for the sizes that the README promises.
pub(crate) fn readme() -> String {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/paths/README.md");
    fs::read_to_string(path).unwrap()
}
