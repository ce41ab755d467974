//! `fixtures/kernel/event-lines.json`: what is an event line, and of which issue.

use std::fs;

use orket_kernel::canonical::{self, Value};
use orket_kernel::event;

use crate::session::directory;

#[test]
fn every_line_of_the_fixture_is_read_as_the_oracle_says() {
    let bytes = fs::read(directory().join("event-lines.json")).unwrap();
    let fixture = canonical::parse(&bytes).unwrap();
    let lines = fixture.get("lines").and_then(Value::as_array).unwrap();
    assert!(lines.len() >= 20, "{} lines were found", lines.len());
    for line in lines {
        let text = line.get("line").and_then(Value::as_str).unwrap();
        let found = event::parse(text);
        if let Some(issue) = &found {
            assert_eq!(event::format(issue), text, "{line}");
        }
        let found = canonical::to_value(&found).unwrap();
        assert_eq!(Some(&found), line.get("issue"), "{line}");
    }
}
