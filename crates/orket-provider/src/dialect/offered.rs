//! The tools that were offered, by name.

use std::collections::BTreeMap;

use orket_kernel::canonical::Value;
use orket_ports::model::ToolOffer;

/// The longest name that is compared with others, in characters.
const COMPARED_MAX: usize = 64;

/// The longest name that is looked up while a text is read, in bytes.
pub(super) const NAME_MAX_BYTES: usize = 128;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// A text, as it stands.
    Text,
    /// Any other value, as JSON.
    Json,
}

/// The tools that may be called.
pub(super) struct Offered<'a>(BTreeMap<&'a str, &'a Value>);

impl<'a> Offered<'a> {
    pub(super) fn new(tools: &'a [ToolOffer]) -> Offered<'a> {
        let tools = tools.iter();
        Offered(
            tools
                .map(|tool| (tool.name.as_str(), &tool.parameters))
                .collect(),
        )
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// As [`Offered::has`], for a part of a text.
    pub(super) fn has_bytes(&self, name: &[u8]) -> bool {
        name.len() <= NAME_MAX_BYTES && std::str::from_utf8(name).is_ok_and(|name| self.has(name))
    }

    /// Says that there is no such tool, and which one is nearest.
    pub(super) fn unknown(&self, name: &str) -> String {
        let shown: String = name.chars().take(COMPARED_MAX).collect();
        match self.nearest(&shown) {
            Some(near) => format!("there is no tool {shown:?}; the nearest name is {near}"),
            None => format!("there is no tool {shown:?}"),
        }
    }

    /// Lists the names.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.0.keys().copied().collect();
        names.join(", ")
    }

    /// Returns the name that takes the fewest changes, if that are fewer than half of its characters.
    fn nearest(&self, name: &str) -> Option<&'a str> {
        let name: Vec<char> = name.to_lowercase().chars().take(COMPARED_MAX).collect();
        let distances = self.0.keys().map(|key| {
            let key_characters: Vec<char> = key.chars().take(COMPARED_MAX).collect();
            (changes(&name, &key_characters), *key)
        });
        let (changes, near) = distances.min()?;
        (changes * 2 <= near.chars().count()).then_some(near)
    }

    /// Tells what a parameter takes as far as the schema says; a text if it says nothing.
    pub(super) fn takes(&self, tool: &str, parameter: &str) -> Takes {
        let schema = self
            .0
            .get(tool)
            .and_then(|schema| schema.get("properties")?.get(parameter));
        let declared = schema.and_then(|schema| schema.get("type"));
        match declared {
            Some(Value::String(name)) if name != "string" => Takes::Json,
            Some(Value::Array(names)) if !names.contains(&Value::from("string")) => Takes::Json,
            _ => Takes::Text,
        }
    }
}

/// The fewest characters to insert, remove or replace.
fn changes(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, character) in one.iter().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (place, other) in row.iter_mut().skip(1).zip(other) {
            let replaced = diagonal + usize::from(character != other);
            diagonal = *place;
            *place = replaced.min(left + 1).min(diagonal + 1);
            left = *place;
        }
    }
    row.last().copied().unwrap_or_default()
}
