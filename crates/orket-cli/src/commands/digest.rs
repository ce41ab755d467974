//! `orket digest`: canonical bytes and digests by Law 4.

use std::io::{BufRead, Read, Write};

use orket_kernel::canonical;

use crate::exit::{self, Code, Failure};
use crate::terminal;

/// Prints the structural digest of a JSON document (the kernel's Law 4)
///
/// The digest is SHA-256 over the bytes that Python prints for
/// json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).
#[derive(clap::Args)]
#[command(after_help = "Example: printf '{\"b\":1e16,\"a\":[]}' | orket digest --canonical")]
pub(crate) struct Arguments {
    /// The document; standard input if left out or -
    #[arg(value_name = "FILE")]
    file: Option<std::path::PathBuf>,
    /// Print the canonical bytes instead, without a newline
    #[arg(long)]
    canonical: bool,
    /// Read one document per line; print one digest, or "error: …", per line
    #[arg(long)]
    lines: bool,
}

pub(crate) fn execute(arguments: &Arguments) -> Result<Code, Failure> {
    let name = arguments
        .file
        .as_deref()
        .filter(|file| file.as_os_str() != "-");
    let place = name.map_or("standard input".to_owned(), |file| {
        file.display().to_string()
    });
    let unreadable = |error: std::io::Error| {
        Failure::new(exit::INVALID, format!("{place} cannot be read: {error}"))
    };
    let input: Box<dyn Read> = match name {
        Some(file) => Box::new(std::fs::File::open(file).map_err(unreadable)?),
        None => Box::new(std::io::stdin()),
    };
    let limit = canonical::Limits::default().max_bytes as u64;
    if arguments.lines {
        return digest_lines(arguments, input, limit, &unreadable);
    }
    let mut bytes = Vec::new();
    // One byte more than the limit is enough for the reader to refuse the document.
    input
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let value = canonical::parse(&bytes)
        .map_err(|error| Failure::new(exit::NO, format!("{place}: {error}")))?;
    if arguments.canonical {
        terminal::print_exact(&canonical::to_bytes(&value))
    } else {
        terminal::print_exact(format!("{}\n", canonical::digest(&value)).as_bytes())
    }
}

fn digest_lines(
    arguments: &Arguments,
    input: Box<dyn Read>,
    limit: u64,
    unreadable: &dyn Fn(std::io::Error) -> Failure,
) -> Result<Code, Failure> {
    let mut reader = std::io::BufReader::new(input);
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let mut code = exit::DONE;
    loop {
        let mut line = Vec::new();
        let read = reader
            .by_ref()
            .take(limit + 2)
            .read_until(b'\n', &mut line)
            .map_err(unreadable)?;
        if read == 0 {
            break;
        }
        let is_whole = line.last() == Some(&b'\n');
        if is_whole {
            line.pop();
        } else if line.len() as u64 > limit {
            reader.skip_until(b'\n').map_err(unreadable)?;
        }
        let result = canonical::parse(&line);
        let written = match &result {
            Ok(value) if arguments.canonical => output
                .write_all(&canonical::to_bytes(value))
                .and_then(|()| output.write_all(b"\n")),
            Ok(value) => writeln!(output, "{}", canonical::digest(value)),
            Err(error) => {
                code = exit::NO;
                writeln!(output, "error: {error}")
            }
        };
        if let Err(error) = written {
            return lost(&error, code);
        }
    }
    output
        .flush()
        .map_or_else(|error| lost(&error, code), |()| Ok(code))
}

/// A reader that went away is no failure; output that is lost is one.
fn lost(error: &std::io::Error, code: Code) -> Result<Code, Failure> {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Ok(code);
    }
    Err(Failure::new(
        exit::INVALID,
        format!("standard output cannot be written: {error}"),
    ))
}
