//! RFC 6901 pointers into a turn input.

use std::fmt;

/// A JSON pointer (RFC 6901); the root is the empty text.
///
/// ```
/// use orket_kernel::Pointer;
/// assert_eq!(Pointer::root().key("links").key("a/b").index(2).as_str(), "/links/a~1b/2");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Pointer(String);

impl Pointer {
    /// Returns the pointer to the whole document.
    pub fn root() -> Pointer {
        Pointer::default()
    }

    /// Returns the pointer to the member `key` of this place.
    #[must_use]
    pub fn key(&self, key: &str) -> Pointer {
        let mut text = self.0.clone();
        text.push('/');
        for character in key.chars() {
            match character {
                '~' => text.push_str("~0"),
                '/' => text.push_str("~1"),
                other => text.push(other),
            }
        }
        Pointer(text)
    }

    /// Returns the pointer to the element `index` of this place.
    #[must_use]
    pub fn index(&self, index: usize) -> Pointer {
        Pointer(format!("{}/{index}", self.0))
    }

    /// Returns the pointer to the place that `pointer` names from here; it must have the syntax of RFC 6901.
    pub(crate) fn join(&self, pointer: &str) -> Pointer {
        Pointer(format!("{}{pointer}", self.0))
    }

    /// Returns the text of the pointer.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes `text` as a pointer if it has the syntax of RFC 6901.
    pub fn parse(text: &str) -> Option<Pointer> {
        let escapes_are_whole = text
            .split('~')
            .skip(1)
            .all(|rest| rest.starts_with('0') || rest.starts_with('1'));
        let is_pointer = (text.is_empty() || text.starts_with('/')) && escapes_are_whole;
        is_pointer.then(|| Pointer(text.to_owned()))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Pointer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Pointer::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not an RFC 6901 pointer")))
    }
}
