//! `orket explain`: what the kernel's codes mean.

use std::fmt::Write;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Code, object};

use crate::exit::{self, Failure};
use crate::terminal;

/// Tells what a code of the kernel means, when it comes and what to do
///
/// The pages are those of docs/kernel/codes/ and part of the program; no project is needed.
#[derive(clap::Args)]
#[command(after_help = "Example: orket explain E_LSI_ORPHAN_REFERENCE")]
pub(crate) struct Arguments {
    /// The code; all codes with their meaning if left out
    code: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments) -> Result<exit::Code, Failure> {
    let text = match &arguments.code {
        Some(text) => {
            let code = Code::parse(text).ok_or_else(|| unknown(text))?;
            if arguments.json {
                format!("{}\n", canonical::to_string(&json(code)))
            } else {
                code.page().to_owned()
            }
        }
        None if arguments.json => {
            let codes: Vec<Value> = Code::ALL.iter().map(|code| json(*code)).collect();
            format!("{}\n", canonical::to_string(&Value::from(codes)))
        }
        None => list(),
    };
    terminal::print_bytes(text.as_bytes())
}

fn list() -> String {
    let lengths = Code::ALL.iter().map(|code| code.as_str().len());
    let width = lengths.max().unwrap_or_default();
    let mut text = String::new();
    for code in Code::ALL {
        let _ = writeln!(text, "{:width$} {}", code.as_str(), code.meaning());
    }
    text
}

fn json(code: Code) -> Value {
    object! {
        "code" => code.as_str(),
        "since" => code.since(),
        "meaning" => code.meaning(),
        "page" => code.page(),
    }
}

fn unknown(text: &str) -> Failure {
    let nearest = Code::ALL
        .iter()
        .min_by_key(|code| edit_distance(text, code.as_str()));
    let hint = nearest.map_or(String::new(), |code| format!("the nearest is {code}, and "));
    Failure::new(
        exit::USAGE,
        format!("there is no code {text:?}; {hint}`orket explain` lists them all"),
    )
}

/// Counts the bytes to insert, delete or replace, letters in either case being the same.
fn edit_distance(one: &str, two: &str) -> usize {
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (index, from) in one.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(two.bytes()) {
            let replaced = diagonal + usize::from(!from.eq_ignore_ascii_case(&to));
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_single_edits() {
        for (one, two, distance) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("e_lsi", "E_LSI", 0),
        ] {
            assert_eq!(edit_distance(one, two), distance, "{one:?} and {two:?}");
        }
    }
}
