//! A committed state in memory, which applies promotion plans to the letter of Spec-002.

use std::collections::{BTreeMap, BTreeSet};

use orket_kernel::{
    Digest, Payload, PromotionPlan, ReadError, RefSource, StateView, Stem, TripletRecord,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shelf {
    pub(crate) triplets: BTreeMap<Stem, TripletRecord>,
    pub(crate) definitions: BTreeMap<String, Stem>,
    pub(crate) sources: BTreeMap<String, BTreeSet<RefSource>>,
    pub(crate) objects: BTreeMap<Digest, Payload>,
    /// Stems, and ids of the same text, that cannot be read.
    pub(crate) damaged: BTreeSet<String>,
}

impl Shelf {
    pub(crate) fn apply(&mut self, plan: &PromotionPlan) {
        for stem in &plan.prune {
            for sources in self.sources.values_mut() {
                sources.retain(|source| source.stem != *stem);
            }
        }
        self.sources.retain(|_, sources| !sources.is_empty());
        let gone = |stem: &Stem| {
            plan.delete.contains(stem) || plan.put.iter().any(|(record, _)| record.stem == *stem)
        };
        self.definitions.retain(|_, stem| !gone(stem));
        for stem in &plan.delete {
            self.triplets.remove(stem);
        }
        for (record, id) in &plan.put {
            self.definitions.insert(id.clone(), record.stem.clone());
            self.triplets.insert(record.stem.clone(), record.clone());
        }
        for (id, source) in &plan.insert {
            let sources = self.sources.entry(id.clone()).or_default();
            sources.insert(source.clone());
        }
        self.objects.extend(plan.objects.clone());
    }

    fn readable(&self, name: &str) -> Result<(), ReadError> {
        if self.damaged.contains(name) {
            return Err(ReadError::Corrupt {
                place: name.to_owned(),
                reason: "it was damaged by the case".into(),
            });
        }
        Ok(())
    }
}

impl StateView for Shelf {
    fn triplet(&self, stem: &Stem) -> Result<Option<TripletRecord>, ReadError> {
        self.readable(stem.as_str())?;
        Ok(self.triplets.get(stem).cloned())
    }

    fn definition(&self, id: &str) -> Result<Option<Stem>, ReadError> {
        self.readable(id)?;
        Ok(self.definitions.get(id).cloned())
    }

    fn sources(&self, id: &str) -> Result<Vec<RefSource>, ReadError> {
        let sources = self.sources.get(id).into_iter().flatten();
        Ok(sources.cloned().collect())
    }

    fn payload(&self, digest: &Digest) -> Result<Option<Payload>, ReadError> {
        Ok(self.objects.get(digest).cloned())
    }

    fn stems(&self, prefix: &str) -> Result<Vec<Stem>, ReadError> {
        let stems = self.triplets.keys();
        Ok(stems
            .filter(|stem| stem.as_str().starts_with(prefix))
            .cloned()
            .collect())
    }
}
