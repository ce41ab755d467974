//! The board and the index as of one moment.

use orket_cards::{
    AttemptRow, Card, CardId, RunRow, StoreFault, TURN_RECORD_VERSION, TurnRecord, TurnRow,
    TurnSnapshot,
};
use orket_kernel::canonical;
use orket_kernel::{Digest, RunId, StateView, TurnId};
use orket_lsi::{Snapshot, StoreError};
use orket_ports::Event;

use crate::fault::{corrupt, from_store};
use crate::journal::RunEntry;
use crate::{cards_table, journal, retention};

/// A snapshot of the database.
pub(crate) struct BoardSnapshot {
    pub(crate) index: Snapshot,
}

impl BoardSnapshot {
    /// Returns turns, each checked against the chain of promotions.
    fn turn_rows(&self, run_id: &RunId, card: Option<&CardId>) -> Result<Vec<TurnRow>, StoreFault> {
        let entries = journal::turns(self.index.connection(), run_id, card)?;
        entries
            .into_iter()
            .map(|entry| {
                let promotion = self
                    .index
                    .promotion(run_id, entry.turn_id)
                    .map_err(from_store)?
                    .filter(|row| row.generation == entry.generation)
                    .filter(|row| row.record_digest == entry.record_digest)
                    .ok_or_else(|| {
                        let place = format!("{} of {run_id}", entry.turn_id);
                        corrupt(&place, "the journal and the chain of promotions disagree")
                    })?;
                Ok(TurnRow {
                    turn_id: entry.turn_id,
                    card: entry.card,
                    role: entry.role,
                    step: entry.step,
                    attempt: entry.attempt,
                    result_digest: entry.result_digest,
                    state_digest: promotion.state_digest,
                    record_digest: entry.record_digest,
                    generation: entry.generation,
                })
            })
            .collect()
    }

    /// Returns the journal's row of a run; `None` if there is no such run.
    fn entry(&self, run_id: &RunId) -> Result<Option<RunEntry>, StoreFault> {
        let entry = journal::run(self.index.connection(), run_id)?;
        if entry.is_none() && self.index.envelope(run_id).map_err(from_store)?.is_some() {
            let place = format!("run_journal {run_id}");
            let reason = "the run has an envelope and no journal";
            return Err(corrupt(&place, reason));
        }
        Ok(entry)
    }

    fn run_row(&self, entry: RunEntry) -> Result<RunRow, StoreFault> {
        let envelope = self
            .index
            .envelope(&entry.run_id)
            .map_err(from_store)?
            .ok_or_else(|| corrupt(entry.run_id.as_str(), "the run has no envelope"))?;
        let last_turn = self.index.ledger(&entry.run_id).map_err(from_store)?;
        let is_dropped = self.index.is_dropped(&entry.run_id).map_err(from_store)?;
        Ok(RunRow {
            run_id: entry.run_id,
            epic: entry.epic,
            state: entry.state,
            last_turn,
            last_seq: entry.last_seq,
            is_retained: !is_dropped,
            envelope,
        })
    }
}

impl TurnSnapshot for BoardSnapshot {
    fn state(&self) -> &dyn StateView {
        &self.index
    }

    fn past(&self, generation: u64) -> Result<Option<Box<dyn StateView + '_>>, StoreFault> {
        match self.index.at(generation) {
            Ok(past) => Ok(Some(Box::new(past))),
            Err(StoreError::NotRetained { .. } | StoreError::NoGeneration { .. }) => Ok(None),
            Err(error) => Err(from_store(error)),
        }
    }

    fn generation(&self) -> u64 {
        self.index.head().generation
    }

    fn state_digest(&self) -> Digest {
        self.index.head().state_digest
    }

    fn cards(&self, epic: Option<&str>) -> Result<Vec<Card>, StoreFault> {
        cards_table::read(self.index.connection(), &self.index, epic)
    }

    fn run(&self, run_id: &RunId) -> Result<Option<RunRow>, StoreFault> {
        let entry = self.entry(run_id)?;
        entry.map(|entry| self.run_row(entry)).transpose()
    }

    fn runs(&self, epic: Option<&str>) -> Result<Vec<RunRow>, StoreFault> {
        let entries = journal::runs(self.index.connection(), epic)?;
        entries
            .into_iter()
            .map(|entry| self.run_row(entry))
            .collect()
    }

    fn turns(&self, run_id: &RunId) -> Result<Vec<TurnRow>, StoreFault> {
        self.turn_rows(run_id, None)
    }

    fn turns_of_card(&self, run_id: &RunId, card: &CardId) -> Result<Vec<TurnRow>, StoreFault> {
        self.turn_rows(run_id, Some(card))
    }

    fn attempts_at(&self, run_id: &RunId, turn_id: TurnId) -> Result<Vec<AttemptRow>, StoreFault> {
        journal::attempts(self.index.connection(), run_id, Some(turn_id))
    }

    fn attempts(&self, run_id: &RunId) -> Result<Vec<AttemptRow>, StoreFault> {
        journal::attempts(self.index.connection(), run_id, None)
    }

    fn record(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreFault> {
        self.index.record(digest).map_err(from_store)
    }

    fn turn_record(&self, digest: &Digest) -> Result<TurnRecord, StoreFault> {
        let place = format!("the turn record {digest}");
        let Some(bytes) = self.record(digest)? else {
            let run = retention::dropped_run_of(self.index.connection(), digest)?;
            return Err(match run.map(|run| RunId::parse(&run)) {
                Some(Ok(run)) => retention::not_retained(&run),
                _ => corrupt(&place, "it is not kept"),
            });
        };
        let value = canonical::parse(&bytes).map_err(|error| corrupt(&place, error))?;
        let record: TurnRecord =
            canonical::from_value(value).map_err(|error| corrupt(&place, error))?;
        if record.version != TURN_RECORD_VERSION {
            return Err(corrupt(
                &place,
                format!("its version {:?} is not known", record.version),
            ));
        }
        Ok(record)
    }

    fn events_after(&self, run_id: &RunId, seq: u64) -> Result<Vec<Event>, StoreFault> {
        let Some(run) = self.entry(run_id)? else {
            return Ok(Vec::new());
        };
        let is_dropped = self.index.is_dropped(run_id).map_err(from_store)?;
        journal::events(self.index.connection(), &run, seq, !is_dropped)
    }
}
