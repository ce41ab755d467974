//! Attacks on the path authority, as data: each runs with both ways of looking up a name.

#![expect(
    clippy::unwrap_used,
    reason = "a failing test is loud, in its helpers too"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use orket_tools::path::{
    ComponentRule, Directory, Entry, Kind, PathError, RelativePath, RelativePathError, Resolution,
};

const RESOLUTIONS: [Resolution; 2] = [Resolution::Kernel, Resolution::StepByStep];
const LIMIT_BYTES: u64 = 1 << 20;

/// Names that are refused before any system call, and the rule that refuses them.
#[test]
fn unfit_names_are_refused_by_their_rule() {
    use ComponentRule::{
        Control, DeviceName, Dots, Empty, Hidden, Reserved, TooLong, TrailingDotOrBlank,
    };
    let long = "x".repeat(256);
    let cases: &[(&str, &str, ComponentRule)] = &[
        ("/etc/passwd", "", Empty),
        ("//etc/passwd", "", Empty),
        ("/", "", Empty),
        ("a//b", "", Empty),
        ("a/", "", Empty),
        ("..", "..", Dots),
        ("../x", "..", Dots),
        ("a/../../x", "..", Dots),
        ("a/b/..", "..", Dots),
        (".", ".", Dots),
        ("./a", ".", Dots),
        ("a/./b", ".", Dots),
        ("...", "...", TrailingDotOrBlank),
        ("a/.. /x", ".. ", TrailingDotOrBlank),
        ("a/../", "..", Dots),
        ("..\\..\\x", "..\\..\\x", Reserved('\\')),
        ("C:\\Windows", "C:\\Windows", Reserved(':')),
        ("C:", "C:", Reserved(':')),
        ("file::$DATA", "file::$DATA", Reserved(':')),
        ("\\\\server\\share", "\\\\server\\share", Reserved('\\')),
        ("a<b", "a<b", Reserved('<')),
        ("a>b", "a>b", Reserved('>')),
        ("a\"b", "a\"b", Reserved('"')),
        ("a?b", "a?b", Reserved('?')),
        ("a*b", "a*b", Reserved('*')),
        ("a|b", "a|b", Reserved('|')),
        ("a\0b", "a\0b", Control('\0')),
        ("a.txt\0.png", "a.txt\0.png", Control('\0')),
        ("a\nb", "a\nb", Control('\n')),
        ("a\rb", "a\rb", Control('\r')),
        ("a\tb", "a\tb", Control('\t')),
        ("a\u{1b}[2Jb", "a\u{1b}[2Jb", Control('\u{1b}')),
        ("a\u{7f}b", "a\u{7f}b", Control('\u{7f}')),
        ("a\u{85}b", "a\u{85}b", Control('\u{85}')),
        ("a\u{9b}b", "a\u{9b}b", Control('\u{9b}')),
        ("a\u{202e}txt.exe", "a\u{202e}txt.exe", Hidden('\u{202e}')),
        ("a\u{2066}b", "a\u{2066}b", Hidden('\u{2066}')),
        ("a\u{200f}b", "a\u{200f}b", Hidden('\u{200f}')),
        ("a\u{061c}b", "a\u{061c}b", Hidden('\u{061c}')),
        ("a\u{200b}b", "a\u{200b}b", Hidden('\u{200b}')),
        (".\u{200b}.", ".\u{200b}.", Hidden('\u{200b}')),
        ("a\u{feff}b", "a\u{feff}b", Hidden('\u{feff}')),
        ("a\u{2028}b", "a\u{2028}b", Hidden('\u{2028}')),
        ("a\u{e0041}b", "a\u{e0041}b", Hidden('\u{e0041}')),
        ("a.", "a.", TrailingDotOrBlank),
        ("a ", "a ", TrailingDotOrBlank),
        (".git./config", ".git.", TrailingDotOrBlank),
        (".git /config", ".git ", TrailingDotOrBlank),
        ("a\u{a0}", "a\u{a0}", TrailingDotOrBlank),
        ("a\u{3000}", "a\u{3000}", TrailingDotOrBlank),
        (" ", " ", TrailingDotOrBlank),
        ("CON", "CON", DeviceName),
        ("nul", "nul", DeviceName),
        ("d/aux.txt", "aux.txt", DeviceName),
        ("prn.tar.gz", "prn.tar.gz", DeviceName),
        ("Com1", "Com1", DeviceName),
        ("lpt9.log", "lpt9.log", DeviceName),
        ("COM\u{b9}", "COM\u{b9}", DeviceName),
        ("lpt\u{b3}.txt", "lpt\u{b3}.txt", DeviceName),
        ("nul .txt", "nul .txt", DeviceName),
        ("CONIN$", "CONIN$", DeviceName),
        (&long, &long[..80], TooLong),
    ];
    for &(text, component, rule) in cases {
        let expected = RelativePathError::Component {
            path: text.to_owned(),
            component: component.to_owned(),
            rule,
        };
        assert_eq!(text.parse::<RelativePath>(), Err(expected), "{text:?}");
    }
    assert_eq!("".parse::<RelativePath>(), Err(RelativePathError::Empty));
    let depth = ["d"; 65].join("/");
    assert_eq!(
        depth.parse::<RelativePath>(),
        Err(RelativePathError::TooDeep { depth: 65 })
    );
    let bytes = ["x".repeat(200).as_str(); 6].join("/");
    assert_eq!(
        bytes.parse::<RelativePath>(),
        Err(RelativePathError::TooLong { bytes: 1205 })
    );
    assert!(serde_json_like("\"..\"").is_err() && serde_json_like("\"a/b\"").is_ok());
}

/// A path is checked where it is read from a document, too.
fn serde_json_like(text: &str) -> Result<RelativePath, String> {
    use serde::Deserialize;
    use serde::de::IntoDeserializer;
    let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        text.trim_matches('"').into_deserializer();
    RelativePath::deserialize(text).map_err(|error| error.to_string())
}

/// Names that people use: all are accepted, written, listed and read back.
#[test]
fn fit_names_are_accepted() {
    let wide = "x".repeat(255);
    let deep = ["d"; 64].join("/");
    let long = [["x".repeat(200).as_str(); 5].join("/"), "y".repeat(19)].join("/");
    let names: &[&str] = &[
        "a",
        "main.rs",
        "src/main.rs",
        "a b.txt",
        " leading blank",
        ".hidden",
        "..hidden",
        "a..b",
        "-rf",
        "~",
        "$HOME",
        "%2e%2e",
        "a%2fb",
        "console.txt",
        "nullable",
        "com",
        "com10",
        "lpt0x",
        "auxiliary/con-fig",
        "{a,b}",
        "a'b",
        "a;b",
        "a&b",
        "#a",
        "@a",
        "=a",
        "(a)",
        "[a]",
        "naïve.txt",
        "日本語.txt",
        "Ærø/ß",
        "नमस्ते",
        "👍.md",
        "\u{ff0e}\u{ff0e}",
        "a\u{2215}b",
        "می\u{200c}خواهم",
        &wide,
        &deep,
        &long,
    ];
    for resolution in RESOLUTIONS {
        for name in names {
            let scratch = tempfile::tempdir().unwrap();
            let directory = Directory::open_with(scratch.path(), resolution).unwrap();
            let path: RelativePath = name
                .parse()
                .unwrap_or_else(|error| panic!("{name:?}: {error}"));
            directory
                .write(&path, name.as_bytes(), false)
                .unwrap_or_else(|error| panic!("{name:?}: {error:?}"));
            assert_eq!(
                directory.read(&path, LIMIT_BYTES).unwrap(),
                name.as_bytes(),
                "{name:?} {resolution:?}"
            );
            assert_eq!(
                directory.kind(&path).unwrap(),
                Some(Kind::File),
                "{name:?} {resolution:?}"
            );
            let walk = directory.walk().unwrap();
            assert_eq!(
                walk.files.iter().map(|file| &file.path).collect::<Vec<_>>(),
                [&path],
                "{name:?}"
            );
            assert!(walk.others.is_empty());
            directory.remove(&path).unwrap();
            assert_eq!(directory.list(None).unwrap(), [], "{name:?} {resolution:?}");
        }
    }
}

/// A directory with traps in it, beside a secret.
struct Trap {
    scratch: tempfile::TempDir,
    _socket: UnixListener,
}

impl Trap {
    fn new() -> Trap {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("root");
        let outside = scratch.path().join("outside");
        fs::create_dir_all(root.join("real/below")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret"), "canary").unwrap();
        fs::write(root.join("plain"), "plain").unwrap();
        fs::write(root.join("real/file"), "file").unwrap();
        let links: &[(&str, &str)] = &[
            ("../outside/secret", "link"),
            ("../outside", "link-directory"),
            ("plain", "link-inside"),
            ("real", "link-directory-inside"),
            ("link", "link-to-link"),
            ("loop-b", "loop-a"),
            ("loop-a", "loop-b"),
            ("../outside/new", "dangling"),
            ("/etc", "link-absolute"),
            ("/", "link-root"),
            ("..", "link-up"),
            (".", "link-self"),
            ("/proc/self/root", "link-proc"),
            ("/proc/self/cwd", "link-cwd"),
            ("/proc/self/fd", "link-descriptors"),
            ("/proc/self/environ", "link-environment"),
            ("/dev/zero", "link-device"),
            ("../../outside", "real/link-up"),
            ("../link-directory", "real/below/chain"),
        ];
        for (target, name) in links {
            symlink(target, root.join(name)).unwrap();
        }
        symlink(outside.join("secret"), root.join("link-full")).unwrap();
        fs::hard_link(outside.join("secret"), root.join("hard")).unwrap();
        fs::write(root.join("twin-a"), "twin").unwrap();
        fs::hard_link(root.join("twin-a"), root.join("twin-b")).unwrap();
        let fifo = std::process::Command::new("mkfifo")
            .arg(root.join("fifo"))
            .status()
            .unwrap();
        assert!(fifo.success());
        let _socket = UnixListener::bind(root.join("socket")).unwrap();
        Trap { scratch, _socket }
    }

    fn root(&self) -> PathBuf {
        self.scratch.path().join("root")
    }

    fn is_untouched(&self) -> bool {
        let outside = self.scratch.path().join("outside");
        fs::read_to_string(outside.join("secret")).is_ok_and(|text| text == "canary")
            && fs::read_dir(&outside).unwrap().count() == 1
    }
}

/// What is refused on the way to the disk: a path, and the error every operation gives for it.
const ATTACKS: &[(&str, &str)] = &[
    ("link", "Link"),
    ("link-full", "Link"),
    ("link-directory/secret", "Link"),
    ("link-directory/new", "Link"),
    ("link-directory/new/deep", "Link"),
    ("link-inside", "Link"),
    ("link-directory-inside/file", "Link"),
    ("link-to-link", "Link"),
    ("loop-a", "Link"),
    ("loop-b/x", "Link"),
    ("dangling", "Link"),
    ("dangling/x", "Link"),
    ("link-absolute/passwd", "Link"),
    ("link-root/etc/passwd", "Link"),
    ("link-up/outside/secret", "Link"),
    ("link-self/plain", "Link"),
    ("link-self/link-self/plain", "Link"),
    ("link-proc/etc/passwd", "Link"),
    ("link-cwd/Cargo.toml", "Link"),
    ("link-descriptors/0", "Link"),
    ("link-environment", "Link"),
    ("link-device", "Link"),
    ("real/link-up/secret", "Link"),
    ("real/below/chain/secret", "Link"),
    ("hard", "HardLink"),
    ("twin-a", "HardLink"),
    ("twin-b", "HardLink"),
    ("fifo", "WrongKind"),
    ("socket", "WrongKind"),
    ("real", "WrongKind"),
    ("real/below", "WrongKind"),
    ("plain/x", "NotADirectory"),
    ("fifo/x", "NotADirectory"),
    ("socket/x/y", "NotADirectory"),
    ("hard/x", "NotADirectory"),
];

fn variant<T>(result: Result<T, PathError>) -> String {
    let debug = result.map_or_else(|error| format!("{error:?}"), |_| "Ok".to_owned());
    debug
        .split([' ', '{', '('])
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn traps_are_refused_by_reading_and_appending() {
    for resolution in RESOLUTIONS {
        let trap = Trap::new();
        let directory = Directory::open_with(&trap.root(), resolution).unwrap();
        for &(text, expected) in ATTACKS {
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
        assert_eq!(
            fs::read_to_string(trap.root().join("plain")).unwrap(),
            "plain"
        );
    }
}

#[test]
fn traps_are_refused_by_writing() {
    for resolution in RESOLUTIONS {
        let trap = Trap::new();
        let directory = Directory::open_with(&trap.root(), resolution).unwrap();
        for &(text, _) in ATTACKS {
            let path: RelativePath = text.parse().unwrap();
            let written = variant(directory.write(&path, b"overwritten", false));
            // The last component is not opened but replaced, so a link there is of the wrong kind.
            assert!(
                ["Link", "WrongKind", "NotADirectory"].contains(&written.as_str()),
                "{text}: {written}"
            );
            let made = variant(directory.create_dir_all(&path));
            let expected = if ["real", "real/below"].contains(&text) {
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
        assert_eq!(
            fs::read_to_string(trap.root().join("twin-a")).unwrap(),
            "twin"
        );
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
        let trap = Trap::new();
        let directory = Directory::open_with(&trap.root(), resolution).unwrap();
        for &(text, _) in ATTACKS
            .iter()
            .filter(|(text, _)| !["real", "real/below"].contains(text))
        {
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
        let trap = Trap::new();
        let directory = Directory::open_with(&trap.root(), resolution).unwrap();
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

#[test]
fn paths_are_taken_apart_by_components() {
    let path: RelativePath = "ab/cd/ef".parse().unwrap();
    assert_eq!(path.components().collect::<Vec<_>>(), ["ab", "cd", "ef"]);
    assert_eq!(
        (path.file_name(), path.parent().unwrap().as_str()),
        ("ef", "ab/cd")
    );
    assert_eq!("ab".parse::<RelativePath>().unwrap().parent(), None);
    let within = [
        ("ab", true),
        ("ab/cd", true),
        ("ab/cd/ef", true),
        ("a", false),
        ("ab/c", false),
        ("ab/cd/ef/g", false),
    ];
    for (directory, expected) in within {
        assert_eq!(
            path.starts_with(&directory.parse().unwrap()),
            expected,
            "{directory}"
        );
    }
    assert_eq!(path.join("g/h").unwrap().as_str(), "ab/cd/ef/g/h");
    assert!(path.join("../x").is_err() && path.join("/x").is_err() && path.join("").is_err());
}
