//! The run envelope: what it fixes, and how that is written.

use orket_kernel::canonical::{self, Value};
use orket_kernel::{
    Code, Digest, EvidencePolicy, Level, Plugin, PluginError, Plugins, RunEnvelope, Stage,
    VisibilityMode, limits, object,
};

use crate::world::envelope;

fn plugin(id: &str, version: &str, content: &str) -> Plugin {
    Plugin::new(id, version, Digest::of_bytes(content.as_bytes())).unwrap()
}

#[test]
fn invariant_plugin_behavior_allowlisted() {
    let listed = [
        plugin("linter", "1.2.0", "a"),
        plugin("formatter", "0.1.0-rc.1+x", "b"),
    ];
    let envelope = envelope("run").with_plugins(Plugins::new(listed.clone()).unwrap());
    for plugin in &listed {
        assert_eq!(envelope.admits(plugin), Ok(()));
    }
    for other in [
        plugin("linters", "1.2.0", "a"),
        plugin("Linter", "1.2.0", "a"),
        plugin("linter", "1.2.1", "a"),
        plugin("linter", "1.2", "a"),
        plugin("linter", "1.2.0", "b"),
    ] {
        let issue = envelope.admits(&other).unwrap_err();
        assert_eq!((issue.level, issue.stage), (Level::Fail, Stage::Policy));
        assert_eq!(
            (issue.code, issue.location.as_str()),
            (Code::CapabilityDenied, "")
        );
        let expected = object! {
            "reason" => "plugin",
            "id" => other.id(),
            "version" => other.version(),
            "digest" => other.digest().to_hex(),
        };
        assert_eq!(issue.details, expected);
    }
}

#[test]
fn invariant_fail_closed_no_plugin_is_allowed_unless_listed() {
    assert!(
        envelope("run")
            .admits(&plugin("linter", "1.2.0", "a"))
            .is_err()
    );
}

#[test]
fn a_list_of_plugins_that_leaves_a_choice_is_refused() {
    let twice = [plugin("a", "1", "x"), plugin("a", "2", "x")];
    assert_eq!(Plugins::new(twice), Err(PluginError::Repeated("a".into())));
    let many = |count: usize| Plugins::new((0..count).map(|it| plugin(&it.to_string(), "1", "x")));
    assert!(many(limits::PLUGINS_MAX).is_ok());
    let count = limits::PLUGINS_MAX + 1;
    assert_eq!(many(count), Err(PluginError::TooMany(count)));
    let digest = Digest::of_bytes(b"x");
    let long = "x".repeat(129);
    for text in ["", " ", "a b", "../a", "a/b", "a\n", "-a", ".a", "ä", &long] {
        assert!(Plugin::new(text, "1", digest).is_err(), "id {text:?}");
        assert!(Plugin::new("a", text, digest).is_err(), "version {text:?}");
    }
}

#[test]
fn the_envelope_is_written_whole_and_read_back() {
    let plugins = Plugins::new([plugin("b", "1", "x"), plugin("a", "2", "y")]).unwrap();
    let envelope = envelope("run")
        .with_plugins(plugins)
        .with_evidence(EvidencePolicy::Retain);
    assert_eq!(envelope.visibility_mode, VisibilityMode::LocalOnly);
    let value = canonical::to_value(&envelope).unwrap();
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    assert_eq!(text("visibility_mode"), Some("local_only"));
    assert_eq!(text("evidence"), Some("retain"));
    let at = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    assert_eq!(at("/plugins/0/id"), Some("a"));
    assert_eq!(at("/plugins/1/id"), Some("b"));
    assert_eq!(at("/profile/profile_version"), Some("profile/v1"));
    assert_eq!(
        canonical::from_value::<RunEnvelope>(value).unwrap(),
        envelope
    );
}

#[test]
fn an_envelope_that_is_not_checked_cannot_be_read() {
    let whole = canonical::to_value(&envelope("run")).unwrap();
    let digest = Digest::of_bytes(b"x").to_hex();
    let one = object! { "id" => "a", "version" => "1", "digest" => digest };
    for (key, value) in [
        ("visibility_mode", Value::from("local_offline")),
        ("evidence", Value::from("keep")),
        ("plugins", Value::Null),
        ("plugins", vec![one.clone(), one].into()),
        (
            "plugins",
            vec![object! { "id" => "a", "version" => "1" }].into(),
        ),
        ("profile", object! {}),
        ("contract", "kernel_api/v1".into()),
    ] {
        let mut members = whole.as_object().unwrap().clone();
        members.insert(key.into(), value);
        let read = canonical::from_value::<RunEnvelope>(Value::Object(members));
        assert!(read.is_err(), "{key}");
    }
    for key in whole.as_object().unwrap().keys() {
        let mut members = whole.as_object().unwrap().clone();
        members.remove(key);
        let read = canonical::from_value::<RunEnvelope>(Value::Object(members));
        assert!(read.is_err(), "without {key}");
    }
}

#[test]
fn every_part_of_the_envelope_is_named_by_its_handle() {
    let plain = envelope("run");
    let plugins = Plugins::new([plugin("a", "1", "x")]).unwrap();
    let handles = [
        plain.handle(),
        plain.clone().with_plugins(plugins).handle(),
        plain.clone().with_evidence(EvidencePolicy::Retain).handle(),
        RunEnvelope {
            profile: orket_kernel::Profile::reference(),
            ..plain.clone()
        }
        .handle(),
    ];
    let digests: std::collections::BTreeSet<_> = handles
        .into_iter()
        .map(|handle| handle.unwrap().envelope_digest)
        .collect();
    assert_eq!(digests.len(), 4);
    assert_eq!(plain.clone().with_evidence(EvidencePolicy::Discard), plain);
}
