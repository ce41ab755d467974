//! Each shape against its own examples.

use orket_secrets::shapes::SHAPES;

use crate::{in_pieces, knows};

#[test]
fn each_shape_is_found_in_its_examples_and_only_the_secret_is_hidden() {
    let scrubber = knows(&[]);
    for shape in SHAPES {
        assert!(
            !shape.found.is_empty() && !shape.left_alone.is_empty(),
            "{}",
            shape.name
        );
        for (text, secret) in shape.found {
            assert_eq!(text.matches(secret).count(), 1, "{text:?}");
            let mark = format!("[secret:{}]", shape.name);
            let expected = text.replace(secret, &mark);
            assert_eq!(scrubber.text(text), expected);
            // Nothing is taken for a secret in what was scrubbed.
            assert_eq!(scrubber.text(&expected), expected);
            for cut in 0..text.len() {
                let scrubbed = in_pieces(&scrubber, text.as_bytes(), &[cut]);
                assert_eq!(
                    String::from_utf8(scrubbed).unwrap(),
                    expected,
                    "cut at {cut}"
                );
            }
        }
    }
}

#[test]
fn what_looks_like_a_shape_is_left_alone() {
    let scrubber = knows(&[]);
    for shape in SHAPES {
        for text in shape.left_alone {
            assert_eq!(scrubber.text(text), *text, "{}", shape.name);
        }
    }
}

#[test]
fn a_beginning_is_found_in_the_case_that_its_shape_allows() {
    let scrubber = knows(&[]);
    assert_eq!(
        scrubber.text("AUTHORIZATION: BEARER abcdef0123456789"),
        "AUTHORIZATION: BEARER [secret:bearer-token]"
    );
    assert_eq!(
        scrubber.text("akiaIOSFODNN7EXAMPLE"),
        "akiaIOSFODNN7EXAMPLE"
    );
}

#[test]
fn a_private_key_without_an_end_is_hidden_as_far_as_it_is_read() {
    let scrubber = knows(&[]);
    let text = format!("-----BEGIN PRIVATE KEY-----{}", "A".repeat(20_000));
    let scrubbed = scrubber.text(&text);
    assert!(
        scrubbed.starts_with("[secret:private-key]AAA"),
        "{scrubbed}"
    );
    // 16 KiB of key, and the 40 bytes in which the last line would be.
    assert_eq!(
        scrubbed.len(),
        "[secret:private-key]".len() + 20_000 - 16 * 1024 - 40
    );
}
