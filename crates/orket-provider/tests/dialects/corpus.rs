//! The corpus in `fixtures/tool_calls/`, whose README tells the form.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use orket_kernel::canonical::{self, Value};
use orket_ports::dialect::{Dialect, Reading, RepairKind, Unreadable};
use orket_ports::model::{ToolCall, ToolOffer};
use orket_provider::dialect;

/// The fewest cases; a corpus that was emptied by mistake must not pass.
const CASES_MIN: usize = 300;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    dialect: String,
    #[serde(default)]
    forbidden_repairs: BTreeSet<RepairKind>,
    answer: Vec<String>,
    calls: Vec<ToolCall>,
    #[serde(default)]
    duplicates: Vec<(u64, u64)>,
    #[serde(default)]
    repairs: Vec<RepairKind>,
    #[serde(default)]
    refusals: Vec<Refusal>,
    prose: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    reason: Unreadable,
    line: u64,
    #[serde(default)]
    says: String,
}

impl Case {
    pub(crate) fn dialect(&self) -> Dialect {
        let own = folder().join(format!("{}.dialect.json", self.dialect));
        let mut dialect = match dialect::built_in(&self.dialect) {
            Some(dialect) => dialect,
            None => dialect::parse(&fs::read(own).unwrap()).unwrap(),
        };
        dialect.forbidden_repairs = self.forbidden_repairs.clone();
        dialect
    }

    pub(crate) fn answer(&self) -> String {
        self.answer.join("\n")
    }

    /// Tells the first thing in which a reading is not what was expected.
    fn difference(&self, reading: &Reading) -> Option<String> {
        let calls: Vec<ToolCall> = reading.calls.iter().map(plain).collect();
        let duplicates = reading.duplicates.iter().map(|it| (it.call, it.of));
        let duplicates: Vec<(u64, u64)> = duplicates.collect();
        let repairs: Vec<RepairKind> = reading.repairs.iter().map(|it| it.kind).collect();
        let refusals = &reading.refusals;
        let are_refused = refusals.len() == self.refusals.len()
            && refusals
                .iter()
                .zip(&self.refusals)
                .all(|(found, expected)| {
                    found.reason == expected.reason
                        && found.place.line == expected.line
                        && found.message.contains(&expected.says)
                        && !found.instead.is_empty()
                });
        let show = |what: &str, found: String| Some(format!("{}: {what} {found}", self.name));
        if calls != self.calls {
            show("calls", format!("{calls:?}, {refusals:?}"))
        } else if duplicates != self.duplicates {
            show("duplicates", format!("{duplicates:?}"))
        } else if !are_refused {
            show("refusals", format!("{refusals:?}"))
        } else if repairs != self.repairs {
            show("repairs", format!("{repairs:?}"))
        } else if reading.prose != self.prose {
            show("prose", format!("{:?}", reading.prose))
        } else {
            None
        }
    }
}

pub(crate) fn plain(call: &orket_ports::dialect::ReadCall) -> ToolCall {
    ToolCall {
        name: call.name.clone(),
        arguments: call.arguments.clone(),
    }
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tool_calls")
}

pub(crate) fn tools() -> Vec<ToolOffer> {
    canonical::from_bytes(&fs::read(folder().join("tools.json")).unwrap()).unwrap()
}

pub(crate) fn cases() -> Vec<Case> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the corpus lies in fixtures/tool_calls")
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if name == "tools.json" || name.ends_with(".dialect.json") || !name.ends_with(".json") {
            continue;
        }
        let bytes = fs::read(&file).unwrap();
        let family: Vec<Case> =
            canonical::from_bytes(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        cases.extend(family);
    }
    cases
}

#[test]
fn every_answer_is_read_as_a_person_reads_it() {
    let cases = cases();
    let tools = tools();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    assert!(cases.len() >= CASES_MIN, "{} cases were found", cases.len());
    let different: Vec<String> = cases
        .iter()
        .filter_map(|case| case.difference(&dialect::read(&case.dialect(), &tools, &case.answer())))
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn what_is_read_is_written_and_read_as_the_same() {
    let tools = tools();
    for case in cases() {
        let found = dialect::read(&case.dialect(), &tools, &case.answer());
        let calls: Vec<ToolCall> = found.calls.iter().map(plain).collect();
        if !found.duplicates.is_empty()
            && case.forbidden_repairs.contains(&RepairKind::RepeatedCall)
        {
            continue;
        }
        for name in dialect::built_in_names() {
            let dialect = dialect::built_in(name).unwrap();
            let reading = dialect::read(&dialect, &tools, &dialect::write(&dialect, &calls));
            let again: Vec<ToolCall> = reading.calls.iter().map(plain).collect();
            assert_eq!(again, calls, "{} in {name}", case.name);
            assert_eq!(reading.refusals, [], "{} in {name}", case.name);
            assert_eq!(reading.prose, "", "{} in {name}", case.name);
            if name != "native" {
                assert_eq!(reading.repairs, [], "{} in {name}", case.name);
            }
        }
    }
}

#[test]
fn a_repair_tells_what_stood_there_and_what_was_read() {
    let answer = "Now:\n```json\n{\"tool\": \"write_file\", \"args\": {\"path\": \"a\", \"content\": \"1\n2\"}}\n```";
    let json = dialect::built_in("json").unwrap();
    let reading = dialect::read(&json, &tools(), answer);
    let [members, control] = reading.repairs.as_slice() else {
        panic!("{:?}", reading.repairs);
    };
    assert_eq!(members.kind, RepairKind::OtherMember);
    assert_eq!((members.place.byte, members.place.line), (13, 3));
    let written = "{\"tool\": \"write_file\", \"args\": {\"path\": \"a\", \"content\": \"1\n2\"}}";
    assert_eq!(members.before.text, written);
    assert_eq!(members.before.length_bytes, written.len() as u64);
    assert_eq!(
        members.before.digest,
        orket_kernel::Digest::of_bytes(written.as_bytes())
    );
    assert_eq!(
        members.after.text,
        r#"{"name": "write_file", "arguments": {"content":"1\n2","path":"a"}}"#
    );
    assert_eq!(control.kind, RepairKind::ControlCharacter);
    assert!(control.before.text.ends_with("\"1\n2\"}}"));
    assert!(control.after.text.ends_with(r#""1\n2"}}"#));
    let whole = canonical::parse(control.after.text.as_bytes());
    assert!(whole.is_err(), "only the part that differs is shown");
}

#[test]
fn a_name_is_near_if_fewer_than_half_of_it_would_change() {
    let lines = dialect::built_in("json_lines").unwrap();
    let told = |name: &str| {
        let answer = format!("{{\"name\": {name:?}, \"arguments\": {{}}}}");
        let reading = dialect::read(&lines, &tools(), &answer);
        reading.refusals[0].message.clone()
    };
    let nearest = "there is no tool \"Read-File\"; the nearest name is read_file";
    assert_eq!(told("Read-File"), nearest);
    assert_eq!(told("launch_rocket"), "there is no tool \"launch_rocket\"");
    let long = told(&"x".repeat(5000));
    assert_eq!(long, format!("there is no tool {:?}", "x".repeat(64)));
}

#[test]
fn what_is_too_much_is_refused() {
    let tools = tools();
    let lines = dialect::built_in("json_lines").unwrap();
    let call = |number: usize| {
        let path = Value::from(format!("{number}"));
        let arguments = orket_kernel::object! { "path" => path };
        ToolCall {
            name: "read_file".into(),
            arguments,
        }
    };
    let calls: Vec<ToolCall> = (0..256).map(call).collect();
    let text = dialect::write(&lines, &calls);
    assert!(dialect::read(&lines, &tools, &text).understood().is_ok());
    let reading = dialect::read(&lines, &tools, &format!("{text}\n{text}"));
    assert_eq!(reading.calls.len(), 256);
    assert_eq!(reading.refusals[0].reason, Unreadable::TooManyCalls);
    assert_eq!(reading.refusals[0].place.line, 257);

    let unknown = "{\"name\": \"fly\", \"arguments\": {}}\n".repeat(1000);
    let reading = dialect::read(&lines, &tools, &unknown);
    assert_eq!(reading.refusals.len(), 33);
    assert_eq!(reading.refusals[32].reason, Unreadable::TooManyRefusals);
    assert_eq!(reading.refusals[32].place.line, 33);

    let long = " ".repeat(dialect::TEXT_MAX_BYTES + 1);
    let reading = dialect::read(&lines, &tools, &long);
    assert_eq!(reading.refusals[0].reason, Unreadable::TextTooLong);
}
