//! Capability policies: that of a run, one of one's own, and what it would have said to the run.

use insta::assert_snapshot;
use orket_testkit::CliEnvironment;
use serde_json::{Value, json};

use crate::sample::{sample, worked};

const RUN: &str = "first_light-1";

/// Writes the policy of the run into `policy.json`, after `change` had its way with it.
fn write_policy(environment: &CliEnvironment, change: impl FnOnce(&mut Value)) {
    let output = environment.run(&["policy", "show", "--run", RUN]);
    output.assert_code(0);
    let mut policy: Value = serde_json::from_str(&output.stdout).unwrap();
    change(&mut policy);
    let text = serde_json::to_string_pretty(&policy).unwrap();
    environment.write("policy.json", &text);
}

#[test]
fn the_policy_of_a_run_is_a_policy_that_says_the_same_again() {
    let environment = worked();
    let shown = environment.run(&["policy", "show", "--run", RUN]);
    assert_snapshot!(shown, @r#"
    $ orket policy show --run first_light-1
    {
      "enabled": true,
      "policy_version": "capability_policy/v1",
      "rules": [
        {
          "role": "architect",
          "task": "build",
          "tools": ["add_issue_comment","list_directory","read_file","update_issue_status","write_file"]
        },
        {
          "role": "code_reviewer",
          "task": "review",
          "tools": ["add_issue_comment","list_directory","read_file","update_issue_status"]
        },
        {
          "role": "coder",
          "task": "build",
          "tools": ["add_issue_comment","list_directory","read_file","update_issue_status","write_file"]
        },
        {
          "role": "integrity_guard",
          "task": "guard",
          "tools": ["add_issue_comment","list_directory","read_file","update_issue_status"]
        }
      ]
    }
    [exit 0]
    "#);
    environment.write("policy.json", &shown.stdout);
    assert_snapshot!(environment.run(&["policy", "check", "policy.json"]), @r#"
    $ orket policy check policy.json
    policy.json is a valid policy of 4 rule(s)
    digest a21bb323e638acd0e9810c76cba69a38e12877967cf02b6f94fac807ea414983
    [exit 0]
    "#);
    assert_snapshot!(environment.run(&["policy", "test", "policy.json", "--run", RUN]), @r#"
    $ orket policy test policy.json --run first_light-1
    0 of 35 call(s) of first_light-1 would be decided otherwise
    [exit 0]
    "#);
    // The digest is the one that every record of the run names.
    let checked = environment.run(&["policy", "check", "policy.json", "--json"]);
    let checked: Value = serde_json::from_str(&checked.assert_code(0).stdout).unwrap();
    let turn = environment.run(&["show", "turn", "first_light-1:FL-2:9", "--json"]);
    let turn: Value = serde_json::from_str(&turn.assert_code(0).stdout).unwrap();
    assert_eq!(turn["decisions"][0]["policy_digest"], checked["digest"]);
    assert_eq!(turn["decisions"][0]["action"], "change_status");
}

#[test]
fn a_stricter_policy_names_the_calls_it_would_deny() {
    let environment = worked();
    write_policy(&environment, |policy| {
        for rule in policy["rules"].as_array_mut().unwrap() {
            let tools = rule["tools"].as_array_mut().unwrap();
            tools.retain(|tool| tool != "write_file");
        }
        policy["rules"].as_array_mut().unwrap().push(json!({
            "role": "coder",
            "task": "build",
            "tools": ["write_file"],
            "actions": ["write"],
            "arguments": {"/path": {"path_under": ["agent_output/lib"]}},
            "match": [{"arguments": {"path": "agent_output/lib/phase.sh"}}],
        }));
    });
    let arguments = ["policy", "test", "policy.json", "--run", RUN];
    assert_snapshot!(environment.run(&arguments), @r##"
    $ orket policy test policy.json --run first_light-1
    turn-0002 attempt 1, call 0: architect in build, write_file {"content":"# first_light.sh\n\nPrints the part of the day that an hour be…","path":"agent_output/docs/design.md"}
      granted -> denied: the role architect may not use write_file in the step build: no rule of the policy lists it
    turn-0006 attempt 1 (refused), call 1: coder in build, write_file {"content":"exit 0\n","path":"verification/phase.sh"}
      granted -> denied: the role coder may not use write_file in the step build like this: the argument /path is missing or does not fit rule 4
    turn-0011 attempt 1 (refused), call 0: coder in build, write_file {"content":"#!/bin/sh\n# Prints the part of the day that an hour belongs …","executable":true,"path":"agent_output/first_light.sh"}
      granted -> denied: the role coder may not use write_file in the step build like this: the argument /path is missing or does not fit rule 4
    turn-0011 attempt 2, call 0: coder in build, write_file {"content":"#!/bin/sh\n# Prints the part of the day that an hour belongs …","executable":true,"path":"agent_output/first_light.sh"}
      granted -> denied: the role coder may not use write_file in the step build like this: the argument /path is missing or does not fit rule 4
    turn-0015 attempt 1, call 0: architect in build, write_file {"content":"# first_light\n\nTells which part of the day an hour belongs t…","path":"agent_output/README.md"}
      granted -> denied: the role architect may not use write_file in the step build: no rule of the policy lists it
    turn-0019 attempt 1, call 0: architect in build, write_file {"content":"# first_light\n\nTells which part of the day an hour belongs t…","path":"agent_output/README.md"}
      granted -> denied: the role architect may not use write_file in the step build: no rule of the policy lists it
    6 of 35 call(s) of first_light-1 would be decided otherwise
    [exit 1]
    "##);
    let output = environment.run(&[&arguments[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&output.assert_code(1).stdout).unwrap();
    assert_eq!(report["decided"], 35);
    let rows = report["otherwise"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    // The call of a refused attempt is among them.
    let refused = rows.iter().find(|row| row["promoted"] == false).unwrap();
    assert_eq!(refused["turn"], "turn-0006");
    assert_eq!(refused["arguments"]["path"], "verification/phase.sh");
    assert_eq!(refused["was"], "granted");
    assert_eq!(refused["would_be"], "denied");
    assert_eq!(refused["reason"], "argument");
    assert_eq!(refused["argument"], "/path");
    assert_eq!(refused["nearest_rule"], 4);
    assert_eq!(refused["rule"], Value::Null);
}

#[test]
fn a_policy_that_is_turned_off_decides_every_call_otherwise() {
    let environment = worked();
    write_policy(&environment, |policy| policy["enabled"] = false.into());
    let output = environment.run(&["policy", "test", "policy.json", "--run", RUN, "--json"]);
    let report: Value = serde_json::from_str(&output.assert_code(1).stdout).unwrap();
    assert_eq!(report["otherwise"].as_array().unwrap().len(), 35);
    let output = environment.run(&["policy", "check", "policy.json"]);
    let told = &output.assert_code(0).stdout;
    assert!(
        told.contains("not enabled: it would deny nothing"),
        "{told}"
    );
}

#[test]
fn a_policy_that_is_wrong_is_named_with_its_line() {
    let environment = worked();
    for (text, line, message) in [
        (
            "{\n  \"policy_version\": \"capability_policy/v1\",\n  \"enabled\": yes\n}\n",
            3,
            "'y' stands where a value should come",
        ),
        (
            "{\n  \"policy_version\": \"capability_policy/v9\",\n  \"enabled\": true\n}\n",
            2,
            "the policy version \"capability_policy/v9\" is not known; write \"capability_policy/v1\"",
        ),
        (
            "{\n  \"policy_version\": \"capability_policy/v1\",\n  \"enabled\": true,\n  \"rules\": [{\n    \"role\": \"r\", \"task\": \"t\",\n    \"tools\": []\n  }]\n}\n",
            6,
            "the list is empty and would match nothing; give a member or take the rule away, at pointer \"/rules/0/tools\"",
        ),
        (
            "{\n  \"policy_version\": \"capability_policy/v1\",\n  \"enabled\": true,\n  \"rules\": [{\n    \"role\": \"r\", \"task\": \"t\", \"tools\": [\"x\"],\n    \"no_match\": [\n      {\"tool\": \"y\"},\n      {\"tool\": \"x\"}\n    ]\n  }]\n}\n",
            8,
            "the rule matches this example, which it must not; put the rule or the example right, at pointer \"/rules/0/no_match/1\"",
        ),
    ] {
        environment.write("policy.json", text);
        // The question of one command is whether the policy is valid; the other cannot do without a valid one.
        for (arguments, code) in [
            (&["policy", "check", "policy.json"][..], 1),
            (&["policy", "test", "policy.json", "--run", RUN], 3),
        ] {
            let output = environment.run(arguments);
            let complaint = output.complaint(code);
            let head = format!("orket: policy.json:{line}: {message}");
            assert!(complaint.starts_with(&head), "{complaint}");
        }
        let output = environment.run(&["policy", "check", "policy.json", "--json"]);
        let report: Value = serde_json::from_str(&output.assert_code(1).stdout).unwrap();
        assert_eq!(report["valid"], false);
        assert_eq!(report["line"], line);
    }
}

#[test]
fn what_is_not_there_is_named() {
    let environment = worked();
    environment.write(
        "policy.json",
        "{\"policy_version\":\"capability_policy/v1\",\"enabled\":true}",
    );
    for (arguments, code, expected) in [
        (
            &["policy", "check", "nosuch.json"][..],
            3,
            "nosuch.json cannot be read: No such file or directory (os error 2)",
        ),
        (
            &["policy", "test", "nosuch.json", "--run", RUN],
            3,
            "nosuch.json cannot be read: No such file or directory (os error 2)",
        ),
        (
            &["policy", "test", "policy.json", "--run", "second"],
            1,
            "there is no run second; `orket show run` lists the runs",
        ),
        (
            &["policy", "show", "--run", "second"],
            1,
            "there is no run second; `orket show run` lists the runs",
        ),
    ] {
        let output = environment.run(arguments);
        assert_eq!(output.complaint(code), format!("orket: {expected}"));
    }
    let environment = sample();
    let output = environment.run(&["policy", "show", "--run", RUN]);
    assert_eq!(
        output.complaint(1),
        "orket: nothing has run in this project yet; `orket run --epic NAME` begins"
    );
    assert!(!environment.path(".orket").exists());
}
