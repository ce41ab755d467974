//! Rust types to canonical JSON and back.

use std::collections::BTreeMap;

use orket_kernel::canonical::{self, DeserializeError, Number, SerializeError, Value};
use orket_kernel::{Digest, object};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Checks that `value` has the canonical text `text` and reads back from it.
#[track_caller]
fn check<T>(value: T, text: &str)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(
        canonical::serialize(&value).as_deref(),
        Ok(text.as_bytes()),
        "expected {text}"
    );
    assert_eq!(
        canonical::digest_of(&value),
        Ok(Digest::of_bytes(text.as_bytes()))
    );
    assert_eq!(canonical::from_bytes::<T>(text.as_bytes()), Ok(value));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(u8);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u8, String);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Empty,
    One(i32),
    Two(i32, bool),
    Named { b: Option<u8>, a: char },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    z: Shape,
    a: Vec<Option<bool>>,
    details: Value,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    File { length: u64 },
    Link { target: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn scalars() {
    check((), "null");
    check(true, "true");
    check(i8::MIN, "-128");
    check(u64::MAX, "18446744073709551615");
    check(i64::MIN, "-9223372036854775808");
    check(u128::MAX, "340282366920938463463374607431768211455");
    check(i128::MIN, "-170141183460469231731687303715884105728");
    check(1e16, "1e+16");
    check(-0.0, "-0.0");
    check(0.1_f32, "0.10000000149011612");
    check('é', "\"é\"");
    check(String::from("a\u{1}/"), r#""a\u0001/""#);
    check(Some(3_u8), "3");
    check(None::<u8>, "null");
    check(
        Digest::of_bytes(b""),
        &format!("\"{}\"", Digest::of_bytes(b"")),
    );
}

#[test]
fn structs_and_enums() {
    check(Unit, "null");
    check(Newtype(7), "7");
    check(Pair(7, "x".to_owned()), r#"[7,"x"]"#);
    check(Shape::Empty, r#""empty""#);
    check(Shape::One(-1), r#"{"one":-1}"#);
    check(Shape::Two(1, false), r#"{"two":[1,false]}"#);
    check(
        Shape::Named { b: None, a: 'x' },
        r#"{"named":{"a":"x","b":null}}"#,
    );
    check(Tagged::File { length: 3 }, r#"{"kind":"File","length":3}"#);
    check(
        Tagged::Link {
            target: "..".to_owned(),
        },
        r#"{"kind":"Link","target":".."}"#,
    );
    check(vec![(1_u8, true)], "[[1,true]]");
    let record = Record {
        z: Shape::One(0),
        a: vec![None, Some(true)],
        details: object! { "n" => 1_u64, "list" => vec![Value::Null] },
    };
    check(
        record,
        r#"{"a":[null,true],"details":{"list":[null],"n":1},"z":{"one":0}}"#,
    );
    let rest = BTreeMap::from([("x".to_owned(), Value::from("y"))]);
    check(
        Flat {
            id: "1".to_owned(),
            rest,
        },
        r#"{"id":"1","x":"y"}"#,
    );
}

#[test]
fn map_keys_are_sorted_by_their_text() {
    check(
        BTreeMap::from([(10_u8, 'a'), (9, 'b')]),
        r#"{"10":"a","9":"b"}"#,
    );
    check(BTreeMap::from([(-1_i64, 1), (2, 2)]), r#"{"-1":1,"2":2}"#);
    check(
        BTreeMap::from([(true, 1), (false, 2)]),
        r#"{"false":2,"true":1}"#,
    );
    check(BTreeMap::from([('b', 1), ('a', 2)]), r#"{"a":2,"b":1}"#);
    check(BTreeMap::from([(Shape::Empty, 1)]), r#"{"empty":1}"#);
    check(
        BTreeMap::from([("\u{ff61}".to_owned(), 1), ("\u{1f600}".to_owned(), 2)]),
        "{\"\u{ff61}\":1,\"\u{1f600}\":2}",
    );
    assert!(canonical::from_bytes::<BTreeMap<u8, u8>>(br#"{"01":1}"#).is_err());
    assert!(canonical::from_bytes::<BTreeMap<u8, u8>>(br#"{"256":1}"#).is_err());
}

#[test]
fn values_and_numbers_pass_unchanged() {
    let big = "9".repeat(4_300);
    for text in [
        "null",
        "[]",
        "{}",
        "-0.0",
        "0",
        "1.0",
        "1e+16",
        "18446744073709551616",
        "-9223372036854775809",
        &big,
        r#"{"":[{"a":null,"b":[true,"\n"]}],"é":-1}"#,
        // A key that another JSON library would take for its mark of a number.
        r#"{"$orket::CanonicalText":"12","$serde_json::private::Number":"7"}"#,
    ] {
        let value = canonical::parse(text.as_bytes()).unwrap();
        assert_eq!(canonical::to_value(&value).as_ref(), Ok(&value));
        assert_eq!(
            canonical::from_value::<Value>(value.clone()).as_ref(),
            Ok(&value)
        );
        check(
            BTreeMap::from([("in".to_owned(), value)]),
            &format!(r#"{{"in":{text}}}"#),
        );
    }
    let number: Number = canonical::from_bytes(big.as_bytes()).unwrap();
    check(vec![number], &format!("[{big}]"));
    assert!(canonical::from_bytes::<Number>(b"\"1\"").is_err());
    assert!(canonical::from_bytes::<u64>(big.as_bytes()).is_err());
}

#[test]
fn other_formats_read_and_write_values() {
    let value = object! { "a" => vec![Value::Null, Value::from(-1_i64)], "b" => "x" };
    let text = serde_json::to_string(&value).unwrap();
    assert_eq!(text, value.to_string());
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    assert!(serde_json::from_str::<Value>(r#"{"a":1,"a":2}"#).is_err());
}

struct Twice;

impl Serialize for Twice {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("a", 1), ("a", 2)])
    }
}

/// A value that lies inside so many arrays.
struct Deep(usize);

impl Serialize for Deep {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => serializer.serialize_unit(),
            levels => serializer.collect_seq([Deep(levels - 1)]),
        }
    }
}

#[test]
fn what_has_no_canonical_text_is_refused() {
    let float = |text: &str| {
        Err(SerializeError::NonFiniteFloat {
            text: text.to_owned(),
        })
    };
    assert_eq!(canonical::serialize(&[f64::NAN]), float("NaN"));
    assert_eq!(
        canonical::serialize(&Some(f32::NEG_INFINITY)),
        float("-inf")
    );
    assert_eq!(
        canonical::serialize(&Twice),
        Err(SerializeError::DuplicateKey {
            key: "a".to_owned()
        })
    );
    assert_eq!(
        canonical::serialize(&BTreeMap::from([((1, 2), 3)])),
        Err(SerializeError::KeyWithoutText { found: "a tuple" })
    );
    assert_eq!(
        canonical::serialize(&BTreeMap::from([(None::<u8>, 3)])),
        Err(SerializeError::KeyWithoutText {
            found: "an option without a value"
        })
    );
    let clash = Flat {
        id: "1".to_owned(),
        rest: BTreeMap::from([("id".to_owned(), Value::Null)]),
    };
    assert_eq!(
        canonical::serialize(&clash),
        Err(SerializeError::DuplicateKey {
            key: "id".to_owned()
        })
    );
}

/// An array that leaves out what cannot be written, and a map that does.
struct Lenient;

impl Serialize for Lenient {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut array = serializer.serialize_seq(None)?;
        for part in [vec![1.0], vec![2.0, f64::NAN], vec![3.0]] {
            let _ = array.serialize_element(&part);
        }
        array.end()
    }
}

/// A map that ends after a key.
struct KeyOnly;

impl Serialize for KeyOnly {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_key("a")?;
        map.end()
    }
}

#[test]
fn types_that_bend_the_rules_of_serde_cannot_bend_the_text() {
    let text = canonical::serialize(&("a", Lenient)).unwrap();
    assert_eq!(text, br#"["a",[[1.0],[3.0]]]"#);
    assert_eq!(
        canonical::digest_of(&("a", Lenient)),
        Ok(Digest::of_bytes(&text))
    );
    assert!(canonical::serialize(&KeyOnly).is_err());
    assert!(canonical::to_value(&KeyOnly).is_err());
}

#[test]
fn fields_are_moved_at_every_level() {
    #[derive(Serialize)]
    struct Inner<'a> {
        zebra: u8,
        #[serde(rename = "a\"b")]
        quoted: &'a str,
        a: Vec<BTreeMap<i8, bool>>,
    }
    #[derive(Serialize)]
    struct Outer<'a> {
        second: [Inner<'a>; 2],
        first: Option<Inner<'a>>,
        empty: BTreeMap<String, u8>,
    }
    let inner = || Inner {
        zebra: 1,
        quoted: "\u{1}é",
        a: vec![BTreeMap::from([(-1, true), (10, true), (9, false)])],
    };
    let outer = Outer {
        second: [inner(), inner()],
        first: Some(inner()),
        empty: BTreeMap::new(),
    };
    let inner = r#"{"a":[{"-1":true,"10":true,"9":false}],"a\"b":"\u0001é","zebra":1}"#;
    let text = format!(r#"{{"empty":{{}},"first":{inner},"second":[{inner},{inner}]}}"#);
    assert_eq!(canonical::serialize(&outer).as_deref(), Ok(text.as_bytes()));
    assert_eq!(
        canonical::digest_of(&outer),
        Ok(Digest::of_bytes(text.as_bytes()))
    );
    assert_eq!(canonical::to_value(&outer).unwrap().to_string(), text);
}

#[test]
fn rust_values_are_held_to_the_depth_of_law_4() {
    assert!(canonical::serialize(&Deep(992)).is_ok());
    assert_eq!(
        canonical::serialize(&Deep(993)),
        Err(SerializeError::TooDeep)
    );
}

#[test]
fn a_value_that_does_not_fit_is_refused_with_its_pointer() {
    let refused = |text: &str| canonical::from_bytes::<Vec<Record>>(text.as_bytes()).unwrap_err();
    let pointer = |text: &str| match refused(text) {
        DeserializeError::Shape { pointer, .. } => pointer.as_str().to_owned(),
        parse => panic!("{parse}"),
    };
    assert_eq!(pointer("{}"), "");
    assert_eq!(pointer("[1]"), "/0");
    assert_eq!(
        pointer(r#"[{"z":"empty","a":[null,0],"details":1}]"#),
        "/0/a/1"
    );
    assert_eq!(
        pointer(r#"[{"z":{"two":[1]},"a":[],"details":1}]"#),
        "/0/z/two"
    );
    assert_eq!(
        pointer(r#"[{"z":{"two":[1,true,3]},"a":[],"details":1}]"#),
        "/0/z/two"
    );
    assert_eq!(
        pointer(r#"[{"z":{"one":1.0},"a":[],"details":1}]"#),
        "/0/z/one"
    );
    assert_eq!(pointer(r#"[{"z":"round","a":[],"details":1}]"#), "/0/z");
    assert_eq!(pointer(r#"[{"z":"one","a":[],"details":1}]"#), "/0/z");
    assert_eq!(pointer(r#"[{"z":{"empty":1},"a":[],"details":1}]"#), "/0/z");
    assert_eq!(
        pointer(r#"[{"z":"empty","a":[],"details":1,"x/y":2}]"#),
        "/0/x~1y"
    );
    assert_eq!(pointer(r#"[{"z":"empty","a":[]}]"#), "/0");
    assert!(matches!(refused("[1e400]"), DeserializeError::Parse(_)));
    assert!(canonical::from_bytes::<u8>(b"256").is_err());
    assert!(canonical::from_bytes::<u8>(b"1.0").is_err());
    assert!(canonical::from_bytes::<f64>(b"1").is_ok());
}

/// Fuzzing found that `[true,{}]` was read as a capability policy that is on and grants nothing: what serde derives takes
/// the fields of a struct from an array as well. A record has exactly the named fields, so an array is none.
#[test]
fn a_record_is_an_object_and_never_an_array() {
    use orket_kernel::capability::Policy;
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Pair {
        one: u64,
        two: u64,
    }
    #[derive(Debug, PartialEq, serde::Deserialize)]
    enum Shape {
        Box { width: u64, height: u64 },
    }
    let read = |text: &str| canonical::from_bytes::<Pair>(text.as_bytes());
    assert_eq!(read(r#"{"one":1,"two":2}"#), Ok(Pair { one: 1, two: 2 }));
    let DeserializeError::Shape { message, pointer } = read("[1,2]").unwrap_err() else {
        panic!("the text is JSON");
    };
    assert_eq!(
        (message.as_str(), pointer.as_str()),
        ("invalid type: sequence, expected struct Pair", "")
    );
    assert!(canonical::from_bytes::<Vec<Pair>>(b"[[1,2]]").is_err());
    let variant = |text: &str| canonical::from_bytes::<Shape>(text.as_bytes());
    let shape = Shape::Box {
        width: 1,
        height: 2,
    };
    assert_eq!(variant(r#"{"Box":{"width":1,"height":2}}"#), Ok(shape));
    assert!(variant(r#"{"Box":[1,2]}"#).is_err());
    assert!(canonical::from_bytes::<Policy>(b"[true,{}]").is_err());
    // Tuples are arrays, as before.
    assert_eq!(canonical::from_bytes::<(u64, u64)>(b"[1,2]"), Ok((1, 2)));
}

#[test]
fn deep_values_cost_no_stack() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        body: Value,
    }
    for levels in [31, 32, 33, 990, 991] {
        let body = format!(
            "{}1{}",
            r#"[{"a":"#.repeat(levels / 2),
            "}]".repeat(levels / 2)
        );
        check(
            Holder {
                body: canonical::parse(body.as_bytes()).unwrap(),
            },
            &format!(r#"{{"body":{body}}}"#),
        );
    }
    let deepest =
        canonical::parse(format!("{}{}", "[".repeat(992), "]".repeat(992)).as_bytes()).unwrap();
    assert!(canonical::to_value(&deepest).is_ok());
    assert_eq!(
        canonical::to_value(&Holder { body: deepest }),
        Err(SerializeError::TooDeep)
    );
    // Other formats get arrays and objects, however deep they lie.
    let hundred = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let value: Value = serde_json::from_str(&hundred).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), hundred);
}

#[test]
fn accessors_answer_for_their_kind_only() {
    let value = object! {
        "s" => "x", "b" => true, "u" => u64::MAX, "i" => -1, "n" => None::<bool>,
        "o" => object! { "a/b" => 1, "~" => 2, "" => 3 }, "l" => vec![Value::from("y")],
    };
    assert_eq!(value.get("s").and_then(Value::as_str), Some("x"));
    assert_eq!(value.get("b").and_then(Value::as_bool), Some(true));
    assert_eq!(
        value.get("u").map(|found| (found.as_u64(), found.as_i64())),
        Some((Some(u64::MAX), None))
    );
    assert_eq!(
        value.get("i").map(|found| (found.as_u64(), found.as_i64())),
        Some((None, Some(-1)))
    );
    assert!(value.get("n").is_some_and(Value::is_null));
    assert_eq!(
        value.get("l").and_then(Value::as_array).map(<[Value]>::len),
        Some(1)
    );
    assert_eq!(value.get("none"), None);
    assert_eq!(value.get("s").and_then(|found| found.get("x")), None);
    assert_eq!(value.pointer(""), Some(&value));
    for (pointer, found) in [("/o/a~1b", 1), ("/o/~0", 2), ("/o/", 3)] {
        assert_eq!(
            value.pointer(pointer),
            Some(&Value::from(found)),
            "{pointer}"
        );
    }
    assert_eq!(value.pointer("/l/0").and_then(Value::as_str), Some("y"));
    for pointer in [
        "o",
        "/l/00",
        "/l/+0",
        "/l/1",
        "/l/-",
        "/l/",
        "/s/0",
        "/x/y",
        "/l/99999999999999999999999",
    ] {
        assert_eq!(value.pointer(pointer), None, "{pointer}");
    }
}

#[test]
fn a_number_has_one_form() {
    assert_eq!(Number::from(5_i64), Number::from(5_u64));
    assert_eq!(Number::from(u128::from(u64::MAX)), Number::from(u64::MAX));
    assert_eq!(Number::from(i128::from(i64::MIN)), Number::from(i64::MIN));
    assert_eq!(Number::from_integer_text("-0"), Some(Number::from(0_u64)));
    assert_ne!(Number::from_f64(0.0), Number::from_f64(-0.0));
    assert_ne!(Number::from_f64(1.0), Some(Number::from(1_u64)));
    for text in [
        "",
        "-",
        "+1",
        "01",
        "-01",
        "1.0",
        " 1",
        "1e5",
        "٣",
        &"1".repeat(4_301),
    ] {
        assert_eq!(Number::from_integer_text(text), None, "{text}");
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Number::from_f64(value), None);
    }
}
