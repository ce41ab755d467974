//! Runs on a board in few words. The turns are executed by the kernel, so plans and records are genuine.

use orket_board::Board;
use orket_cards::{
    Card, Cause, Committed, ExchangeRecord, Lease, Status, StoreFault, TURN_RECORD_VERSION, Tokens,
    TurnCommit, TurnRecord, TurnStore, Verification, VerificationState,
};
use orket_kernel::canonical::Value;
use orket_kernel::capability::Policy;
use orket_kernel::{
    Digest, Profile, RunEnvelope, RunId, StagedTurn, Stem, Triplet, TurnId, TurnInput,
    execute_turn, object, plan_promotion,
};
use orket_ports::Event;
use orket_ports::event::EVENT_VERSION;

pub(crate) const EPIC: &str = "e";

/// A run whose lease this process holds.
pub(crate) struct Worker<'a> {
    board: &'a Board,
    envelope: RunEnvelope,
    lease: Box<dyn Lease>,
}

/// What a turn came to over a snapshot.
pub(crate) struct Draft {
    pub(crate) commit: TurnCommit,
    pub(crate) staged: StagedTurn,
}

impl<'a> Worker<'a> {
    /// Takes the lease of a run and starts it, or goes on with it.
    pub(crate) fn begin(board: &'a Board, run: &str) -> Result<Worker<'a>, StoreFault> {
        let envelope = RunEnvelope::new(
            run_id(run),
            "flow",
            "venue",
            Policy::deny_all(),
            Profile::orket(),
            object! {},
        );
        let lease = board.lease(&envelope.run_id)?;
        // Every run has an epic of its own: an epic has one unfinished run.
        board.start_run(&envelope, &format!("{EPIC}-{run}"), lease.fence())?;
        Ok(Worker {
            board,
            envelope,
            lease,
        })
    }

    pub(crate) fn run_id(&self) -> &RunId {
        &self.envelope.run_id
    }

    pub(crate) fn fence(&self) -> u64 {
        self.lease.fence()
    }

    /// Returns the number of the turn that comes next.
    pub(crate) fn next(&self) -> Result<u64, StoreFault> {
        let snapshot = self.board.snapshot()?;
        let run = snapshot.run(self.run_id())?;
        let run = run.ok_or_else(|| StoreFault::Corrupt {
            reason: format!("the run {} is gone", self.run_id()),
        })?;
        Ok(run.last_turn.map_or(1, |turn| turn.number() + 1))
    }

    /// Executes a turn over what is committed; the kernel must pass it.
    pub(crate) fn draft(&self, input: &TurnInput) -> Result<Draft, StoreFault> {
        let snapshot = self.board.snapshot()?;
        let handle = self.envelope.handle().unwrap();
        let execution = execute_turn(&self.envelope, &handle, input, snapshot.state());
        let corrupt = |reason: String| StoreFault::Corrupt { reason };
        let issues = &execution.result.issues;
        let staged = execution
            .staged
            .ok_or_else(|| corrupt(format!("{issues:?}")))?;
        let (plan, _) = plan_promotion(&staged, snapshot.state())
            .map_err(|error| corrupt(error.to_string()))?;
        let number = input.turn_id.number();
        let request = format!("request {} {number}", self.run_id()).into_bytes();
        let record = TurnRecord {
            version: TURN_RECORD_VERSION.into(),
            run_id: self.run_id().to_string(),
            turn_id: input.turn_id,
            attempt: 1,
            card: None,
            role: "coder".into(),
            step: "work".into(),
            cause: Cause::Answer,
            exchanges: vec![ExchangeRecord {
                request: Digest::of_bytes(&request),
                answer: None,
                decisions: Vec::new(),
            }],
            judged: false,
            said: String::new(),
            calls: Vec::new(),
            decisions: execution.decisions,
            outcomes: Vec::new(),
            reads: execution.reads.to_value(),
            result: Some(execution.result),
            refusals: Vec::new(),
            tokens: Tokens::default(),
            notes: Value::Null,
        };
        let commit = TurnCommit {
            base_generation: snapshot.generation(),
            fence: self.fence(),
            plan,
            record,
            evidence: vec![request],
            events: vec![event(self.run_id(), number)],
        };
        Ok(Draft { commit, staged })
    }

    /// Executes a turn and commits it.
    pub(crate) fn turn(&self, input: &TurnInput) -> Result<Committed, StoreFault> {
        self.board.commit(&self.draft(input)?.commit)
    }
}

pub(crate) fn event(run_id: &RunId, number: u64) -> Event {
    Event {
        version: EVENT_VERSION.into(),
        run_id: run_id.to_string(),
        seq: None,
        time: "2026-01-01T00:00:00Z".into(),
        event: "turn_complete".into(),
        data: object! { "turn" => number },
    }
}

pub(crate) fn run_id(text: &str) -> RunId {
    RunId::parse(text).unwrap()
}

pub(crate) fn stem(text: &str) -> Stem {
    Stem::parse(text).unwrap()
}

pub(crate) fn turn(number: u64, triplets: Vec<Triplet>, deletions: &[&str]) -> TurnInput {
    TurnInput {
        triplets,
        deletions: deletions.iter().map(|text| stem(text)).collect(),
        ..TurnInput::empty(TurnId::new(number).unwrap())
    }
}

/// The epic that every card belongs to.
pub(crate) fn epic() -> Triplet {
    let id = format!("epic/{EPIC}");
    Triplet {
        stem: stem(&id),
        body: object! { "dto_type" => "epic", "id" => id, "name" => EPIC },
        links: object! {},
        manifest: object! { "order_insensitive" => Vec::<Value>::new() },
    }
}

pub(crate) fn card(id: &str, ordinal: u64, title: &str, needs: &[&str]) -> Triplet {
    let card = Card {
        id: id.parse().unwrap(),
        epic: EPIC.into(),
        ordinal,
        title: title.into(),
        description: String::new(),
        seat: "coder".into(),
        priority: 2,
        depends_on: needs.iter().map(|id| id.parse().unwrap()).collect(),
        artifacts: vec!["a.txt".into()],
        verification: Verification::None("nothing to check".into()),
        status: Status::Ready,
        wait_reason: None,
        verified: VerificationState::NoChecks,
        authors: Vec::new(),
        comments: Vec::new(),
        has_evidence: false,
        created_by: None,
    };
    card.to_triplet().unwrap()
}

/// Adds a file to a turn.
pub(crate) fn with_file(mut input: TurnInput, path: &str, bytes: Vec<u8>, by: &str) -> TurnInput {
    let id = format!("artifact/{path}");
    let digest = Digest::of_bytes(&bytes);
    let author =
        object! { "type" => "card", "id" => format!("card/{by}"), "relationship" => "produced_by" };
    input.triplets.push(Triplet {
        stem: stem(&id),
        body: object! {
            "dto_type" => "artifact",
            "id" => id,
            "kind" => "file",
            "content_digest" => digest.to_hex(),
            "length" => bytes.len() as u64,
            "mode" => "644",
        },
        links: object! { "card" => author },
        manifest: object! { "order_insensitive" => Vec::<Value>::new() },
    });
    input.attachments.insert(digest, bytes.into());
    input
}
