//! Payloads that are streams: kept as what they were measured to be, or not at all.

use std::io::{Cursor, ErrorKind, Read};
use std::sync::{Arc, Mutex};

use orket_kernel::{
    Digest, Kernel, Payload, PayloadSource, StagingArea, StateStore, StateView, Stream, TurnInput,
};

use super::world::{
    card, committed, draft_now, envelope, promote_draft, run_id, start, turn, turn_id,
};

/// A place whose bytes somebody can change or take away.
#[derive(Clone, Debug)]
struct Place(Arc<Mutex<Option<Vec<u8>>>>);

impl PayloadSource for Place {
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        match &*self.0.lock().unwrap() {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            None => Err(ErrorKind::NotFound.into()),
        }
    }
}

/// A turn with one card and the stream of a place.
fn with_stream(place: &Place) -> (TurnInput, Digest) {
    let stream = Stream::measure(Arc::new(place.clone()), u64::MAX);
    let stream = stream.unwrap().unwrap();
    let digest = stream.digest();
    let mut input = turn(1, vec![card("X", &[], "x")], &[]);
    let attached = Payload::Streamed(stream);
    input.attachments.insert(digest, attached);
    (input, digest)
}

/// Once a turn is staged, where its streams came from is needed no more, be they short or long.
pub fn a_stream_is_staged_promoted_and_read_back<S: StateStore>(empty: impl Fn() -> S) {
    for length_bytes in [0, 100, (1 << 20) + 1, 3 << 20] {
        let bytes = vec![7; length_bytes];
        let place = Place(Arc::new(Mutex::new(Some(bytes.clone()))));
        let (input, digest) = with_stream(&place);
        let kernel = Kernel::new(empty());
        let mut run = kernel.start_run(&envelope("a")).unwrap();
        let execution = run.execute_turn(&input).unwrap();
        place.0.lock().unwrap().take();
        let staged = kernel.store().staging().staged(&run_id("a")).unwrap();
        assert_eq!(staged[0].0, execution.staged.unwrap());
        run.commit_turn(turn_id(1)).unwrap();
        let now = kernel.store().committed().unwrap();
        assert_eq!(now.object(&digest).unwrap(), Some(bytes));
        let kept = now.payload(&digest).unwrap().unwrap();
        assert_eq!(kept.length_bytes(), length_bytes as u64);
    }
}

/// Bytes that changed after they were measured are not kept under the digest of others, and nothing else of the turn is.
pub fn a_stream_that_is_not_what_it_says_is_never_kept<S: StateStore>(empty: impl Fn() -> S) {
    for length_bytes in [100, 3 << 20] {
        let measured = vec![7; length_bytes];
        let mut flipped = measured.clone();
        flipped[length_bytes / 2] ^= 1;
        let longer = [&measured[..], b"x"].concat();
        let shorter = measured[1..].to_vec();
        for now in [Some(flipped), Some(longer), Some(shorter), None] {
            let store = empty();
            start(&store, &["a"]);
            let before = committed(&store, &["a"]);
            let place = Place(Arc::new(Mutex::new(Some(measured.clone()))));
            let (input, digest) = with_stream(&place);
            let draft = draft_now(&store, "a", &input);
            *place.0.lock().unwrap() = now;
            assert!(store.staging().stage(&draft.staged, &draft.record).is_err());
            assert!(store.staging().staged(&run_id("a")).unwrap().is_empty());
            assert!(promote_draft(&store, &draft).is_err());
            assert_eq!(committed(&store, &["a"]), before);
            let view = store.committed().unwrap();
            assert_eq!(view.payload(&digest).unwrap(), None);
            *place.0.lock().unwrap() = Some(measured.clone());
            promote_draft(&store, &draft).unwrap();
        }
    }
}
