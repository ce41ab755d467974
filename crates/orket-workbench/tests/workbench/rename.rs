//! Names change in identifiers and nowhere else, and come back to the last byte.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use orket_workbench::rename::{self, Also, Refactoring, Rename};
use orket_workbench::{Code, Disk, Error, Limits, Scope, Workbench};
use proptest::prelude::*;

use crate::tree;

const ALL: Also = Also {
    comments: true,
    strings: true,
    json_keys: true,
};

fn plan(root: &Path, scope: &[&str], instruction: &str, also: Also) -> Result<Refactoring, Error> {
    let (workbench, _) = Workbench::open(root, &Disk)?;
    let typed: Vec<PathBuf> = scope.iter().map(PathBuf::from).collect();
    let scope = Scope::new(root, root, &typed, &Disk)?;
    let rename: Rename = instruction.parse()?;
    rename::plan(&workbench, &Disk, &scope, &rename, also, Limits::default())
}

fn apply(root: &Path, instruction: &str, also: Also) -> Result<usize, Error> {
    let refactoring = plan(root, &["."], instruction, also)?;
    Workbench::open(root, &Disk)?.0.execute(&refactoring.plan)?;
    Ok(refactoring.places)
}

fn root() -> (tempfile::TempDir, PathBuf) {
    let directory = tree::memory();
    let path = directory.path().canonicalize().unwrap();
    (directory, path)
}

struct Case {
    name: &'static str,
    file: &'static str,
    before: &'static str,
    after: &'static str,
    also: Also,
}

const NO: Also = Also {
    comments: false,
    strings: false,
    json_keys: false,
};

/// `users` becomes `members`.
const CASES: &[Case] = &[
    Case {
        name: "rust: items, fields, macros, paths; no prefix, comment, string, lifetime or label",
        file: "a.rs",
        before: "// users\nuse x::users;\nstruct S<'users> { users: &'users str, users2: u8 }\nfn f(s: S) -> usize { 'users: loop { println!(\"users {}\", users); let S { users, .. } = s; users::g::<users>(my_users); break 'users; } }\n",
        after: "// users\nuse x::members;\nstruct S<'users> { members: &'users str, users2: u8 }\nfn f(s: S) -> usize { 'users: loop { println!(\"users {}\", members); let S { members, .. } = s; members::g::<members>(my_users); break 'users; } }\n",
        also: NO,
    },
    Case {
        name: "python: arguments, attributes and code in f-strings; no docstring",
        file: "a.py",
        before: "\"\"\"users\"\"\"\nimport users\ndef f(users=1, *, x):\n    # users\n    return g(users=users).users + f\"users {users} {x}\"\n",
        after: "\"\"\"users\"\"\"\nimport members\ndef f(members=1, *, x):\n    # users\n    return g(members=members).members + f\"users {members} {x}\"\n",
        also: NO,
    },
    Case {
        name: "javascript: shorthand properties, template code, JSX; no regular expression",
        file: "a.jsx",
        before: "const { users } = require('users'); // users\nconst o = { users, \"users\": 1, a: `users ${users}` };\nconst r = /users/;\nconst e = <users.View users={users}>users</users.View>;\n",
        after: "const { members } = require('users'); // users\nconst o = { members, \"users\": 1, a: `users ${members}` };\nconst r = /users/;\nconst e = <members.View members={members}>users</members.View>;\n",
        also: NO,
    },
    Case {
        name: "typescript: types and generics",
        file: "a.ts",
        before: "interface users<T> { users: T }\nconst x: users<string> = { users: 'users' } as users<string>;\n",
        after: "interface members<T> { members: T }\nconst x: members<string> = { members: 'users' } as members<string>;\n",
        also: NO,
    },
    Case {
        name: "comments and strings on request, whole words only",
        file: "b.py",
        before: "x = users  # users, my_users, users2, users.\ny = 'users/users-x' 'überusers'\n",
        after: "x = members  # members, my_users, users2, members.\ny = 'members/members-x' 'überusers'\n",
        also: ALL,
    },
    Case {
        name: "json keys on request, never values",
        file: "c.json",
        before: "{\"users\": [\"users\", {\"users\": 1, \"users \": 2, \"us\\u0065rs\": 3}]}\n",
        after: "{\"members\": [\"users\", {\"members\": 1, \"users \": 2, \"us\\u0065rs\": 3}]}\n",
        also: ALL,
    },
    Case {
        name: "a byte order mark, CRLF and no line end at the end",
        file: "d.js",
        before: "\u{feff}let users = 1;\r\n\r\nusers += 1;\r\n\tusers",
        after: "\u{feff}let members = 1;\r\n\r\nmembers += 1;\r\n\tmembers",
        also: NO,
    },
];

#[test]
fn names_change_in_identifiers_and_come_back() {
    for case in CASES {
        let (_directory, root) = root();
        tree::write(&root, case.file, case.before, 0o750);
        let before = tree::read(&root);
        apply(&root, "rename users to members", case.also)
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(
            fs::read_to_string(root.join(case.file)).unwrap(),
            case.after,
            "{}",
            case.name
        );
        let mode = fs::metadata(root.join(case.file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o750, "{}", case.name);
        apply(&root, "rename members to users", case.also)
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(tree::read(&root), before, "{}", case.name);
    }
}

#[test]
fn what_is_left_alone_is_told() {
    let (_directory, root) = root();
    tree::write(&root, "a.py", "users = 'users'  # users users\n", 0o644);
    let refactoring = plan(&root, &["a.py"], "rename users to members", NO).unwrap();
    assert_eq!(refactoring.places, 1);
    assert_eq!(
        refactoring.advisories,
        [
            "users stays in 2 places in comments (--comments changes them too)",
            "users stays in 1 places in strings (--strings changes them too)",
        ]
    );
}

#[test]
fn only_the_scope_is_touched_and_nothing_of_other_programs() {
    let (_directory, root) = root();
    // A project may itself lie below a directory of such a name.
    let root = root.join("node_modules/project");
    for path in [
        "src/a.rs",
        "src/target/b.rs",
        "node_modules/c.js",
        ".git/d.rs",
        "other/e.rs",
        "src/deep/f.rs",
    ] {
        tree::write(&root, path, "use users;\n", 0o644);
    }
    let touched = |scope: &[&str]| -> Vec<String> {
        let refactoring = plan(&root, scope, "rename users to members", NO).unwrap();
        refactoring
            .plan
            .changes()
            .iter()
            .map(|change| change.path.to_string())
            .collect()
    };
    assert_eq!(touched(&["src"]), ["src/a.rs", "src/deep/f.rs"]);
    assert_eq!(touched(&["src/a.rs", "./src/../src/a.rs"]), ["src/a.rs"]);
    assert_eq!(touched(&["."]), ["other/e.rs", "src/a.rs", "src/deep/f.rs"]);
}

#[test]
fn each_cause_has_its_code() {
    let (_directory, root) = root();
    tree::write(&root, "good.rs", "fn users() {}\n", 0o644);
    tree::write(&root, "taken/a.py", "users = 1\n", 0o644);
    tree::write(&root, "taken/b.py", "def members(): pass\n", 0o644);
    tree::write(&root, "broken/a.py", "x = 1\ndef users(:\n", 0o644);
    tree::write(&root, "broken/harmless.py", "def others(:\n", 0o644);
    tree::write(&root, "words/a.py", "# users\n", 0o644);
    tree::write(&root, "bytes/a.py", "", 0o644);
    fs::write(root.join("bytes/a.py"), b"users = '\xff'\n").unwrap();
    std::os::unix::fs::symlink("good.rs", root.join("link.rs")).unwrap();
    fs::create_dir(root.join("names")).unwrap();
    tree::write(&root, "names/a.rs", "fn users() {}\n", 0o644);
    fs::hard_link(root.join("names/a.rs"), root.join("again.rs")).unwrap();
    let before = tree::read(&root);
    let cases: &[(&[&str], &str, Code)] = &[
        (&[], "rename users to members", Code::ScopeRequired),
        (&["../x"], "rename users to members", Code::ScopeInvalid),
        (&["/"], "rename users to members", Code::ScopeInvalid),
        (&["absent"], "rename users to members", Code::ScopeInvalid),
        (&["link.rs"], "rename users to members", Code::ScopeInvalid),
        (
            &["good.rs"],
            "move users to members",
            Code::UnsupportedInstruction,
        ),
        (
            &["good.rs"],
            "rename users to 9members",
            Code::IdentifierInvalid,
        ),
        (&["good.rs"], "rename users to fn", Code::IdentifierInvalid),
        (
            &["good.rs"],
            "rename nobody to members",
            Code::TouchsetEmpty,
        ),
        (&["words"], "rename users to members", Code::TouchsetEmpty),
        (&["taken"], "rename users to members", Code::NameCollision),
        (
            &["broken"],
            "rename users to members",
            Code::SourceUnreadable,
        ),
        (
            &["bytes"],
            "rename users to members",
            Code::SourceUnreadable,
        ),
        (&["names"], "rename users to members", Code::FileUnsupported),
    ];
    for (scope, instruction, code) in cases {
        let result = plan(&root, scope, instruction, NO).map_err(|error| error.code());
        assert_eq!(result.map(|_| ()), Err(*code), "{scope:?} {instruction}");
    }
    assert_eq!(tree::read(&root), before);
    // A broken file that does not hold the name is nobody's concern.
    tree::write(&root, "broken/a.py", "users = 1\n", 0o644);
    assert_eq!(
        plan(&root, &["broken"], "rename users to members", NO)
            .unwrap()
            .places,
        1
    );
}

#[test]
fn a_collision_names_its_places() {
    let (_directory, root) = root();
    tree::write(&root, "a.py", "users = 1\nmembers = 2\n", 0o644);
    let error = plan(&root, &["."], "rename users to members", NO).unwrap_err();
    assert_eq!(
        error.to_string(),
        "members is there already: a.py:2; choose another name"
    );
    // In a comment it is in the way only if comments are changed too.
    tree::write(&root, "a.py", "users = 1\n# members\n", 0o644);
    assert!(plan(&root, &["."], "rename users to members", NO).is_ok());
    assert!(plan(&root, &["."], "rename users to members", ALL).is_err());
}

fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "users",
        "members",
        "other",
        "users2",
        " ",
        "\n",
        "\r\n",
        "\t",
        " = ",
        "(",
        ")",
        "1",
        "'users'",
        "'members x'",
        "# users\n",
        "# ü users members\n",
        "f'{users}'",
        ".",
        ", ",
        "+",
        "if ",
        ": ",
        "[",
        "]",
        "é",
        "\u{feff}",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever a file holds: either the renaming is refused, or the way back gives the very bytes.
    #[test]
    fn the_way_back_gives_the_very_bytes(tokens in prop::collection::vec(token(), 0..24), all in any::<bool>()) {
        let (_directory, root) = root();
        let text = tokens.concat();
        tree::write(&root, "a.py", &text, 0o600);
        let before = tree::read(&root);
        let also = if all { ALL } else { NO };
        match apply(&root, "rename users to members", also) {
            Err(_) => prop_assert_eq!(tree::read(&root), before),
            Ok(there) => {
                prop_assert!(tree::read(&root) != before);
                prop_assert_eq!(apply(&root, "rename members to users", also), Ok(there));
                prop_assert_eq!(tree::read(&root), before);
            }
        }
    }
}
