//! The languages that the workbench can read.

mod keywords;
mod parse;

use std::fmt;

pub(crate) use parse::{Parsed, RegionKind};

use crate::path::TouchPath;

/// A language with a grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Rust.
    Rust,
    /// Python.
    Python,
    /// JavaScript with JSX.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// JSON, of which only keys are names.
    Json,
}

impl Language {
    /// Returns the language of a file by the end of its name.
    pub fn of(path: &TouchPath) -> Option<Language> {
        let (_, extension) = path.as_str().rsplit_once('.')?;
        match extension {
            "rs" => Some(Language::Rust),
            "py" | "pyi" => Some(Language::Python),
            "js" | "mjs" | "cjs" | "jsx" => Some(Language::JavaScript),
            "ts" | "mts" | "cts" => Some(Language::TypeScript),
            "tsx" => Some(Language::Tsx),
            "json" => Some(Language::Json),
            _ => None,
        }
    }

    pub(crate) fn grammar(self) -> tree_sitter::Language {
        match self {
            Language::Rust => tree_sitter_rust::LANGUAGE.into(),
            Language::Python => tree_sitter_python::LANGUAGE.into(),
            Language::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Language::Json => tree_sitter_json::LANGUAGE.into(),
        }
    }

    /// Says why a text is no identifier of the language, if it is none.
    pub fn objection(self, name: &str) -> Option<String> {
        let has_dollar = matches!(
            self,
            Language::JavaScript | Language::TypeScript | Language::Tsx | Language::Json
        );
        let starts = |it: char| it == '_' || it.is_alphabetic() || (has_dollar && it == '$');
        let goes_on = |it: char| starts(it) || it.is_numeric();
        let mut characters = name.chars();
        match characters.next() {
            None => return Some("it is empty".to_owned()),
            Some(first) if !starts(first) => {
                return Some(format!("it begins with {first:?}"));
            }
            Some(_) => {}
        }
        if let Some(other) = characters.find(|it| !goes_on(*it)) {
            return Some(format!("it holds {other:?}"));
        }
        if name.len() > 255 {
            return Some("it is longer than 255 bytes".to_owned());
        }
        if keywords::of(self).contains(&name) {
            return Some("it is a word of the language".to_owned());
        }
        None
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Language::Rust => "Rust",
            Language::Python => "Python",
            Language::JavaScript => "JavaScript",
            Language::TypeScript | Language::Tsx => "TypeScript",
            Language::Json => "JSON",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn an_identifier_is_one_of_its_language() {
        let good = [
            (Language::Rust, "user_id"),
            (Language::Rust, "größe"),
            (Language::Python, "_x9"),
            (Language::JavaScript, "$el"),
            (Language::TypeScript, "a$b"),
            (Language::Rust, "None"),
        ];
        for (language, name) in good {
            assert_eq!(language.objection(name), None, "{language} {name}");
        }
        let bad = [
            (Language::Rust, ""),
            (Language::Rust, "9x"),
            (Language::Rust, "a-b"),
            (Language::Rust, "a b"),
            (Language::Rust, "fn"),
            (Language::Rust, "_"),
            (Language::Rust, "$el"),
            (Language::Python, "class"),
            (Language::Python, "None"),
            (Language::JavaScript, "function"),
            (Language::TypeScript, "this"),
            (Language::JavaScript, "a.b"),
        ];
        for (language, name) in bad {
            assert!(language.objection(name).is_some(), "{language} {name:?}");
        }
    }
}
