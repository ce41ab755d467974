//! The closed registry of kernel codes (Law 7).

use std::fmt;

macro_rules! registry {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $since:literal;)+) => {
        /// A registered kernel code; a code that is not listed here does not compile.
        ///
        /// The meaning of a code never changes. New codes raise the minor version of the registry.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Lists every registered code in the order of the registry.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// Returns the wire text of the code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),+ }
            }

            /// Returns the registry version in which the code appeared.
            pub const fn since(self) -> &'static str {
                match self { $(Code::$name => $since),+ }
            }

            /// Returns what the code means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc),+).trim_ascii()),+ }
            }

            /// Returns the page of the code, `docs/kernel/codes/<CODE>.md`; a code without one does not compile.
            pub const fn page(self) -> &'static str {
                match self {
                    $(Code::$name => include_str!(concat!("../../../docs/kernel/codes/", $text, ".md"))),+
                }
            }
        }
    };
}

registry! {
    /// A link names an id that is not visible, or a deletion would leave such a link behind.
    LsiOrphanReference = "E_LSI_ORPHAN_REFERENCE", "1.0";
    /// A promotion was refused and changed nothing.
    LsiPromotionFailed = "E_LSI_PROMOTION_FAILED", "1.0";
    /// A record is malformed or does not match its digest.
    LsiCorruptRecord = "E_LSI_CORRUPT_RECORD", "1.0";
    /// An action was not declared in the policy of the run.
    CapabilityDenied = "E_CAPABILITY_DENIED", "1.0";
    /// More than one stem references the same id.
    RefMultisource = "I_REF_MULTISOURCE", "1.0";
    /// A promotion was applied whole.
    PromotionPass = "I_PROMOTION_PASS", "1.0";
    /// The capability module is disabled in the envelope of the run.
    CapabilitySkipped = "I_CAPABILITY_SKIPPED", "1.0";
    /// A turn or a request does not have the shape that the contract demands, or does not fit its run.
    BaseShapeInvalid = "E_BASE_SHAPE_INVALID", "1.1";
    /// A second stem defines an id that is already defined.
    LsiDuplicateIdentity = "E_LSI_DUPLICATE_IDENTITY", "1.1";
    /// A link does not fit the slots of its type.
    DtoLinksInvalid = "E_DTO_LINKS_INVALID", "1.1";
    /// A relationship label is unknown or does not fit its ends.
    RelVocabInvalid = "E_REL_VOCAB_INVALID", "1.1";
    /// An array that its manifest declares to be ordered by value is not.
    DeterminismViolation = "E_DETERMINISM_VIOLATION", "1.1";
    /// A replayed turn differs from its record.
    ReplayDivergence = "E_REPLAY_DIVERGENCE", "1.1";
    /// A body or its links hold an id under a key that the profile forbids.
    PolicyRawIdForbidden = "E_POLICY_RAW_ID_FORBIDDEN", "1.1";
    /// A turn that changes nothing was promoted.
    NoopPromotion = "I_NOOP_PROMOTION", "1.1";
}

impl Code {
    /// Returns the code whose wire text is `text`, if it is registered.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// Tells whether the code is an error code (`E_…`).
    pub fn is_error(self) -> bool {
        self.as_str().starts_with("E_")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Code::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("the code {text:?} is not registered")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event;

    #[test]
    fn law_7_the_seven_codes_of_v1_are_registered_with_their_texts() {
        let v1: Vec<&str> = Code::ALL
            .iter()
            .filter(|code| code.since() == "1.0")
            .map(|code| code.as_str())
            .collect();
        assert_eq!(
            v1,
            [
                "E_LSI_ORPHAN_REFERENCE",
                "E_LSI_PROMOTION_FAILED",
                "E_LSI_CORRUPT_RECORD",
                "E_CAPABILITY_DENIED",
                "I_REF_MULTISOURCE",
                "I_PROMOTION_PASS",
                "I_CAPABILITY_SKIPPED"
            ]
        );
    }

    #[test]
    fn every_code_parses_back_and_no_other_does() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
        }
        assert_eq!(Code::parse("E_LSI_ORPHAN_TARGET"), None);
    }

    #[test]
    fn every_page_says_what_the_registry_says() {
        for code in Code::ALL {
            let page = code.page();
            let head = format!(
                "# {code}\n\n{}\n\nSince registry {}. ",
                code.meaning(),
                code.since()
            );
            assert!(
                page.starts_with(&head),
                "the page of {code} begins otherwise:\n{page}"
            );
        }
    }

    #[test]
    fn every_event_line_on_a_page_is_one_of_its_code() {
        for code in Code::ALL {
            let lines = code.page().lines();
            for line in lines.filter(|line| line.starts_with("FAIL|") || line.starts_with("INFO|"))
            {
                let issue = event::parse(line).unwrap_or_else(|| panic!("no event line: {line}"));
                assert_eq!(issue.code, *code, "{line}");
                assert_eq!(issue.is_failure(), code.is_error(), "{line}");
                assert_eq!(event::format(&issue), line);
            }
        }
    }
}
