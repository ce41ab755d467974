//! New projects: there whole, or not at all.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use orket_workbench::template::{self, NewProject, ProjectName, Template};
use orket_workbench::{Code, Disk, Error, Files, Limits};

use crate::faulty::{Fault, Faulty};
use crate::tree::{self, Tree};

fn name(text: &str) -> ProjectName {
    text.parse().unwrap()
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn embedded(name: &str) -> Template {
    let mut all = template::embedded().unwrap().into_iter();
    all.find(|it| it.name() == name).unwrap()
}

fn passes(_: &Path) -> Result<(), Error> {
    Ok(())
}

#[test]
fn each_template_makes_a_project_that_works() {
    let tools: &[(&str, &[&str])] = &[
        ("minimal-node", &["node", "--test"]),
        ("minimal-python", &["python3", "-m", "unittest", "-q"]),
    ];
    let all = template::embedded().unwrap();
    assert_eq!(
        all.iter().map(Template::name).collect::<Vec<_>>(),
        ["minimal-node", "minimal-python", "minimal-rust"]
    );
    for template in all {
        let directory = tempfile::tempdir().unwrap();
        let project = template.fill(
            &name("two-words"),
            &given(&[("description", "Says so.")]),
            Limits::default(),
        );
        let target = template::create(
            directory.path(),
            &name("two-words"),
            &project.unwrap(),
            &Disk,
            &passes,
        )
        .unwrap();
        let tree = tree::read(&target);
        for (path, (_, _, bytes)) in &tree {
            let text = String::from_utf8_lossy(bytes);
            assert!(
                !text.contains("{{") || text.contains("println"),
                "{path} has a place left:\n{text}"
            );
            assert!(!path.contains("{{"), "{path}");
        }
        assert!(
            tree["README.md"]
                .2
                .starts_with(b"# two-words\n\nSays so.\n")
        );
        let tool = tools.iter().find(|(it, _)| *it == template.name());
        if let Some((_, [program, arguments @ ..])) = tool {
            let ran = Command::new(program)
                .args(arguments)
                .current_dir(&target)
                .output();
            match ran {
                Ok(ran) => assert!(
                    ran.status.success(),
                    "{}: {}",
                    template.name(),
                    String::from_utf8_lossy(&ran.stderr)
                ),
                Err(_) => eprintln!("{program} is not here: {} was not run", template.name()),
            }
        }
    }
}

#[test]
fn a_rust_project_is_one() {
    // Compiling it is cargo's business; that its parts fit together is checked here.
    let project = embedded("minimal-rust")
        .fill(&name("two-words"), &given(&[]), Limits::default())
        .unwrap();
    let text = |path: &str| {
        let found = project.files.iter().find(|(it, _)| it.as_str() == path);
        String::from_utf8(found.unwrap().1.bytes.clone()).unwrap()
    };
    let manifest: toml::Table = toml::from_str(&text("Cargo.toml")).unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some("two-words"));
    assert!(text("src/main.rs").contains("two_words::greeting(\"two-words\")"));
    assert!(text("src/lib.rs").contains("format!(\"Hello, {name}!\")"));
}

#[test]
fn names_and_variables_are_checked() {
    for text in [
        "",
        "../x",
        "a/b",
        "A",
        "1a",
        "a\"b",
        "a b",
        ".a",
        "a.",
        "test",
        "fn",
        "class",
        "target",
        "node_modules",
        "ü",
    ] {
        let code = text.parse::<ProjectName>().map_err(|error| error.code());
        assert_eq!(code, Err(Code::NameInvalid), "{text:?}");
    }
    let rust = embedded("minimal-rust");
    let cases: &[&[(&str, &str)]] = &[
        &[("colour", "red")],
        &[("edition", "1999")],
        &[("description", "says \"so\"")],
        &[("description", "two\nlines")],
        &[("description", "{{name}}")],
        &[("description", "a\\b")],
        &[("name", "other")],
    ];
    for case in cases {
        let filled = rust.fill(&name("x"), &given(case), Limits::default());
        assert_eq!(
            filled.map_err(|error| error.code()),
            Err(Code::VariableInvalid),
            "{case:?}"
        );
    }
    let long = "x".repeat(201);
    let filled = rust.fill(
        &name("x"),
        &given(&[("description", &long)]),
        Limits::default(),
    );
    assert_eq!(
        filled.map_err(|error| error.code()),
        Err(Code::VariableInvalid)
    );
}

#[test]
fn a_folder_is_a_template() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    tree::write(
        root,
        "t/template.toml",
        "description = \"Mine.\"\nverbatim = [\"raw\"]\n[[variable]]\nname = \"port\"\nabout = \"Where.\"\n",
        0o644,
    );
    tree::write(
        root,
        "t/files/{{snake}}/run",
        "#!/bin/sh\necho {{name}} {{port}} ${{ x }}\n",
        0o755,
    );
    tree::write(root, "t/files/raw", "{{name}}\n", 0o644);
    fs::write(root.join("t/files/bytes"), b"\xff{{name}}").unwrap();
    let template = template::read_folder(&root.join("t"), &Disk, Limits::default()).unwrap();
    let missing = template.fill(&name("a-b"), &given(&[]), Limits::default());
    assert_eq!(
        missing.map_err(|error| error.code()),
        Err(Code::VariableInvalid)
    );
    let project = template
        .fill(&name("a-b"), &given(&[("port", "80")]), Limits::default())
        .unwrap();
    let target = template::create(root, &name("a-b"), &project, &Disk, &passes).unwrap();
    let tree = tree::read(&target);
    assert_eq!(tree["a_b/run"].2, b"#!/bin/sh\necho a-b 80 ${{ x }}\n");
    assert_eq!(tree["a_b/run"].1 & 0o100, 0o100);
    assert_eq!(tree["raw"].2, b"{{name}}\n");
    assert_eq!(tree["bytes"].2, b"\xff{{name}}");
    assert_eq!(tree["raw"].1 & 0o111, 0);
}

#[test]
fn a_template_that_is_not_valid_makes_nothing() {
    let good = "description = \"x\"\n";
    let cases: &[(&str, &str, &str)] = &[
        ("", "a", "x"),
        ("description = 1\n", "a", "x"),
        ("description = \"x\"\nother = 1\n", "a", "x"),
        ("description = \"x\"\nverbatim = [\"b\"]\n", "a", "x"),
        (
            "description = \"x\"\n[[variable]]\nname = \"A\"\nabout = \"x\"\n",
            "a",
            "x",
        ),
        (
            "description = \"x\"\n[[variable]]\nname = \"a\"\nabout = \"x\"\ndefault = \"\\\"\"\n",
            "a",
            "x",
        ),
        (good, "a", "{{other}}"),
        (good, "{{other}}", "x"),
        (good, "a.json", "{"),
        (good, "a.toml", "= 1"),
        (good, ".git/config", "x"),
    ];
    for (header, path, text) in cases {
        let directory = tempfile::tempdir().unwrap();
        tree::write(directory.path(), "template.toml", header, 0o644);
        tree::write(directory.path(), &format!("files/{path}"), text, 0o644);
        let made = template::read_folder(directory.path(), &Disk, Limits::default())
            .and_then(|it| it.fill(&name("x"), &given(&[]), Limits::default()));
        assert_eq!(
            made.map_err(|error| error.code()),
            Err(Code::InitConfigInvalid),
            "{header} {path} {text}"
        );
    }
    let directory = tempfile::tempdir().unwrap();
    tree::write(directory.path(), "template.toml", good, 0o644);
    fs::create_dir(directory.path().join("files")).unwrap();
    symlink("/etc/passwd", directory.path().join("files/link")).unwrap();
    let read = template::read_folder(directory.path(), &Disk, Limits::default()).map(|_| ());
    assert_eq!(
        read.map_err(|error| error.code()),
        Err(Code::InitConfigInvalid)
    );
}

struct Ground {
    directory: tempfile::TempDir,
    before: Tree,
}

impl Ground {
    fn new() -> Ground {
        let directory = tree::memory();
        tree::fill(directory.path(), false);
        let before = tree::read(directory.path());
        Ground { directory, before }
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }
}

/// Two files in directories, one of them executable.
fn project(root: &Path) -> NewProject {
    let template = root.join("t");
    tree::write(&template, "template.toml", "description = \"x\"\n", 0o644);
    tree::write(&template, "files/a/b", "b\n", 0o755);
    tree::write(&template, "files/c", "c\n", 0o644);
    let template = template::read_folder(&template, &Disk, Limits::default()).unwrap();
    template
        .fill(&name("made"), &given(&[]), Limits::default())
        .unwrap()
}

#[test]
fn what_is_there_already_is_never_touched() {
    let scratch = tempfile::tempdir().unwrap();
    let project = project(scratch.path());
    for case in 0..4 {
        let ground = Ground::new();
        let target = ground.root().join("made");
        match case {
            0 => fs::write(&target, "mine").unwrap(),
            1 => fs::create_dir(&target).unwrap(),
            2 => symlink("nowhere", &target).unwrap(),
            _ => tree::write(ground.root(), "made/file", "mine", 0o600),
        }
        let before = tree::read(ground.root());
        let made = template::create(ground.root(), &name("made"), &project, &Disk, &passes);
        assert_eq!(
            made.map_err(|error| error.code()),
            Err(Code::OutputDirExists),
            "{case}"
        );
        assert_eq!(tree::read(ground.root()), before);
    }
}

#[test]
fn a_check_that_says_no_leaves_nothing_behind() {
    let scratch = tempfile::tempdir().unwrap();
    let project = project(scratch.path());
    let ground = Ground::new();
    let seen = Cell::new(0);
    let check = |place: &Path| {
        seen.set(tree::read(place).len());
        Err(Error::InitVerifyFailed {
            command: "false".to_owned(),
            ended: "exited with 1".to_owned(),
            tail: String::new(),
        })
    };
    let made = template::create(ground.root(), &name("made"), &project, &Disk, &check);
    assert_eq!(
        made.map_err(|error| error.code()),
        Err(Code::InitVerifyFailed)
    );
    assert_eq!(seen.get(), 3);
    assert_eq!(tree::read(ground.root()), ground.before);
}

#[test]
fn a_failure_at_any_operation_leaves_nothing_or_the_whole() {
    let scratch = tempfile::tempdir().unwrap();
    let project = project(scratch.path());
    let make = |root: &Path, files: &dyn Files| {
        template::create(root, &name("made"), &project, files, &passes)
    };
    let clean = Ground::new();
    let counting = Faulty::new(Fault::Never);
    make(clean.root(), &counting).unwrap();
    let after = tree::read(clean.root());
    assert_eq!(after.len(), clean.before.len() + 4);
    assert_eq!(after["made/a/b"].2, b"b\n");
    let mut wholes = 0;
    for at in 0..counting.count() {
        for fault in [Fault::Once(at), Fault::From(at)] {
            let ground = Ground::new();
            let made = make(ground.root(), &Faulty::new(fault));
            let is_told_unknown = matches!(
                made,
                Err(Error::OutcomeUnknown { .. } | Error::RestoreFailed { .. })
            );
            let is_whole = ground.root().join("made").exists();
            if !is_whole && !is_told_unknown {
                assert_eq!(
                    tree::read(ground.root()),
                    ground.before,
                    "{fault:?}: {made:?}"
                );
            }
            wholes += usize::from(is_whole);
            // The next command, here for another name, removes what is left; what is whole stays.
            let other =
                template::create(ground.root(), &name("other"), &project, &Disk, &passes).unwrap();
            fs::remove_dir_all(other).unwrap();
            let expected = if is_whole { &after } else { &ground.before };
            assert_eq!(tree::read(ground.root()), *expected, "{fault:?}: {made:?}");
        }
    }
    assert!(wholes > 0 && wholes < counting.count(), "{wholes}");
    let mode = fs::metadata(clean.root().join("made/a/b"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o100, 0o100);
}
