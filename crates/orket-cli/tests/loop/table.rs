//! The table at which a project is played: real store, workspace and tools, unless a test puts something before them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orket_cards::TurnStore;
use orket_flow::{
    NoConductor, RunError, RunOptions, RunSummary, Stage, Tools, load_play, run_epic,
};
use orket_ports::model::Cancellation;
use orket_ports::verifier::{ArtifactFile, Check, CheckOutcome, LeastTier, VerifyError};
use orket_ports::{
    Clock, Conductor, Event, EventSink, ModelProvider, SpacePolicy, Verifier, Workspace,
};
use orket_secrets::{Scrubber, Secret, Vault};

use crate::project::{Project, run_id};

pub(crate) struct Table<'a> {
    project: &'a Project,
    provider: &'a dyn ModelProvider,
    verifier: &'a dyn Verifier,
    store: Option<&'a dyn TurnStore>,
    workspace: Option<&'a dyn Workspace>,
    tools: Option<Tools>,
    scrubber: Arc<Scrubber>,
    options: RunOptions,
    policy: SpacePolicy,
    references: BTreeSet<String>,
}

pub(crate) struct Noon;

impl Clock for Noon {
    fn now(&self) -> String {
        "2026-01-01T12:00:00Z".into()
    }
}

/// Passes a card if every file it is shown begins with `good`.
pub(crate) struct ReadsGood;

impl Verifier for ReadsGood {
    fn tier(&self) -> String {
        "full".into()
    }

    fn run(
        &self,
        check: &Check,
        files: &BTreeMap<String, ArtifactFile>,
        _: LeastTier,
    ) -> Result<CheckOutcome, VerifyError> {
        let begins = |file: &ArtifactFile| {
            let bytes = file.payload.to_bytes().unwrap();
            bytes.starts_with(b"good")
        };
        let passed = files.values().all(begins);
        Ok(CheckOutcome {
            fixture: check.fixture.clone(),
            passed,
            ended: if passed { "exit 0" } else { "exit 1" }.into(),
            output: String::new(),
            tier: "full".into(),
        })
    }
}

/// A scrubber that hides a text.
pub(crate) fn hiding(name: &str, text: &str) -> Arc<Scrubber> {
    let secret = (name.to_owned(), Secret::new(text.to_owned()));
    let vault = Vault::gather(Vec::new(), [secret], &BTreeSet::new()).unwrap();
    Arc::new(Scrubber::new(&vault).unwrap())
}

#[derive(Default)]
pub(crate) struct Heard(pub(crate) Vec<Event>);

impl EventSink for Heard {
    fn emit(&mut self, event: &Event) {
        self.0.push(event.clone());
    }
}

impl<'a> Table<'a> {
    pub(crate) fn new(project: &'a Project, provider: &'a dyn ModelProvider) -> Table<'a> {
        Table {
            project,
            provider,
            verifier: &ReadsGood,
            store: None,
            workspace: None,
            tools: None,
            scrubber: Arc::new(Scrubber::new(&Vault::default()).unwrap()),
            options: RunOptions::default(),
            policy: SpacePolicy::default(),
            references: BTreeSet::new(),
        }
    }

    pub(crate) fn verifier(mut self, verifier: &'a dyn Verifier) -> Table<'a> {
        self.verifier = verifier;
        self
    }

    pub(crate) fn store(mut self, store: &'a dyn TurnStore) -> Table<'a> {
        self.store = Some(store);
        self
    }

    pub(crate) fn workspace(mut self, workspace: &'a dyn Workspace) -> Table<'a> {
        self.workspace = Some(workspace);
        self
    }

    pub(crate) fn tools(mut self, tools: Tools) -> Table<'a> {
        self.tools = Some(tools);
        self
    }

    /// Sets what agents may read and write.
    pub(crate) fn policy(mut self, policy: SpacePolicy) -> Table<'a> {
        self.policy = policy;
        self
    }

    /// Names the reference spaces that the tools know.
    pub(crate) fn references(mut self, names: &[&str]) -> Table<'a> {
        self.references = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Hides a text.
    pub(crate) fn secret(mut self, name: &str, text: &str) -> Table<'a> {
        self.scrubber = hiding(name, text);
        self
    }

    pub(crate) fn run_id(mut self, run: &str) -> Table<'a> {
        self.options.run_id = Some(run_id(run));
        self
    }

    pub(crate) fn card(mut self, card: &str) -> Table<'a> {
        self.options.card = Some(card.parse().unwrap());
        self
    }

    /// Plays the epic `e`.
    pub(crate) fn play(&self) -> Result<RunSummary, RunError> {
        self.play_epic("e", &mut NoConductor, &mut Heard::default())
    }

    pub(crate) fn conducted(&self, conductor: &mut dyn Conductor) -> Result<RunSummary, RunError> {
        self.play_epic("e", conductor, &mut Heard::default())
    }

    pub(crate) fn play_epic(
        &self,
        epic: &str,
        conductor: &mut dyn Conductor,
        heard: &mut Heard,
    ) -> Result<RunSummary, RunError> {
        let board = self.project.board();
        let real = self.project.workspace();
        let workspace = self.workspace.unwrap_or(&real);
        let tools = self.tools.clone().unwrap_or_else(|| self.project.tools());
        let known: BTreeSet<String> = tools.keys().cloned().collect();
        let mut play = load_play(workspace, epic, None, &known)?;
        play.space_policy = self.policy.clone();
        play.reference_spaces = self.references.clone();
        let stage = Stage {
            store: self.store.unwrap_or(&board),
            workspace,
            provider: self.provider,
            verifier: self.verifier,
            tools: &tools,
            scrubber: Arc::clone(&self.scrubber),
            clock: &Noon,
            cancellation: Cancellation::new(),
        };
        run_epic(&stage, heard, conductor, play, &self.options)
    }
}
