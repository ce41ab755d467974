//! Embeds the sample project, so that `orket init` needs no file beside the binary.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What of the sample project belongs to a new project. `.env.example` and `.gitignore` are written by the command
/// itself; the rest is what runs of the sample left behind.
const PARTS: &[&str] = &["orket.toml", "model", "verification", "cassettes"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?)
        .join("../../fixtures/first_light")
        .canonicalize()?;
    let mut files = Vec::new();
    for part in PARTS {
        let path = root.join(part);
        println!("cargo::rerun-if-changed={}", path.display());
        collect(&path, &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file
            .strip_prefix(&root)?
            .to_str()
            .ok_or("a sample's name is not UTF-8")?;
        let place = file.to_str().ok_or("a sample's path is not UTF-8")?;
        writeln!(table, "    ({name:?}, include_bytes!({place:?})),")?;
    }
    table.push_str("]\n");
    std::fs::write(
        PathBuf::from(std::env::var("OUT_DIR")?).join("samples.rs"),
        table,
    )?;
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    if path.is_dir() {
        for entry in path.read_dir()? {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_path_buf());
    }
    Ok(())
}
