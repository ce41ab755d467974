//! What a turn read, misses included: enough to execute it again without the index.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::canonical::{self, Value};
use crate::execute::record_digests;
use crate::{
    Digest, LSI_VERSION, Payload, ReadError, RefSource, StateView, Stem, TripletRecord, TurnId,
    object,
};

/// The facts that a turn read. It names no run, no time and no turn, so it is the same wherever the facts are.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ReadSet {
    facts: BTreeMap<String, Value>,
}

impl ReadSet {
    /// Returns the digest of all facts.
    pub fn digest(&self) -> Digest {
        canonical::digest(&self.to_value())
    }

    /// Returns the facts as canonical JSON.
    pub fn to_value(&self) -> Value {
        Value::Object(self.facts.clone())
    }

    /// Reads the facts back.
    pub fn from_value(value: &Value) -> Option<ReadSet> {
        Some(ReadSet {
            facts: value.as_object()?.clone(),
        })
    }

    /// Returns the digests of all objects that were read: what a replay needs.
    pub fn objects(&self) -> Vec<Digest> {
        let mut digests = Vec::new();
        for (key, fact) in &self.facts {
            if let Some((OBJECT, digest)) = key.split_once(':')
                && !fact.is_null()
            {
                digests.extend(digest.parse::<Digest>().ok());
            }
        }
        digests
    }

    /// Names the first fact that `view` tells otherwise; `None` if it tells all of them as they were read.
    ///
    /// # Errors
    /// Fails if a fact is malformed, or if the state cannot be read.
    pub fn first_change(&self, view: &dyn StateView) -> Result<Option<String>, ReadError> {
        let recording = RecordingView::new(view);
        for key in self.facts.keys() {
            let malformed = || corrupt(key, "the recorded fact is malformed");
            let (kind, name) = key.split_once(':').ok_or_else(malformed)?;
            let stem = || Stem::parse(name).map_err(|_| malformed());
            match kind {
                TRIPLET => recording.triplet(&stem()?).map(|_| ())?,
                DEFINITION => recording.definition(name).map(|_| ())?,
                SOURCES => recording.sources(name).map(|_| ())?,
                OBJECT => {
                    let digest = name.parse().map_err(|_| malformed())?;
                    recording.payload(&digest).map(|_| ())?;
                }
                STEMS => recording.stems(name).map(|_| ())?,
                _ => return Err(malformed()),
            }
        }
        let now = recording.into_reads();
        let mut facts = self.facts.iter();
        let changed = facts.find(|(key, fact)| now.facts.get(*key) != Some(fact));
        Ok(changed.map(|(key, _)| key.clone()))
    }

    /// Adds the facts of another set.
    pub fn extend(&mut self, other: ReadSet) {
        self.facts.extend(other.facts);
    }
}

const TRIPLET: &str = "triplet";
const DEFINITION: &str = "definition";
const SOURCES: &str = "sources";
const OBJECT: &str = "object";
const STEMS: &str = "stems";

fn key(kind: &str, name: &str) -> String {
    format!("{kind}:{name}")
}

/// A view that writes down what is asked of it.
pub struct RecordingView<'a> {
    view: &'a dyn StateView,
    reads: RefCell<ReadSet>,
}

impl<'a> RecordingView<'a> {
    /// Records what is read from `view`.
    pub fn new(view: &'a dyn StateView) -> RecordingView<'a> {
        RecordingView {
            view,
            reads: RefCell::default(),
        }
    }

    /// Returns what was read so far.
    pub fn reads(&self) -> ReadSet {
        self.reads.borrow().clone()
    }

    /// Returns what was read.
    pub fn into_reads(self) -> ReadSet {
        self.reads.into_inner()
    }

    fn note(&self, kind: &str, name: &str, fact: Value) {
        self.reads.borrow_mut().facts.insert(key(kind, name), fact);
    }
}

impl StateView for RecordingView<'_> {
    fn triplet(&self, stem: &Stem) -> Result<Option<TripletRecord>, ReadError> {
        let record = self.view.triplet(stem)?;
        self.note(
            TRIPLET,
            stem.as_str(),
            record.as_ref().map_or(Value::Null, record_digests),
        );
        Ok(record)
    }

    fn definition(&self, id: &str) -> Result<Option<Stem>, ReadError> {
        let stem = self.view.definition(id)?;
        let fact = stem
            .as_ref()
            .map_or(Value::Null, |stem| Value::from(stem.as_str()));
        self.note(DEFINITION, id, fact);
        Ok(stem)
    }

    fn sources(&self, id: &str) -> Result<Vec<RefSource>, ReadError> {
        let sources = self.view.sources(id)?;
        let facts: Vec<Value> = sources
            .iter()
            .map(|source| {
                object! {
                    "stem" => source.stem.as_str(),
                    "location" => source.location.as_str(),
                    "relationship" => source.relationship.as_str(),
                    "artifact_digest" => source.artifact_digest.to_hex(),
                }
            })
            .collect();
        self.note(SOURCES, id, Value::from(facts));
        Ok(sources)
    }

    fn payload(&self, digest: &Digest) -> Result<Option<Payload>, ReadError> {
        let payload = self.view.payload(digest)?;
        let fact = payload.as_ref().map_or(Value::Null, |_| Value::from(true));
        self.note(OBJECT, &digest.to_hex(), fact);
        Ok(payload)
    }

    fn stems(&self, prefix: &str) -> Result<Vec<Stem>, ReadError> {
        let stems = self.view.stems(prefix)?;
        let facts: Vec<Value> = stems
            .iter()
            .map(|stem| Value::from(stem.as_str()))
            .collect();
        self.note(STEMS, prefix, Value::from(facts));
        Ok(stems)
    }
}

/// The view that a recorded turn had: it answers only what was read then.
pub struct RecordedView<'a> {
    reads: &'a ReadSet,
    objects: &'a BTreeMap<Digest, Payload>,
}

impl<'a> RecordedView<'a> {
    /// Makes the view from the facts and the payloads of the objects they name.
    pub fn new(reads: &'a ReadSet, objects: &'a BTreeMap<Digest, Payload>) -> RecordedView<'a> {
        RecordedView { reads, objects }
    }

    fn fact(&self, kind: &str, name: &str) -> Result<&Value, ReadError> {
        let key = key(kind, name);
        self.reads
            .facts
            .get(&key)
            .ok_or(ReadError::NotRecorded { place: key })
    }
}

fn corrupt(place: &str, reason: &str) -> ReadError {
    ReadError::Corrupt {
        place: place.to_owned(),
        reason: reason.to_owned(),
    }
}

fn digest_at(fact: &Value, key: &str, place: &str) -> Result<Digest, ReadError> {
    fact.get(key)
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| corrupt(place, "a digest of the recorded fact is missing"))
}

impl StateView for RecordedView<'_> {
    fn triplet(&self, stem: &Stem) -> Result<Option<TripletRecord>, ReadError> {
        let fact = self.fact(TRIPLET, stem.as_str())?;
        if fact.is_null() {
            return Ok(None);
        }
        Ok(Some(TripletRecord {
            stem: stem.clone(),
            body_digest: digest_at(fact, "body", stem.as_str())?,
            links_digest: digest_at(fact, "links", stem.as_str())?,
            manifest_digest: digest_at(fact, "manifest", stem.as_str())?,
            updated_at_turn: TurnId::FIRST,
            lsi_version: LSI_VERSION.into(),
        }))
    }

    fn definition(&self, id: &str) -> Result<Option<Stem>, ReadError> {
        match self.fact(DEFINITION, id)? {
            Value::Null => Ok(None),
            fact => {
                let stem = fact.as_str().and_then(|text| Stem::parse(text).ok());
                stem.map(Some)
                    .ok_or_else(|| corrupt(id, "the recorded definition is no stem"))
            }
        }
    }

    fn sources(&self, id: &str) -> Result<Vec<RefSource>, ReadError> {
        let fact = self.fact(SOURCES, id)?;
        canonical::from_value(fact.clone())
            .map_err(|_| corrupt(id, "the recorded sources are malformed"))
    }

    fn payload(&self, digest: &Digest) -> Result<Option<Payload>, ReadError> {
        if self.fact(OBJECT, &digest.to_hex())?.is_null() {
            return Ok(None);
        }
        let place = key(OBJECT, &digest.to_hex());
        let payload = self
            .objects
            .get(digest)
            .ok_or(ReadError::NotRecorded { place })?;
        if payload.digest() != *digest {
            return Err(corrupt(
                &digest.to_hex(),
                "the bytes do not match the digest",
            ));
        }
        Ok(Some(payload.clone()))
    }

    fn stems(&self, prefix: &str) -> Result<Vec<Stem>, ReadError> {
        let fact = self.fact(STEMS, prefix)?;
        canonical::from_value(fact.clone())
            .map_err(|_| corrupt(prefix, "the recorded stems are malformed"))
    }
}
