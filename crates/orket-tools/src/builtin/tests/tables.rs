//! One table per tool: benign, at the limit, over the limit, hostile.

use std::os::unix::fs::symlink;

use orket_ports::ReadSpace;

use super::super::read_file::{READ_MAX_BYTES, SHOWN_MAX_BYTES};
use super::super::search_files::{ENTRIES_MAX, NEEDLE_MAX_BYTES};
use super::super::{edit_file, list_directory, matches};
use super::desk::Desk;

/// A case: its name, the arguments, and what comes of it: the result, or a piece of the refusal.
type Case<'a> = (&'a str, String, Result<&'a str, &'a str>);

fn run(tool: &str, cases: Vec<Case<'_>>, mut desk: impl FnMut() -> Desk) {
    for (name, arguments, expected) in cases {
        let told = desk().call(tool, &arguments);
        match (&told, expected) {
            (Ok(told), Ok(expected)) => assert_eq!(told, expected, "{tool}: {name}"),
            (Err(refusal), Err(piece)) => {
                assert!(refusal.contains(piece), "{tool}: {name}: {refusal}");
            }
            _ => panic!("{tool}: {name}: {told:?}, not {expected:?}"),
        }
    }
}

/// Paths that no tool takes, each with the reason.
const HOSTILE: &[(&str, &str)] = &[
    ("../outside", "path: "),
    ("agent_output/../orket.toml", "path: "),
    ("/etc/passwd", "path: "),
    ("agent_output//a", "path: "),
    ("agent_output/a\\u0000", "path: "),
    ("agent_output/a\\u202e", "path: "),
    ("agent_output/.git/config", "protected_path: "),
    ("agent_output/.ENV", "protected_path: "),
    ("agent_output/x/.orket/y", "protected_path: "),
    ("agent_output/NUL.txt", "path: "),
    ("agent_output/a. ", "path: "),
];

fn hostile(arguments: impl Fn(&str) -> String) -> Vec<Case<'static>> {
    let one =
        |(path, reason): &(&'static str, &'static str)| (*path, arguments(path), Err(*reason));
    HOSTILE.iter().map(one).collect()
}

#[test]
fn read_file() {
    let at = "x".repeat(SHOWN_MAX_BYTES);
    let over = format!("{at}é");
    let long = vec![b'x'; READ_MAX_BYTES as usize + 1];
    let desk = || {
        let desk = Desk::new(&[
            ("a.txt", "é\n".as_bytes()),
            ("at", at.as_bytes()),
            ("over", over.as_bytes()),
            ("long", &long),
            ("binary", b"\xff\xfe"),
        ]);
        desk.file("src/b.txt", b"domain");
        desk.file("src/over", over.as_bytes());
        desk.file("state/c.txt", b"home");
        desk
    };
    let cut = format!(r#"{{"content":"{at}","cut":"the first 262144 of 262146 bytes are shown"}}"#);
    let whole = format!(r#"{{"content":"{at}"}}"#);
    let path = |path: &str| format!(r#"{{"path":"{path}"}}"#);
    let mut cases = vec![
        (
            "an artefact",
            path("agent_output/a.txt"),
            Ok(r#"{"content":"é\n"}"#),
        ),
        (
            "the domain",
            path("src/b.txt"),
            Ok(r#"{"content":"domain"}"#),
        ),
        ("at the limit", path("agent_output/at"), Ok(whole.as_str())),
        (
            "over the limit",
            path("agent_output/over"),
            Ok(cut.as_str()),
        ),
        ("over it in the domain", path("src/over"), Ok(cut.as_str())),
        (
            "far over the limit",
            path("agent_output/long"),
            Ok(r#"{"error":"agent_output/long is longer than 8388608 bytes"}"#),
        ),
        (
            "no text",
            path("agent_output/binary"),
            Ok(r#"{"error":"agent_output/binary is not a text"}"#),
        ),
        (
            "nothing there",
            path("agent_output/none"),
            Ok(r#"{"error":"agent_output/none does not exist"}"#),
        ),
        ("Orket's own", path("state/c.txt"), Err("protected_path: ")),
        ("no path", "{}".into(), Err("\"path\" is missing")),
    ];
    cases.extend(hostile(path));
    run("read_file", cases, desk);
}

#[test]
fn list_directory() {
    let names: Vec<String> = (0..=list_directory::ENTRIES_MAX)
        .map(|n| format!("many/{n:05}"))
        .collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let desk = |count: usize| {
        let mut desk = Desk::new(&files[..count]);
        desk.artifacts.insert("b/c.txt".into(), Vec::new());
        desk.artifacts.insert("a.txt".into(), Vec::new());
        desk.file("src/z.txt", b"");
        desk.file("src/.env", b"");
        desk.file("src/d/y.txt", b"");
        desk
    };
    let path = |path: &str| format!(r#"{{"path":"{path}"}}"#);
    let mut cases = vec![
        ("all", "{}".into(), Ok(r#"{"entries":["a.txt","b/"]}"#)),
        (
            "a directory",
            path("agent_output/b"),
            Ok(r#"{"entries":["c.txt"]}"#),
        ),
        (
            "the domain",
            path("src"),
            Ok(r#"{"entries":["d/","z.txt"]}"#),
        ),
        (
            "nothing there",
            path("agent_output/none"),
            Ok(r#"{"error":"agent_output/none is not a directory"}"#),
        ),
    ];
    cases.extend(hostile(path));
    run("list_directory", cases, || desk(0));
    let many = path("agent_output/many");
    let at = desk(list_directory::ENTRIES_MAX)
        .call("list_directory", &many)
        .unwrap();
    assert!(at.contains("\"00999\"]") && !at.contains("cut"), "{at}");
    let over = desk(list_directory::ENTRIES_MAX + 1)
        .call("list_directory", &many)
        .unwrap();
    let cut = r#"{"cut":"the first 1000 of 1001 entries are shown","entries":["00000","#;
    assert!(
        over.starts_with(cut) && over.ends_with("\"00999\"]}"),
        "{over}"
    );
}

#[test]
fn write_file() {
    let limit = 1024 * 1024;
    let content = |bytes: usize| {
        let content = "x".repeat(bytes);
        format!(r#"{{"path":"agent_output/a","content":"{content}"}}"#)
    };
    let mut cases = vec![
        (
            "a file",
            r#"{"path":"agent_output/a/b.txt","content":"é"}"#.into(),
            Ok(r#"{"written":2}"#),
        ),
        ("at the limit", content(limit), Ok(r#"{"written":1048576}"#)),
        (
            "over the limit",
            content(limit + 1),
            Err("\"content\" is longer than 1048576 bytes"),
        ),
        (
            "elsewhere",
            r#"{"path":"verification/a","content":""}"#.into(),
            Err("outside_write_scope: "),
        ),
    ];
    cases.extend(hostile(|path| {
        format!(r#"{{"path":"{path}","content":""}}"#)
    }));
    run("write_file", cases, || Desk::new(&[]));
}

#[test]
fn edit_file() {
    let at = vec![b'x'; edit_file::EDIT_MAX_BYTES];
    let over = vec![b'x'; edit_file::EDIT_MAX_BYTES + 1];
    let desk = || {
        let mut desk = Desk::new(&[
            ("run.sh", b"echo one\necho two\n"),
            ("at", &[&at[1..], b"y"].concat()),
            ("over", &over),
            ("binary", b"\xff"),
        ]);
        desk.programs.insert("run.sh".into());
        desk
    };
    let edit = |path: &str, old: &str, new: &str| {
        format!(r#"{{"path":"{path}","old":"{old}","new":"{new}"}}"#)
    };
    let run_sh = "agent_output/run.sh";
    let text = "t".repeat(edit_file::TEXT_MAX_BYTES + 1);
    let mut cases = vec![
        (
            "once",
            edit(run_sh, "two", "2"),
            Ok(r#"{"length":16,"replaced":1}"#),
        ),
        (
            "at the limit",
            edit("agent_output/at", "y", "z"),
            Ok(r#"{"length":1048576,"replaced":1}"#),
        ),
        (
            "grows over the limit",
            edit("agent_output/at", "y", "zz"),
            Err("would become longer than 1048576"),
        ),
        (
            "over the limit",
            edit("agent_output/over", "y", "z"),
            Err("edit: edit_file: agent_output/over is longer than 1048576 bytes"),
        ),
        (
            "too long a text",
            edit(run_sh, &text, ""),
            Err("\"old\" is longer than 262144 bytes"),
        ),
        (
            "twice",
            edit(run_sh, "echo", "printf"),
            Err("more than once"),
        ),
        (
            "nowhere",
            edit(run_sh, "three", "3"),
            Err("does not hold the old text"),
        ),
        ("empty", edit(run_sh, "", "3"), Err("old must not be empty")),
        (
            "the same",
            edit(run_sh, "two", "two"),
            Err("nothing would change"),
        ),
        (
            "no file",
            edit("agent_output/none", "a", "b"),
            Err("does not exist; write_file makes it"),
        ),
        (
            "no text",
            edit("agent_output/binary", "a", "b"),
            Err("is not a text"),
        ),
        (
            "elsewhere",
            edit("verification/a", "a", "b"),
            Err("outside_write_scope: "),
        ),
    ];
    cases.extend(hostile(|path| edit(path, "a", "b")));
    run("edit_file", cases, desk);

    let mut desk = desk();
    let all = r#"{"path":"agent_output/run.sh","old":"echo","new":"printf","all":true}"#;
    let told = desk.call("edit_file", all).unwrap();
    assert_eq!(told, r#"{"length":22,"replaced":2}"#);
    assert_eq!(desk.artifacts["run.sh"], b"printf one\nprintf two\n");
    assert!(desk.programs.contains("run.sh"), "it stays a program");
}

#[test]
fn search_files() {
    let long = vec![b'x'; matches::FILE_MAX_BYTES + 1];
    let desk = || {
        let desk = Desk::new(&[
            ("b/one.txt", b"find me\nnot me\n"),
            ("b.txt", b"nothing\nFIND ME\nfind me"),
            ("binary", b"find me\0"),
        ]);
        desk.file("src/z.txt", b"find me (a+)+$\n");
        desk.file("src/a/y.txt", b"find me\n");
        desk.file("src/.env", b"find me\n");
        desk.file("src/long", &long);
        desk.file("state/home.txt", b"find me\n");
        desk.file("nested/agent_output/x", b"find me\n");
        symlink(desk.path("state/home.txt"), desk.path("src/link")).unwrap();
        desk
    };
    let search = |text: &str, path: &str| format!(r#"{{"text":"{text}","path":"{path}"}}"#);
    let needle = "n".repeat(NEEDLE_MAX_BYTES);
    let mut cases = vec![
        (
            "all artefacts, by path and line",
            r#"{"text":"find me"}"#.into(),
            Ok(
                r#"{"files":2,"matches":[{"line":3,"path":"agent_output/b.txt","text":"find me"},{"line":1,"path":"agent_output/b/one.txt","text":"find me"}],"skipped":[{"path":"agent_output/binary","why":"it is not a text"}]}"#,
            ),
        ),
        (
            "one directory",
            search("find me", "agent_output/b"),
            Ok(
                r#"{"files":1,"matches":[{"line":1,"path":"agent_output/b/one.txt","text":"find me"}]}"#,
            ),
        ),
        (
            "one file, any case",
            r#"{"text":"Find","path":"agent_output/b.txt","ignore_case":true}"#.into(),
            Ok(
                r#"{"files":1,"matches":[{"line":2,"path":"agent_output/b.txt","text":"FIND ME"},{"line":3,"path":"agent_output/b.txt","text":"find me"}]}"#,
            ),
        ),
        (
            "the domain, no link followed, no secret looked into",
            search("find me", "src"),
            Ok(
                r#"{"files":2,"matches":[{"line":1,"path":"src/a/y.txt","text":"find me"},{"line":1,"path":"src/z.txt","text":"find me (a+)+$"}],"skipped":[{"path":"src/link","why":"it is a symbolic link or leads through one"},{"path":"src/long","why":"it is too large"}]}"#,
            ),
        ),
        (
            "a file of the domain",
            search("(a+)+$", "src/z.txt"),
            Ok(r#"{"files":1,"matches":[{"line":1,"path":"src/z.txt","text":"find me (a+)+$"}]}"#),
        ),
        (
            "a link",
            search("x", "src/link"),
            Ok(
                r#"{"error":"src/link cannot be searched: it is a symbolic link or leads through one"}"#,
            ),
        ),
        (
            "nothing there",
            search("x", "src/none"),
            Ok(r#"{"error":"src/none does not exist"}"#),
        ),
        (
            "no artefact there",
            search("x", "agent_output/c"),
            Ok(r#"{"error":"agent_output/c does not exist"}"#),
        ),
        (
            "at the limit",
            search(&needle, "agent_output/b"),
            Ok(r#"{"files":1,"matches":[]}"#),
        ),
        (
            "over the limit",
            search(&format!("{needle}n"), "agent_output/b"),
            Err("\"text\" is longer than 1024 bytes"),
        ),
        (
            "nothing to look for",
            search("", "agent_output"),
            Err("must be one line"),
        ),
        (
            "two lines",
            search("a\\nb", "agent_output"),
            Err("must be one line"),
        ),
        (
            "Orket's own",
            search("find", "state"),
            Err("protected_path: "),
        ),
    ];
    cases.extend(hostile(|path| search("x", path)));
    run("search_files", cases, desk);

    let mut many = Desk::new(&[]);
    for number in 0..=ENTRIES_MAX {
        many.file(&format!("many/{number:05}"), b"");
    }
    let told = many.call("search_files", &search("x", "many")).unwrap();
    assert!(
        told.contains("3000 of 5000 files were not searched"),
        "{told}"
    );
    let why = r#"{"path":"many","why":"it holds too many entries to find them all"}"#;
    assert!(told.contains(why), "{told}");

    let mut closed = desk();
    closed.policy.read_scope.remove(&ReadSpace::Domain);
    let refusal = closed
        .call("search_files", &search("x", "src"))
        .unwrap_err();
    assert!(refusal.starts_with("outside_read_scope: "), "{refusal}");
}

#[test]
fn get_issue_context() {
    let long = "x".repeat(65);
    let cases = vec![
        ("its own", "{}".into(), Ok(r#"{"id":"own"}"#)),
        (
            "another",
            r#"{"issue_id":"FL-1"}"#.into(),
            Ok(r#"{"id":"FL-1"}"#),
        ),
        (
            "too long an id",
            format!(r#"{{"issue_id":"{long}"}}"#),
            Err("is longer than 64 bytes"),
        ),
        ("no id", r#"{"issue_id":7}"#.into(), Err("must be a text")),
    ];
    run("get_issue_context", cases, || Desk::new(&[]));
}

#[test]
fn create_issue() {
    let with = |more: &str| format!(r#"{{"title":"t","description":"d","seat":"coder"{more}}}"#);
    let title = |title: &str| format!(r#"{{"title":"{title}","description":"d","seat":"coder"}}"#);
    let list = |name: &str, count: usize| {
        let members: Vec<String> = (0..count)
            .map(|n| format!("\"agent_output/{n}\""))
            .collect();
        with(&format!(r#","{name}":[{}]"#, members.join(",")))
    };
    let made = Ok(r#"{"issue_id":"card-00000000","status":"ready"}"#);
    let mut cases = vec![
        ("least", with(""), made),
        (
            "all",
            with(
                r#","priority":9,"depends_on":["A"],"artifacts":["agent_output/x"],"checks":["c.sh"]"#,
            ),
            made,
        ),
        ("a title at the limit", title(&"é".repeat(100)), made),
        (
            "a title over the limit",
            title(&"x".repeat(201)),
            Err("is longer than 200 bytes"),
        ),
        (
            "an empty title",
            title(" "),
            Err("one line of visible text"),
        ),
        (
            "a title of two lines",
            title("a\\nStatus: done"),
            Err("one line of visible text"),
        ),
        (
            "a title that turns the text",
            title("a\\u202eb"),
            Err("one line of visible text"),
        ),
        (
            "no description",
            r#"{"title":"t","description":"\n","seat":"coder"}"#.into(),
            Err("must say what is to be done"),
        ),
        (
            "no seat",
            r#"{"title":"t","description":"d"}"#.into(),
            Err("\"seat\" is missing"),
        ),
        (
            "a priority over the limit",
            with(r#","priority":10"#),
            Err("from 0 to 9"),
        ),
        ("files at the limit", list("artifacts", 32), made),
        (
            "files over the limit",
            list("artifacts", 33),
            Err("more than 32 members"),
        ),
        (
            "needs over the limit",
            list("depends_on", 33),
            Err("more than 32 members"),
        ),
        (
            "checks over the limit",
            list("checks", 9),
            Err("more than 8 members"),
        ),
        (
            "a file elsewhere",
            with(r#","artifacts":["verification/a.sh"]"#),
            Err("outside_write_scope: "),
        ),
        (
            "a status of its own",
            with(r#","status":"done""#),
            Err("there is no argument \"status\""),
        ),
        (
            "no checks by its own word",
            with(r#","verification":"none""#),
            Err("there is no argument"),
        ),
    ];
    cases.extend(hostile(|path| with(&format!(r#","artifacts":["{path}"]"#))));
    run("create_issue", cases, || Desk::new(&[]));

    let mut desk = Desk::new(&[]);
    desk.call(
        "create_issue",
        &with(r#","artifacts":["agent_output/x/y"]"#),
    )
    .unwrap();
    assert_eq!(desk.created[0].artifacts, ["x/y"]);
    assert_eq!(desk.created[0].priority, None);
}
