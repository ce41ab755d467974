//! `fixtures/profiles/`: each directory is one profile, with what its check says.

use std::fs;
use std::path::Path;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Profile, ProfileDraft};

const CASES_MIN: usize = 45;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    name: String,
    built_in: Option<String>,
    refused: Option<Refused>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    pointer: String,
    reason: String,
}

fn read(path: &Path) -> Value {
    canonical::parse(&fs::read(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn judge(text: &Value, expected: &Expected) -> Result<(), String> {
    // Serde is a second way to a profile; it must not be a way round the check.
    let by_serde = canonical::from_value::<Profile>(text.clone());
    let error = match (Profile::from_value(text), &expected.refused) {
        (Ok(profile), None) => {
            assert_eq!(by_serde.unwrap(), profile);
            let bytes = canonical::serialize(&profile).unwrap();
            assert_eq!(canonical::from_bytes::<Profile>(&bytes).unwrap(), profile);
            let built_in = match expected.built_in.as_deref() {
                None => return Ok(()),
                Some("orket") => Profile::orket(),
                Some("reference") => Profile::reference(),
                Some(other) => panic!("{other:?} is no built-in profile"),
            };
            let is_same = built_in == profile;
            return is_same
                .then_some(())
                .ok_or_else(|| "another profile".into());
        }
        (Ok(_), Some(_)) => return Err("it was taken".into()),
        (Err(error), None) => return Err(error.to_string()),
        (Err(error), Some(_)) => error,
    };
    assert!(by_serde.is_err());
    let refused = expected.refused.as_ref().unwrap();
    let told = (error.pointer.as_str(), error.fault.reason());
    if told != (&refused.pointer, &refused.reason) {
        return Err(format!("{told:?}: {error}"));
    }
    let text = error.to_string();
    assert!(text.contains(&format!("{:?}", refused.pointer)), "{text}");
    assert!(text.contains("; "), "what to do is missing: {text}");
    Ok(())
}

#[test]
fn every_profile_of_the_fixtures_is_judged_as_the_format_says() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/profiles");
    let mut paths: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    paths.sort();
    assert!(paths.len() >= CASES_MIN, "{} were found", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let expected: Expected = canonical::from_value(read(&path.join("expect.json"))).unwrap();
        if let Err(found) = judge(&read(&path.join("profile.json")), &expected) {
            wrong.push(format!("{}: {}\n{found}", path.display(), expected.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn invariant_explicit_version_fields_required_in_a_profile() {
    let whole = canonical::to_value(&Profile::orket()).unwrap();
    let mut members = whole.as_object().unwrap().clone();
    assert_eq!(members["profile_version"].as_str(), Some("profile/v1"));
    for version in [Value::Null, "".into(), "v1".into(), "profile/v10".into()] {
        members.insert("profile_version".into(), version);
        assert!(Profile::from_value(&Value::Object(members.clone())).is_err());
    }
    members.remove("profile_version");
    assert!(Profile::from_value(&Value::Object(members)).is_err());
}

#[test]
fn a_draft_is_changed_and_checked_again() {
    let mut draft: ProfileDraft = Profile::reference().to_draft();
    draft.name = "mine/v1".into();
    assert_eq!(draft.clone().check().unwrap().name(), "mine/v1");
    draft.types.remove("skill");
    assert!(draft.check().is_err());
}

/// The page shows one whole profile; what it says must be true of it.
#[test]
fn the_example_on_the_page_is_a_profile() {
    let page = include_str!("../../../../docs/kernel/profiles.md");
    let (_, rest) = page.split_once("```json\n").unwrap();
    let (example, rest) = rest.split_once("\n```").unwrap();
    assert!(!rest.contains("```json"), "a second example is not read");
    let profile = Profile::from_value(&canonical::parse(example.as_bytes()).unwrap()).unwrap();
    assert_eq!(profile.name(), "library/v1");
    assert!(profile.raw_ids().forbids("first_author_id"));
}
