//! What the scrubber finds, what it leaves alone, and that it does not matter how a stream is cut.
#![expect(
    clippy::unwrap_used,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod forms;
mod left_alone;
mod scrubber;
mod shapes;
mod streams;

use std::io::Write;

use orket_secrets::{Scrubber, Secret, Vault};

/// Makes a scrubber that knows these secrets.
fn knows(secrets: &[(&str, &str)]) -> Scrubber {
    let environment = secrets
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Secret::new((*text).to_owned())));
    let vault = Vault::gather(Vec::new(), environment, &Default::default()).unwrap();
    assert_eq!(
        vault.names().count(),
        secrets.len(),
        "a secret was passed over"
    );
    Scrubber::new(&vault).unwrap()
}

/// Scrubs a stream that comes in pieces which end at these places.
fn in_pieces(scrubber: &Scrubber, bytes: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut writer = scrubber.writer(Vec::new());
    let mut at = 0;
    for cut in cuts {
        let cut = (*cut).clamp(at, bytes.len());
        writer.write_all(&bytes[at..cut]).unwrap();
        at = cut;
    }
    writer.write_all(&bytes[at..]).unwrap();
    writer.finish().unwrap()
}
