//! The turns of the scenarios: cards with three references each, and evidence beside them.

use std::io::Read;
use std::sync::Arc;

use orket_cards::{
    Card, CardId, Cause, Status, TURN_RECORD_VERSION, Tokens, TurnRecord, Verification,
    VerificationState,
};
use orket_kernel::canonical::Value;
use orket_kernel::{
    Digest, Payload, PayloadSource, Stem, Stream, Triplet, TurnId, TurnInput, TurnResult, object,
};

use crate::Outcome;

/// The epic of all cards.
pub(crate) const EPIC: &str = "storm";
/// The run that promotes all turns.
pub(crate) const RUN: &str = "storm-1";

/// One turn: which cards it writes and deletes, and how much evidence it keeps.
#[derive(Clone, Default)]
pub(crate) struct TurnText {
    /// The numbers of the cards that the turn writes.
    pub(crate) puts: Vec<u64>,
    /// The numbers of the cards that it deletes.
    pub(crate) deletions: Vec<u64>,
    /// The length of its evidence.
    pub(crate) evidence_bytes: usize,
    /// The length of the artefact that its first card makes.
    pub(crate) artifact_bytes: u64,
}

impl TurnText {
    /// Returns what the kernel executes. The first turn of a run brings the epic.
    pub(crate) fn input(&self, turn_id: TurnId) -> Outcome<TurnInput> {
        let mut input = TurnInput::empty(turn_id);
        if turn_id == TurnId::FIRST {
            let id = format!("epic/{EPIC}");
            input.triplets.push(Triplet {
                stem: Stem::parse(&id)?,
                body: object! { "dto_type" => "epic", "id" => id, "name" => EPIC },
                links: object! {},
                manifest: object! { "order_insensitive" => Vec::<Value>::new() },
            });
        }
        for number in &self.puts {
            input.triplets.push(card(*number, turn_id)?.to_triplet()?);
        }
        for number in &self.deletions {
            input.deletions.push(Card::stem(&card_id(*number)?)?);
        }
        if let (Some(maker), 1..) = (self.puts.first(), self.artifact_bytes) {
            let made = Made {
                length_bytes: self.artifact_bytes,
            };
            let stream = Stream::measure(Arc::new(made), u64::MAX)?.ok_or("it has an end")?;
            let digest = stream.digest();
            input.triplets.push(artifact(*maker, &digest)?);
            let attached = Payload::Streamed(stream);
            input.attachments.insert(digest, attached);
        }
        Ok(input)
    }

    /// Returns bytes that no other turn keeps.
    pub(crate) fn evidence(&self, turn_id: TurnId) -> Vec<Vec<u8>> {
        if self.evidence_bytes == 0 {
            return Vec::new();
        }
        let line = format!("what was said in {turn_id}, once more; ");
        vec![
            line.bytes()
                .cycle()
                .take(self.evidence_bytes)
                .collect::<Vec<u8>>(),
        ]
    }
}

/// Bytes that are made whenever they are read.
#[derive(Debug)]
struct Made {
    length_bytes: u64,
}

impl PayloadSource for Made {
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(std::io::repeat(b'm').take(self.length_bytes)))
    }
}

/// What a card made.
fn artifact(maker: u64, content: &Digest) -> Outcome<Triplet> {
    let id = format!("artifact/{maker}.bin");
    let card = format!("card/{}", card_id(maker)?);
    Ok(Triplet {
        stem: Stem::parse(&id)?,
        body: object! {
            "dto_type" => "artifact",
            "id" => id,
            "kind" => "file",
            "content_digest" => content.to_hex(),
        },
        links: object! {
            "card" => object! { "type" => "card", "id" => card, "relationship" => "produced_by" },
        },
        manifest: object! { "order_insensitive" => Vec::<Value>::new() },
    })
}

/// Returns the record of a turn of the engine.
pub(crate) fn record(turn_id: TurnId, result: TurnResult, reads: Value) -> TurnRecord {
    TurnRecord {
        version: TURN_RECORD_VERSION.into(),
        run_id: RUN.into(),
        turn_id,
        attempt: 1,
        card: None,
        role: "engine".into(),
        step: "load".into(),
        cause: Cause::Load,
        exchanges: Vec::new(),
        judged: false,
        said: String::new(),
        calls: Vec::new(),
        decisions: Vec::new(),
        outcomes: Vec::new(),
        reads,
        result: Some(result),
        refusals: Vec::new(),
        tokens: Tokens::default(),
        notes: Value::Null,
    }
}

/// A card that depends on the two before it: with its epic, three references.
fn card(number: u64, turn_id: TurnId) -> Outcome<Card> {
    let before = number.saturating_sub(2)..number;
    Ok(Card {
        id: card_id(number)?,
        epic: EPIC.into(),
        ordinal: number,
        title: format!("Number {number}, written in {turn_id}"),
        description: "Survive.".into(),
        seat: "coder".into(),
        priority: 1,
        depends_on: before.map(card_id).collect::<Outcome<_>>()?,
        artifacts: Vec::new(),
        verification: Verification::None("nothing is made".into()),
        status: Status::Ready,
        wait_reason: None,
        verified: VerificationState::NotRun,
        authors: Vec::new(),
        comments: Vec::new(),
        has_evidence: false,
        created_by: None,
    })
}

fn card_id(number: u64) -> Outcome<CardId> {
    Ok(format!("C-{number:04}").parse()?)
}
