//! A directory full of traps, and every operation of the path authority on each of them.

use std::fs;
use std::path::PathBuf;

use orket_tools::path::{Directory, Entry, Kind, RelativePath, Resolution};

use crate::corpus::{self, Refused};
use crate::scene::{SENTINEL, Scene};
use crate::{LIMIT_BYTES, RESOLUTIONS, variant};

/// The traps of the corpus, in a directory of their own.
struct Trap(Scene);

impl Trap {
    fn new(resolution: Resolution) -> Trap {
        let mut scene = Scene::new(resolution);
        scene.make(&corpus::traps().make);
        Trap(scene)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path("project/traps").join(below)
    }

    fn directory(&self) -> Directory {
        Directory::open_with(&self.path(""), self.0.resolution).unwrap()
    }

    fn is_untouched(&self) -> bool {
        let outside = self.0.path("outside");
        fs::read_to_string(outside.join("secret")).is_ok_and(|text| text == SENTINEL)
            && fs::read_dir(&outside).unwrap().count() == 3
    }
}

#[test]
fn traps_are_refused_by_reading_and_appending() {
    for resolution in RESOLUTIONS {
        let trap = Trap::new(resolution);
        let directory = trap.directory();
        for Refused {
            path: text,
            error: expected,
        } in corpus::traps().refused
        {
            let path: RelativePath = text.parse().unwrap();
            assert_eq!(
                variant(directory.read(&path, LIMIT_BYTES)),
                expected,
                "read {text} {resolution:?}"
            );
            let appended = variant(directory.append(&path, b"x"));
            assert_eq!(appended, expected, "append {text} {resolution:?}");
        }
        assert!(trap.is_untouched(), "{resolution:?}");
        assert_eq!(fs::read_to_string(trap.path("plain")).unwrap(), "plain");
    }
}

#[test]
fn traps_are_refused_by_writing() {
    for resolution in RESOLUTIONS {
        let trap = Trap::new(resolution);
        let directory = trap.directory();
        for Refused { path: text, .. } in corpus::traps().refused {
            let path: RelativePath = text.parse().unwrap();
            let written = variant(directory.write(&path, b"overwritten", false));
            // The last component is not opened but replaced, so a link there is of the wrong kind.
            assert!(
                ["Link", "WrongKind", "NotADirectory"].contains(&written.as_str()),
                "{text}: {written}"
            );
            let made = variant(directory.create_dir_all(&path));
            let expected = if ["real", "real/below"].contains(&text.as_str()) {
                "Ok"
            } else {
                "not Ok"
            };
            assert_eq!(
                made == "Ok",
                expected == "Ok",
                "make {text} {resolution:?}: {made}"
            );
        }
        assert!(trap.is_untouched(), "{resolution:?}");
        assert_eq!(fs::read_to_string(trap.path("twin-a")).unwrap(), "twin");
        let left: Vec<_> = directory
            .walk()
            .unwrap()
            .files
            .into_iter()
            .map(|file| file.path.to_string())
            .collect();
        assert_eq!(left, ["plain", "real/file"], "something was left behind");
    }
}

#[test]
fn traps_are_refused_as_directories() {
    for resolution in RESOLUTIONS {
        let trap = Trap::new(resolution);
        let directory = trap.directory();
        for Refused { path: text, .. } in corpus::traps().refused {
            if ["real", "real/below"].contains(&text.as_str()) {
                continue;
            }
            let path: RelativePath = text.parse().unwrap();
            assert_ne!(
                variant(directory.list(Some(&path))),
                "Ok",
                "list {text} {resolution:?}"
            );
            assert_ne!(
                variant(directory.subdirectory(&path)),
                "Ok",
                "open {text} {resolution:?}"
            );
        }
        for text in [
            "link-directory",
            "link-directory-inside",
            "link-up",
            "link-self",
            "link-root",
            "link-proc",
        ] {
            let path: RelativePath = text.parse().unwrap();
            assert_eq!(
                variant(directory.list(Some(&path))),
                "Link",
                "list {text} {resolution:?}"
            );
            assert_eq!(
                variant(directory.subdirectory(&path)),
                "Link",
                "open {text} {resolution:?}"
            );
        }
    }
}

#[test]
fn traps_are_told_apart_and_removed_without_their_targets() {
    for resolution in RESOLUTIONS {
        let trap = Trap::new(resolution);
        let directory = trap.directory();
        let walk = directory.walk().unwrap();
        let files: Vec<_> = walk.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(files, ["plain", "real/file"]);
        assert!(walk.others.is_sorted());
        for other in [
            "link",
            "hard",
            "twin-a",
            "twin-b",
            "fifo",
            "socket",
            "real/link-up",
            "real/below/chain",
        ] {
            assert!(
                walk.others.iter().any(|found| found == other),
                "{other} is not told"
            );
            let path: RelativePath = other.parse().unwrap();
            assert_eq!(
                directory.kind(&path).unwrap(),
                Some(Kind::Other),
                "{other} {resolution:?}"
            );
        }
        assert_eq!(
            directory.kind(&"dangling".parse().unwrap()).unwrap(),
            Some(Kind::Other)
        );
        assert_eq!(
            variant(directory.kind(&"link-up/outside".parse().unwrap())),
            "Link"
        );
        assert_eq!(
            variant(directory.remove(&"link-directory/secret".parse().unwrap())),
            "Link"
        );
        assert_eq!(
            variant(directory.remove(&"real".parse().unwrap())),
            "WrongKind"
        );
        for other in &walk.others {
            directory
                .remove(&other.parse().unwrap())
                .unwrap_or_else(|error| panic!("{other}: {error:?}"));
        }
        assert!(trap.is_untouched(), "{resolution:?}");
        let left = directory.list(None).unwrap();
        let entry = |name: &str, kind| Entry {
            name: name.to_owned(),
            kind,
        };
        assert_eq!(
            left,
            [entry("plain", Kind::File), entry("real", Kind::Directory)],
            "{resolution:?}"
        );
    }
}
