//! What a person wants to be so, as data.

use std::collections::BTreeMap;

use orket_cards::{CardId, Status, WaitReason};
use orket_kernel::Payload;

/// The effects of one operator's turn. All of them come about, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Files by path, below `agent_output/`.
    pub files: BTreeMap<String, FileEffect>,
    /// Cards.
    pub cards: BTreeMap<CardId, CardEffect>,
}

/// What becomes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileEffect {
    /// It holds this.
    Write {
        /// The bytes; where a stream comes from must stay as it is until the turn is committed.
        payload: Payload,
        /// Whether it can be executed.
        executable: bool,
    },
    /// It is not there.
    Delete,
}

/// What becomes of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardEffect {
    /// The status that it gets, through the transition table, with its wait reason.
    pub to: Option<(Status, Option<WaitReason>)>,
    /// What the author remarks on it.
    pub comment: Option<String>,
}
