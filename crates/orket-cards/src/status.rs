//! Statuses and wait reasons.

use std::fmt;

macro_rules! words {
    ($(#[doc = $type_doc:literal])+ $type:ident { $($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+ }) => {
        $(#[doc = $type_doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[doc = $doc])+ $name,)+ }

        impl $type {
            /// Lists every value.
            pub const ALL: &'static [$type] = &[$($type::$name),+];

            /// Returns the word that stands for it on disk and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $($type::$name => $text),+ }
            }

            /// Returns the value that `text` stands for.
            pub fn parse(text: &str) -> Option<$type> {
                $type::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                $type::parse(&text).ok_or_else(|| {
                    let known: Vec<&str> = $type::ALL.iter().map(|value| value.as_str()).collect();
                    serde::de::Error::custom(format!("{text:?} is not one of {}", known.join(", ")))
                })
            }
        }
    };
}

words! {
    /// Where a card stands.
    Status {
        /// Waiting to be taken up.
        Ready = "ready",
        /// A role works on it.
        InProgress = "in_progress",
        /// It cannot go on; a wait reason says why.
        Blocked = "blocked",
        /// It waits for a person.
        WaitingForDeveloper = "waiting_for_developer",
        /// The work is there and waits for tests.
        ReadyForTesting = "ready_for_testing",
        /// The work is there and waits for a reviewer.
        CodeReview = "code_review",
        /// The reviewer agreed; the guard has to judge the evidence.
        AwaitingGuardReview = "awaiting_guard_review",
        /// The guard agreed.
        GuardApproved = "guard_approved",
        /// The guard refused.
        GuardRejected = "guard_rejected",
        /// The guard wants changes.
        GuardRequestedChanges = "guard_requested_changes",
        /// Finished, with evidence.
        Done = "done",
        /// Given up.
        Canceled = "canceled",
        /// Put away.
        Archived = "archived",
    }
}

words! {
    /// Why a card waits.
    WaitReason {
        /// Something is missing that a person must provide.
        Resource = "resource",
        /// A card it depends on cannot be finished.
        Dependency = "dependency",
        /// A person must review.
        Review = "review",
        /// A person must answer.
        Input = "input",
        /// The engine gave up after the last attempt.
        System = "system",
    }
}

impl Status {
    /// Tells whether nothing more will be done on the card.
    pub fn is_terminal(self) -> bool {
        matches!(self, Status::Done | Status::Canceled | Status::Archived)
    }

    /// Tells whether the card counts as finished work.
    pub fn is_finished(self) -> bool {
        matches!(self, Status::Done | Status::Archived)
    }

    /// Tells whether a card that depends on this one may start.
    pub fn satisfies_dependency(self) -> bool {
        matches!(self, Status::Done | Status::Archived)
    }

    /// Tells whether a card that depends on this one can never start.
    pub fn breaks_dependency(self) -> bool {
        matches!(
            self,
            Status::Blocked | Status::Canceled | Status::GuardRejected
        )
    }

    /// Tells whether finished work waits to be judged; such cards go first.
    pub fn is_review(self) -> bool {
        matches!(
            self,
            Status::CodeReview | Status::AwaitingGuardReview | Status::GuardApproved
        )
    }

    /// Tells whether the status needs a wait reason.
    pub fn needs_wait_reason(self) -> bool {
        matches!(self, Status::Blocked | Status::WaitingForDeveloper)
    }
}
