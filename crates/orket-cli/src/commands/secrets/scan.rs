//! `orket secrets scan`: where secrets lie.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use orket_kernel::canonical::{self, Value};
use orket_kernel::object;
use orket_secrets::{Kind, Piece, Scrubber};

use super::walk::walk;
use crate::exit::{self, Code, Failure};
use crate::project::Project;
use crate::settings::ENV_FILE;
use crate::terminal;

/// Tells where secrets lie in a file or below a directory, never what they are
///
/// One line for each: file, line, column in bytes, and what it is. Every kind of file is read, databases too. No link is
/// followed; .git and the project's own .env, which is the place for secrets, are passed over unless they are PATH itself.
#[derive(clap::Args)]
#[command(
    after_help = "Examples: orket secrets scan .; orket secrets scan agent_output --json\n\n\
    Exit code 0 if there is none, 1 if there is one, 3 if there is none in what could be read."
)]
pub(super) struct Arguments {
    /// The file or directory
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How many finds are listed.
const FINDS_MAX: usize = 10_000;

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// A secret in a file.
struct Find {
    path: String,
    line: u64,
    column: u64,
    kind: &'static str,
    name: String,
    bytes: usize,
}

pub(super) fn execute(arguments: &Arguments, project: Option<&Project>) -> Result<Code, Failure> {
    let scrubber = super::scrubber(project)?;
    let env_file = project.map(|project| project.root.join(ENV_FILE));
    let mut walked = walk(&arguments.path, env_file.as_deref());
    let mut finds = Vec::new();
    let mut files = 0_u64;
    for path in &walked.files {
        match scan(&scrubber, path, &mut finds) {
            Ok(()) => files += 1,
            Err(error) => walked.unseen.push((path.clone(), error.to_string())),
        }
        if finds.len() >= FINDS_MAX {
            finds.truncate(FINDS_MAX);
            let reason = format!("after {FINDS_MAX} finds nothing more is looked at");
            walked.unseen.push((path.clone(), reason));
            break;
        }
    }
    let unseen: Vec<(String, String)> = walked
        .unseen
        .into_iter()
        .map(|(path, reason)| (told(&path), reason))
        .collect();
    let text = if arguments.json {
        json(&finds, &unseen, files)
    } else {
        report(&finds)
    };
    terminal::print_bytes(text.as_bytes())?;
    for (path, reason) in &unseen {
        terminal::say(&format!("note: {path} was not looked at: {reason}\n"));
    }
    if !finds.is_empty() {
        return Ok(exit::NO);
    }
    if !unseen.is_empty() {
        let message = "no secret was found, but not everything could be looked at";
        return Err(Failure::new(exit::INVALID, message));
    }
    Ok(exit::DONE)
}

fn scan(scrubber: &Scrubber, path: &Path, finds: &mut Vec<Find>) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; READ_BYTES];
    let mut stream = scrubber.stream();
    let (mut line, mut column) = (1, 1);
    let mut take = |piece: Piece<'_>| {
        let (ends, behind, length) = match piece {
            Piece::Clean(bytes) => {
                let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
                let last = bytes.rsplit(|byte| *byte == b'\n').next();
                (ends, last.map_or(0, <[u8]>::len), bytes.len())
            }
            Piece::Secret {
                kind,
                length_bytes,
                lines: (ends, behind),
            } => {
                let (kind, name) = match kind {
                    Kind::Known(name) => ("secret", name),
                    Kind::Shape(name) => ("shape", name),
                };
                if finds.len() < FINDS_MAX {
                    finds.push(Find {
                        path: told(path),
                        line,
                        column,
                        kind,
                        name: name.to_owned(),
                        bytes: length_bytes,
                    });
                }
                (ends, behind, length_bytes)
            }
        };
        line += ends as u64;
        column = if ends > 0 {
            behind as u64 + 1
        } else {
            column + length as u64
        };
    };
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => stream.push(buffer.get(..read).unwrap_or_default(), &mut take),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    stream.finish(&mut take);
    Ok(())
}

fn told(path: &Path) -> String {
    terminal::plain(&path.to_string_lossy())
}

fn report(finds: &[Find]) -> String {
    let mut text = String::new();
    for find in finds {
        let Find {
            path,
            line,
            column,
            kind,
            name,
            bytes,
        } = find;
        let _ = writeln!(text, "{path}:{line}:{column}: {kind} {name}, {bytes} bytes");
    }
    text
}

fn json(finds: &[Find], unseen: &[(String, String)], files: u64) -> String {
    let finds = finds.iter().map(|find| {
        object! {
            "path" => find.path.as_str(),
            "line" => find.line,
            "column" => find.column,
            "kind" => find.kind,
            "name" => find.name.as_str(),
            "bytes" => find.bytes as u64,
        }
    });
    let unseen = unseen.iter().map(|(path, reason)| {
        object! { "path" => path.as_str(), "reason" => reason.as_str() }
    });
    let report = object! {
        "finds" => finds.collect::<Vec<Value>>(),
        "files" => files,
        "unseen" => unseen.collect::<Vec<Value>>(),
    };
    format!("{}\n", canonical::to_string(&report))
}
