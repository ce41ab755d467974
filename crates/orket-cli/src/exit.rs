//! Exit codes, as `docs/exit-codes.md` lists them, and the failures that lead to them.

use std::process::ExitCode;

use orket_cards::StoreFault;
use orket_flow::{ChangeError, ReplayError, RunError, UndoError};
use orket_kernel::ReadError;
use orket_ports::ModelError;
use orket_ports::verifier::VerifyError;
use orket_tools::spaces::SpaceError;
use orket_workbench::Code as WorkbenchCode;

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(u8);

pub(crate) const DONE: Code = Code(0);
pub(crate) const NO: Code = Code(1);
pub(crate) const USAGE: Code = Code(2);
pub(crate) const INVALID: Code = Code(3);
pub(crate) const REFUSED: Code = Code(4);
pub(crate) const BACKEND: Code = Code(5);
pub(crate) const BUSY: Code = Code(6);
pub(crate) const WAITING: Code = Code(7);
pub(crate) const BUG: Code = Code(70);
pub(crate) const DISK: Code = Code(74);
pub(crate) const INTERRUPTED: Code = Code(130);

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(code.0)
    }
}

/// Why a command ended without doing what it was asked: one line, and the code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        let message = error.to_string();
        let code = match &error {
            RunError::NoAsset { .. }
            | RunError::Asset(_)
            | RunError::NoFixture { .. }
            | RunError::FixtureChanged { .. }
            | RunError::NoCard { .. }
            | RunError::Workspace(_) => INVALID,
            RunError::Name(_) | RunError::OtherEpic { .. } => USAGE,
            RunError::Backend { source, .. } => {
                return backend(&message, source);
            }
            RunError::Verify {
                source: VerifyError::TierTooLow { .. },
                ..
            } => REFUSED,
            RunError::Verify { .. } => INVALID,
            RunError::ForeignChange { .. } => WAITING,
            RunError::AnotherRun { .. } => BUSY,
            RunError::Store(_) => {
                return match error {
                    RunError::Store(fault) => fault.into(),
                    _ => Failure::new(BUG, message),
                };
            }
            RunError::Read(ReadError::Corrupt { .. }) => NO,
            RunError::Read(_) | RunError::Canonical(_) | RunError::Bug { .. } => BUG,
        };
        Failure::new(code, message)
    }
}

/// Says what the model backend said, under which code, and what helps.
pub(crate) fn backend(message: &str, error: &ModelError) -> Failure {
    let code = match error {
        ModelError::NotLocal { .. } => REFUSED,
        ModelError::Unsendable { .. } => INVALID,
        ModelError::Cancelled => INTERRUPTED,
        _ => BACKEND,
    };
    let (name, hint) = (error.code(), error.hint());
    Failure::new(code, format!("{message} [{name}]; {hint}"))
}

impl From<StoreFault> for Failure {
    fn from(fault: StoreFault) -> Failure {
        let code = match &fault {
            StoreFault::Busy { .. } | StoreFault::Conflict { .. } | StoreFault::Fenced { .. } => {
                BUSY
            }
            StoreFault::Corrupt { .. }
            | StoreFault::Absent { .. }
            | StoreFault::NotRetained { .. } => NO,
            StoreFault::Unusable { .. } => INVALID,
            StoreFault::NoRoom { .. } => REFUSED,
            StoreFault::Poisoned { .. } => DISK,
            StoreFault::Failed { .. } => BUG,
        };
        let message = with_causes(&fault);
        Failure::new(code, message)
    }
}

impl From<SpaceError> for Failure {
    fn from(error: SpaceError) -> Failure {
        Failure::new(INVALID, with_causes(&error))
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    message
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Failure {
        let message = error.to_string();
        let code = match error {
            ChangeError::Run(error) => return error.into(),
            ChangeError::NotPlain { .. } | ChangeError::Secret { .. } => REFUSED,
            ChangeError::Path { .. } | ChangeError::NoFile { .. } => USAGE,
            ChangeError::NoCard { .. } => INVALID,
            ChangeError::InTheWay { .. }
            | ChangeError::Transition { .. }
            | ChangeError::Nothing => NO,
        };
        Failure::new(code, message)
    }
}

impl From<UndoError> for Failure {
    fn from(error: UndoError) -> Failure {
        match error {
            UndoError::Run(error) => error.into(),
            refusal => Failure::new(NO, refusal.to_string()),
        }
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Failure {
        let message = error.to_string();
        match error {
            ReplayError::Store(fault) => fault.into(),
            _ => Failure::new(NO, message),
        }
    }
}

impl From<orket_workbench::Error> for Failure {
    fn from(error: orket_workbench::Error) -> Failure {
        Failure::new(
            of_workbench(error.code()),
            format!("{}: {error}", error.code()),
        )
    }
}

/// Returns the exit code of a code of the workbench.
pub(crate) fn of_workbench(code: WorkbenchCode) -> Code {
    match code {
        WorkbenchCode::BlueprintNotFound
        | WorkbenchCode::IdentifierInvalid
        | WorkbenchCode::NameInvalid
        | WorkbenchCode::RouteInvalid
        | WorkbenchCode::SchemaParseFailed
        | WorkbenchCode::ScopeInvalid
        | WorkbenchCode::ScopeRequired
        | WorkbenchCode::UnsupportedInstruction
        | WorkbenchCode::VariableInvalid => USAGE,
        WorkbenchCode::ConfigInvalid
        | WorkbenchCode::InitConfigInvalid
        | WorkbenchCode::JournalDamaged => INVALID,
        WorkbenchCode::LimitExceeded
        | WorkbenchCode::SandboxUnavailable
        | WorkbenchCode::WriteOutOfScope => REFUSED,
        WorkbenchCode::TransactionBusy => BUSY,
        WorkbenchCode::ConfirmationRequired | WorkbenchCode::RestoreConflict => WAITING,
        WorkbenchCode::OutcomeUnknown | WorkbenchCode::RestoreFailed => DISK,
        // What remains ran, and the answer is no.
        _ => NO,
    }
}
