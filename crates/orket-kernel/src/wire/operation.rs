//! The operations of the API by name.

/// What an operation does with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreUse {
    /// It can do without one; whether it needs one follows from the request.
    Optional,
    /// It reads.
    Reads,
    /// It reads what is committed and writes staging.
    Stages,
    /// It changes what is committed, or what is known of a run.
    Commits,
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, store: $store:ident;)+) => {
        /// An operation of the kernel API (§2).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Operation {
            /// Lists every operation in the order of the API.
            pub const ALL: &'static [Operation] = &[$(Operation::$name),+];

            /// Returns the name, as in the API with dashes.
            pub const fn as_str(self) -> &'static str {
                match self { $(Operation::$name => $text),+ }
            }

            /// Returns what the operation does, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Operation::$name => concat!($($doc),+).trim_ascii()),+ }
            }

            /// Returns what the operation does with a store.
            pub const fn store_use(self) -> StoreUse {
                match self { $(Operation::$name => StoreUse::$store),+ }
            }
        }
    };
}

operations! {
    /// Keeps the envelope of a run and returns its handle.
    StartRun = "start-run", store: Commits;
    /// Executes one turn over what is committed, and stages it if it passes.
    ExecuteTurn = "execute-turn", store: Stages;
    /// Promotes the next staged turn of a run, whole or not at all.
    CommitTurn = "commit-turn", store: Commits;
    /// Ends a run, with or without the promotion of what is staged.
    FinishRun = "finish-run", store: Commits;
    /// Writes an issue as an event line.
    EmitEvent = "emit-event", store: Optional;
    /// Keeps artifacts of a run as canonical JSON.
    WriteTraceArtifacts = "write-trace-artifacts", store: Commits;
    /// Checks one triplet by the five stages, without an index.
    ValidateTriplet = "validate-triplet", store: Optional;
    /// Looks up what a triplet links to: in itself, in staging, in what is committed.
    ValidateLinksAgainstIndex = "validate-links-against-index", store: Reads;
    /// Executes a turn that deletes stems and does nothing else.
    StageDeletions = "stage-deletions", store: Stages;
    /// Decides one tool call and returns the audit record of the decision.
    AuthorizeToolCall = "authorize-tool-call", store: Optional;
    /// Says what a role may do in a task.
    ResolveCapability = "resolve-capability", store: Optional;
    /// Executes every promoted turn of a run again and compares the digests.
    ReplayRun = "replay-run", store: Reads;
    /// Compares what two runs came to.
    CompareRuns = "compare-runs", store: Optional;
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Operation {
    /// Returns the operation of this name.
    pub fn parse(text: &str) -> Option<Operation> {
        Operation::ALL
            .iter()
            .copied()
            .find(|operation| operation.as_str() == text)
    }
}
