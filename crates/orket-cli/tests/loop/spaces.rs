//! The policy of the filesystem spaces over whole turns: what agents may read and write, and that a replay needs none of it.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use orket_kernel::canonical::Value;
use orket_kernel::object;
use orket_ports::{ReadSpace, SpacePolicy, WriteSpace};
use orket_tools::builtin;
use orket_tools::path::Directory;
use orket_tools::spaces::Spaces;
use serde_json::json;

use crate::model::{call, calls, good, scripted, set, write};
use crate::project::{Project, card};
use crate::table::Table;

use ReadSpace::{Domain, Reference, Workspace};

fn policy(read: &[ReadSpace], write: &[WriteSpace]) -> SpacePolicy {
    SpacePolicy {
        read_scope: read.iter().copied().collect(),
        write_scope: write.iter().copied().collect::<BTreeSet<_>>(),
    }
}

/// Lets the coder make one call under a policy: what the tool said, or why the turn was refused.
fn one_call(policy: SpacePolicy, tool: &'static str, path: &'static str) -> Result<String, String> {
    let mut only = card("A", &[]);
    only["artifacts"] = json!([]);
    let project = Project::new(&[only]);
    for (file, content) in [
        ("src/main.rs", "domain"),
        ("docs/guide.md", "reference"),
        ("here/notes.txt", "launch"),
        ("here/below/deep.txt", "deep"),
        ("here/.netrc", "password"),
    ] {
        fs::create_dir_all(project.path(file).parent().unwrap()).unwrap();
        fs::write(project.path(file), content).unwrap();
    }
    let open = |name: &str| Directory::open(&project.path(name)).unwrap();
    let spaces = Spaces::new(project.open(), ".orket".parse().ok())
        .with_reference("docs".parse().unwrap(), open("docs"))
        .with_launch(open("here"));
    let model = scripted(|ask| {
        Ok(match (ask.number, tool) {
            (0, "write_file") => calls([write(path, "x"), set("code_review")]),
            (0, _) => calls([call(tool, object! { "path" => path }), set("code_review")]),
            _ => good(ask),
        })
    });
    Table::new(&project, &model)
        .policy(policy)
        .references(&["docs"])
        .tools(builtin::tools(Arc::new(spaces)))
        .play()
        .unwrap();
    // The tools of the replay know neither the reference space nor the launch directory.
    project.replay_all("e-1");
    if let Some(failure) = project.failures("e-1").first() {
        return Err(failure.refusals.join("; "));
    }
    let turn = &project.turns("e-1")[1];
    let result = project.record(&turn.record_digest).calls[0].result.clone();
    let first = |name: &str| result.get(name).map(Value::to_string);
    Ok(first("content")
        .or_else(|| first("entries"))
        .or_else(|| first("error"))
        .unwrap_or_default())
}

#[test]
fn each_space_is_read_only_if_the_policy_names_it() {
    let write = &[WriteSpace::Workspace];
    let whole = [Workspace, Reference, Domain];
    for (path, needed, content) in [
        ("src/main.rs", Some(Domain), "\"domain\""),
        ("docs:guide.md", Some(Reference), "\"reference\""),
        ("launch:notes.txt", None, "\"launch\""),
    ] {
        let without: Vec<ReadSpace> = whole
            .into_iter()
            .filter(|space| Some(*space) != needed)
            .collect();
        let read = |scope: &[ReadSpace]| one_call(policy(scope, write), "read_file", path);
        assert_eq!(read(&whole).as_deref(), Ok(content), "{path}");
        match needed {
            Some(_) => {
                let refused = read(&without).unwrap_err();
                assert!(
                    refused.starts_with(&format!("{path} cannot be read: the policy does not let")),
                    "{refused}"
                );
            }
            None => assert_eq!(read(&[]).as_deref(), Ok(content), "{path}"),
        }
    }
}

#[test]
fn what_agents_wrote_is_read_and_written_only_if_the_policy_says_so() {
    let write = &[WriteSpace::Workspace];
    for tool in ["read_file", "list_directory"] {
        let refused = one_call(
            policy(&[Reference, Domain], write),
            tool,
            "agent_output/a.txt",
        );
        assert_eq!(
            refused.unwrap_err(),
            "the policy does not let agents read agent_output/",
            "{tool}"
        );
    }
    let refused = one_call(
        policy(&[Workspace], &[]),
        "write_file",
        "agent_output/a.txt",
    )
    .unwrap_err();
    assert_eq!(
        refused,
        "the policy does not let agents write agent_output/"
    );
    for path in ["docs:guide.md", "launch:notes.txt", "src/main.rs"] {
        let refused = one_call(SpacePolicy::default(), "write_file", path).unwrap_err();
        assert_eq!(
            refused,
            format!("{path} cannot be written: agents write below agent_output/ only")
        );
    }
}

#[test]
fn the_launch_directory_is_readable_one_level_deep() {
    let launch = |tool, path| one_call(policy(&[], &[]), tool, path);
    assert_eq!(
        launch("list_directory", "launch:").unwrap(),
        "[\"below/\",\"notes.txt\"]"
    );
    assert_eq!(
        launch("list_directory", "launch:below").unwrap(),
        "\"launch:below is not a directory\""
    );
    for (path, rule) in [
        (
            "launch:below/deep.txt",
            "only what lies directly in the launch directory is readable",
        ),
        (
            "launch:.netrc",
            "names that begin with a dot are not readable in the launch directory",
        ),
    ] {
        let refused = launch("read_file", path).unwrap_err();
        assert_eq!(refused, format!("{path} cannot be read: {rule}"));
    }
}

#[test]
fn the_prompt_names_the_reference_spaces_that_may_be_read() {
    for (read, named) in [(&[Workspace, Reference][..], true), (&[Workspace], false)] {
        let project = Project::new(&[card("A", &[])]);
        let model = scripted(|ask| Ok(good(ask)));
        let table = Table::new(&project, &model).policy(policy(read, &[WriteSpace::Workspace]));
        table.references(&["docs", "specs"]).play().unwrap();
        let asked = model.requests();
        let line = "You may also read these inputs, but never write them: docs:, specs:.";
        assert_eq!(asked[0].messages[0].content.contains(line), named);
    }
}
