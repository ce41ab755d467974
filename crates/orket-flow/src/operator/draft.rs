//! What an operator's turn sets, with its documents, while it is put together.

use std::collections::{BTreeMap, BTreeSet};

use orket_cards::{Changes, PutStem};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, Payload, ReadError, StateView, Stem, Triplet, TripletRecord};

use super::Documents;

/// The stems that a turn sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    put: BTreeMap<Stem, PutStem>,
    deleted: BTreeSet<Stem>,
    attached: BTreeSet<Digest>,
    pub(crate) documents: Documents,
}

/// One artefact that cannot lie where another one lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InTheWay {
    /// The path that is set, below `agent_output/`.
    pub(crate) path: String,
    /// The path that is in its way.
    pub(crate) known: String,
}

impl Draft {
    /// Puts a triplet.
    pub(crate) fn put(&mut self, triplet: &Triplet) {
        let mut keep = |value: &Value| {
            let bytes = canonical::to_bytes(value);
            let digest = Digest::of_bytes(&bytes);
            self.documents.insert(digest, bytes.into());
            digest
        };
        let put = PutStem {
            stem: triplet.stem.clone(),
            body: keep(&triplet.body),
            links: keep(&triplet.links),
            manifest: keep(&triplet.manifest),
        };
        self.put.insert(put.stem.clone(), put);
    }

    /// Puts a stem with documents that are kept already; `false` if one of them is not.
    pub(crate) fn put_back(
        &mut self,
        record: &TripletRecord,
        kept: &dyn StateView,
    ) -> Result<bool, ReadError> {
        let digests = [
            record.body_digest,
            record.links_digest,
            record.manifest_digest,
        ];
        for digest in digests {
            match kept.payload(&digest)? {
                Some(payload) => self.documents.insert(digest, payload),
                None => return Ok(false),
            };
        }
        let [body, links, manifest] = digests;
        let stem = record.stem.clone();
        let put = PutStem {
            stem: stem.clone(),
            body,
            links,
            manifest,
        };
        self.put.insert(stem, put);
        Ok(true)
    }

    /// Deletes a stem.
    pub(crate) fn delete(&mut self, stem: Stem) {
        self.deleted.insert(stem);
    }

    /// Attaches a content.
    pub(crate) fn attach(&mut self, payload: &Payload) -> Digest {
        let digest = payload.digest();
        self.attached.insert(digest);
        self.documents.insert(digest, payload.clone());
        digest
    }

    /// Tells whether nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        self.put.is_empty() && self.deleted.is_empty()
    }

    /// Returns what is set, by digests.
    pub(crate) fn changes(&self) -> Changes {
        Changes {
            put: self.put.values().cloned().collect(),
            deleted: self.deleted.iter().cloned().collect(),
            attached: self.attached.iter().copied().collect(),
        }
    }

    /// Finds the first artefact that would lie below another one, after the turn.
    pub(crate) fn in_the_way(&self, view: &dyn StateView) -> Result<Option<InTheWay>, ReadError> {
        let stays = |stem: &Stem| -> Result<bool, ReadError> {
            let is_put = self.put.contains_key(stem);
            Ok(is_put || (!self.deleted.contains(stem) && view.triplet(stem)?.is_some()))
        };
        for stem in self.put.keys().filter(|stem| stem.kind() == "artifact") {
            let path = stem.name();
            let found = |known: &str| {
                Some(InTheWay {
                    path: path.to_owned(),
                    known: known.to_owned(),
                })
            };
            for (end, _) in path.match_indices('/') {
                let (above, _) = path.split_at(end);
                if let Ok(parent) = Stem::parse(&format!("artifact/{above}"))
                    && stays(&parent)?
                {
                    return Ok(found(above));
                }
            }
            for below in view.stems(&format!("{stem}/"))? {
                if !self.deleted.contains(&below) {
                    return Ok(found(below.name()));
                }
            }
        }
        Ok(None)
    }
}
