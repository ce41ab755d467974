//! The rules of the code registry (Law 7), held against the normative page.

use orket_kernel::{Code, event};

const PAGE: &str = include_str!("../../../docs/kernel/error-codes-v1.md");

/// The registry of 1.0 as the requirement words it: code and meaning there, and what the kernel's meaning must speak of.
const V1: [(&str, &str); 7] = [
    ("E_LSI_ORPHAN_REFERENCE", "not visible"),
    ("E_LSI_PROMOTION_FAILED", "promotion was refused"),
    ("E_LSI_CORRUPT_RECORD", "record is malformed"),
    ("E_CAPABILITY_DENIED", "not declared"),
    (
        "I_REF_MULTISOURCE",
        "More than one stem references the same id",
    ),
    ("I_PROMOTION_PASS", "promotion was applied"),
    ("I_CAPABILITY_SKIPPED", "module is disabled"),
];

#[test]
fn registry_the_page_lists_every_code_once_with_its_meaning() {
    let rows: Vec<&str> = PAGE
        .lines()
        .filter(|line| line.starts_with("| ["))
        .collect();
    let expected: Vec<String> = Code::ALL
        .iter()
        .map(|code| {
            let (since, meaning) = (code.since(), code.meaning());
            format!("| [{code}](codes/{code}.md) | {since} | {meaning} |")
        })
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn registry_a_code_of_1_0_keeps_its_meaning() {
    for (text, meaning) in V1 {
        let code = Code::parse(text).unwrap_or_else(|| panic!("{text} is gone"));
        assert_eq!(code.since(), "1.0");
        assert!(
            code.meaning().contains(meaning),
            "{code}: {}",
            code.meaning()
        );
    }
}

#[test]
fn registry_a_new_code_raises_the_minor_version() {
    for code in Code::ALL {
        let is_first = V1.iter().any(|(text, _)| *text == code.as_str());
        assert_eq!(code.since() == "1.0", is_first, "{code}");
        let newest = "1.1";
        assert!(
            code.since() <= newest,
            "{code}: the page names {newest} as the newest"
        );
    }
    assert!(PAGE.contains("Normative registry, version 1.1."));
}

#[test]
fn registry_no_code_outside_of_it_can_be_read() {
    // The names that the earlier system gave to the same cases.
    for text in [
        "E_LSI_ORPHAN_TARGET",
        "E_PROMOTION_FAILED",
        "E_PERMISSION_DENIED",
        "",
    ] {
        assert_eq!(Code::parse(text), None);
        assert_eq!(event::parse(&format!("FAIL|policy|{text}||m|{{}}")), None);
    }
}

#[test]
fn registry_the_letter_of_a_code_says_whether_it_fails() {
    for code in Code::ALL {
        let text = code.as_str();
        assert_eq!(code.is_error(), text.starts_with("E_"), "{text}");
        assert!(text.starts_with("E_") || text.starts_with("I_"), "{text}");
    }
}
