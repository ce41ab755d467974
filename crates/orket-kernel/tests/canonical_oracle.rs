//! Law 4 is CPython's `json`: asks it about random documents and compares every byte.

mod oracle;

use std::io::Write;

use oracle::cases::{self, Expected};
use oracle::documents::{self, Made};
use oracle::python::{self, Answer};
use oracle::random::Random;
use orket_kernel::canonical;

const DOCUMENTS: usize = 5_000;
const SEED: u64 = 0x0eca_0004;

/// Says why the test is skipped, if it is: a skipped oracle must be seen.
fn is_skipped(test: &str) -> bool {
    let reason = python::is_missing();
    if let Some(reason) = &reason {
        // Not a macro: the harness would swallow what those print in a test that passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {reason}");
    }
    reason.is_some()
}

fn category(code: &str) -> &str {
    match code {
        "unexpected_end"
        | "unexpected_character"
        | "trailing_data"
        | "control_character"
        | "invalid_escape"
        | "invalid_number" => "syntax",
        other => other,
    }
}

/// Returns what the kernel makes of a document, in the oracle's words.
fn kernel_answer(document: &[u8]) -> Answer {
    match canonical::parse(document) {
        Ok(value) => Answer::Canonical {
            bytes: canonical::to_bytes(&value),
            digest: canonical::digest(&value).to_hex(),
        },
        Err(error) => Answer::Refused(category(error.code()).to_owned()),
    }
}

/// Returns what the kernel makes of a document without a value in between.
fn short_answer(document: &[u8]) -> Answer {
    match (
        canonical::canonicalize(document),
        canonical::digest_bytes(document),
    ) {
        (Ok(text), Ok(digest)) => Answer::Canonical {
            bytes: text.into_owned(),
            digest: digest.to_hex(),
        },
        (Err(error), Err(_)) => Answer::Refused(category(error.code()).to_owned()),
        (_, digest) => Answer::Refused(format!("only one of two ways refuses: {digest:?}")),
    }
}

/// Says in what the two answers differ, if they do.
fn check(document: &[u8], made: Made, python: &Answer) -> Result<(), String> {
    let kernel = kernel_answer(document);
    let agrees = match (made, python) {
        (Made::Valid, Answer::Refused(_)) => false,
        (Made::Faulty(category), refused) => {
            *refused == Answer::Refused(category.to_owned()) && kernel == *refused
        }
        // A document changed at random may have several faults, and the two find them in different order.
        (Made::Mutated, Answer::Refused(_)) => matches!(kernel, Answer::Refused(_)),
        (_, canonical) => kernel == *canonical,
    };
    if agrees && short_answer(document) == kernel {
        return Ok(());
    }
    let shown: String = String::from_utf8_lossy(document)
        .chars()
        .take(2_000)
        .collect();
    Err(format!(
        "{made:?} {shown:?}\n  kernel: {kernel}\n  python: {python}"
    ))
}

#[test]
fn random_documents_have_the_bytes_and_digests_of_python() {
    if is_skipped("random_documents_have_the_bytes_and_digests_of_python") {
        return;
    }
    let count = match std::env::var("ORKET_ORACLE_DOCUMENTS") {
        Ok(text) => text.parse().expect("ORKET_ORACLE_DOCUMENTS is a number"),
        Err(_) => DOCUMENTS,
    };
    let mut random = Random::new(SEED);
    let made: Vec<(Vec<u8>, Made)> = (0..count)
        .map(|_| documents::document(&mut random))
        .collect();
    let questions: Vec<Vec<u8>> = made.iter().map(|(document, _)| document.clone()).collect();
    let answers = python::ask(&questions);

    let failures: Vec<String> = made
        .iter()
        .zip(&answers)
        .filter_map(|((document, made), answer)| check(document, *made, answer).err())
        .collect();
    let refused = answers
        .iter()
        .filter(|answer| matches!(answer, Answer::Refused(_)))
        .count();
    println!(
        "{count} documents: {} canonical, {refused} refused",
        count - refused
    );
    let shown = failures
        .iter()
        .take(5)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        failures.is_empty(),
        "{} of {count} documents differ:\n{shown}",
        failures.len()
    );
    assert!(
        refused > 0 && refused < count / 2,
        "{refused} of {count} documents are refused"
    );
}

#[test]
fn python_agrees_with_every_curated_case() {
    if is_skipped("python_agrees_with_every_curated_case") {
        return;
    }
    let cases = cases::load();
    let documents: Vec<Vec<u8>> = cases.iter().map(|case| case.document.clone()).collect();
    for (case, answer) in cases.iter().zip(python::ask(&documents)) {
        match (&case.expected, answer) {
            (
                Expected::Canonical { text, digest },
                Answer::Canonical {
                    bytes,
                    digest: found,
                },
            ) => {
                assert_eq!(*digest, found, "{}", case.name);
                if let Some(text) = text {
                    assert_eq!(text.as_bytes(), bytes, "{}", case.name);
                }
            }
            (Expected::Refusal { .. }, Answer::Refused(_)) => {}
            (_, answer) => panic!("{}: {answer:?}", case.name),
        }
    }
}
