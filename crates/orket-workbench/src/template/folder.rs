//! A template in a folder of the user's own: `template.toml`, and its files below `files/`.

use std::path::Path;

use super::{TEMPLATE, Template, TemplateFile};
use crate::error::Error;
use crate::files::{Files, Kind};
use crate::plan::Limits;

/// Reads a template from a folder.
///
/// # Errors
///
/// When it has no readable `template.toml`, holds a link or special file, or is too large.
pub fn read(folder: &Path, files: &dyn Files, limits: Limits) -> Result<Template, Error> {
    let name = folder.display().to_string();
    let invalid = |path: &Path, reason: String| Error::InitConfigInvalid {
        file: path.display().to_string(),
        reason,
    };
    let header = folder.join(TEMPLATE);
    let bytes = files.read(&header, 1 << 20);
    let bytes = bytes.map_err(|error| invalid(&header, error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| invalid(&header, error.to_string()))?;
    let top = folder.join("files");
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    let mut total = 0;
    while let Some(path) = open.pop() {
        let full = top.join(&path);
        let entry = files
            .look(&full)
            .map_err(|error| invalid(&full, error.to_string()))?;
        match entry {
            Some(entry) if entry.kind == Kind::Directory => {
                let names = files
                    .list(&full)
                    .map_err(|error| invalid(&full, error.to_string()))?;
                for name in names {
                    open.push(if path.is_empty() {
                        name
                    } else {
                        format!("{path}/{name}")
                    });
                }
            }
            Some(entry) if entry.kind == Kind::File => {
                let bytes = files.read(&full, limits.file_bytes);
                let bytes = bytes.map_err(|error| invalid(&full, error.to_string()))?;
                total += bytes.len() as u64;
                if found.len() >= limits.files || total > limits.bytes {
                    return Err(Error::LimitExceeded {
                        what: format!(
                            "the template {name} has more than {} files or {} bytes",
                            limits.files, limits.bytes
                        ),
                    });
                }
                found.push(TemplateFile {
                    path,
                    bytes,
                    is_executable: entry.mode & 0o100 != 0,
                });
            }
            Some(_) => return Err(invalid(&full, "it is a link or a special file".to_owned())),
            None => return Err(invalid(&full, "it is not there".to_owned())),
        }
    }
    found.sort_by(|one, two| one.path.cmp(&two.path));
    Template::parse(&name, &text, found)
}
