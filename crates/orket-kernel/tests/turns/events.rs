//! Law 3: an event line is one line, and tells the whole issue.

use orket_kernel::canonical::Value;
use orket_kernel::{Code, KernelIssue, Pointer, Stage, event, object};
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::config;

/// Texts in which the characters that are escaped, and their escapes, meet often.
fn text() -> impl Strategy<Value = String> {
    let part = select(vec![
        "\\", "|", "\r", "\n", "\\n", "\\|", "n", "r", "\"", "~", "/", "\0", "\u{2028}", "😀", "é",
    ]);
    let parts = prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat());
    prop_oneof![3 => parts, 1 => any::<String>()]
}

fn details() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4).prop_map(Value::Object),
        ]
    })
}

fn issue() -> impl Strategy<Value = KernelIssue> {
    let stage = select(Stage::ALL.to_vec());
    let code = select(Code::ALL.to_vec());
    let keys = prop::collection::vec(text(), 0..3);
    (stage, code, keys, text(), details()).prop_map(|(stage, code, keys, message, details)| {
        let root = Pointer::root();
        let location = keys.iter().fold(root, |place, key| place.key(key));
        KernelIssue::new(stage, code, location, message, details)
    })
}

proptest! {
    #![proptest_config(config(1024))]

    #[test]
    fn law_3_an_event_line_parses_back_to_its_issue(issue in issue()) {
        let line = event::format(&issue);
        prop_assert!(!line.contains(['\r', '\n']), "{line:?}");
        prop_assert_eq!(event::parse(&line), Some(issue), "{}", line);
    }

    #[test]
    fn law_3_two_issues_never_have_one_line(one in issue(), two in issue()) {
        prop_assert_eq!(event::format(&one) == event::format(&two), one == two);
    }

    #[test]
    fn law_3_whatever_is_a_line_is_the_line_of_its_issue(issue in issue(), at in any::<prop::sample::Index>(), by in select(vec!["", "\\", "|", " ", "n"])) {
        let line = event::format(&issue);
        let places: Vec<usize> = line.char_indices().map(|(place, _)| place).collect();
        let place = places[at.index(places.len())];
        let next = line[place..].chars().next().map_or(0, char::len_utf8);
        let changed = format!("{}{by}{}", &line[..place], &line[place + next..]);
        if let Some(found) = event::parse(&changed) {
            prop_assert_eq!(event::format(&found), changed);
        }
    }
}

/// A record of another implementation told a denied call as an information, so that its turn counted as passed.
#[test]
fn spec_003_a_level_that_does_not_follow_from_the_code_is_not_read() {
    let issue = KernelIssue::new(
        Stage::Policy,
        Code::CapabilityDenied,
        Pointer::root(),
        "m",
        object! {},
    );
    let text = orket_kernel::canonical::serialize(&issue).unwrap();
    let text = String::from_utf8(text).unwrap();
    let read = |text: &str| orket_kernel::canonical::from_bytes::<KernelIssue>(text.as_bytes());
    assert_eq!(read(&text).unwrap(), issue);
    assert!(read(&text.replace("FAIL", "INFO")).is_err());
    assert!(read(&text.replace("{\"code\"", "{\"more\":1,\"code\"")).is_err());
}
