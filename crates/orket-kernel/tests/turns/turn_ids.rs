//! Law 2: turn ids are sequential, unique and written one way.

use orket_kernel::{TurnId, canonical};

fn id(number: u64) -> TurnId {
    TurnId::new(number).unwrap()
}

#[test]
fn law_2_ids_count_from_one_without_an_upper_bound() {
    assert_eq!(TurnId::new(0), None);
    assert_eq!(TurnId::FIRST, id(1));
    for (number, text) in [
        (1, "turn-0001"),
        (9999, "turn-9999"),
        (10_000, "turn-10000"),
        (123_456_789_012, "turn-123456789012"),
    ] {
        assert_eq!(id(number).to_string(), text);
        assert_eq!(text.parse(), Ok(id(number)));
        assert_eq!(id(number).next().number(), number + 1);
    }
}

#[test]
fn law_2_ids_order_by_number_and_not_by_text() {
    assert!(id(9999) < id(10_000));
    assert!("turn-9999" > "turn-10000");
}

#[test]
fn law_2_records_hold_ids_in_their_one_form() {
    let read = |text: &str| canonical::from_bytes::<TurnId>(format!("{text:?}").as_bytes());
    assert_eq!(read("turn-0007").unwrap(), id(7));
    for text in [
        "7",
        "007",
        "turn-7",
        "turn-00007",
        "turn-0000",
        "TURN-0007",
        "turn-0007 ",
    ] {
        assert!(read(text).is_err(), "{text:?} was read");
    }
    assert!(canonical::from_bytes::<TurnId>(b"7").is_err());
}
