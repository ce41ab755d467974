//! The templates that are part of the program.

use super::{Template, TemplateFile};
use crate::error::Error;

/// Name, header, files.
type Embedded = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static [u8])],
);

macro_rules! template {
    ($name:literal: $($path:literal)+) => {
        (
            $name,
            include_str!(concat!("../../templates/", $name, "/template.toml")),
            &[$(($path, include_bytes!(concat!("../../templates/", $name, "/files/", $path)))),+],
        )
    };
}

const EMBEDDED: &[Embedded] = &[
    template!("minimal-node":
        ".gitignore" "README.md" "orket.toml" "package.json" "src/index.js" "test/index.test.js"),
    template!("minimal-python":
        ".gitignore" "README.md" "orket.toml" "pyproject.toml" "tests/__init__.py" "tests/test_greeting.py"
        "{{snake}}/__init__.py" "{{snake}}/__main__.py"),
    template!("minimal-rust":
        ".gitignore" "Cargo.toml" "README.md" "orket.toml" "src/lib.rs" "src/main.rs"),
];

/// Returns the templates, sorted by name.
///
/// # Errors
///
/// None that a test does not find: the data are part of the program.
pub fn embedded() -> Result<Vec<Template>, Error> {
    let templates = EMBEDDED.iter().map(|(name, header, files)| {
        let files = files.iter().map(|(path, bytes)| TemplateFile {
            path: (*path).to_owned(),
            bytes: bytes.to_vec(),
            is_executable: false,
        });
        Template::parse(name, header, files.collect())
    });
    templates.collect()
}
