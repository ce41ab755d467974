//! Policies as values: one digest, one canonical form, and a builder that can only list.

use orket_kernel::capability::{Policy, PolicyDocument, Rule};
use orket_kernel::{Digest, canonical};

fn policy(text: &str) -> Policy {
    canonical::from_bytes(text.as_bytes()).unwrap()
}

const WHOLE: &str = r#"{"enabled":true,"policy_version":"capability_policy/v1","rules":[{"actions":["read","write"],"arguments":{"/argv":{"starts_with":["b","a"]},"/path":{"path_under":["a","b/c"]},"/size":{"one_of":[1,1.0,"1"]},"/url":{"host_in":["*.example.org","example.org"]}},"match":[],"role":"coder","task":"build","tools":["x","y"]}]}"#;

#[test]
fn a_policy_comes_back_from_its_canonical_form() {
    for text in [
        WHOLE,
        r#"{"policy_version":"capability_policy/v1","enabled":false}"#,
        r#"{"policy_version":"capability_policy/v1","enabled":true,"rules":[{"role":"r","task":"t","tools":["x"],
            "match":[{}],"no_match":[{"tool":"y"}]}]}"#,
    ] {
        let policy = policy(text);
        let bytes = canonical::serialize(&policy).unwrap();
        let again: Policy = canonical::from_bytes(&bytes).unwrap();
        assert_eq!(again, policy);
        assert_eq!(canonical::serialize(&again).unwrap(), bytes);
        assert_eq!(policy.digest(), Digest::of_bytes(&bytes));
        let document = PolicyDocument::from(policy.clone());
        assert_eq!(Policy::new(document), Ok(policy));
    }
}

#[test]
fn the_order_of_a_set_is_not_part_of_a_policy() {
    let other = WHOLE
        .replace(r#"["read","write"]"#, r#"["write","read"]"#)
        .replace(r#"["x","y"]"#, r#"["y","x"]"#)
        .replace(r#"["a","b/c"]"#, r#"["b/c","a"]"#)
        .replace(r#"[1,1.0,"1"]"#, r#"["1",1.0,1]"#)
        .replace(
            r#"["*.example.org","example.org"]"#,
            r#"["example.org","*.example.org"]"#,
        );
    assert_eq!(policy(WHOLE), policy(&other));
    assert_eq!(policy(WHOLE).digest(), policy(&other).digest());
}

#[test]
fn the_order_of_a_sequence_is_part_of_a_policy() {
    let other = WHOLE.replace(r#"["b","a"]"#, r#"["a","b"]"#);
    assert_ne!(policy(WHOLE).digest(), policy(&other).digest());
    let one = Policy::deny_all().grant("a", "t", "x").grant("b", "t", "x");
    let two = Policy::deny_all().grant("b", "t", "x").grant("a", "t", "x");
    assert_ne!(
        one.digest(),
        two.digest(),
        "records name rules by their place"
    );
}

#[test]
fn every_fact_of_a_policy_is_in_its_digest() {
    let mut digests = std::collections::BTreeSet::from([policy(WHOLE).digest()]);
    for (from, to) in [
        ("true", "false"),
        ("coder", "tester"),
        ("build", "review"),
        (r#"["x","y"]"#, r#"["x"]"#),
        (r#"["read","write"]"#, r#"["read"]"#),
        (r#""actions":["read","write"],"#, ""),
        ("/argv", "/args"),
        ("b/c", "b"),
        ("1.0", "2"),
        (r#""*.example.org","#, ""),
        (
            r#""match":[]"#,
            r#""no_match":[{"tool":"x","action":"read"}]"#,
        ),
    ] {
        let other = WHOLE.replace(from, to);
        assert_ne!(other, WHOLE);
        assert!(
            digests.insert(policy(&other).digest()),
            "{from} is not covered"
        );
    }
}

#[test]
fn law_8_the_builder_lists_and_widens_nothing_else() {
    let deny_all = Policy::deny_all();
    assert!(deny_all.is_enabled());
    assert_eq!(deny_all.rules(), []);
    assert!(!Policy::disabled().is_enabled());
    let granted = deny_all
        .grant("coder", "build", "write_file")
        .grant("coder", "build", "read_file")
        .grant("coder", "build", "write_file")
        .grant("guard", "judge", "read_file");
    let expected = [
        Rule::of_tools("coder", "build", &["read_file", "write_file"]),
        Rule::of_tools("guard", "judge", &["read_file"]),
    ];
    assert_eq!(granted.rules(), expected);
    // A rule with limits of its own is left as it is.
    let limited = policy(WHOLE).grant("coder", "build", "z");
    assert_eq!(limited.rules()[0], policy(WHOLE).rules()[0]);
    assert_eq!(limited.rules()[1], Rule::of_tools("coder", "build", &["z"]));
}

#[test]
fn law_8_a_grant_that_no_policy_can_hold_is_not_made() {
    let policy = Policy::deny_all().grant("coder", "build", "x");
    let long = "x".repeat(4097);
    for (role, task, tool) in [
        ("", "build", "x"),
        ("coder", "", "x"),
        ("coder", "build", ""),
        (&long, "build", "x"),
        ("coder", &long, "x"),
        ("coder", "build", &long),
    ] {
        assert_eq!(policy.grant(role, task, tool), policy);
    }
}
