//! A generation as files, and back: nothing is lost, and nothing foreign comes in.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, StagedTriplet, StagedTurn, TripletRecord, TurnId, references_of};
use orket_lsi::{Imported, StoreError};
use proptest::prelude::*;

use crate::fixture::{Fixture, run_id, tree, turn};

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let mut first = turn("a", 1).put("note/p", "p", &[]);
    for number in 0..20 {
        first = first.put(&format!("note/N{number}"), "n", &["p"]);
    }
    fixture.promote(&first).unwrap();
    let digest = Digest::of_bytes(b"raw \xff bytes");
    let named = turn("a", 2)
        .put("note/x", &digest.to_hex(), &["p"])
        .delete("note/N7");
    let mut plan = fixture.plan(&named);
    plan.objects
        .insert(digest, b"raw \xff bytes".to_vec().into());
    fixture.promote_plan(&plan).unwrap();
    fixture
}

fn export(fixture: &Fixture, generation: u64, name: &str) -> PathBuf {
    let directory = fixture.directory.path().join(name);
    let snapshot = fixture.store.snapshot().unwrap();
    let past = snapshot.at(generation).unwrap();
    let files = snapshot.export(&past, &directory).unwrap();
    assert_eq!(files as usize, tree(&directory).len());
    directory
}

/// Promotes what was imported as the first turn of a new index.
fn promote(imported: &Imported) -> Fixture {
    let fixture = Fixture::new();
    let mut staged = StagedTurn {
        run_id: run_id("a"),
        turn_id: TurnId::FIRST,
        triplets: BTreeMap::new(),
        deletions: Default::default(),
        objects: imported.attachments.clone(),
    };
    for triplet in &imported.triplets {
        let mut keep = |value: &Value| {
            let bytes = canonical::to_bytes(value);
            let digest = Digest::of_bytes(&bytes);
            staged.objects.insert(digest, bytes.into());
            digest
        };
        let record = TripletRecord {
            stem: triplet.stem.clone(),
            body_digest: keep(&triplet.body),
            links_digest: keep(&triplet.links),
            manifest_digest: keep(&triplet.manifest),
            updated_at_turn: TurnId::FIRST,
            lsi_version: orket_kernel::LSI_VERSION.into(),
        };
        let id = triplet.body.get("id").and_then(Value::as_str).unwrap();
        let staged_triplet = StagedTriplet {
            references: references_of(&triplet.stem, &triplet.links, record.links_digest),
            id: id.to_owned(),
            record,
        };
        staged.triplets.insert(triplet.stem.clone(), staged_triplet);
    }
    let view = orket_kernel::EmptyView;
    let plan = orket_kernel::plan_promotion(&staged, &view).unwrap().0;
    let promoted = fixture.promote_plan(&plan).unwrap();
    assert_eq!(promoted.state_digest, imported.state_digest);
    fixture
}

#[test]
fn an_export_has_what_the_generation_had_and_nothing_else() {
    let fixture = fixture();
    fixture.store.project_view().unwrap();
    let newest = export(&fixture, 2, "newest");
    let view = tree(&fixture.home().join("index/committed"));
    let exported = tree(&newest);
    for (path, bytes) in &exported {
        assert!(
            view.get(path) == Some(bytes),
            "{} is not as in the view",
            path.display()
        );
    }
    // The view keeps all objects that were ever promoted; all else is the same.
    let is_object = |path: &&PathBuf| path.starts_with("objects");
    assert_eq!(
        exported.keys().filter(|path| !is_object(path)).count(),
        view.keys().filter(|path| !is_object(path)).count()
    );
    let raw = Digest::of_bytes(b"raw \xff bytes").to_hex();
    let raw = PathBuf::from("objects").join(&raw[..2]).join(&raw);
    assert!(exported.contains_key(&raw));
    let first = tree(&export(&fixture, 1, "first"));
    assert!(!first.contains_key(&raw));
    assert_ne!(first[Path::new("VIEW")], exported[Path::new("VIEW")]);
    assert_eq!(tree(&export(&fixture, 0, "nothing")).len(), 1);
}

#[test]
fn a_place_that_is_taken_is_left_alone() {
    let fixture = fixture();
    let directory = fixture.directory.path().join("taken");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("mine"), "mine").unwrap();
    let file = fixture.directory.path().join("file");
    fs::write(&file, "mine").unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let past = snapshot.at(2).unwrap();
    for place in [&directory, &file] {
        let refused = snapshot.export(&past, place);
        assert!(
            matches!(refused, Err(StoreError::NotEmpty { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(tree(&directory).len(), 1);
    fs::create_dir(fixture.directory.path().join("empty")).unwrap();
    export(&fixture, 2, "empty");
    // Damage is not exported, and no draft is left.
    fixture.tamper("DELETE FROM triplet_history");
    let snapshot = fixture.store.snapshot().unwrap();
    let place = fixture.directory.path().join("damaged");
    let refused = snapshot.export(&snapshot.at(1).unwrap(), &place);
    assert!(
        matches!(refused, Err(StoreError::Corrupt { .. })),
        "{refused:?}"
    );
    let names: Vec<_> = fs::read_dir(fixture.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("damaged") || name.contains(".new-"))
        .collect();
    assert_eq!(names, Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn from_the_second_export_on_every_byte_is_the_same(
        texts in proptest::collection::btree_map("[a-zA-Zé/.%]{1,6}", "[a-z\u{1F600}\"\\\\]{0,4}", 0..24)
    ) {
        let fixture = Fixture::new();
        let mut text = turn("a", 1).put("note/target", "t", &[]);
        for (name, body) in &texts {
            let stem = format!("note/{name}");
            if orket_kernel::Stem::parse(&stem).is_ok() && name != "target" {
                text = text.put(&stem, body, &["target"]);
            }
        }
        fixture.promote(&turn("a", 1)).unwrap();
        fixture.promote(&text.numbered(2)).unwrap();
        let first = export(&fixture, 2, "first");
        let again = promote(&Imported::read(&first).unwrap());
        let second = export(&again, 1, "second");
        let anew = promote(&Imported::read(&second).unwrap());
        prop_assert!(tree(&second) == tree(&export(&anew, 1, "third")));
        // Against the first, only the generation and the turns of the records differ.
        let strip = |directory: &Path| -> BTreeMap<PathBuf, Vec<u8>> {
            let files = tree(directory).into_iter();
            files.filter(|(path, _)| !path.starts_with("triplets") && path != Path::new("VIEW")).collect()
        };
        prop_assert!(strip(&first) == strip(&second));
    }
}

#[test]
fn whatever_is_not_an_export_is_refused_and_named() {
    let fixture = fixture();
    let whole = export(&fixture, 2, "whole");
    Imported::read(&whole).unwrap();
    let one = |directory: &Path, part: &str| {
        let files = tree(&directory.join(part));
        directory.join(part).join(files.keys().next().unwrap())
    };
    let change = |path: PathBuf, from: &str, to: &str| {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    type Harm<'a> = (&'a str, &'a dyn Fn(&Path), &'a str);
    let cases: &[Harm<'_>] = &[
        (
            "no marker",
            &|d| fs::remove_file(d.join("VIEW")).unwrap(),
            "VIEW cannot be imported: it is missing",
        ),
        (
            "another digest",
            &|d| {
                change(
                    d.join("VIEW"),
                    "\"state_digest\":\"",
                    "\"state_digest\":\"0",
                )
            },
            "VIEW",
        ),
        (
            "another state",
            &|d| {
                let text = fs::read_to_string(d.join("VIEW")).unwrap();
                let end = text.rfind('"').unwrap();
                fs::write(
                    d.join("VIEW"),
                    format!("{}{}{}", &text[..end - 64], "0".repeat(64), &text[end..]),
                )
                .unwrap();
            },
            "VIEW cannot be imported: the files have the state digest",
        ),
        (
            "another version",
            &|d| change(d.join("VIEW"), "lsi/v1", "lsi/v2"),
            "its version is not known",
        ),
        (
            "a file too many",
            &|d| fs::write(d.join("README"), "").unwrap(),
            "README cannot be imported: it is no file of an export",
        ),
        (
            "a file among the refs",
            &|d| fs::write(d.join("refs/by_id/extra"), "").unwrap(),
            "extra cannot be imported: it is no file of an export",
        ),
        (
            "a deep directory",
            &|d| fs::create_dir_all(d.join("objects/aa/b/c")).unwrap(),
            "it is no directory of an export",
        ),
        (
            "a link to a file",
            &|d| {
                let path = one(d, "objects");
                let target = d.with_file_name("outside");
                fs::rename(&path, &target).unwrap();
                symlink(&target, &path).unwrap();
            },
            "it is no regular file",
        ),
        (
            "a link to a directory",
            &|d| symlink("/", d.join("objects/zz")).unwrap(),
            "it is no regular file",
        ),
        (
            "a pipe",
            &|d| {
                let path = d.join("objects/pipe");
                let made = std::process::Command::new("mkfifo")
                    .arg(&path)
                    .status()
                    .unwrap();
                assert!(made.success());
            },
            "it is no regular file",
        ),
        (
            "a changed object",
            &|d| fs::write(one(d, "objects"), "{}x").unwrap(),
            "its name is not the digest",
        ),
        (
            "an object that nothing names",
            &|d| {
                let name = Digest::of_bytes(b"mine").to_hex();
                fs::create_dir_all(d.join("objects").join(&name[..2])).unwrap();
                fs::write(d.join("objects").join(&name[..2]).join(&name), "mine").unwrap();
            },
            "nothing of the state names it",
        ),
        (
            "a lost object",
            &|d| fs::remove_file(one(d, "objects")).unwrap(),
            "",
        ),
        (
            "a lost triplet",
            &|d| fs::remove_file(one(d, "triplets")).unwrap(),
            "",
        ),
        (
            "a triplet under another name",
            &|d| {
                let path = one(d, "triplets");
                fs::rename(&path, path.with_file_name("note=other.json")).unwrap();
            },
            "its content belongs to another name",
        ),
        (
            "a hostile stem",
            &|d| change(one(d, "triplets"), "note/", "note/../"),
            "triplets",
        ),
        (
            "a triplet that is not canonical",
            &|d| change(one(d, "triplets"), ":", ": "),
            "it is not canonical JSON",
        ),
        (
            "a lost ref",
            &|d| fs::remove_file(one(d, "refs")).unwrap(),
            "it is missing",
        ),
        (
            "a changed ref",
            &|d| change(one(d, "refs"), "note/", "nope/"),
            "it does not follow from the bodies and links",
        ),
        (
            "an object that is too long",
            &|d| {
                let file = fs::File::create(d.join("objects/long")).unwrap();
                file.set_len(4 * 1024 * 1024 * 1024 + 1).unwrap();
            },
            "it is longer than 4 GiB",
        ),
        (
            "a record that is too long",
            &|d| {
                let file = fs::File::create(d.join("triplets/long")).unwrap();
                file.set_len(64 * 1024 * 1024 + 1).unwrap();
            },
            "it is longer than 64 MiB",
        ),
    ];
    for (number, (name, harm, expected)) in cases.iter().enumerate() {
        let directory = export(&fixture, 2, &format!("case-{number}"));
        harm(&directory);
        match Imported::read(&directory) {
            Err(error @ StoreError::InvalidExport { .. }) => {
                assert!(error.to_string().contains(expected), "{name}: {error}");
            }
            other => panic!("{name}: {:?}", other.map(|_| "was accepted")),
        }
    }
}
