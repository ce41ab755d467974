//! The curated cases of `fixtures/canonical`: one document each, and what Law 4 makes of it.

mod oracle;

use oracle::cases::{self, Case, Expected};
use oracle::documents;
use oracle::random::Random;
use orket_kernel::Digest;
use orket_kernel::canonical::{self, Limits, Value};

/// Says in what the way without a value differs from the one over a value, if it does.
fn check_short_way(document: &[u8]) -> Result<(), String> {
    let value = canonical::parse(document);
    let text = canonical::canonicalize(document).map(|text| text.into_owned());
    let digest = canonical::digest_bytes(document);
    if text
        != value
            .as_ref()
            .map(canonical::to_bytes)
            .map_err(Clone::clone)
    {
        return Err(format!("is canonicalized to {text:?}"));
    }
    if digest != value.as_ref().map(canonical::digest).map_err(Clone::clone) {
        return Err(format!("has {digest:?} as its digest without a value"));
    }
    if let Ok(value) = value
        && (canonical::serialize(&value) != Ok(canonical::to_bytes(&value))
            || canonical::digest_of(&value) != Ok(canonical::digest(&value)))
    {
        return Err("is serialized otherwise than it is written".to_owned());
    }
    Ok(())
}

/// Says in what the kernel's answer differs from the expected one, if it does.
fn check(case: &Case) -> Result<(), String> {
    check_short_way(&case.document)?;
    match (&case.expected, canonical::parse(&case.document)) {
        (Expected::Canonical { text, digest }, Ok(value)) => {
            let written = canonical::to_string(&value);
            if let Some(text) = text
                && *text != written
            {
                return Err(format!("wrote {written:?}, expected {text:?}"));
            }
            if canonical::digest(&value).to_hex() != *digest {
                return Err(format!("has the digest {}", canonical::digest(&value)));
            }
            if Digest::of_bytes(written.as_bytes()).to_hex() != *digest {
                return Err("has another digest when it is written out".to_owned());
            }
            match canonical::parse(written.as_bytes()) {
                Ok(again) if again == value => Ok(()),
                other => Err(format!("does not read back: {other:?}")),
            }
        }
        (
            Expected::Refusal {
                code,
                pointer,
                byte_offset,
            },
            Err(error),
        ) => {
            let found = (error.code(), error.pointer.as_str(), error.byte_offset);
            let message = error.to_string();
            if found != (code.as_str(), pointer.as_str(), *byte_offset) {
                return Err(format!("refused with {found:?}"));
            }
            if message.contains('\n') || message.len() > 1000 || message.ends_with('.') {
                return Err(format!("has the message {message:?}"));
            }
            Ok(())
        }
        (_, answer) => Err(format!("answered {answer:?}")),
    }
}

#[test]
fn every_case_is_answered_as_law_4_demands() {
    let cases = cases::load();
    assert!(cases.len() >= 120, "only {} cases", cases.len());
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            check(case)
                .err()
                .map(|fault| format!("{}: {fault}", case.name))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

#[test]
fn random_documents_come_to_the_same_with_and_without_a_value() {
    let mut random = Random::new(0x0eca_0011);
    for _ in 0..20_000 {
        let (document, _) = documents::document(&mut random);
        let shown = String::from_utf8_lossy(&document);
        assert_eq!(check_short_way(&document), Ok(()), "{shown}");
    }
}

#[test]
fn the_cases_meet_every_kind_of_refusal_that_needs_no_limit() {
    let cases = cases::load();
    for code in [
        "byte_order_mark",
        "control_character",
        "duplicate_key",
        "integer_too_long",
        "invalid_escape",
        "invalid_number",
        "invalid_utf8",
        "lone_surrogate",
        "non_finite_literal",
        "number_overflow",
        "too_deep",
        "trailing_data",
        "unexpected_character",
        "unexpected_end",
    ] {
        let met = cases.iter().any(|case| {
            matches!(&case.expected, Expected::Refusal { code: expected, .. } if expected == code)
        });
        assert!(met, "no case is refused with {code}");
    }
}

#[test]
fn limits_can_be_drawn_tighter_but_not_beyond_law_4() {
    let refused = |text: &str, limits: Limits| {
        let error = canonical::parse_with(text.as_bytes(), &limits).unwrap_err();
        (error.code(), error.byte_offset)
    };
    let tight = Limits {
        max_depth: 2,
        max_bytes: 12,
        max_integer_digits: 3,
    };
    assert!(canonical::parse_with(b"[[-123, 1]] ", &tight).is_ok());
    assert_eq!(refused("[[1], 2, 3] 4", tight), ("too_large", 12));
    assert_eq!(refused("[[[1]]]", tight), ("too_deep", 2));
    assert_eq!(refused("[1, -1234]", tight), ("integer_too_long", 4));

    let loose = Limits {
        max_depth: 5_000,
        max_integer_digits: 5_000,
        ..Limits::default()
    };
    assert_eq!(refused(&"[".repeat(2_000), loose), ("too_deep", 992));
    assert_eq!(refused(&"1".repeat(4_301), loose), ("integer_too_long", 0));
    assert_eq!(
        refused(&" ".repeat(64 * 1024 * 1024 + 1), loose),
        ("too_large", 64 * 1024 * 1024)
    );
}

#[test]
fn the_deepest_document_fits_a_small_stack_in_every_operation() {
    let arrays = format!("{}{}", "[".repeat(992), "]".repeat(992));
    let objects = format!("{}{{}}{}", r#"{"a":"#.repeat(991), "}".repeat(991));
    let work = move || {
        for text in [arrays, objects] {
            let value = canonical::parse(text.as_bytes()).unwrap();
            assert_eq!(value.clone(), value);
            assert_eq!(canonical::to_string(&value), text);
            assert_eq!(canonical::digest(&value), Digest::of_bytes(text.as_bytes()));
            assert_eq!(canonical::to_value(&value).as_ref(), Ok(&value));
            assert_eq!(
                canonical::from_value::<Value>(value.clone()).as_ref(),
                Ok(&value)
            );
        }
    };
    std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn members_are_moved_at_every_depth_and_each_byte_once() {
    let levels = 990;
    let text = format!(
        r#"{}"{}"{}"#,
        r#"{"b": ["#.repeat(levels / 2),
        "x".repeat(1_000_000),
        r#"], "a\u0062": 1, "\u0061": {"d":[], "c":[]}}"#.repeat(levels / 2)
    );
    assert_eq!(check_short_way(text.as_bytes()), Ok(()));
}

#[test]
fn a_million_brackets_are_refused_at_the_limit_without_a_value_as_well() {
    for bracket in ["[", r#"{"":"#] {
        let text = bracket.repeat(1_000_000);
        let error = canonical::digest_bytes(text.as_bytes()).unwrap_err();
        assert_eq!(error.code(), "too_deep");
        assert_eq!(error.byte_offset, 992 * bracket.len());
        assert_eq!(canonical::canonicalize(text.as_bytes()), Err(error));
    }
}

#[test]
fn a_message_stays_short_however_long_the_key_is() {
    let key = "k".repeat(100_000);
    let text = format!(r#"{{"{key}":1,"{key}":2}}"#);
    let error = canonical::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error.pointer.as_str().len(), 100_001);
    assert!(error.to_string().len() < 500);
}
