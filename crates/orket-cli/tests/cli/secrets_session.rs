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
    assert_snapshot!(environment.run(&["secrets", "scan", "src"]), @r"
    $ orket secrets scan src
    src/a.txt:2:7: secret DEPLOY_KEY, 13 bytes
    src/a.txt:2:22: secret DEPLOY_KEY, 15 bytes
    src/deep/c.json:1:15: shape password, 14 bytes
    [exit 1]
    ");
    assert_snapshot!(environment.run(&["secrets", "scan", "src/a.txt", "--json"]), @r#"
    $ orket secrets scan src/a.txt --json
    {"files":1,"finds":[{"bytes":13,"column":7,"kind":"secret","line":2,"name":"DEPLOY_KEY","path":"src/a.txt"},{"bytes":15,"column":22,"kind":"secret","line":2,"name":"DEPLOY_KEY","path":"src/a.txt"}],"unseen":[]}
    [exit 1]
    "#);
    // The project's own .env is the place for secrets, unless it is asked for.
    assert_snapshot!(environment.run(&["secrets", "scan", "src/b.txt"]), @r"
    $ orket secrets scan src/b.txt
    [exit 0]
    ");
    std::fs::remove_dir_all(environment.path("src")).unwrap();
    environment.run(&["secrets", "scan", "."]).assert_code(0);
    assert_snapshot!(environment.run(&["secrets", "scan", ".env"]), @r"
    $ orket secrets scan .env
    .env:2:13: secret DEPLOY_KEY, 13 bytes
    [exit 1]
    ");
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
    assert_snapshot!(environment.run(&["secrets", "scan", "nowhere"]), @r"
    $ orket secrets scan nowhere
    -- standard error --
    note: nowhere was not looked at: No such file or directory (os error 2)
    orket: no secret was found, but not everything could be looked at
    [exit 3]
    ");
    std::os::unix::fs::symlink(environment.path(".env"), environment.path("link")).unwrap();
    assert_snapshot!(environment.run(&["secrets", "scan", "link"]), @r"
    $ orket secrets scan link
    -- standard error --
    note: link was not looked at: it is a link or a special file
    orket: no secret was found, but not everything could be looked at
    [exit 3]
    ");
}

#[test]
fn a_stream_is_passed_on_without_its_secrets() {
    let mut environment = project();
    environment.set("CI_TOKEN", "battery staple");
    let input = b"the correct horse\nelpats yrettab\npassword=hunter2hunter2\n\xff and ghp_0123456789abcdefghijABCDEFGHIJ012345";
    assert_snapshot!(environment.run_with_input(&["secrets", "scrub"], input), @r"
    $ orket secrets scrub
    the [secret:DEPLOY_KEY]
    [secret:CI_TOKEN]
    password=[secret:password]
    � and [secret:github-token][no line end]
    [exit 0]
    ");
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
    assert_snapshot!(environment.run(&["secrets", "scan", "--help"]), @r"
    $ orket secrets scan --help
    Tells where secrets lie in a file or below a directory, never what they are

    One line for each: file, line, column in bytes, and what it is. Every kind of file is read,
    databases too. No link is followed; .git and the project's own .env, which is the place for secrets,
    are passed over unless they are PATH itself.

    Usage: orket secrets scan [OPTIONS] <PATH>

    Arguments:
      <PATH>
              The file or directory

    Options:
          --json
              Print JSON

          --project <DIR>
              Work on the project in this directory (default: the nearest one upward that holds
              orket.toml)

      -h, --help
              Print help (see a summary with '-h')

    Examples: orket secrets scan .; orket secrets scan agent_output --json

    Exit code 0 if there is none, 1 if there is one, 3 if there is none in what could be read.
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["secrets", "scrub", "--help"]), @r"
    $ orket secrets scrub --help
    Copies standard input to standard output without its secrets

    In the place of each secret comes [secret:NAME], with the name that it has in .env or that of its
    shape. What may be the beginning of a secret is held back until it is known; everything else is
    passed on at once.

    Usage: orket secrets scrub [OPTIONS]

    Options:
          --project <DIR>
              Work on the project in this directory (default: the nearest one upward that holds
              orket.toml)

      -h, --help
              Print help (see a summary with '-h')

    Examples: make 2>&1 | orket secrets scrub >build.log; orket secrets scrub <trace.txt
    [exit 0]
    ");
}
