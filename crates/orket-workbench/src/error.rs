//! Why a command of the workbench did not do what it was asked.

use std::io;

use crate::code::Code;

/// One variant for each [`Code`]. What a variant says is written for the person who typed the command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "Code says what a variant means, its message what its fields are"
)]
pub enum Error {
    #[error(
        "there is no template {name:?}; there are {known}, and a folder that holds a template.toml is one too"
    )]
    BlueprintNotFound { name: String, known: String },
    #[error(
        "{path} changed since the plan was made; nothing was touched; look at it and run the command again"
    )]
    ChangedSincePlan { path: String },
    #[error("orket.toml, [verify]: {reason}")]
    ConfigInvalid { reason: String },
    #[error("nothing was changed")]
    ConfirmationDeclined,
    #[error("nothing was changed, for nobody can be asked here; type the command again with --yes")]
    ConfirmationRequired,
    #[error(
        "`{command}` {ended} on a copy of the project with the change; the project is as it was"
    )]
    DraftFailure {
        command: String,
        ended: String,
        tail: String,
    },
    #[error("{path} is {what}; the workbench changes only plain files that no link leads to")]
    FileUnsupported { path: String, what: String },
    #[error("{name:?} is no identifier in {language}: {reason}")]
    IdentifierInvalid {
        name: String,
        language: String,
        reason: String,
    },
    #[error("{file}: {reason}")]
    InitConfigInvalid { file: String, reason: String },
    #[error("`{command}` {ended} in the new project; nothing was made")]
    InitVerifyFailed {
        command: String,
        ended: String,
        tail: String,
    },
    #[error("{place}: {reason}; everything is as before")]
    Internal { place: String, reason: String },
    #[error(
        "{journal} is the journal of an interrupted command and cannot be read: {reason}; the former contents lie in it, move it away once you have looked"
    )]
    JournalDamaged { journal: String, reason: String },
    #[error("{what}; narrow the scope")]
    LimitExceeded { what: String },
    #[error("{name} is there already: {places}; choose another name")]
    NameCollision { name: String, places: String },
    #[error("{name:?} is no name of a project: {reason}")]
    NameInvalid { name: String, reason: String },
    #[error(
        "the disk failed while the change was being made durable: {reason}; run the same command again, it finds out"
    )]
    OutcomeUnknown { reason: String },
    #[error("{path} is there already; choose another name, or move it away")]
    OutputDirExists { path: String },
    #[error("{reason}")]
    ProjectStyleUnsupported { reason: String },
    #[error(
        "{path} belongs to an interrupted command and was changed since; its former content is {saved}; put one of the two in place of the other, or move {journal} away to keep everything as it is, then run again"
    )]
    RestoreConflict {
        path: String,
        saved: String,
        journal: String,
    },
    #[error(
        "{reason}, and putting everything back failed too; {journal} holds what is needed, and the next command uses it"
    )]
    RestoreFailed { reason: String, journal: String },
    #[error("{path}: {reason}")]
    RouteConflict { path: String, reason: String },
    #[error("{text:?} {reason}")]
    RouteInvalid { text: String, reason: String },
    #[error(
        "the verification was not run and nothing was changed: {reason}; `sandbox = \"none\"` under [verify] runs it unconfined"
    )]
    SandboxUnavailable { reason: String },
    #[error("--schema, field {field}: {reason}; write it as \"id:int,name:string\"")]
    SchemaParseFailed { field: usize, reason: String },
    #[error("--scope {path}: {reason}")]
    ScopeInvalid { path: String, reason: String },
    #[error("say with --scope PATH what the command may touch")]
    ScopeRequired,
    #[error(
        "{path}:{line}: the file holds the name and cannot be parsed as {language}: correct it, or leave it out of the scope"
    )]
    SourceUnreadable {
        path: String,
        line: usize,
        language: String,
    },
    #[error("{name} is nowhere in the scope as an identifier{hint}")]
    TouchsetEmpty { name: String, hint: String },
    #[error("another command is changing {root}; wait for it and run again")]
    TransactionBusy { root: String },
    #[error("{text:?} is not understood; write it as \"rename OLD to NEW\"")]
    UnsupportedInstruction { text: String },
    #[error("--var {name}: {reason}")]
    VariableInvalid { name: String, reason: String },
    #[error(
        "`{command}` {ended} on a copy of the project with the change; the project is as it was"
    )]
    VerifyFailedReverted {
        command: String,
        ended: String,
        tail: String,
    },
    #[error(
        "{path} would have to be touched and is not in the scope; nothing was changed; add --scope {path}"
    )]
    WriteOutOfScope { path: String },
}

impl Error {
    /// Returns its code.
    pub const fn code(&self) -> Code {
        match self {
            Error::BlueprintNotFound { .. } => Code::BlueprintNotFound,
            Error::ChangedSincePlan { .. } => Code::ChangedSincePlan,
            Error::ConfigInvalid { .. } => Code::ConfigInvalid,
            Error::ConfirmationDeclined => Code::ConfirmationDeclined,
            Error::ConfirmationRequired => Code::ConfirmationRequired,
            Error::DraftFailure { .. } => Code::DraftFailure,
            Error::FileUnsupported { .. } => Code::FileUnsupported,
            Error::IdentifierInvalid { .. } => Code::IdentifierInvalid,
            Error::InitConfigInvalid { .. } => Code::InitConfigInvalid,
            Error::InitVerifyFailed { .. } => Code::InitVerifyFailed,
            Error::Internal { .. } => Code::Internal,
            Error::JournalDamaged { .. } => Code::JournalDamaged,
            Error::LimitExceeded { .. } => Code::LimitExceeded,
            Error::NameCollision { .. } => Code::NameCollision,
            Error::NameInvalid { .. } => Code::NameInvalid,
            Error::OutcomeUnknown { .. } => Code::OutcomeUnknown,
            Error::OutputDirExists { .. } => Code::OutputDirExists,
            Error::ProjectStyleUnsupported { .. } => Code::ProjectStyleUnsupported,
            Error::RestoreConflict { .. } => Code::RestoreConflict,
            Error::RestoreFailed { .. } => Code::RestoreFailed,
            Error::RouteConflict { .. } => Code::RouteConflict,
            Error::RouteInvalid { .. } => Code::RouteInvalid,
            Error::SandboxUnavailable { .. } => Code::SandboxUnavailable,
            Error::SchemaParseFailed { .. } => Code::SchemaParseFailed,
            Error::ScopeInvalid { .. } => Code::ScopeInvalid,
            Error::ScopeRequired => Code::ScopeRequired,
            Error::SourceUnreadable { .. } => Code::SourceUnreadable,
            Error::TouchsetEmpty { .. } => Code::TouchsetEmpty,
            Error::TransactionBusy { .. } => Code::TransactionBusy,
            Error::UnsupportedInstruction { .. } => Code::UnsupportedInstruction,
            Error::VariableInvalid { .. } => Code::VariableInvalid,
            Error::VerifyFailedReverted { .. } => Code::VerifyFailedReverted,
            Error::WriteOutOfScope { .. } => Code::WriteOutOfScope,
        }
    }

    /// Returns the end of what a failed verification printed.
    pub fn tail(&self) -> Option<&str> {
        match self {
            Error::DraftFailure { tail, .. }
            | Error::InitVerifyFailed { tail, .. }
            | Error::VerifyFailedReverted { tail, .. } => Some(tail),
            _ => None,
        }
    }

    pub(crate) fn unreadable(place: &str, error: &io::Error) -> Error {
        Error::Internal {
            place: place.to_owned(),
            reason: error.to_string(),
        }
    }
}
