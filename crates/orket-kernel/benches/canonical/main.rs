//! How fast a document becomes its digest, side by side with others; `cargo xtask bench kernel` runs it.
//!
//! Other work on the machine slows all contestants, so they take turns in rounds, and of each only its best round counts.

mod documents;
mod python;
mod random;
mod table;

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use documents::Document;
use orket_kernel::canonical;
use python::Python;
use sha2::{Digest as _, Sha256};
use table::Row;

const ROUNDS: usize = 12;
/// How long a contestant runs before another has its turn.
const TURN: Duration = Duration::from_millis(10);

fn main() -> io::Result<()> {
    // `cargo bench -- text` measures only the documents with that in their name.
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let documents = documents::all()
        .into_iter()
        .filter(|document| match &wanted {
            Some(part) => document.name.contains(part.as_str()),
            None => true,
        });
    let mut python = Python::start();
    let rows: Vec<Row> = documents
        .map(|document| measure(&document, python.as_mut()))
        .collect::<io::Result<_>>()?;
    write!(io::stdout(), "{}", table::markdown(&rows))
}

fn measure(document: &Document, mut python: Option<&mut Python>) -> io::Result<Row> {
    let bytes = document.text.as_bytes();
    let value = canonical::parse(bytes).map_err(io::Error::other)?;
    let digest = canonical::digest(&value);
    if canonical::digest_bytes(bytes) != Ok(digest) {
        return Err(io::Error::other("the two ways to a digest differ"));
    }
    if digest_by_serde_json(bytes).is_none() || digest_by_serde_jcs(bytes).is_none() {
        return Err(io::Error::other("a contestant does not take the document"));
    }
    if let Some(python) = &mut python
        && python.take(bytes)? != digest.to_hex()
    {
        return Err(io::Error::other("Python finds another digest"));
    }

    let mut row = Row::new(document.name.clone(), bytes.len());
    for _ in 0..ROUNDS {
        row.raw.keep(turn(|| Sha256::digest(black_box(bytes))));
        row.from_bytes
            .keep(turn(|| canonical::digest_bytes(black_box(bytes))));
        row.from_value
            .keep(turn(|| canonical::digest(black_box(&value))));
        row.parse.keep(turn(|| canonical::parse(black_box(bytes))));
        row.serde_json
            .keep(turn(|| digest_by_serde_json(black_box(bytes))));
        row.serde_jcs
            .keep(turn(|| digest_by_serde_jcs(black_box(bytes))));
        if let Some(python) = &mut python {
            row.python.keep(python.turn(TURN)?);
        }
    }
    Ok(row)
}

/// Reads into a map that is sorted, writes it, digests the text: close to the canonical form, but for numbers.
fn digest_by_serde_json(bytes: &[u8]) -> Option<[u8; 32]> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let text = serde_json::to_vec(&value).ok()?;
    Some(Sha256::digest(&text).into())
}

/// The same with the canonical form of RFC 8785, in which the order of keys and the text of numbers are others.
fn digest_by_serde_jcs(bytes: &[u8]) -> Option<[u8; 32]> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let text = serde_jcs::to_vec(&value).ok()?;
    Some(Sha256::digest(&text).into())
}

/// Returns the shortest time one call took, of as many as fit a turn.
fn turn<T>(mut work: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    let mut best = Duration::MAX;
    while start.elapsed() < TURN {
        let call = Instant::now();
        black_box(work());
        best = best.min(call.elapsed());
    }
    best
}
