//! Rules of the scrubber besides what it finds.

use crate::knows;

#[test]
fn of_secrets_that_lie_over_each_other_everything_is_hidden() {
    let scrubber = knows(&[
        ("A_KEY", "one-two-three"),
        ("B_KEY", "three-four-five"),
        ("C_KEY", "two-three"),
    ]);
    let cases = [
        ("one-two-three-four-five", "[secret:A_KEY]"),
        ("two-three-four-five", "[secret:C_KEY]"),
        (
            "one-two-three, three-four-five",
            "[secret:A_KEY], [secret:B_KEY]",
        ),
        ("one-two-threeone-two-three", "[secret:A_KEY][secret:A_KEY]"),
    ];
    for (text, expected) in cases {
        assert_eq!(scrubber.text(text), expected);
    }
}

#[test]
fn a_name_that_is_its_own_secret_is_not_shown() {
    let scrubber = knows(&[("my_secret_key", "my_secret_key")]);
    assert_eq!(scrubber.text("it is my_secret_key"), "it is [secret]");
}

#[test]
fn the_name_of_a_member_tells_a_secret() {
    let scrubber = knows(&[("A_KEY", "correct horse")]);
    for (name, text, expected) in [
        ("password", "hunter2hunter2", "[secret:password]"),
        ("client_secret", "0a1b2c3d4e", "[secret:password]"),
        ("password", "", ""),
        ("password", "your password", "your password"),
        ("content", "hunter2hunter2", "hunter2hunter2"),
        ("content", "a correct horse", "a [secret:A_KEY]"),
        ("password", "correct horse", "[secret:A_KEY]"),
    ] {
        assert_eq!(scrubber.member(name, text), expected, "{name}: {text}");
    }
}

#[test]
fn a_beginning_ends_before_what_may_be_a_secret() {
    let scrubber = knows(&[("A_KEY", "correct horse")]);
    let cases = [
        ("it is correct ho", "it is "),
        ("it is correct horse.", "it is [secret:A_KEY]."),
        // The last letter may be the first of the same secret reversed, and what lies over each other is one.
        ("it is correct horse", "it is "),
        ("it is.", "it is."),
    ];
    for (text, expected) in cases {
        assert_eq!(*scrubber.beginning(text.as_bytes()), *expected.as_bytes());
    }
}

#[test]
fn a_scrubber_says_nothing_of_what_it_knows() {
    let told = format!("{:?}", knows(&[("A_KEY", "correct horse")]));
    assert_eq!(told, "Scrubber of 1 name(s)");
}
