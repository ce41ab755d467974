//! Crates that other people wrote, as cargo keeps them: a name that they use widely becomes another one, they compile as
//! before, and the way back gives the very bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use orket_workbench::rename::{self, Also, Rename};
use orket_workbench::{Disk, Limits, Scope, Workbench};

use crate::tree;

struct Crate {
    name: &'static str,
    edition: &'static str,
    flags: &'static [&'static str],
    rename: [&'static str; 2],
}

const CRATES: &[Crate] = &[
    Crate {
        name: "hex",
        edition: "2018",
        flags: &["--cfg", "feature=\"alloc\""],
        rename: ["FromHexError", "HexFault"],
    },
    Crate {
        name: "itoa",
        edition: "2021",
        flags: &[],
        rename: ["Buffer", "Room"],
    },
    Crate {
        name: "memchr",
        edition: "2021",
        flags: &[],
        rename: ["haystack", "hay"],
    },
    Crate {
        name: "strsim",
        edition: "2015",
        flags: &[],
        rename: ["levenshtein", "edit_distance"],
    },
];

/// Finds a crate that cargo has fetched: one of this name and any version.
fn fetched(name: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")))?;
    for registry in fs::read_dir(home.join("registry/src")).ok()? {
        for entry in fs::read_dir(registry.ok()?.path()).ok()? {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.strip_prefix(name);
            let is_it = version
                .and_then(|it| it.strip_prefix('-'))
                .is_some_and(|it| it.starts_with(|first: char| first.is_ascii_digit()));
            if is_it {
                return Some(path);
            }
        }
    }
    None
}

fn apply(root: &Path, [old, new]: [&str; 2]) -> usize {
    let (workbench, _) = Workbench::open(root, &Disk).unwrap();
    let scope = Scope::new(root, root, &[PathBuf::from("src")], &Disk).unwrap();
    let rename: Rename = format!("rename {old} to {new}").parse().unwrap();
    let also = Also::default();
    let found = rename::plan(&workbench, &Disk, &scope, &rename, also, Limits::default());
    let found = found.unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    workbench.execute(&found.plan).unwrap();
    found.places
}

fn compiles(root: &Path, it: &Crate) -> bool {
    let output = Command::new("rustc")
        .args([
            "--crate-type",
            "lib",
            "--crate-name",
            it.name,
            "--emit",
            "metadata",
        ])
        .args([
            "--edition",
            it.edition,
            "--cap-lints",
            "allow",
            "src/lib.rs",
            "-o",
        ])
        .arg(root.parent().unwrap().join("out"))
        .args(it.flags)
        .current_dir(root)
        .output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn real_crates_compile_after_a_renaming_and_come_back() {
    for it in CRATES {
        let Some(source) = fetched(it.name) else {
            println!("{} is not fetched here: it was not renamed in", it.name);
            continue;
        };
        let directory = tree::memory();
        let root = directory.path().canonicalize().unwrap().join("crate");
        tree::copy(&source.join("src"), &root.join("src"));
        let before = tree::read(&root);
        let did_compile = compiles(&root, it);
        let places = apply(&root, it.rename);
        assert!(places > 5, "{}: {places}", it.name);
        assert_ne!(tree::read(&root), before);
        if did_compile {
            assert!(compiles(&root, it), "{} does not compile any more", it.name);
        } else {
            println!("{} does not compile here by itself", it.name);
        }
        let [old, new] = it.rename;
        assert_eq!(apply(&root, [new, old]), places);
        assert_eq!(tree::read(&root), before, "{}", it.name);
    }
}
