//! The transition table and the one function through which every status change passes.
//!
//! Agents, the engine, the command line and later the API all call [`decide`]; there is no other way.

use crate::{Status, VerificationState, WaitReason};
use Status::{
    Archived, AwaitingGuardReview, Blocked, Canceled, CodeReview, Done, GuardApproved,
    GuardRejected, GuardRequestedChanges, InProgress, Ready, ReadyForTesting, WaitingForDeveloper,
};

/// The role that alone may finish work and judge it.
pub const GUARD_ROLE: &str = "integrity_guard";

/// Which statuses may follow which.
pub const TABLE: &[(Status, &[Status])] = &[
    (Ready, &[InProgress, Canceled, Archived]),
    (
        InProgress,
        &[
            Blocked,
            WaitingForDeveloper,
            ReadyForTesting,
            CodeReview,
            Canceled,
            Archived,
        ],
    ),
    (Blocked, &[InProgress, Canceled, Archived]),
    (WaitingForDeveloper, &[InProgress, Canceled, Archived]),
    (
        ReadyForTesting,
        &[CodeReview, InProgress, Canceled, Archived],
    ),
    (
        CodeReview,
        &[
            Done,
            InProgress,
            ReadyForTesting,
            AwaitingGuardReview,
            GuardApproved,
            GuardRejected,
            GuardRequestedChanges,
            Archived,
        ],
    ),
    (
        AwaitingGuardReview,
        &[
            GuardApproved,
            GuardRejected,
            GuardRequestedChanges,
            Done,
            Blocked,
            Archived,
        ],
    ),
    (
        GuardRequestedChanges,
        &[
            InProgress,
            CodeReview,
            AwaitingGuardReview,
            Canceled,
            Archived,
        ],
    ),
    (GuardRejected, &[Blocked, InProgress, Canceled, Archived]),
    (GuardApproved, &[Done, Archived]),
    (Done, &[Archived]),
    (Canceled, &[Archived]),
    (Archived, &[]),
];

/// Rows that only the engine may use.
const ENGINE_TABLE: &[(Status, Status)] =
    &[(Ready, Blocked), (Blocked, Ready), (GuardApproved, Blocked)];

/// The statuses out of which the operator action `undo` leads: it restores the status that the chain recorded, and no other.
pub const UNDO_FROM: &[Status] = Status::ALL;

/// Who asks for a status change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A role at work.
    Role(String),
    /// The engine itself.
    Engine,
    /// A person, by name.
    Operator(String),
    /// A person who undoes, by name.
    Undo {
        /// Who.
        operator: String,
        /// The status and wait reason that the chain recorded, which alone can be restored.
        recorded: (Status, Option<WaitReason>),
    },
}

/// What the engine knows about a card's work when a change is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Promised artefacts that do not exist.
    pub missing: Vec<String>,
    /// Promised artefacts that are empty.
    pub empty: Vec<String>,
    /// What the card's checks said.
    pub verification: VerificationState,
    /// The roles that authored the work.
    pub authors: Vec<String>,
}

/// Says why a status change was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransitionRefusal {
    /// The table has no such row.
    #[error("a card cannot go from {from} to {to}; from {from} it can go to {}", list(.allowed))]
    NotInTable {
        /// The status it has.
        from: Status,
        /// The status that was asked for.
        to: Status,
        /// What the table allows.
        allowed: Vec<Status>,
    },
    /// An undo asks for another status than the one that was recorded.
    #[error("an undo restores the recorded status {recorded}, not {to}")]
    NotRecorded {
        /// The status that was recorded.
        recorded: Status,
        /// The status that was asked for.
        to: Status,
    },
    /// The status needs a wait reason.
    #[error("the status {to} needs a wait reason: resource, dependency, review, input or system")]
    NoWaitReason {
        /// The status that was asked for.
        to: Status,
    },
    /// Only the guard may do this.
    #[error("only the role {GUARD_ROLE} may set {to}, not {role}")]
    NotTheGuard {
        /// The status that was asked for.
        to: Status,
        /// Who asked.
        role: String,
    },
    /// Only a person may do this.
    #[error("only a person may set {to}")]
    NotAPerson {
        /// The status that was asked for.
        to: Status,
    },
    /// The guard judged its own work.
    #[error("the role {role} authored this work and may not judge it")]
    OwnWork {
        /// The role.
        role: String,
    },
    /// Promised artefacts are missing or empty.
    #[error("the card cannot be done: {what} {}", .paths.join(", "))]
    NoArtifact {
        /// `missing` or `empty`.
        what: &'static str,
        /// Which.
        paths: Vec<String>,
    },
    /// The checks did not pass.
    #[error("the card cannot be done: its verification is {state}")]
    NotVerified {
        /// What the checks said.
        state: &'static str,
    },
}

fn list(statuses: &[Status]) -> String {
    if statuses.is_empty() {
        return "nothing".into();
    }
    statuses
        .iter()
        .map(|status| status.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

impl TransitionRefusal {
    /// Returns a stable word for the rule.
    pub fn reason(&self) -> &'static str {
        match self {
            TransitionRefusal::NotInTable { .. } => "invalid_transition",
            TransitionRefusal::NotRecorded { .. } => "not_recorded",
            TransitionRefusal::NoWaitReason { .. } => "no_wait_reason",
            TransitionRefusal::NotTheGuard { .. } => "not_the_guard",
            TransitionRefusal::NotAPerson { .. } => "not_a_person",
            TransitionRefusal::OwnWork { .. } => "own_work",
            TransitionRefusal::NoArtifact { .. } => "no_artifact",
            TransitionRefusal::NotVerified { .. } => "not_verified",
        }
    }
}

/// Decides one status change.
///
/// # Errors
/// Names the first rule that is broken, in this order: table, person, wait reason, guard, evidence.
pub fn decide(
    from: Status,
    to: Status,
    actor: &Actor,
    wait_reason: Option<WaitReason>,
    evidence: &Evidence,
) -> Result<(), TransitionRefusal> {
    if let Actor::Undo { recorded, .. } = actor {
        // What was judged when the status was reached is restored with it; nothing is judged anew.
        return if UNDO_FROM.contains(&from) && *recorded == (to, wait_reason) {
            Ok(())
        } else {
            let recorded = recorded.0;
            Err(TransitionRefusal::NotRecorded { recorded, to })
        };
    }
    let allowed: Vec<Status> = TABLE
        .iter()
        .filter(|(status, _)| *status == from)
        .flat_map(|(_, targets)| targets.iter().copied())
        .collect();
    let by_engine = *actor == Actor::Engine && ENGINE_TABLE.contains(&(from, to));
    if !allowed.contains(&to) && !by_engine {
        // What only a person may do is no advice to anybody else.
        let is_person = matches!(actor, Actor::Operator(_));
        let allowed = allowed
            .into_iter()
            .filter(|to| is_person || !matches!(to, Canceled | Archived))
            .collect();
        return Err(TransitionRefusal::NotInTable { from, to, allowed });
    }
    // Giving work up counts as an end of it, so no model may; lesson 5 tells what comes of that.
    if matches!(to, Canceled | Archived) && !matches!(actor, Actor::Operator(_)) {
        return Err(TransitionRefusal::NotAPerson { to });
    }
    if to.needs_wait_reason() && wait_reason.is_none() {
        return Err(TransitionRefusal::NoWaitReason { to });
    }
    if matches!(
        to,
        Done | GuardApproved | GuardRejected | GuardRequestedChanges
    ) {
        check_guard(to, actor, evidence)?;
    }
    if to == Done {
        check_evidence(evidence)?;
    }
    Ok(())
}

fn check_guard(to: Status, actor: &Actor, evidence: &Evidence) -> Result<(), TransitionRefusal> {
    let role = match actor {
        Actor::Role(role) if role == GUARD_ROLE => role.clone(),
        Actor::Role(name) | Actor::Operator(name) | Actor::Undo { operator: name, .. } => {
            return Err(TransitionRefusal::NotTheGuard {
                to,
                role: name.clone(),
            });
        }
        Actor::Engine => {
            return Err(TransitionRefusal::NotTheGuard {
                to,
                role: "engine".into(),
            });
        }
    };
    if evidence.authors.contains(&role) {
        return Err(TransitionRefusal::OwnWork { role });
    }
    Ok(())
}

fn check_evidence(evidence: &Evidence) -> Result<(), TransitionRefusal> {
    let no_artifact = |what, paths: &Vec<String>| TransitionRefusal::NoArtifact {
        what,
        paths: paths.clone(),
    };
    if !evidence.missing.is_empty() {
        return Err(no_artifact("missing", &evidence.missing));
    }
    if !evidence.empty.is_empty() {
        return Err(no_artifact("empty", &evidence.empty));
    }
    match evidence.verification {
        VerificationState::Passed | VerificationState::NoChecks => Ok(()),
        state => Err(TransitionRefusal::NotVerified {
            state: state.as_str(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good_evidence() -> Evidence {
        Evidence {
            verification: VerificationState::Passed,
            authors: vec!["coder".into()],
            ..Evidence::default()
        }
    }

    /// The rows of the reference, typed in a second time from it (section 2.2) and not from [`TABLE`].
    const REFERENCE: &str = "\
        ready: in_progress canceled archived
        in_progress: blocked waiting_for_developer ready_for_testing code_review canceled archived
        blocked: in_progress canceled archived
        waiting_for_developer: in_progress canceled archived
        ready_for_testing: code_review in_progress canceled archived
        code_review: done in_progress ready_for_testing awaiting_guard_review guard_approved guard_rejected guard_requested_changes archived
        awaiting_guard_review: guard_approved guard_rejected guard_requested_changes done blocked archived
        guard_requested_changes: in_progress code_review awaiting_guard_review canceled archived
        guard_rejected: blocked in_progress canceled archived
        guard_approved: done archived
        done: archived
        canceled: archived
        archived:";

    #[test]
    fn every_pair_of_statuses_is_decided_as_the_reference_says() {
        for line in REFERENCE.lines() {
            let (from, targets) = line.trim().split_once(':').unwrap();
            let targets: Vec<&str> = targets.split_whitespace().collect();
            for to in Status::ALL {
                let actor = match to {
                    Canceled | Archived => Actor::Operator("ada".into()),
                    _ => Actor::Role(GUARD_ROLE.into()),
                };
                let verdict = decide(
                    Status::parse(from).unwrap(),
                    *to,
                    &actor,
                    Some(WaitReason::Input),
                    &good_evidence(),
                );
                assert_eq!(
                    verdict.is_ok(),
                    targets.contains(&to.as_str()),
                    "{from} -> {to}"
                );
            }
        }
    }

    #[test]
    fn no_card_jumps_from_ready_to_done() {
        for actor in [
            Actor::Engine,
            Actor::Role(GUARD_ROLE.into()),
            Actor::Role("coder".into()),
        ] {
            let refusal = decide(Ready, Done, &actor, None, &good_evidence()).unwrap_err();
            assert_eq!(refusal.reason(), "invalid_transition");
        }
    }

    #[test]
    fn only_a_person_gives_work_up() {
        for to in [Canceled, Archived] {
            for actor in [
                Actor::Engine,
                Actor::Role(GUARD_ROLE.into()),
                Actor::Role("coder".into()),
            ] {
                let refusal = decide(Ready, to, &actor, None, &good_evidence()).unwrap_err();
                assert_eq!(refusal.reason(), "not_a_person");
            }
        }
        // A name is no role: a person called like the guard is not the guard.
        let person = Actor::Operator(GUARD_ROLE.into());
        assert!(decide(AwaitingGuardReview, Done, &person, None, &good_evidence()).is_err());
    }

    #[test]
    fn the_engine_rows_are_for_the_engine_alone() {
        let reason = Some(WaitReason::System);
        let evidence = Evidence::default();
        assert!(decide(Ready, Blocked, &Actor::Engine, reason, &evidence).is_ok());
        assert!(
            decide(
                Ready,
                Blocked,
                &Actor::Role("coder".into()),
                reason,
                &evidence
            )
            .is_err()
        );
        assert!(decide(CodeReview, Done, &Actor::Engine, None, &good_evidence()).is_err());
    }

    #[test]
    fn done_needs_the_guard_other_authors_artefacts_and_a_passed_verification() {
        let ask = |role: &str, evidence: Evidence| {
            decide(
                AwaitingGuardReview,
                Done,
                &Actor::Role(role.into()),
                None,
                &evidence,
            )
            .map_err(|refusal| refusal.reason())
        };
        assert_eq!(ask(GUARD_ROLE, good_evidence()), Ok(()));
        assert_eq!(ask("coder", good_evidence()), Err("not_the_guard"));
        let own = Evidence {
            authors: vec![GUARD_ROLE.into()],
            ..good_evidence()
        };
        assert_eq!(ask(GUARD_ROLE, own), Err("own_work"));
        let missing = Evidence {
            missing: vec!["a".into()],
            ..good_evidence()
        };
        assert_eq!(ask(GUARD_ROLE, missing), Err("no_artifact"));
        let empty = Evidence {
            empty: vec!["a".into()],
            ..good_evidence()
        };
        assert_eq!(ask(GUARD_ROLE, empty), Err("no_artifact"));
        for state in [VerificationState::NotRun, VerificationState::Failed] {
            let evidence = Evidence {
                verification: state,
                ..good_evidence()
            };
            assert_eq!(ask(GUARD_ROLE, evidence), Err("not_verified"));
        }
    }

    #[test]
    fn an_undo_restores_what_was_recorded_and_nothing_else() {
        for from in Status::ALL {
            for to in Status::ALL {
                let wait = to.needs_wait_reason().then_some(WaitReason::Input);
                let undo = |recorded| Actor::Undo {
                    operator: "ada".into(),
                    recorded,
                };
                let ask = |actor| decide(*from, *to, &actor, wait, &Evidence::default());
                assert_eq!(ask(undo((*to, wait))), Ok(()), "{from} -> {to}");
                let other = if *to == Ready { Done } else { Ready };
                let refusal = ask(undo((other, wait))).unwrap_err();
                assert_eq!(refusal.reason(), "not_recorded", "{from} -> {to}");
                let reason = Some(WaitReason::Resource);
                assert!(ask(undo((*to, reason))).is_err(), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn waiting_needs_a_reason() {
        let refusal = decide(
            InProgress,
            Blocked,
            &Actor::Role("coder".into()),
            None,
            &Evidence::default(),
        );
        assert_eq!(refusal.unwrap_err().reason(), "no_wait_reason");
    }
}
