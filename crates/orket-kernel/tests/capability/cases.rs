//! `fixtures/capability/`: each directory is one policy with a request, and what the jail must say.

use std::fs;
use std::path::{Path, PathBuf};

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::{Decision, Policy, Reason, ToolRequest, Verdict, authorize};
use orket_kernel::{Pointer, RunId};

const CASES_MIN: usize = 100;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    name: String,
    policy: Value,
    request: Option<ToolRequest>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    refused: Option<Refused>,
    verdict: Option<Verdict>,
    reason: Option<Reason>,
    rule: Option<u64>,
    nearest_rule: Option<u64>,
    argument: Option<Pointer>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    at: String,
    says: String,
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    canonical::from_bytes(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Judges one case and says what is not as expected.
fn judge(given: &Given, expected: &Expected) -> Result<(), String> {
    let policy = match (Policy::from_value(given.policy.clone()), &expected.refused) {
        (Err(error), Some(refused)) => {
            let message = error.to_string();
            let fits = error.pointer.as_str() == refused.at && message.contains(&refused.says);
            return if fits { Ok(()) } else { Err(message) };
        }
        (Err(error), None) => return Err(error.to_string()),
        (Ok(_), Some(_)) => return Err("the policy was taken".into()),
        (Ok(policy), None) => policy,
    };
    let request = given.request.as_ref().ok_or("the case has no request")?;
    let run_id = RunId::parse("case").unwrap();
    let decision = authorize(&policy, &run_id, 7, request);
    decision.verify().map_err(|fault| fault.to_string())?;
    let told = |decision: &Decision| {
        (
            Some(decision.verdict),
            Some(decision.reason),
            decision.rule,
            decision.nearest_rule,
            decision.argument.clone(),
        )
    };
    let wanted = (
        expected.verdict,
        expected.reason,
        expected.rule,
        expected.nearest_rule,
        expected.argument.clone(),
    );
    if told(&decision) == wanted {
        Ok(())
    } else {
        Err(decision.sentence())
    }
}

#[test]
fn law_8_every_case_of_the_fixtures_is_decided_as_the_requirement_says() {
    let directory: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/capability");
    let mut cases: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(cases.len() >= CASES_MIN, "{} cases were found", cases.len());
    let mut wrong = Vec::new();
    for path in cases {
        let given: Given = read(&path.join("input.json"));
        let expected: Expected = read(&path.join("expect.json"));
        if let Err(found) = judge(&given, &expected) {
            let slug = path.file_name().unwrap().to_string_lossy().into_owned();
            wrong.push(format!("{slug}: {}\n{found}", given.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
