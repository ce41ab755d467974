//! `orket explain`: what the codes of the kernel and of the workbench mean.

use std::fmt::Write;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Code, object};
use orket_workbench::Code as WorkbenchCode;

use crate::exit::{self, Failure};
use crate::terminal;

/// Tells what a code of the kernel or the workbench means, when it comes and what to do
///
/// The pages are those of docs/kernel/codes/ and the sections of docs/workbench.md, and part of the program; no project is
/// needed.
#[derive(clap::Args)]
#[command(after_help = "Example: orket explain E_LSI_ORPHAN_REFERENCE")]
pub(crate) struct Arguments {
    /// The code; all codes with their meaning if left out
    code: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A code of either registry.
#[derive(Clone, Copy)]
enum Explained {
    Kernel(Code),
    Workbench(WorkbenchCode),
}

pub(crate) fn execute(arguments: &Arguments) -> Result<exit::Code, Failure> {
    let text = match &arguments.code {
        Some(text) => {
            let all = all();
            let code = all.iter().find(|code| code.as_str() == text);
            let code = code.ok_or_else(|| unknown(text, &all))?;
            if arguments.json {
                format!("{}\n", canonical::to_string(&code.json()))
            } else {
                code.page()
            }
        }
        None if arguments.json => {
            let codes: Vec<Value> = all().iter().map(Explained::json).collect();
            format!("{}\n", canonical::to_string(&Value::from(codes)))
        }
        None => list(),
    };
    terminal::print_bytes(text.as_bytes())
}

/// Returns every code: those of the kernel, then those of the workbench.
fn all() -> Vec<Explained> {
    let kernel = Code::ALL.iter().copied().map(Explained::Kernel);
    let workbench = WorkbenchCode::ALL.iter().copied().map(Explained::Workbench);
    kernel.chain(workbench).collect()
}

impl Explained {
    fn as_str(&self) -> &'static str {
        match self {
            Explained::Kernel(code) => code.as_str(),
            Explained::Workbench(code) => code.as_str(),
        }
    }

    fn meaning(&self) -> &'static str {
        match self {
            Explained::Kernel(code) => code.meaning(),
            Explained::Workbench(code) => code.meaning(),
        }
    }

    fn page(&self) -> String {
        match self {
            Explained::Kernel(code) => code.page().to_owned(),
            Explained::Workbench(code) => code.page(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Explained::Kernel(code) => object! {
                "code" => code.as_str(),
                "since" => code.since(),
                "meaning" => code.meaning(),
                "page" => code.page(),
            },
            Explained::Workbench(code) => object! {
                "code" => code.as_str(),
                "meaning" => code.meaning(),
                "page" => code.page(),
            },
        }
    }
}

fn list() -> String {
    let all = all();
    let lengths = all.iter().map(|code| code.as_str().len());
    let width = lengths.max().unwrap_or_default();
    let mut text = String::new();
    for code in all {
        let _ = writeln!(text, "{:width$} {}", code.as_str(), code.meaning());
    }
    text
}

fn unknown(text: &str, all: &[Explained]) -> Failure {
    let nearest = all
        .iter()
        .min_by_key(|code| edit_distance(text, code.as_str()));
    let hint = nearest.map_or(String::new(), |code| {
        format!("the nearest is {}, and ", code.as_str())
    });
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
