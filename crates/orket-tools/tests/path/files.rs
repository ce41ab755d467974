//! Files as people have them, names that are none, and other file systems.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use orket_tools::path::{Directory, Kind, RelativePath};

use crate::{LIMIT_BYTES, RESOLUTIONS, variant};

#[test]
fn files_are_written_and_removed_with_their_directories() {
    for resolution in RESOLUTIONS {
        let scratch = tempfile::tempdir().unwrap();
        let directory = Directory::open_with(scratch.path(), resolution).unwrap();
        assert_eq!(directory.resolution(), resolution);
        let path: RelativePath = "a/b/run.sh".parse().unwrap();
        assert_eq!(variant(directory.read(&path, LIMIT_BYTES)), "NotFound");
        assert!(!directory.exists(&path).unwrap());
        directory.write(&path, b"one", false).unwrap();
        assert_eq!(
            directory.payload(&path, LIMIT_BYTES).unwrap(),
            (b"one".to_vec().into(), false)
        );
        directory.write(&path, b"two", true).unwrap();
        assert_eq!(
            directory.payload(&path, LIMIT_BYTES).unwrap(),
            (b"two".to_vec().into(), true)
        );
        let mode = fs::metadata(scratch.path().join("a/b/run.sh"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o002, 0, "everybody can write it");
        directory.append(&path, b"three").unwrap();
        assert_eq!(directory.read(&path, 8).unwrap(), b"twothree");
        assert_eq!(variant(directory.read(&path, 7)), "TooLarge");
        directory
            .write(&"a/keep".parse().unwrap(), b"", false)
            .unwrap();
        let below = directory.subdirectory(&"a".parse().unwrap()).unwrap();
        assert_eq!(
            below
                .read(&"b/run.sh".parse().unwrap(), LIMIT_BYTES)
                .unwrap(),
            b"twothree"
        );
        directory.remove(&path).unwrap();
        assert!(
            !directory.exists(&"a/b".parse().unwrap()).unwrap(),
            "the empty directory stays"
        );
        assert!(directory.exists(&"a/keep".parse().unwrap()).unwrap());
        assert_eq!(variant(directory.remove(&path)), "NotFound");
        directory.create_dir_all(&"x/y/z".parse().unwrap()).unwrap();
        directory.create_dir_all(&"x/y/z".parse().unwrap()).unwrap();
        assert_eq!(
            directory.kind(&"x/y/z".parse().unwrap()).unwrap(),
            Some(Kind::Directory)
        );
    }
}

#[test]
fn names_that_are_no_paths_are_listed_as_something_else() {
    use std::os::unix::ffi::OsStrExt;
    for resolution in RESOLUTIONS {
        let scratch = tempfile::tempdir().unwrap();
        for name in [
            b"bad-\xff".as_slice(),
            b"a:b",
            b"a\nb",
            b"nul",
            b"\xe2\x80\xaetxt",
        ] {
            fs::write(scratch.path().join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
        }
        let directory = Directory::open_with(scratch.path(), resolution).unwrap();
        let listed = directory.list(None).unwrap();
        assert_eq!(listed.len(), 5);
        assert!(
            listed.iter().all(|entry| entry.kind == Kind::Other),
            "{listed:?}"
        );
        assert!(directory.walk().unwrap().files.is_empty());
    }
}

#[test]
fn other_file_systems_are_not_entered() {
    for resolution in RESOLUTIONS {
        let directory = Directory::open_with("/".as_ref(), resolution).unwrap();
        for text in [
            "proc/self/status",
            "proc/version",
            "sys/kernel/mm",
            "dev/null",
        ] {
            let path: RelativePath = text.parse().unwrap();
            let refused = variant(directory.read(&path, LIMIT_BYTES));
            // On a machine where one of them is no mount point, it is at least not there or no file.
            assert!(
                ["Elsewhere", "NotFound", "WrongKind", "Link"].contains(&refused.as_str()),
                "{text}: {refused}"
            );
        }
        assert_eq!(
            variant(directory.read(&"proc/self/status".parse().unwrap(), LIMIT_BYTES)),
            "Elsewhere"
        );
    }
}
