//! The model that a run speaks with, and whether it still is the one it began with.

use orket_cards::{StoreFault, TurnSnapshot};
use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, RunId, object};
use orket_ports::ModelError;
use orket_ports::model::ModelFacts;

use crate::asset::VenueAsset;
use crate::error::RunError;

/// Where the notes of a turn record hold what is known of the model.
const NOTE: &str = "model";

/// The model that a run began with, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    pinned: Option<ModelFacts>,
    /// A change is taken once, at the first look: whoever asked for it has seen it then.
    accepts_change: bool,
}

impl Voice {
    /// Reads what the newest record of a run says about the model of a venue.
    pub(crate) fn recorded(
        snapshot: &dyn TurnSnapshot,
        run_id: &RunId,
        venue: &VenueAsset,
        accepts_change: bool,
    ) -> Result<Voice, RunError> {
        let turns = snapshot.turns(run_id)?;
        let attempts = snapshot.attempts(run_id)?;
        let newest_first = turns.iter().rev().map(|turn| turn.record_digest);
        let failed = attempts.iter().rev().map(|attempt| attempt.record_digest);
        for digest in newest_first.chain(failed) {
            if let Some(pinned) = noted(snapshot, &digest, venue)? {
                return Ok(Voice {
                    pinned: Some(pinned),
                    accepts_change,
                });
            }
        }
        Ok(Voice {
            pinned: None,
            accepts_change,
        })
    }

    /// Refuses a model that is not the one that the run began with; the first one is what it begins with.
    pub(crate) fn check(&mut self, model: &str, facts: &ModelFacts) -> Result<(), ModelError> {
        let accepts_change = std::mem::take(&mut self.accepts_change);
        if let Some(pinned) = &self.pinned
            && !accepts_change
        {
            return match facts.first_change(pinned) {
                None => Ok(()),
                Some((what, then, now)) => Err(ModelError::Changed {
                    model: model.to_owned(),
                    what: what.to_owned(),
                    then,
                    now,
                }),
            };
        }
        self.pinned = Some(facts.clone());
        Ok(())
    }
}

/// Returns what is noted of the model with a turn: its name, who provides it, and its facts.
pub(crate) fn note(venue: &VenueAsset, facts: &ModelFacts) -> Result<(String, Value), RunError> {
    let facts = canonical::to_value(facts)?;
    let note = object! {
        "name" => venue.model.as_str(),
        "provider" => venue.provider.as_str(),
        "facts" => facts,
    };
    Ok((NOTE.to_owned(), note))
}

/// Returns the name of the model that a turn record notes.
pub(crate) fn noted_name(notes: &Value) -> Option<&str> {
    notes.get(NOTE)?.get("name")?.as_str()
}

fn noted(
    snapshot: &dyn TurnSnapshot,
    record: &Digest,
    venue: &VenueAsset,
) -> Result<Option<ModelFacts>, RunError> {
    let record = match snapshot.turn_record(record) {
        Ok(record) => record,
        Err(StoreFault::NotRetained { .. }) => return Ok(None),
        Err(fault) => return Err(fault.into()),
    };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let Some(note) = record.notes.get(NOTE) else {
        return Ok(None);
    };
    let is_of = text(&record.notes, "venue").as_ref() == Some(&venue.name)
        && text(note, "name").as_ref() == Some(&venue.model)
        && text(note, "provider").as_deref() == Some(venue.provider.as_str());
    let facts = note.get("facts").cloned().unwrap_or_default();
    Ok(is_of.then(|| canonical::from_value(facts).ok()).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(digest: &str) -> ModelFacts {
        ModelFacts {
            digest: Some(digest.to_owned()),
            ..ModelFacts::default()
        }
    }

    #[test]
    fn the_first_look_pins_and_a_change_is_taken_once_where_it_is_asked_for() {
        let mut voice = Voice::default();
        voice.check("m", &facts("a")).unwrap();
        voice.check("m", &facts("a")).unwrap();
        let error = voice.check("m", &facts("b")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the model m is not the one that the run began with: its digest was a and is b"
        );
        let mut voice = Voice {
            pinned: Some(facts("a")),
            accepts_change: true,
        };
        voice.check("m", &facts("b")).unwrap();
        voice.check("m", &facts("b")).unwrap();
        assert!(voice.check("m", &facts("a")).is_err());
        assert!(voice.check("m", &ModelFacts::default()).is_err());
    }
}
