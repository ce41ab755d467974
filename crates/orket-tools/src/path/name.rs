//! Names of files that mean the same on every system.

use std::fmt;
use std::str::FromStr;

/// The number of bytes a component may have.
const COMPONENT_BYTES: usize = 255;
/// The number of bytes a path may have.
const PATH_BYTES: usize = 1024;
/// The number of components a path may have.
const DEPTH: usize = 64;

/// A path below some directory, checked once against the portable name policy.
///
/// It is UTF-8, separated by `/`, and none of its components is empty, `.` or `..`, holds a control, bidirectional or
/// invisible character or one of `\ : < > " ? * |`, ends with a dot or a blank, or is a device name of Windows. Paths
/// are ordered by their bytes.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct RelativePath(String);

/// Says which rule a text breaks that should be a [`RelativePath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelativePathError {
    /// There is no name at all.
    #[error("a path cannot be empty")]
    Empty,
    /// The path as a whole is too long.
    #[error("a path cannot have {bytes} bytes, at most {PATH_BYTES}")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// The path has too many components.
    #[error("a path cannot have {depth} components, at most {DEPTH}")]
    TooDeep {
        /// How many it has.
        depth: usize,
    },
    /// One component breaks a rule.
    #[error("the name {component:?} in the path {path:?} {rule}")]
    Component {
        /// The path as given.
        path: String,
        /// The component, cut to 80 characters.
        component: String,
        /// The rule it breaks.
        rule: ComponentRule,
    },
}

/// The rules for one component of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComponentRule {
    /// Two separators in a row, or one at the start or the end.
    Empty,
    /// `.` or `..`.
    Dots,
    /// More bytes than a file system takes.
    TooLong,
    /// A control character, NUL among them.
    Control(char),
    /// A character that changes the direction of text, or cannot be seen.
    Hidden(char),
    /// One of `\ : < > " ? * |`.
    Reserved(char),
    /// A dot or a blank at the end, which some systems drop.
    TrailingDotOrBlank,
    /// A device name of Windows, whatever its extension.
    DeviceName,
}

impl fmt::Display for ComponentRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ComponentRule::Empty => formatter.write_str("is empty"),
            ComponentRule::Dots => formatter.write_str("is not a name of its own"),
            ComponentRule::TooLong => write!(formatter, "has more than {COMPONENT_BYTES} bytes"),
            ComponentRule::Control(found) => {
                write!(
                    formatter,
                    "holds the control character U+{:04X}",
                    u32::from(*found)
                )
            }
            ComponentRule::Hidden(found) => {
                write!(
                    formatter,
                    "holds the hidden character U+{:04X}",
                    u32::from(*found)
                )
            }
            ComponentRule::Reserved(found) => {
                write!(formatter, "holds the reserved character {found}")
            }
            ComponentRule::TrailingDotOrBlank => formatter.write_str("ends with a dot or a blank"),
            ComponentRule::DeviceName => formatter.write_str("is a device name of Windows"),
        }
    }
}

impl RelativePath {
    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path of `below`, one or more components, in this directory.
    ///
    /// # Errors
    ///
    /// When `below` is not a path, or both together are too long or too deep.
    pub fn join(&self, below: &str) -> Result<RelativePath, RelativePathError> {
        RelativePath::try_from(format!("{}/{below}", self.0))
    }

    /// Tells whether the path is `directory` or lies below it. Whole components are compared: `ab/c` is not below `a`.
    pub fn starts_with(&self, directory: &RelativePath) -> bool {
        self.0
            .strip_prefix(directory.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns the path of the directory the last component is in; `None` if there is only one component.
    pub fn parent(&self) -> Option<RelativePath> {
        self.0
            .rsplit_once('/')
            .map(|(parent, _)| RelativePath(parent.to_owned()))
    }

    /// Returns the last component.
    pub fn file_name(&self) -> &str {
        self.0
            .rsplit_once('/')
            .map_or(self.as_str(), |(_, name)| name)
    }

    /// Returns the components from the first to the last.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }
}

impl TryFrom<String> for RelativePath {
    type Error = RelativePathError;

    fn try_from(text: String) -> Result<RelativePath, RelativePathError> {
        if text.is_empty() {
            return Err(RelativePathError::Empty);
        }
        if text.len() > PATH_BYTES {
            return Err(RelativePathError::TooLong { bytes: text.len() });
        }
        let depth = text.split('/').count();
        if depth > DEPTH {
            return Err(RelativePathError::TooDeep { depth });
        }
        for component in text.split('/') {
            if let Err(rule) = check_component(component) {
                let component = component.chars().take(80).collect();
                return Err(RelativePathError::Component {
                    path: text,
                    component,
                    rule,
                });
            }
        }
        Ok(RelativePath(text))
    }
}

impl TryFrom<&str> for RelativePath {
    type Error = RelativePathError;

    fn try_from(text: &str) -> Result<RelativePath, RelativePathError> {
        RelativePath::try_from(text.to_owned())
    }
}

impl FromStr for RelativePath {
    type Err = RelativePathError;

    fn from_str(text: &str) -> Result<RelativePath, RelativePathError> {
        RelativePath::try_from(text)
    }
}

impl From<RelativePath> for String {
    fn from(path: RelativePath) -> String {
        path.0
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn check_component(component: &str) -> Result<(), ComponentRule> {
    if component.is_empty() {
        return Err(ComponentRule::Empty);
    }
    if matches!(component, "." | "..") {
        return Err(ComponentRule::Dots);
    }
    if component.len() > COMPONENT_BYTES {
        return Err(ComponentRule::TooLong);
    }
    for character in component.chars() {
        if character.is_control() {
            return Err(ComponentRule::Control(character));
        }
        if is_hidden(character) {
            return Err(ComponentRule::Hidden(character));
        }
        if matches!(character, '\\' | ':' | '<' | '>' | '"' | '?' | '*' | '|') {
            return Err(ComponentRule::Reserved(character));
        }
    }
    if component.ends_with(|last: char| last == '.' || last.is_whitespace()) {
        return Err(ComponentRule::TrailingDotOrBlank);
    }
    if is_device_name(component) {
        return Err(ComponentRule::DeviceName);
    }
    Ok(())
}

/// Tells whether a character turns the direction of text, ends a line or takes no room. The joiners U+200C and U+200D, the
/// variation selectors and the fillers of syllables are not among them: words of several languages need them.
pub(crate) fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}' | '\u{200B}' | '\u{200E}'
            | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}'
    )
}

/// Windows takes `nul`, `NUL.txt`, `nul .txt` and `COM¹` for devices, in every directory.
fn is_device_name(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or(component).trim_end();
    let stem = stem.to_ascii_uppercase();
    if matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$"
    ) {
        return true;
    }
    let Some(port) = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"))
    else {
        return false;
    };
    let mut characters = port.chars();
    let number = characters.next();
    characters.next().is_none()
        && number.is_some_and(|number| matches!(number, '0'..='9' | '¹' | '²' | '³'))
}
