//! However a stream is cut into pieces, the same comes out.

use proptest::prelude::*;

use crate::{in_pieces, knows};

const ONE: &str = "ab\"c/d ef";
const TWO: &str = "ef-ab\"c/d";

/// Pieces of texts in which secrets, their forms and their beginnings run into each other.
fn fragment() -> impl Strategy<Value = String> {
    let fixed: Vec<String> = [
        ONE,
        TWO,
        "ab\"c",
        "/d ef",
        "fe d/c\"ba",
        "616222632f64206566",
        "YWIiYy9kIGVm",
        "\\",
        "\\\\",
        "\\\"",
        "\\u0061",
        "\\u00",
        "%",
        "%2",
        "%2F",
        "%25",
        "%61b%22c",
        "\n",
        "\r\n",
        "a",
        "b",
        "\"",
        "é",
        "😀",
        "\\ud83d",
        "\\ude00",
        "password",
        "=",
        "\"",
        "hunter2hunter2",
        "://",
        "user:",
        "pass@",
        "sk-",
        "abcdefghij0123456789",
        " ",
        "eyJ",
        "eyJhbGciOiJIUzI1NiJ9",
        ".",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "bearer ",
    ]
    .iter()
    .map(|text| (*text).to_owned())
    .collect();
    prop_oneof![4 => proptest::sample::select(fixed), 1 => "[ -~]{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_stream_is_as_the_whole(
        fragments in proptest::collection::vec(fragment(), 0..12),
        cuts in proptest::collection::btree_set(0_usize..120, 0..10),
    ) {
        let scrubber = knows(&[("ONE_KEY", ONE), ("TWO_KEY", TWO)]);
        let text = fragments.concat();
        let cuts: Vec<usize> = cuts.into_iter().collect();
        let whole = scrubber.bytes(text.as_bytes()).into_owned();
        let cut = in_pieces(&scrubber, text.as_bytes(), &cuts);
        prop_assert_eq!(String::from_utf8_lossy(&cut), String::from_utf8_lossy(&whole), "cut at {:?}", cuts);
        let told = String::from_utf8(whole).unwrap();
        prop_assert!(!told.contains(ONE) && !told.contains(TWO), "{}", told);
    }

    #[test]
    fn texts_in_pieces_are_never_torn(fragments in proptest::collection::vec(fragment(), 0..12)) {
        let scrubber = knows(&[("ONE_KEY", ONE), ("TWO_KEY", "ünïcödé")]);
        let mut stream = scrubber.text_stream();
        let mut told: String = fragments.iter().map(|text| stream.push(text)).collect();
        told.push_str(&stream.finish());
        prop_assert!(!told.contains(char::REPLACEMENT_CHARACTER));
        let text = fragments.concat();
        prop_assert_eq!(told, scrubber.text(&text));
    }
}

#[test]
fn little_is_held_back() {
    let scrubber = knows(&[("ONE_KEY", ONE)]);
    let cases: &[(&str, &str, usize)] = &[
        ("an ordinary text", "An ordinary text.", 0),
        ("the beginning of a secret", "xx ab\"", 3),
        ("of one in hex", "xx 616222", 6),
        ("of one in JSON", "xx ab\\\"c", 5),
        ("of an escape", "xx \\u00", 4),
        ("of a shape", "xx sk-abc", 6),
        ("of the beginning of a shape", "xx -----BEG", 8),
        ("a shape that may go on", "xx sk-abcdefghij0123456789", 23),
        ("a shape that cannot", "xx sk-abcdefghij0123456789 ", 0),
        ("a word that is no shape", "xx task-abd", 0),
    ];
    for (name, text, held) in cases {
        let mut stream = scrubber.stream();
        stream.push(text.as_bytes(), &mut |_| {});
        assert_eq!(stream.held_bytes(), *held, "{name}");
    }
}

/// A text that only begins what never comes must neither take for ever nor be kept whole.
#[test]
fn a_hostile_line_is_read_in_proportion() {
    let scrubber = knows(&[("ONE_KEY", ONE)]);
    for text in [
        "eyJ",
        "-----BEGIN PRIVATE KEY-----",
        "password",
        "ab\"c",
        "\\",
        "%",
        "\\u0061",
        "://a:b",
        "bearer ",
    ] {
        let line = text.repeat(400_000 / text.len());
        let mut stream = scrubber.stream();
        let mut most = 0;
        for piece in line.as_bytes().chunks(10_000) {
            stream.push(piece, &mut |_| {});
            most = most.max(stream.held_bytes());
        }
        assert!(most <= 50_000, "{text}: {most} bytes are held back");
    }
}
