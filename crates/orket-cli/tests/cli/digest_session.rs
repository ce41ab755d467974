//! `orket digest`.

use insta::assert_snapshot;
use orket_testkit::CliEnvironment;

use crate::sample::program;

/// The document of which the expected text was printed by CPython 3.11.
const DOCUMENT: &str = r#"{"b":1e16,"a":[1e-05,-0.0,"é\u007f"]}"#;

fn digest(arguments: &[&str], input: &str) -> orket_testkit::Output {
    let arguments: Vec<&str> = ["digest"].iter().chain(arguments).copied().collect();
    CliEnvironment::empty(program()).run_with_input(&arguments, input.as_bytes())
}

#[test]
fn the_canonical_bytes_are_those_of_python() {
    // python3 -c 'import json,sys; print(json.dumps(json.loads(sys.argv[1]), sort_keys=True,
    //   separators=(",", ":"), ensure_ascii=False), end="")' DOCUMENT | sha256sum
    let canonical = digest(&["--canonical"], DOCUMENT);
    canonical.assert_code(0);
    assert_eq!(
        canonical.stdout,
        "{\"a\":[1e-05,-0.0,\"é\u{7f}\"],\"b\":1e+16}"
    );
    assert_eq!(canonical.stderr, "");
    assert_snapshot!(digest(&["-"], DOCUMENT), @r"
    $ orket digest -
    ddfcd09653adc200719ebc59d01fc89df7c3a9122acce1bf9242f1712dc38c85
    [exit 0]
    ");
}

#[test]
fn a_bad_line_does_not_stop_the_lines_after_it() {
    let input = "{}\n{\"a\":1,\"a\":2}\n[1, 2]\n";
    assert_snapshot!(digest(&["--lines"], input), @r#"
    $ orket digest --lines
    44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
    error: the object names the key "a" twice, at pointer "/a", byte 7
    49a64717d5d4cb19952e6eac2946415cf6879adacf9908e7d872332d32c6e684
    [exit 1]
    "#);
    assert_snapshot!(digest(&["--lines", "--canonical"], input), @r#"
    $ orket digest --lines --canonical
    {}
    error: the object names the key "a" twice, at pointer "/a", byte 7
    [1,2]
    [exit 1]
    "#);
    digest(&["--lines"], "{}\n[]\n").assert_code(0);
}

#[test]
fn what_has_no_canonical_form_is_told_with_its_place() {
    assert_snapshot!(digest(&[], "[1,\n NaN]"), @r#"
    $ orket digest
    -- standard error --
    orket: standard input: NaN is no JSON value, at pointer "/1", byte 5
    [exit 1]
    "#);
    assert_snapshot!(digest(&["nosuch.json"], ""), @r"
    $ orket digest nosuch.json
    -- standard error --
    orket: nosuch.json cannot be read: No such file or directory (os error 2)
    [exit 3]
    ");
}
