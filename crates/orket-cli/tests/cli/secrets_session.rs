//! `orket secrets`.

use insta::assert_snapshot;
use orket_testkit::CliEnvironment;

use crate::sample::program;

fn project() -> CliEnvironment {
    let environment = CliEnvironment::empty(program());
    environment.write("orket.toml", "");
    environment.write(".env", "# mine\nDEPLOY_KEY='correct horse'\nPORT=8080\n");
    environment
}

#[test]
fn a_scan_says_where_secrets_lie_and_not_what_they_are() {
    let environment = project();
    environment.write(
        "src/a.txt",
        "one line\nand a correct horse, correct%20horse\n",
    );
    environment.write(
        "src/b.txt",
        "nothing but e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
    );
    environment.write("src/deep/c.json", "{\"password\": \"hunter2hunter2\"}\n");
    environment.write("src/.git/config", "correct horse\n");
    assert_snapshot!(environment.run(&["secrets", "scan", "src"]), @"");
    assert_snapshot!(environment.run(&["secrets", "scan", "src/a.txt", "--json"]), @"");
    // The project's own .env is the place for secrets, unless it is asked for.
    assert_snapshot!(environment.run(&["secrets", "scan", "src/b.txt"]), @"");
    std::fs::remove_dir_all(environment.path("src")).unwrap();
    environment.run(&["secrets", "scan", "."]).assert_code(0);
    assert_snapshot!(environment.run(&["secrets", "scan", ".env"]), @"");
}

#[test]
fn a_secret_is_found_across_the_pieces_in_which_a_file_is_read() {
    let environment = project();
    let before = "x".repeat(64 * 1024 - 6);
    environment.write("long.txt", &format!("{before} correct horse\n"));
    let output = environment.run(&["secrets", "scan", "long.txt"]);
    output.assert_code(1);
    assert_eq!(
        output.stdout,
        "long.txt:1:65532: secret DEPLOY_KEY, 13 bytes\n"
    );
}

#[test]
fn what_cannot_be_looked_at_is_not_called_clean() {
    let environment = project();
    assert_snapshot!(environment.run(&["secrets", "scan", "nowhere"]), @"");
    std::os::unix::fs::symlink(environment.path(".env"), environment.path("link")).unwrap();
    assert_snapshot!(environment.run(&["secrets", "scan", "link"]), @"");
}

#[test]
fn a_stream_is_passed_on_without_its_secrets() {
    let mut environment = project();
    environment.set("CI_TOKEN", "battery staple");
    let input = b"the correct horse\nelpats yrettab\npassword=hunter2hunter2\n\xff and ghp_0123456789abcdefghijABCDEFGHIJ012345";
    assert_snapshot!(environment.run_with_input(&["secrets", "scrub"], input), @"");
}

#[test]
fn without_a_project_shapes_and_the_environment_are_known() {
    let mut environment = CliEnvironment::empty(program());
    environment.set("CI_TOKEN", "battery staple");
    let output = environment.run_with_input(
        &["secrets", "scrub"],
        b"a battery staple, sk-abcdefghij0123456789\n",
    );
    output.assert_code(0);
    assert_eq!(output.stdout, "a [secret:CI_TOKEN], [secret:api-key]\n");
}

#[test]
fn secrets_that_cannot_be_hidden_are_refused_without_showing_them() {
    let environment = project();
    for (file, config, expected) in [
        (
            "\nDB_PASSWORD=1234567\n",
            "",
            ".env:2: the secret DB_PASSWORD is shorter than 8 bytes and cannot be hidden; make it longer, or list it under \
             secrets.public in orket.toml if everybody may see it",
        ),
        (
            "correct horse\n",
            "",
            ".env:1: a line has the form NAME=value",
        ),
        (
            "A_KEY=correct horse\n",
            "",
            ".env:1: a value with blanks, quotes or a # at its beginning stands in quotes",
        ),
        (
            "A_KEY='correct horse\n",
            "",
            ".env:1: the quotes do not end on the line",
        ),
        (
            "A=1\nA=2\n",
            "",
            ".env:2: the name is set a second time; its first line is 1",
        ),
    ] {
        environment.write(".env", file);
        environment.write("orket.toml", config);
        let output = environment.run(&["board"]);
        assert_eq!(output.complaint(3), format!("orket: {expected}"));
    }
    // What everybody may see is no secret.
    environment.write(".env", "DB_PASSWORD=1234567\nHOST=localhost\n");
    environment.write(
        "orket.toml",
        "[secrets]\npublic = [\"DB_PASSWORD\", \"HOST\"]\n",
    );
    let output = environment.run_with_input(&["secrets", "scrub"], b"1234567 at localhost\n");
    assert_eq!(output.assert_code(0).stdout, "1234567 at localhost\n");
}

#[test]
fn the_help_has_examples() {
    let environment = CliEnvironment::empty(program());
    assert_snapshot!(environment.run(&["secrets", "scan", "--help"]), @"");
    assert_snapshot!(environment.run(&["secrets", "scrub", "--help"]), @"");
}
