//! What somebody wrote into `agent_output/` becomes an operator's turn.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use orket_flow::{Backwards, ChangeError, RunEnding, adopt};
use orket_secrets::{Scrubber, Secret, Vault};
use orket_testkit::Tree;

use crate::model::{good, scripted};
use crate::operator::{ada, changed, files, promoted, verify, with_desk, written};
use crate::project::{Project, card};
use crate::table::Table;
use crate::undo::back;

/// Everything below `agent_output/`: content and whether it can be executed.
pub(crate) fn tree(project: &Project) -> BTreeMap<String, (Vec<u8>, bool)> {
    tree_below(&project.path("agent_output"))
}

pub(crate) fn tree_below(root: &Path) -> BTreeMap<String, (Vec<u8>, bool)> {
    let tree = Tree::read(root);
    let files = tree.files().into_iter();
    let files = files.map(|path| {
        let mode = fs::metadata(root.join(path)).unwrap().permissions().mode();
        let bytes = tree.bytes(path).unwrap().to_vec();
        (path.to_owned(), (bytes, mode & 0o100 != 0))
    });
    files.collect()
}

pub(crate) fn set_mode(path: &Path, executable: bool) {
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn scrubber(secret: &str) -> Scrubber {
    let secret = ("TOKEN".to_owned(), Secret::new(secret.to_owned()));
    let vault = Vault::gather(Vec::new(), [secret], &BTreeSet::new()).unwrap();
    Scrubber::new(&vault).unwrap()
}

pub(crate) fn take_over(
    project: &Project,
    paths: &[&str],
) -> Result<orket_flow::OperatorEnd, ChangeError> {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    let scrubber = scrubber("hunter2-is-no-password");
    with_desk(project, |desk| adopt(desk, &ada(), &scrubber, &paths))
}

#[test]
fn edits_modes_renames_and_deletions_become_one_turn_and_can_be_undone() {
    let project = Project::new(&[card("A", &[])]);
    let begun = files([
        ("a/one", written("good 1")),
        ("b", written("good 2")),
        ("c", written("good 3")),
        ("d", written("good 4")),
        ("same", written("good 5")),
    ]);
    changed(&project, &begun);
    let before = tree(&project);
    let output = project.path("agent_output");
    fs::write(output.join("b"), "good, edited").unwrap();
    set_mode(&output.join("c"), true);
    fs::remove_dir_all(output.join("a")).unwrap();
    fs::write(output.join("a"), "good, a file now").unwrap();
    fs::create_dir(output.join("new")).unwrap();
    fs::rename(output.join("d"), output.join("new/d")).unwrap();
    let after = tree(&project);
    let turn = promoted(take_over(&project, &[]).unwrap());
    assert_eq!(turn.written, ["a", "b", "c", "new/d"]);
    assert_eq!(turn.removed, ["a/one", "d"]);
    assert_eq!(tree(&project), after);
    // Nothing is foreign any more.
    let model = scripted(|ask| Ok(good(ask)));
    let ending = Table::new(&project, &model).play().unwrap().ending;
    assert_eq!(ending, RunEnding::Done);
    for _ in 0..4 {
        back(&project, &Backwards::UndoNewest).unwrap();
    }
    assert_eq!(tree(&project), after);
    back(&project, &Backwards::UndoNewest).unwrap();
    assert_eq!(tree(&project), before);
    back(&project, &Backwards::Redo).unwrap();
    assert_eq!(tree(&project), after);
    project.replay_all("operator-2");
    verify(&project);
    assert!(matches!(
        take_over(&project, &[]),
        Err(ChangeError::Nothing)
    ));
}

#[test]
fn only_what_was_asked_for_is_taken_over() {
    let project = Project::new(&[]);
    changed(&project, &files([("a", written("1")), ("b", written("1"))]));
    fs::create_dir(project.path("agent_output/dir")).unwrap();
    for path in ["a", "b", "dir/x", "directory"] {
        fs::write(project.path("agent_output").join(path), "mine").unwrap();
    }
    let turn = promoted(take_over(&project, &["b", "dir/"]).unwrap());
    assert_eq!(turn.written, ["b", "dir/x"]);
    let error = with_desk(&project, |desk| {
        orket_flow::change(desk, &ada(), &files([("c", written("1"))]))
    });
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("agent_output/a was changed")
    );
}

#[test]
fn links_special_files_and_secrets_are_never_taken_over() {
    let project = Project::new(&[]);
    changed(&project, &files([("a", written("1"))]));
    let state = project.state_digest();
    let output = project.path("agent_output");
    std::os::unix::fs::symlink("a", output.join("link")).unwrap();
    fs::hard_link(output.join("a"), output.join("twin")).unwrap();
    let refused = take_over(&project, &[]).unwrap_err();
    assert!(
        matches!(&refused, ChangeError::NotPlain { paths } if paths == &["a", "link", "twin"]),
        "{refused}"
    );
    fs::remove_file(output.join("link")).unwrap();
    fs::remove_file(output.join("twin")).unwrap();
    fs::write(output.join("a"), "x = hunter2-is-no-password\n").unwrap();
    let refused = take_over(&project, &[]).unwrap_err();
    assert!(
        matches!(&refused, ChangeError::Secret { path } if path == "a"),
        "{refused}"
    );
    assert_eq!(project.state_digest(), state);
}

/// A kill between the commit and the projection, and then somebody edits: what lags is ours, the edit is theirs.
#[test]
fn what_only_lags_is_not_taken_for_an_edit() {
    let project = Project::new(&[]);
    changed(&project, &files([("a", written("1")), ("b", written("1"))]));
    let note = fs::read(project.path(".orket/index/OUTPUT")).unwrap();
    changed(&project, &files([("a", written("2"))]));
    fs::write(project.path("agent_output/a"), "1").unwrap();
    fs::write(project.path(".orket/index/OUTPUT"), note).unwrap();
    fs::write(project.path("agent_output/b"), "edited").unwrap();
    let turn = promoted(take_over(&project, &[]).unwrap());
    assert_eq!(turn.written, ["b"]);
    assert_eq!(project.output("a").unwrap(), "2");
}
