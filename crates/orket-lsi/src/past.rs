//! Reads of the committed state as it was at a retained generation.

use orket_kernel::{Digest, Payload, ReadError, RefSource, StateView, Stem, TripletRecord};

use crate::access::Access;
use crate::committed::Committed;
use crate::content::{self, Content};
use crate::promotion::Head;
use crate::{StoreError, history, horizon, promotion, state, tree};

/// The committed state as it was at one generation.
///
/// # Limitations
/// Of an older generation than the newest no nodes of the state digest are kept, so what a single read returns is checked
/// field by field but not up to the chain; [`Past::check`] does that for the whole generation. At the newest
/// generation every read is checked as those of a `Snapshot` are. Objects are checked against their digests in both.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    access: Access<'a>,
    /// The generation that is read.
    at: Head,
    /// Where the index stands.
    newest: Head,
}

impl<'a> Past<'a> {
    /// Opens a generation; refused below the horizon and above the newest.
    pub(crate) fn open(
        access: Access<'a>,
        newest: Head,
        generation: u64,
    ) -> Result<Past<'a>, StoreError> {
        if generation > newest.generation {
            return Err(StoreError::NoGeneration {
                generation,
                newest: newest.generation,
            });
        }
        let horizon = horizon::read(access)?;
        if generation < horizon {
            return Err(StoreError::NotRetained {
                generation,
                horizon,
            });
        }
        let at = match generation {
            0 => Head::empty(),
            _ => {
                let row = promotion::at(access, generation)?.ok_or_else(|| {
                    StoreError::corrupt(format!("promotions {generation}"), "the row is missing")
                })?;
                Head::of(&row)
            }
        };
        Ok(Past { access, at, newest })
    }

    /// Returns where the index stood: the generation, its roots and its state digest, by the chain.
    pub fn head(&self) -> Head {
        self.at
    }

    /// Computes the state digest from the rows of this generation and compares it with the chain. Costs time in
    /// proportion to the state.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if they differ, or if a row is malformed.
    pub fn check(&self) -> Result<(), StoreError> {
        let found = self.state_digest()?;
        if found == self.at.state_digest {
            return Ok(());
        }
        let place = format!("generation {}", self.at.generation);
        let reason = format!(
            "its rows have the state digest {found}, the chain says {}",
            self.at.state_digest
        );
        Err(StoreError::corrupt(place, reason))
    }

    /// Computes the state digest from the rows of this generation.
    pub(crate) fn state_digest(&self) -> Result<Digest, StoreError> {
        let (access, generation) = (self.access, self.at.generation);
        let mut triplets = Vec::new();
        for stem in history::stems(access, "", generation)? {
            if let Some(row) = history::triplet(access, &stem, generation)? {
                let leaf = state::triplet_leaf(&row.record);
                triplets.push((tree::key_hash(stem.as_str()), leaf));
            }
        }
        let mut refs = Vec::new();
        for id in history::ids(access, generation)? {
            let leaf = ref_leaf(access, &id, generation)?;
            refs.extend(leaf.map(|leaf| (tree::key_hash(&id), leaf)));
        }
        triplets.sort();
        refs.sort();
        let roots = [&triplets, &refs].map(|entries| tree::root_of(entries));
        Ok(state::digest(&roots[0], &roots[1]))
    }

    /// Returns all ids that are defined or referenced, sorted.
    pub(crate) fn ids(&self) -> Result<Vec<String>, StoreError> {
        history::ids(self.access, self.at.generation)
    }

    pub(crate) fn record(&self, stem: &Stem) -> Result<Option<TripletRecord>, StoreError> {
        let row = match self.present() {
            Some(committed) => committed.checked_row(stem)?,
            None => history::triplet(self.access, stem, self.at.generation)?,
        };
        Ok(row.map(|row| row.record))
    }

    pub(crate) fn id(&self, id: &str) -> Result<(Option<Stem>, Vec<RefSource>), StoreError> {
        match self.present() {
            Some(committed) => {
                let defined_by = committed.checked_id(id)?.defined_by;
                Ok((defined_by, committed.checked_sources(id)?))
            }
            None => {
                let (access, generation) = (self.access, self.at.generation);
                let defined_by = history::defining_stem(access, id, generation)?;
                Ok((defined_by, history::sources(access, id, generation)?))
            }
        }
    }

    pub(crate) fn document(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        content::read(self.access, Content::Object, digest)
    }

    /// The newest generation has nodes to check against.
    fn present(&self) -> Option<Committed<'a>> {
        (self.at.generation == self.newest.generation)
            .then(|| Committed::new(self.access, self.newest))
    }
}

/// Returns the leaf that an id had.
pub(crate) fn ref_leaf(
    access: Access<'_>,
    id: &str,
    generation: u64,
) -> Result<Option<Digest>, StoreError> {
    let defined_by = history::defining_stem(access, id, generation)?;
    let sources = history::sources(access, id, generation)?;
    let sources = state::source_root(&sources);
    Ok(state::ref_leaf(id, defined_by.as_ref(), &sources))
}

impl StateView for Past<'_> {
    fn triplet(&self, stem: &Stem) -> Result<Option<TripletRecord>, ReadError> {
        self.record(stem)
            .map_err(|error| error.into_read_error(stem.as_str()))
    }

    fn definition(&self, id: &str) -> Result<Option<Stem>, ReadError> {
        let found = self.id(id).map_err(|error| error.into_read_error(id))?;
        Ok(found.0)
    }

    fn sources(&self, id: &str) -> Result<Vec<RefSource>, ReadError> {
        let found = self.id(id).map_err(|error| error.into_read_error(id))?;
        Ok(found.1)
    }

    fn payload(&self, digest: &Digest) -> Result<Option<Payload>, ReadError> {
        content::payload(self.access, Content::Object, digest)
            .map_err(|error| error.into_read_error(&digest.to_hex()))
    }

    fn stems(&self, prefix: &str) -> Result<Vec<Stem>, ReadError> {
        history::stems(self.access, prefix, self.at.generation)
            .map_err(|error| error.into_read_error(prefix))
    }
}
