//! Routes: made as the framework wants them, made again without a loss.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use orket_workbench::api::{self, Addition, Method, Route, Schema, adapters};
use orket_workbench::{Code, Disk, Error, Limits, Scope, Workbench};

use crate::tree;

/// Path and content.
type Files = &'static [(&'static str, &'static str)];

/// Framework, the files of a small project, the file that gathers its routes.
const PROJECTS: &[(&str, Files, &str)] = &[
    (
        "axum-rust",
        &[
            (
                "Cargo.toml",
                "[dependencies]\naxum = \"0.8\"\nserde = \"1\"\n",
            ),
            (
                "src/routes/mod.rs",
                "//! Routes.\n\nuse axum::Router;\n\n/// All routes.\npub fn router() -> Router {\n    // Router::new()\n    Router::new()\n}\n",
            ),
        ],
        "src/routes/mod.rs",
    ),
    (
        "express-js",
        &[(
            "src/routes/index.js",
            "// module.exports = 'no'\nconst express = require('express');\n\nconst router = express.Router();\n\nmodule.exports = router;\n",
        )],
        "src/routes/index.js",
    ),
    (
        "fastapi-python",
        &[(
            "app/main.py",
            "\"\"\"from here\"\"\"\nfrom fastapi import FastAPI\n\napp = FastAPI(\n    title=\"x\",\n)\n",
        )],
        "app/main.py",
    ),
];

fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let directory = tree::memory();
    let root = directory.path().canonicalize().unwrap();
    for (path, text) in files {
        tree::write(&root, path, text, 0o644);
    }
    (directory, root)
}

fn plan(
    root: &Path,
    scope: &str,
    route: &str,
    method: &str,
    schema: &str,
    framework: Option<&str>,
) -> Result<Addition, Error> {
    let route: Route = route.parse()?;
    let method: Method = method.parse()?;
    let schema: Schema = schema.parse()?;
    let (workbench, _) = Workbench::open(root, &Disk)?;
    let scope = Scope::new(root, root, &[PathBuf::from(scope)], &Disk)?;
    api::plan(
        &workbench,
        &scope,
        &route,
        method,
        &schema,
        framework,
        Limits::default(),
    )
}

/// Adds a route, and tells which files changed.
fn add(root: &Path, route: &str, method: &str, schema: &str) -> Result<Vec<String>, Error> {
    let addition = plan(root, ".", route, method, schema, None)?;
    Workbench::open(root, &Disk)?.0.execute(&addition.plan)?;
    Ok(addition
        .plan
        .changes()
        .iter()
        .map(|change| change.path.to_string())
        .collect())
}

#[test]
fn each_adapter_has_a_project_here() {
    let names: Vec<&str> = adapters()
        .unwrap()
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let projects: Vec<&str> = PROJECTS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, projects);
}

#[test]
fn the_same_command_again_changes_nothing_at_once() {
    for (framework, files, gathering) in PROJECTS {
        let (_directory, root) = project(files);
        let made = add(
            &root,
            "/user-accounts",
            "get",
            "id:int,name:string?,x:float,y:bool",
        )
        .unwrap();
        assert!(
            made.contains(&(*gathering).to_owned()) && made.len() >= 2,
            "{framework}: {made:?}"
        );
        let after = tree::read(&root);
        assert_eq!(
            add(
                &root,
                "user-accounts",
                "GET",
                "id:int,name:string?,x:float,y:bool"
            ),
            Ok(vec![]),
            "{framework}"
        );
        assert_eq!(tree::read(&root), after, "{framework}");
        // Another route beside it leaves it as it is.
        add(&root, "orders", "DELETE", "id:int").unwrap();
        assert_eq!(
            add(
                &root,
                "user-accounts",
                "GET",
                "id:int,name:string?,x:float,y:bool"
            ),
            Ok(vec![]),
            "{framework}"
        );
        assert_eq!(
            add(&root, "orders", "DELETE", "id:int"),
            Ok(vec![]),
            "{framework}"
        );
    }
}

#[test]
fn what_is_made_can_be_read_by_the_language_s_own_tools() {
    let tools: &[(&str, &[&str])] = &[
        ("js", &["node", "--check"]),
        (
            "py",
            &[
                "python3",
                "-c",
                "import ast, sys; ast.parse(open(sys.argv[1]).read())",
            ],
        ),
        (
            "rs",
            &[
                "rustfmt",
                "--check",
                "--edition",
                "2024",
                "--config",
                "skip_children=true",
            ],
        ),
        ("json", &["python3", "-m", "json.tool"]),
    ];
    for (framework, files, gathering) in PROJECTS {
        let (_directory, root) = project(files);
        let mut made = add(&root, "user-accounts", "GET", "id:int,name:string?").unwrap();
        made.extend(add(&root, "user-accounts", "PATCH", "id:int,name:string?").unwrap());
        for method in ["POST", "PUT", "DELETE"] {
            made.extend(add(&root, "user-accounts", method, "id:int,name:string?,x:bool").unwrap());
        }
        for path in made
            .iter()
            .filter(|path| *path != gathering || *framework != "axum-rust")
        {
            let (_, extension) = path.rsplit_once('.').unwrap();
            let (_, tool) = tools.iter().find(|(it, _)| *it == extension).unwrap();
            let ran = Command::new(tool[0])
                .args(&tool[1..])
                .arg(root.join(path))
                .output();
            match ran {
                Ok(ran) => assert!(
                    ran.status.success(),
                    "{path}: {}{}\n{}",
                    String::from_utf8_lossy(&ran.stdout),
                    String::from_utf8_lossy(&ran.stderr),
                    fs::read_to_string(root.join(path)).unwrap()
                ),
                Err(_) => println!("{} is not here: {path} was not read", tool[0]),
            }
        }
    }
}

#[test]
fn the_gathering_file_gets_its_lines_where_they_belong() {
    let expected = [
        "//! Routes.\n\nuse axum::Router;\nmod users;\n\n/// All routes.\npub fn router() -> Router {\n    // Router::new()\n    Router::new()\n        .merge(users::router())\n}\n",
        "// module.exports = 'no'\nconst express = require('express');\nconst usersRoutes = require('./users');\n\nconst router = express.Router();\n\nrouter.use('/users', usersRoutes);\nmodule.exports = router;\n",
        "\"\"\"from here\"\"\"\nfrom fastapi import FastAPI\nfrom app.routers import users as users_routes\n\napp = FastAPI(\n    title=\"x\",\n)\napp.include_router(users_routes.router)\n",
    ];
    for ((framework, files, gathering), expected) in PROJECTS.iter().zip(expected) {
        for is_crlf in [false, true] {
            let (_directory, root) = project(files);
            let path = root.join(gathering);
            let ends = |text: &str| {
                if is_crlf {
                    text.replace('\n', "\r\n")
                } else {
                    text.to_owned()
                }
            };
            fs::write(&path, ends(&fs::read_to_string(&path).unwrap())).unwrap();
            add(&root, "users", "GET", "id:int").unwrap();
            assert_eq!(
                fs::read_to_string(&path).unwrap(),
                ends(expected),
                "{framework}"
            );
        }
    }
}

/// Puts a text between the USER lines of a name in whichever made file has them.
fn write_between(root: &Path, name: &str, text: &str) -> PathBuf {
    let start = format!("ORKET:USER-START {name}\n");
    for (path, (kind, ..)) in tree::read(root) {
        if kind == 'f' {
            let full = root.join(&path);
            let content = fs::read_to_string(&full).unwrap();
            if content.contains(&start) {
                fs::write(&full, content.replace(&start, &format!("{start}{text}\n"))).unwrap();
                return full;
            }
        }
    }
    panic!("no file has {name}");
}

#[test]
fn what_a_person_wrote_between_user_lines_stays() {
    for (framework, files, _) in PROJECTS {
        let (_directory, root) = project(files);
        add(&root, "users", "GET", "id:int").unwrap();
        let comment = if *framework == "fastapi-python" {
            "# mine, é"
        } else {
            "// mine, é"
        };
        let path = write_between(&root, "get", comment);
        assert_eq!(
            add(&root, "users", "GET", "id:int"),
            Ok(vec![]),
            "{framework}"
        );
        assert!(!add(&root, "users", "POST", "id:int").unwrap().is_empty());
        assert!(
            !add(&root, "users", "GET", "id:int,name:string")
                .unwrap()
                .is_empty()
        );
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(comment).count(), 1, "{framework}:\n{text}");
        assert!(
            text.contains("ORKET:USER-START post"),
            "{framework}:\n{text}"
        );
        assert!(
            text.contains("orket:api users GET,POST id:int,name:string"),
            "{framework}:\n{text}"
        );
        // With the line ends of another system too.
        fs::write(&path, text.replace('\n', "\r\n")).unwrap();
        add(&root, "users", "DELETE", "id:int,name:string").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains(comment) && text.contains("ORKET:USER-START delete"),
            "{framework}"
        );
        assert_eq!(
            text.matches('\n').count(),
            text.matches("\r\n").count(),
            "{framework}"
        );
    }
}

#[test]
fn what_would_be_lost_is_a_conflict() {
    for (framework, files, gathering) in PROJECTS {
        let (_directory, root) = project(files);
        let made = add(&root, "users", "GET", "id:int").unwrap();
        for path in made
            .iter()
            .filter(|path| path != gathering && !path.ends_with("__init__.py"))
        {
            let full = root.join(path);
            let good = fs::read(&full).unwrap();
            let text = String::from_utf8(good.clone()).unwrap();
            for bad in [
                format!("{text}\nmore\n"),
                "mine\n".to_owned(),
                text.replace("orket:api users", "orket:api others"),
                text.replace("orket:api", "orket"),
            ] {
                fs::write(&full, &bad).unwrap();
                let result = add(&root, "users", "POST", "id:int").map_err(|error| error.code());
                assert_eq!(
                    result,
                    Err(Code::RouteConflict),
                    "{framework} {path}:\n{bad}"
                );
                assert_eq!(fs::read_to_string(&full).unwrap(), bad);
            }
            fs::write(&full, good).unwrap();
        }
        assert!(add(&root, "users", "POST", "id:int").is_ok(), "{framework}");
    }
}

#[test]
fn each_cause_has_its_code() {
    let express = PROJECTS[1].1;
    let (_directory, root) = project(express);
    fs::create_dir(root.join("docs")).unwrap();
    let before = tree::read(&root);
    let cases = [
        ("src", "a b", "GET", "id:int", None, Code::RouteInvalid),
        ("src", "../x", "GET", "id:int", None, Code::RouteInvalid),
        (
            "src",
            "users/orders",
            "GET",
            "id:int",
            None,
            Code::RouteInvalid,
        ),
        ("src", "index", "GET", "id:int", None, Code::RouteInvalid),
        ("src", "class", "GET", "id:int", None, Code::RouteInvalid),
        ("src", "users", "zap", "id:int", None, Code::RouteInvalid),
        ("src", "users", "GET", "id", None, Code::SchemaParseFailed),
        (
            "src",
            "users",
            "GET",
            "class:int",
            None,
            Code::SchemaParseFailed,
        ),
        (
            "docs",
            "users",
            "GET",
            "id:int",
            None,
            Code::WriteOutOfScope,
        ),
        (
            "src/routes",
            "users",
            "GET",
            "id:int",
            None,
            Code::WriteOutOfScope,
        ),
        (
            "src",
            "users",
            "GET",
            "id:int",
            Some("rails"),
            Code::ProjectStyleUnsupported,
        ),
        (
            "src",
            "users",
            "GET",
            "id:int",
            Some("axum-rust"),
            Code::ProjectStyleUnsupported,
        ),
    ];
    for (scope, route, method, schema, framework, code) in cases {
        let result =
            plan(&root, scope, route, method, schema, framework).map_err(|error| error.code());
        assert_eq!(
            result.map(|_| ()),
            Err(code),
            "{scope} {route} {method} {schema}"
        );
    }
    assert_eq!(tree::read(&root), before);
    let styles = [
        // Nothing; two at once; no place for a line; a part of what it needs.
        vec![("README", "")],
        vec![express[0], PROJECTS[2].1[0]],
        vec![(
            "src/routes/index.js",
            "// module.exports\nconst express = require('express');\nconst router = express.Router();\n",
        )],
        vec![
            PROJECTS[0].1[1],
            ("Cargo.toml", "[dependencies]\naxum = \"0.8\"\n"),
        ],
    ];
    for files in styles {
        let (_directory, root) = project(&files);
        let result = plan(&root, ".", "users", "GET", "id:int", None).map_err(|error| error.code());
        assert_eq!(
            result.map(|_| ()),
            Err(Code::ProjectStyleUnsupported),
            "{files:?}"
        );
    }
    let (_directory, root) = project(&[(
        "src/routes/index.js",
        "const router = (;\nmodule.exports = router;\n",
    )]);
    let result = plan(&root, ".", "users", "GET", "id:int", None).map_err(|error| error.code());
    assert_eq!(result.map(|_| ()), Err(Code::SourceUnreadable));
}
