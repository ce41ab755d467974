//! Asks CPython.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/canonical.py");

/// What CPython makes of one document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Canonical {
        bytes: Vec<u8>,
        digest: String,
    },
    /// The category: a code of the kernel, or `syntax` for all that breaks the grammar.
    Refused(String),
}

/// Says why CPython cannot be asked, if so; printed by a test that is skipped for it.
pub(crate) fn is_missing() -> Option<String> {
    // Since 3.11 Python bounds the digits of an integer, which is part of Law 4.
    let probe = "import sys; sys.exit(not (3, 11) <= sys.version_info[:2])";
    match Command::new("python3").args(["-c", probe]).status() {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("python3 is older than 3.11 ({status})")),
        Err(error) => Some(format!("python3 cannot be started: {error}")),
    }
}

/// Asks about all documents in one batch; the answers come in the order of the documents.
pub(crate) fn ask(documents: &[Vec<u8>]) -> Vec<Answer> {
    let mut python = Command::new("python3")
        .args(["-X", "utf8", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let mut input = python.stdin.take().unwrap();
    let lines: Vec<String> = documents
        .iter()
        .map(|bytes| hex::encode(bytes) + "\n")
        .collect();
    // Python answers while it reads, so both directions must flow at once.
    let writer = thread::spawn(move || {
        lines
            .iter()
            .try_for_each(|line| input.write_all(line.as_bytes()))
    });
    let output = BufReader::new(python.stdout.take().unwrap());
    let answers: Vec<Answer> = output
        .lines()
        .map(|line| read_answer(&line.unwrap()))
        .collect();
    writer
        .join()
        .unwrap()
        .expect("python3 reads every document");
    assert!(python.wait().unwrap().success());
    assert_eq!(answers.len(), documents.len());
    answers
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Canonical { bytes, .. } => {
                let shown: String = String::from_utf8_lossy(bytes).chars().take(2_000).collect();
                write!(f, "{shown:?}")
            }
            Answer::Refused(category) => write!(f, "refused: {category}"),
        }
    }
}

fn read_answer(line: &str) -> Answer {
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["ok", bytes, digest] => Answer::Canonical {
            bytes: hex::decode(bytes).unwrap(),
            digest: digest.to_owned(),
        },
        ["refused", category] => Answer::Refused(category.to_owned()),
        _ => panic!("python3 answered {line:?}"),
    }
}
