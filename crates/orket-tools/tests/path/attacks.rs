//! The corpus over every file tool of the registry, in both ways of looking up a name, as root and as nobody.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use orket_kernel::canonical::Value;
use orket_ports::Tool;
use orket_testkit::Standing;
use orket_tools::path::Resolution;

use crate::again;
use crate::corpus::{self, Attack, Control, Expect, Step};
use crate::hands::{self, Ending, WRITTEN};
use crate::scene::{SENTINEL, Scene};
use crate::watch::within_a_second;

const RESOLUTIONS: [Resolution; 2] = [Resolution::Kernel, Resolution::StepByStep];

/// The reasons of a refusal that are about the path and nothing else.
const PATH_REASONS: [&str; 4] = [
    "path",
    "protected_path",
    "outside_read_scope",
    "outside_write_scope",
];

/// Files of every machine, and what the first of their bytes are.
const OF_THE_MACHINE: [&str; 2] = ["/etc/passwd", "/proc/version"];

#[test]
fn no_attack_escapes() {
    let (mut played, mut left_out) = (0, 0);
    for resolution in RESOLUTIONS {
        let shared = Arc::new(Scene::new(resolution));
        for attack in corpus::attacks() {
            if attack.make.iter().any(Step::is_privileged) != again::may_mount() {
                left_out += 1;
                continue;
            }
            if attack.make.is_empty() {
                play(&attack, &shared);
            } else {
                let mut scene = Scene::new(resolution);
                scene.make(&attack.make);
                play(&attack, &Arc::new(scene));
            }
            played += 1;
        }
    }
    let minimum = if again::may_mount() { 20 } else { 500 };
    assert!(played > minimum, "only {played} were played");
    if left_out > 0 && !again::may_mount() {
        again::skipped(
            &format!("{left_out} attacks"),
            "they need mounts and devices, and run in a process of their own",
        );
    }
}

#[test]
fn no_attack_escapes_nobody() {
    again::as_nobody("attacks::no_attack_escapes");
}

#[test]
fn no_mount_or_device_is_a_way_out() {
    again::with_own_mounts("attacks::no_attack_escapes");
}

#[test]
fn every_control_is_accepted() {
    for control in corpus::controls() {
        for resolution in RESOLUTIONS {
            accept(&control, resolution);
        }
    }
}

#[test]
fn every_control_is_accepted_from_nobody() {
    again::as_nobody("attacks::every_control_is_accepted");
}

#[test]
fn the_corpus_is_as_large_as_its_readme_says() {
    let unfit = corpus::names().unfit.len();
    // Each unfit name is played at four places, and counts once.
    let places = 4 * (unfit - 1);
    let attacks = corpus::attacks().len() - places + unfit;
    let controls = corpus::controls().len();
    assert!(attacks >= 250 && controls >= 30);
    let said = format!("{attacks} attacks and {controls} controls");
    assert!(
        corpus::readme().contains(&said),
        "the README does not say: {said}"
    );
}

/// Plays one attack with every tool.
fn play(attack: &Attack, scene: &Arc<Scene>) {
    let resolution = scene.resolution;
    let path = scene.expand(&attack.path);
    let before = scene.standing();
    for (tool_name, tool) in hands::file_tools(scene) {
        let name = format!(
            "{} ({:?}): {tool_name} {resolution:?}",
            attack.name, attack.path
        );
        let ending = call(&name, scene, &tool, &path, None);
        check_told(&name, scene, &path, &ending);
        let action = if hands::writes(tool.as_ref()) {
            "write"
        } else {
            "read"
        };
        let is_refused = attack.expect == Expect::Refused
            && attack.action.as_deref().is_none_or(|it| it == action);
        match &ending {
            Ending::Refused(refusal) if is_refused => {
                // A path that is too long is refused as an argument.
                let is_expected = Some(&refusal.reason) == attack.reason.as_ref()
                    || (refusal.reason == "arguments" && path.len() > 1024);
                assert!(
                    is_expected,
                    "{name}: refused as {} ({})",
                    refusal.reason, refusal.message
                );
            }
            Ending::Answered(value) if is_refused => panic!("{name}: it was not refused: {value}"),
            // A path that may only be read is no attack on reading.
            Ending::Answered(value) if attack.action.as_deref() != Some("write") => {
                assert!(value.get("content").is_none(), "{name}: it read {value}");
            }
            Ending::Refused(_) | Ending::Answered(_) => {}
        }
    }
    check_standing(
        &format!("{} {resolution:?}", attack.name),
        &before,
        &scene.standing(),
    );
}

fn call(
    name: &str,
    scene: &Arc<Scene>,
    tool: &Arc<dyn Tool>,
    path: &str,
    artifact: Option<String>,
) -> Ending {
    let (scene, tool, path) = (Arc::clone(scene), Arc::clone(tool), path.to_owned());
    within_a_second(name, move || {
        let artifact = artifact.as_deref().map(|content| (path.as_str(), content));
        hands::call(&scene, tool.as_ref(), &path, artifact)
    })
}

/// Nothing of outside is told: no content, no name, no place of this machine that the call did not name itself.
fn check_told(name: &str, scene: &Scene, path: &str, ending: &Ending) {
    let told = ending.told();
    let asked_for = path.contains(SENTINEL) && matches!(ending, Ending::Refused(_));
    assert!(asked_for || !told.contains(SENTINEL), "{name}: {told}");
    let place = scene.path("");
    let place = place.to_str().unwrap();
    assert!(
        path.contains(place) || !told.contains(place),
        "{name}: {told}"
    );
    for file in OF_THE_MACHINE {
        let beginning: String = fs::read_to_string(file)
            .unwrap_or_default()
            .chars()
            .take(16)
            .collect();
        assert!(
            beginning.is_empty() || !told.contains(&beginning),
            "{name}: {file} is in {told}"
        );
    }
}

/// Nothing is changed but plain files and directories in `agent_output/`, and those hold what was written.
fn check_standing(
    name: &str,
    before: &BTreeMap<String, Standing>,
    after: &BTreeMap<String, Standing>,
) {
    let output = Path::new("project/agent_output");
    let is_output = |at: &str| Path::new(at).starts_with(output) && Path::new(at) != output;
    for (at, was) in before {
        let is = after.get(at);
        if at.contains("/.orket-new-") && is.is_none() {
            // What stood where the draft of a file goes was removed, and not followed.
            continue;
        }
        if is_output(at) && was.is_plain() {
            assert!(
                is.is_some_and(Standing::is_plain),
                "{name}: {at} is {is:?} now"
            );
        } else {
            assert_eq!(is, Some(was), "{name}: {at} was changed");
        }
    }
    for (at, is) in after.iter().filter(|(at, _)| !before.contains_key(*at)) {
        assert!(is_output(at) && is.is_plain(), "{name}: {at} was made");
        assert!(
            is.kind == "directory" || is.content == WRITTEN.as_bytes(),
            "{name}: {at} holds {is:?}"
        );
    }
}

/// Plays one control with every tool.
fn accept(control: &Control, resolution: Resolution) {
    let mut scene = Scene::new(resolution);
    scene.make(&control.make);
    let scene = Arc::new(scene);
    for (tool_name, tool) in hands::file_tools(&scene) {
        let name = format!("{:?}: {tool_name} {resolution:?}", control.path);
        let ending = call(
            &name,
            &scene,
            &tool,
            &control.path,
            control.artifact.clone(),
        );
        check_told(&name, &scene, &control.path, &ending);
        if hands::writes(tool.as_ref()) && !control.writable {
            if control.path.starts_with("agent_output") {
                // A directory of artefacts: the index says that it cannot be a file, and this turn has none.
                continue;
            }
            let reason = match &ending {
                Ending::Refused(refusal) => refusal.reason.as_str(),
                Ending::Answered(_) => "",
            };
            assert_eq!(reason, "outside_write_scope", "{name}");
            continue;
        }
        if let Ending::Refused(refusal) = &ending {
            assert!(
                !PATH_REASONS.contains(&refusal.reason.as_str()),
                "{name}: {refusal}"
            );
        }
        check_accepted(&name, &scene, control, &tool_name, &ending);
    }
}

/// The tools whose whole answer is known from the control alone.
fn check_accepted(name: &str, scene: &Scene, control: &Control, tool: &str, ending: &Ending) {
    let answered = |field: &str| match ending {
        Ending::Answered(value) => value.get(field).cloned(),
        Ending::Refused(_) => None,
    };
    let content = control.artifact.as_ref().or(control.content.as_ref());
    match (tool, content, &control.entries) {
        ("read_file", Some(content), _) => {
            assert_eq!(answered("content"), Some(content.as_str().into()), "{name}");
        }
        ("list_directory", _, Some(entries)) => {
            let entries: Vec<Value> = entries.iter().map(|entry| entry.as_str().into()).collect();
            assert_eq!(answered("entries"), Some(entries.into()), "{name}");
        }
        ("write_file", ..) => {
            let on_disk = fs::read_to_string(scene.path("project").join(&control.path));
            assert_eq!(on_disk.unwrap(), WRITTEN, "{name}");
        }
        _ => {}
    }
}
