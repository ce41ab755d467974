//! Hostile names: refused by their type, or kept apart and read back as they were, and nothing outside the home is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use orket_kernel::canonical::Value;
use orket_kernel::{Kernel, Outcome, RunId, StateView, Stem, Triplet, TurnInput, object};
use orket_lsi::{Depth, Imported};
use orket_testkit::Tree;

use crate::housed::{Housed, envelope, turn_id};

/// What no stem may hold after its kind.
fn refused() -> Vec<String> {
    let mut names: Vec<String> = [
        "",
        ".",
        "..",
        "../x",
        "a/..",
        "a/../b",
        "a/./b",
        "../../../etc/passwd",
        "/etc/passwd",
        "a//b",
        "a/",
        "a\0b",
        "a\nb",
        "a\rb",
        "\u{7f}",
        "C:\\x",
        "..\\x",
        "\u{202e}gpj.exe",
        "a\u{200f}",
    ]
    .map(str::to_owned)
    .into();
    names.push("x".repeat(4096));
    names
}

/// What may be a name, and what many a file system takes for another one, or for something of its own.
fn accepted() -> Vec<String> {
    let mut names: Vec<String> = [
        "a",
        "A",
        "a.",
        "a..",
        "a ",
        " a",
        "a. .",
        "...",
        "..a",
        "a/b",
        "a%2Fb",
        "a%2fb",
        "a=b",
        "a+b",
        "A/b",
        "%2F",
        "%2f",
        "%",
        "%h",
        "%2e%2e",
        "+a",
        "é",
        "e\u{301}",
        "É",
        "ﬀ",
        "ff",
        "FF",
        "ß",
        "ss",
        "SS",
        "ſ",
        "s",
        "S",
        "K",
        "\u{212a}",
        "k",
        "İ",
        "i",
        "I",
        "ı",
        "con",
        "CON",
        "Con.txt",
        "nul",
        "aux.c",
        "COM1",
        "com1",
        "lpt9",
        "prn",
        "a:b",
        "a:$DATA",
        "$HOME",
        "~",
        "~root",
        "-rf",
        "*",
        "?",
        "<>|\"",
        "`id`",
        "; ls",
        "VIEW",
        "deletions.json",
        ".git",
        ".hidden",
        "x.json",
        "x.json.json",
    ]
    .map(str::to_owned)
    .into();
    // So long that their file names end in digests; they differ in the last place, or in its case.
    for last in ["y", "z", "Z"] {
        names.push(format!("{}{last}", "x".repeat(1000)));
        names.push(format!("{}{last}", "é".repeat(500)));
    }
    names
}

fn note(stem: Stem, id: &str, title: &str) -> Triplet {
    Triplet {
        stem,
        body: object! { "dto_type" => "card", "id" => id, "title" => title },
        links: object! { "depends_on" => Vec::<Value>::new() },
        manifest: object! { "order_insensitive" => vec![Value::from("depends_on")] },
    }
}

/// All names below a directory are portable, and no two of one directory are one where case is folded.
fn check_file_names(root: &Path) {
    let mut open = vec![root.to_path_buf()];
    let mut files = 0;
    while let Some(directory) = open.pop() {
        let mut folded = BTreeSet::new();
        for entry in fs::read_dir(&directory).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            assert!(name.is_ascii() && name.len() <= 255, "{name}");
            assert!(!name.ends_with(['.', ' ']), "{name}");
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-+=%".contains(&byte)),
                "{name}"
            );
            let device = name.split('.').next().unwrap().to_lowercase();
            assert!(
                !["con", "prn", "aux", "nul", "com1", "lpt9"].contains(&device.as_str()),
                "{name}"
            );
            assert!(folded.insert(name.to_lowercase()), "{name} is there twice");
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                files += 1;
            }
        }
    }
    assert!(files > 0, "{}", root.display());
}

/// What lies around the home.
fn around(housed: &Housed) -> Tree {
    let home = housed.home();
    Tree::read(home.parent().unwrap()).without(&["home", "export"])
}

fn housed() -> Kernel<Housed> {
    let housed = Housed::empty();
    let outside = housed.home().with_file_name("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("canary"), "sings").unwrap();
    Kernel::new(housed)
}

#[test]
fn hostile_stems_are_refused_or_kept_apart() {
    for name in refused() {
        assert!(Stem::parse(&format!("card/{name}")).is_err(), "{name:?}");
    }
    let stems: Vec<Stem> = accepted()
        .iter()
        .map(|name| Stem::parse(&format!("card/{name}")).unwrap())
        .collect();
    let kernel = housed();
    let before = around(kernel.store());
    let mut run = kernel.start_run(&envelope("a")).unwrap();
    let input = TurnInput {
        triplets: (0..)
            .zip(&stems)
            .map(|(at, stem): (u32, _)| note(stem.clone(), stem.as_str(), &at.to_string()))
            .collect(),
        ..TurnInput::empty(turn_id(1))
    };
    let execution = run.execute_turn(&input).unwrap();
    assert_eq!(
        execution.result.outcome,
        Outcome::Pass,
        "{:?}",
        execution.result.issues
    );
    check_file_names(&kernel.store().home().join("index/staging"));
    run.commit_turn(turn_id(1)).unwrap();
    let store = &kernel.store().store;
    store.project_view().unwrap();
    check_file_names(&kernel.store().home().join("index/committed"));

    let snapshot = store.snapshot().unwrap();
    let listed: BTreeSet<Stem> = snapshot.stems("").unwrap().into_iter().collect();
    assert_eq!(listed, stems.iter().cloned().collect());
    for (at, stem) in stems.iter().enumerate() {
        let record = snapshot.triplet(stem).unwrap().unwrap();
        let body = snapshot.object(&record.body_digest).unwrap().unwrap();
        let title = format!("\"title\":\"{at}\"");
        assert!(String::from_utf8(body).unwrap().contains(&title), "{stem}");
        assert_eq!(
            snapshot.definition(stem.as_str()).unwrap().as_ref(),
            Some(stem)
        );
    }
    let export = kernel.store().home().with_file_name("export");
    let past = snapshot.at(1).unwrap();
    snapshot.export(&past, &export).unwrap();
    check_file_names(&export);
    let imported = Imported::read(&export).unwrap();
    assert_eq!(imported.state_digest, snapshot.head().state_digest);
    assert_eq!(imported.triplets.len(), stems.len());
    assert_eq!(store.verify(Depth::Full).unwrap().findings.faults, []);

    // What is deleted is that one and no neighbour.
    let gone: Vec<Stem> = stems.iter().step_by(2).cloned().collect();
    run.stage_deletions(turn_id(2), gone.clone()).unwrap();
    run.commit_turn(turn_id(2)).unwrap();
    store.project_view().unwrap();
    let left: BTreeSet<Stem> = store
        .snapshot()
        .unwrap()
        .stems("")
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(
        left,
        stems
            .iter()
            .filter(|it| !gone.contains(it))
            .cloned()
            .collect()
    );
    assert_eq!(store.verify(Depth::Full).unwrap().findings.faults, []);
    assert_eq!(
        before.differences(&around(kernel.store())),
        Vec::<String>::new()
    );
}

/// The id of a body is a text, and need not be that of its stem.
#[test]
fn hostile_ids_are_refused_or_kept_apart() {
    let kernel = housed();
    let before = around(kernel.store());
    let mut run = kernel.start_run(&envelope("a")).unwrap();
    let (mut kept, mut number) = (BTreeMap::new(), 1);
    for (at, id) in refused().into_iter().chain(accepted()).enumerate() {
        let stem = Stem::parse(&format!("card/n{at}")).unwrap();
        let input = TurnInput {
            triplets: vec![note(stem.clone(), &id, "t")],
            ..TurnInput::empty(turn_id(number))
        };
        if run.execute_turn(&input).unwrap().result.outcome == Outcome::Pass {
            check_file_names(&kernel.store().home().join("index/staging"));
            run.commit_turn(turn_id(number)).unwrap();
            kept.insert(id, stem);
            number += 1;
        }
    }
    let store = &kernel.store().store;
    store.project_view().unwrap();
    check_file_names(&kernel.store().home().join("index/committed"));
    let snapshot = store.snapshot().unwrap();
    for (id, stem) in &kept {
        assert_eq!(
            snapshot.definition(id).unwrap().as_ref(),
            Some(stem),
            "{id:?}"
        );
    }
    let is_kept = |id: &String| kept.contains_key(id);
    assert!(accepted().iter().all(is_kept));
    println!(
        "of the hostile ids {} are refused",
        refused().iter().filter(|id| !is_kept(id)).count()
    );
    assert_eq!(store.verify(Depth::Full).unwrap().findings.faults, []);
    assert_eq!(
        before.differences(&around(kernel.store())),
        Vec::<String>::new()
    );
}

#[test]
fn hostile_run_ids_are_refused_or_kept_apart() {
    let good = [
        "a", "A", "a.", "A.", "a..b", "con", "CON", "nul.1", "com1", "a-", "a_", "0",
    ];
    let longest = ["x".repeat(128), format!("{}X", "x".repeat(127))];
    let good: Vec<String> = good
        .iter()
        .map(ToString::to_string)
        .chain(longest)
        .collect();
    let bad = [
        ".", "..", "-rf", "_", "a/b", "a\\b", "a b", "é", "a\0", "a%2Fb", "a:b", "~", "", " ",
    ];
    for text in bad {
        assert!(RunId::parse(text).is_err(), "{text:?}");
    }
    assert!(RunId::parse(&"x".repeat(129)).is_err());
    let kernel = housed();
    let before = around(kernel.store());
    for text in &good {
        let mut run = kernel.start_run(&envelope(text)).unwrap();
        let stem = Stem::parse(&format!("card/of-{text}")).unwrap();
        let input = TurnInput {
            triplets: vec![note(stem.clone(), stem.as_str(), text)],
            ..TurnInput::empty(turn_id(1))
        };
        run.execute_turn(&input).unwrap();
    }
    let staging = kernel.store().home().join("index/staging");
    check_file_names(&staging);
    assert_eq!(fs::read_dir(&staging).unwrap().count(), good.len());
    for text in &good {
        let mut run = kernel.start_run(&envelope(text)).unwrap();
        run.commit_turn(turn_id(1)).unwrap();
    }
    let store = &kernel.store().store;
    assert_eq!(store.snapshot().unwrap().runs().unwrap().len(), good.len());
    assert_eq!(store.verify(Depth::Full).unwrap().findings.faults, []);
    assert_eq!(
        before.differences(&around(kernel.store())),
        Vec::<String>::new()
    );
}
