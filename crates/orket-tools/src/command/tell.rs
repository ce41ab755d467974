//! What is told of a command: the same words on every machine and in every run, as far as the command does the same.

use std::collections::BTreeMap;
use std::path::Path;

use orket_kernel::canonical::Value;
use orket_ports::verifier::ArtifactFile;
use orket_secrets::Scrubber;

use super::SEEN_AT;
use crate::spaces::OUTPUT;

/// How much of the beginning of an output is told, in bytes.
const BEGINNING_BYTES: usize = 2 * 1024;
/// How much of the end of an output is told, in bytes: there is why something failed.
const END_BYTES: usize = 6 * 1024;
/// How many changes are told one by one.
const CHANGES_TOLD: usize = 200;

/// Returns what was printed, with one name for the place of the copy, without secrets, and cut in the middle.
pub(super) fn printed(bytes: &[u8], is_cut: bool, work: &Path, scrubber: &Scrubber) -> String {
    // Where output was cut, half of a secret may stand.
    let whole = if is_cut {
        scrubber.beginning(bytes).into_owned()
    } else {
        bytes.to_vec()
    };
    let text = String::from_utf8_lossy(&whole).replace(&*work.to_string_lossy(), SEEN_AT);
    let text = scrubber.text(&text);
    if text.len() <= BEGINNING_BYTES + END_BYTES {
        return text.into_owned();
    }
    let mut beginning = BEGINNING_BYTES;
    while !text.is_char_boundary(beginning) {
        beginning -= 1;
    }
    let mut end = text.len() - END_BYTES;
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let left_out = end - beginning;
    format!(
        "{}\n… {left_out} bytes left out …\n{}",
        &text[..beginning],
        &text[end..]
    )
}

/// Returns the changes, one line each, sorted by path.
pub(super) fn changes(
    before: &BTreeMap<String, ArtifactFile>,
    changes: &BTreeMap<String, Option<ArtifactFile>>,
) -> Vec<Value> {
    let line = |(path, file): (&String, &Option<ArtifactFile>)| {
        let what = match (before.get(path), file) {
            (_, None) => "removed",
            (None, Some(_)) => "created",
            (Some(old), Some(new)) if old.payload == new.payload => "mode of",
            (Some(_), Some(_)) => "changed",
        };
        Value::from(format!("{what} {OUTPUT}/{path}"))
    };
    let mut lines: Vec<Value> = changes.iter().take(CHANGES_TOLD).map(line).collect();
    if changes.len() > CHANGES_TOLD {
        let more = changes.len() - CHANGES_TOLD;
        lines.push(format!("and {more} more").into());
    }
    lines
}

#[cfg(test)]
mod tests {
    use orket_secrets::{Secret, Vault};

    use super::*;

    fn scrubber(secrets: &[(&str, &str)]) -> Scrubber {
        let secrets = secrets
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Secret::new((*text).to_owned())));
        let vault = Vault::gather(Vec::new(), secrets, &Default::default()).unwrap();
        Scrubber::new(&vault).unwrap()
    }

    #[test]
    fn output_is_told_without_secrets_and_places_and_with_both_ends() {
        let work = Path::new("/tmp/orket-check-1-x/work");
        let scrubber = scrubber(&[("A_KEY", "correct horse")]);
        let told = |text: &str| printed(text.as_bytes(), false, work, &scrubber);
        assert_eq!(
            told("/tmp/orket-check-1-x/work/agent_output/a: no\n"),
            "/work/agent_output/a: no\n"
        );
        // The cut falls into the secret, and into a character.
        let long = format!(
            "{}correct horse{}",
            "x".repeat(BEGINNING_BYTES - 3),
            "ü".repeat(END_BYTES)
        );
        let cut = told(&long);
        assert!(!cut.contains("horse") && !cut.contains("cor"), "{cut}");
        assert!(cut.contains(" bytes left out "));
        assert!(cut.len() < BEGINNING_BYTES + END_BYTES + 40);
    }

    #[test]
    fn an_output_that_was_cut_off_shows_no_half_of_a_secret() {
        let scrubber = scrubber(&[("A_KEY", "correct horse")]);
        let told = printed(b"say correct ho", true, Path::new("/tmp/x"), &scrubber);
        assert!(!told.contains("correct"), "{told}");
    }
}
