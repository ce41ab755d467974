//! The codes of the workbench: one cause each.

use std::fmt;

/// The page that has a section for each code.
const PAGE: &str = include_str!("../../../docs/workbench.md");

macro_rules! codes {
    ($($name:ident $text:literal $meaning:literal;)+) => {
        /// Why a command of the workbench did not do what it was asked. A code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $meaning] $name),+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$name),+];

            /// Returns the code as it is written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text),+
                }
            }

            /// Says in one line what it means.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Code::$name => $meaning),+
                }
            }
        }
    };
}

codes! {
    BlueprintNotFound "E_BLUEPRINT_NOT_FOUND" "There is no template of this name.";
    ChangedSincePlan "E_CHANGED_SINCE_PLAN" "A file changed between the plan and its execution.";
    ConfigInvalid "E_CONFIG_INVALID" "The table `verify` of orket.toml cannot be used.";
    ConfirmationDeclined "E_CONFIRMATION_DECLINED" "The person who was asked said no.";
    ConfirmationRequired "E_CONFIRMATION_REQUIRED" "Nobody can be asked, and --yes is not given.";
    DraftFailure "E_DRAFT_FAILURE" "What `orket api add` would make does not pass the project's own verification.";
    FileUnsupported "E_FILE_UNSUPPORTED" "A path is a link, a special file or a file with several names.";
    IdentifierInvalid "E_IDENTIFIER_INVALID" "A name is no identifier in a language of the files that hold it.";
    InitConfigInvalid "E_INIT_CONFIG_INVALID" "The data of a template are not valid.";
    InitVerifyFailed "E_INIT_VERIFY_FAILED" "The new project does not pass the verification of its template.";
    Internal "E_INTERNAL" "The file system refused an operation; everything is as before.";
    JournalDamaged "E_JOURNAL_DAMAGED" "The journal of an interrupted command cannot be read.";
    LimitExceeded "E_LIMIT_EXCEEDED" "Something is larger than the workbench allows.";
    NameCollision "E_NAME_COLLISION" "The new name is there already.";
    NameInvalid "E_NAME_INVALID" "A text is no name of a project.";
    OutcomeUnknown "E_OUTCOME_UNKNOWN" "The disk failed while the outcome was being made durable.";
    OutputDirExists "E_OUTPUT_DIR_EXISTS" "Something is there where the new project would be.";
    ProjectStyleUnsupported "E_PROJECT_STYLE_UNSUPPORTED" "No framework that is known is found in the project, or more than one.";
    RestoreConflict "E_RESTORE_CONFLICT" "What an interrupted command left was changed by somebody else since.";
    RestoreFailed "E_RESTORE_FAILED" "A command failed and could not put everything back; the next one does.";
    RouteConflict "E_ROUTE_CONFLICT" "A file of the route is there and was not made for it, or was changed outside its user regions.";
    RouteInvalid "E_ROUTE_INVALID" "A text is no name of a route, or a word is no method.";
    SandboxUnavailable "E_SANDBOX_UNAVAILABLE" "The verification asks for a sandbox that this machine cannot make.";
    SchemaParseFailed "E_SCHEMA_PARSE_FAILED" "The text after --schema is no list of fields.";
    ScopeInvalid "E_SCOPE_INVALID" "A path after --scope is not there, lies outside the project or is a link.";
    ScopeRequired "E_SCOPE_REQUIRED" "No --scope is given.";
    SourceUnreadable "E_SOURCE_UNREADABLE" "A source file that would change cannot be parsed.";
    TouchsetEmpty "E_TOUCHSET_EMPTY" "The old name is nowhere in the scope.";
    TransactionBusy "E_TRANSACTION_BUSY" "Another command is changing this tree.";
    UnsupportedInstruction "E_UNSUPPORTED_INSTRUCTION" "The instruction is not `rename A to B`.";
    VariableInvalid "E_VARIABLE_INVALID" "A variable of a template is missing, unknown or has no valid value.";
    VerifyFailedReverted "E_VERIFY_FAILED_REVERTED" "What `orket refactor` would make does not pass the project's own verification.";
    WriteOutOfScope "E_WRITE_OUT_OF_SCOPE" "The command would have to touch a path outside its scope.";
}

impl Code {
    /// Finds the code that is written so.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// Returns its section of `docs/workbench.md`, as a page of its own.
    pub fn page(self) -> String {
        let heading = format!("### {}\n", self.as_str());
        let body = PAGE.split_once(&heading).map_or("", |(_, rest)| rest);
        let end = body.find("\n#").unwrap_or(body.len());
        format!(
            "# {}\n\n{}\n\n{}\n",
            self.as_str(),
            self.meaning(),
            body.get(..end).unwrap_or(body).trim()
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, PAGE};

    #[test]
    fn codes_are_sorted_and_each_has_exactly_one_section() {
        let texts: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(texts.is_sorted(), "{texts:?}");
        let sections: Vec<&str> = PAGE
            .lines()
            .filter_map(|line| line.strip_prefix("### E_"))
            .collect();
        let mut expected: Vec<&str> = texts.iter().map(|it| &it[2..]).collect();
        expected.sort_unstable();
        let mut found = sections.clone();
        found.sort_unstable();
        assert_eq!(found, expected);
        for code in Code::ALL {
            let page = code.page();
            assert!(page.lines().count() >= 5, "{code} says nothing: {page}");
            assert_eq!(Code::parse(code.as_str()), Some(*code));
        }
    }
}
