//! What a turn may see: a read-only view of the state, and layers of it.

use crate::{Digest, Payload, RefSource, StagedTurn, Stem, TripletRecord};

/// Says why the state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A record is malformed or does not match its digest.
    #[error("the record {place} is damaged: {reason}")]
    Corrupt {
        /// Which record.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The medium could not be read.
    #[error("the state could not be read at {place}")]
    Unavailable {
        /// What was read.
        place: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A replay asked for something that the original turn did not read.
    #[error("{place} was not read by the recorded turn")]
    NotRecorded {
        /// What was asked for.
        place: String,
    },
}

/// A read-only view of the state, as of one moment.
///
/// There is no method that writes: a function that is given a view cannot break Law 1.
/// Implementations re-check the digest of what they return.
pub trait StateView {
    /// Returns the triplet record of a stem, or `None` if there is no such stem.
    fn triplet(&self, stem: &Stem) -> Result<Option<TripletRecord>, ReadError>;

    /// Returns the stem that defines `id`, or `None` if nothing does.
    fn definition(&self, id: &str) -> Result<Option<Stem>, ReadError>;

    /// Returns all places that reference `id`, sorted.
    fn sources(&self, id: &str) -> Result<Vec<RefSource>, ReadError>;

    /// Returns how many places reference `id`. A store that keeps the trees of the state digest knows it without reading them.
    fn source_count(&self, id: &str) -> Result<u64, ReadError> {
        Ok(self.sources(id)?.len() as u64)
    }

    /// Returns the payload of an object, or `None` if it is not kept. That the bytes of a stream are those of its digest is
    /// known when it was read to its end.
    fn payload(&self, digest: &Digest) -> Result<Option<Payload>, ReadError>;

    /// Returns all stems that begin with `prefix`, sorted.
    fn stems(&self, prefix: &str) -> Result<Vec<Stem>, ReadError>;

    /// Returns the bytes of an object in memory, or `None` if it is not kept. For documents; raw content may be too long (see
    /// [`Payload::into_bytes`]) and is read by [`StateView::payload`].
    fn object(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ReadError> {
        let read = |payload: Payload| {
            let bytes = payload.into_bytes();
            bytes.map_err(|error| ReadError::of_payload(&format!("objects {digest}"), error))
        };
        self.payload(digest)?.map(read).transpose()
    }
}

/// The view of an index that holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyView;

impl StateView for EmptyView {
    fn triplet(&self, _: &Stem) -> Result<Option<TripletRecord>, ReadError> {
        Ok(None)
    }
    fn definition(&self, _: &str) -> Result<Option<Stem>, ReadError> {
        Ok(None)
    }
    fn sources(&self, _: &str) -> Result<Vec<RefSource>, ReadError> {
        Ok(Vec::new())
    }
    fn payload(&self, _: &Digest) -> Result<Option<Payload>, ReadError> {
        Ok(None)
    }
    fn stems(&self, _: &str) -> Result<Vec<Stem>, ReadError> {
        Ok(Vec::new())
    }
}

/// Staged turns laid over a lower view: staging shadows committed, the newest turn shadows older ones (Spec-002 §4).
pub struct Layered<'a> {
    lower: &'a dyn StateView,
    staged: &'a [StagedTurn],
}

impl<'a> Layered<'a> {
    /// Lays `staged`, oldest first, over `lower`.
    pub fn new(lower: &'a dyn StateView, staged: &'a [StagedTurn]) -> Layered<'a> {
        Layered { lower, staged }
    }

    fn shadows(&self, stem: &Stem) -> bool {
        self.staged.iter().any(|turn| turn.touches(stem))
    }
}

impl StateView for Layered<'_> {
    fn triplet(&self, stem: &Stem) -> Result<Option<TripletRecord>, ReadError> {
        for turn in self.staged.iter().rev() {
            if let Some(staged) = turn.triplets.get(stem) {
                return Ok(Some(staged.record.clone()));
            }
            if turn.deletions.contains(stem) {
                return Ok(None);
            }
        }
        self.lower.triplet(stem)
    }

    fn definition(&self, id: &str) -> Result<Option<Stem>, ReadError> {
        for (age, turn) in self.staged.iter().enumerate().rev() {
            let newer = &self.staged[age + 1..];
            if let Some(stem) = turn.defining_stem(id)
                && !newer.iter().any(|turn| turn.touches(stem))
            {
                return Ok(Some(stem.clone()));
            }
        }
        Ok(self
            .lower
            .definition(id)?
            .filter(|stem| !self.shadows(stem)))
    }

    fn sources(&self, id: &str) -> Result<Vec<RefSource>, ReadError> {
        let mut sources: Vec<RefSource> = self
            .lower
            .sources(id)?
            .into_iter()
            .filter(|source| !self.shadows(&source.stem))
            .collect();
        for (age, turn) in self.staged.iter().enumerate() {
            let newer = &self.staged[age + 1..];
            for (stem, staged) in &turn.triplets {
                if !newer.iter().any(|turn| turn.touches(stem)) {
                    let own = staged.references.iter().filter(|(target, _)| target == id);
                    sources.extend(own.map(|(_, source)| source.clone()));
                }
            }
        }
        sources.sort();
        Ok(sources)
    }

    fn payload(&self, digest: &Digest) -> Result<Option<Payload>, ReadError> {
        for turn in self.staged.iter().rev() {
            if let Some(payload) = turn.objects.get(digest) {
                return Ok(Some(payload.clone()));
            }
        }
        self.lower.payload(digest)
    }

    fn stems(&self, prefix: &str) -> Result<Vec<Stem>, ReadError> {
        let mut stems = self.lower.stems(prefix)?;
        for turn in self.staged {
            stems.retain(|stem| !turn.deletions.contains(stem));
            stems.extend(
                turn.triplets
                    .keys()
                    .filter(|stem| stem.as_str().starts_with(prefix))
                    .cloned(),
            );
        }
        stems.sort();
        stems.dedup();
        Ok(stems)
    }
}
