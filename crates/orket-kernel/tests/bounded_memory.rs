//! Documents made to exhaust the reader: each gets its answer, and takes memory in proportion to its length at most.
//!
//! A binary of its own, because it counts what is allocated; one test, because tests that run side by side would be
//! counted together. The bounds are in bytes that are held at the same time, beyond the document itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use orket_kernel::Digest;
use orket_kernel::canonical::{self, DeserializeError, Limits, ParseError, Value};

/// The system's allocator, and how much it has handed out.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn took(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(held, Ordering::Relaxed);
}

fn gave(bytes: usize) {
    HELD.fetch_sub(bytes, Ordering::Relaxed);
}

#[expect(
    unsafe_code,
    reason = "an allocator is an unsafe trait, and there is no other way to count"
)]
// SAFETY: every call is handed to the system's allocator as it came; only numbers are kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller's promise, unchanged.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        gave(layout.size());
        // SAFETY: the caller's promise, unchanged.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Old and new may exist side by side while the bytes move.
        took(new_size);
        // SAFETY: the caller's promise, unchanged.
        let moved = unsafe { System.realloc(pointer, layout, new_size) };
        gave(layout.size());
        moved
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Does the work; returns what it returned and how many bytes it held at most.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = work();
    (result, PEAK.load(Ordering::Relaxed) - before)
}

const MIB: usize = 1024 * 1024;
/// What `canonicalize` says that it takes at most, in lengths of the input.
const TIMES_MAX: usize = 25;
/// What `parse` says that it takes at most, in lengths of the input.
const VALUE_TIMES_MAX: usize = 110;

/// A document, and what the reader must do with it.
struct Case {
    name: &'static str,
    document: Vec<u8>,
    /// The code, pointer length in bytes and byte offset of the refusal; nothing if the document has a canonical form.
    refusal: Option<(&'static str, usize, usize)>,
    /// The canonical text, if the document has one.
    canonical: Vec<u8>,
    /// How many bytes the way to a value may hold.
    value_max_bytes: usize,
    /// How many bytes the way without a value may hold.
    text_max_bytes: usize,
}

fn refused(
    name: &'static str,
    document: Vec<u8>,
    refusal: (&'static str, usize, usize),
    max_bytes: usize,
) -> Case {
    Case {
        name,
        document,
        refusal: Some(refusal),
        canonical: Vec::new(),
        value_max_bytes: max_bytes,
        text_max_bytes: max_bytes,
    }
}

/// A string that fills a document of `size_bytes` to the last byte with `escape`.
fn escapes(name: &'static str, size_bytes: usize, escape: &str, canonical: &str) -> Case {
    let count = (size_bytes - 2) / escape.len();
    let spaces = size_bytes - 2 - count * escape.len();
    let quoted = |inner: &str| format!("\"{}\"", inner.repeat(count)).into_bytes();
    let mut document = quoted(escape);
    document.resize(document.len() + spaces, b' ');
    assert_eq!(document.len(), size_bytes);
    let decoded = count * canonical.len();
    Case {
        name,
        canonical: quoted(canonical),
        document,
        refusal: None,
        // A buffer that doubles is at most twice as large as needed, and half as large again while it moves; the last
        // step is to give back what is not needed.
        value_max_bytes: 4 * decoded + MIB,
        // The documented promise is ten times; a single string is once, with the same doubling.
        text_max_bytes: 3 * size_bytes + MIB,
    }
}

/// One object of many short members in the wrong order: what takes most room beside its text.
fn members() -> Case {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
    let mut sorted = Vec::new();
    for one in LETTERS {
        for two in LETTERS {
            for three in LETTERS {
                let key = [*one, *two, *three];
                sorted.push(format!("\"{}\":1", String::from_utf8_lossy(&key)));
            }
        }
    }
    let object = |members: &[String]| format!("{{{}}}", members.join(",")).into_bytes();
    let canonical = object(&sorted);
    sorted.reverse();
    let document = object(&sorted);
    Case {
        name: "17,576 short members",
        refusal: None,
        value_max_bytes: VALUE_TIMES_MAX * document.len(),
        text_max_bytes: TIMES_MAX * document.len(),
        canonical,
        document,
    }
}

/// An array of many objects of a few bytes each.
fn small_objects(name: &'static str, object: &str, canonical: &str) -> Case {
    const COUNT: usize = 100_000;
    let array = |object: &str| format!("[{}]", vec![object; COUNT].join(",")).into_bytes();
    let document = array(object);
    Case {
        name,
        refusal: None,
        canonical: array(canonical),
        value_max_bytes: VALUE_TIMES_MAX * document.len(),
        text_max_bytes: TIMES_MAX * document.len(),
        document,
    }
}

fn cases() -> Vec<Case> {
    // All at full size would take a minute without optimisation, and shows nothing that the last one does not.
    let long = if std::env::var_os("ORKET_FULL").is_some() {
        Limits::BYTES
    } else {
        4 * MIB
    };
    const MANY: usize = 1_000_000;
    let deep = Limits::DEPTH;
    let mut too_large = vec![b' '; Limits::BYTES + 1];
    too_large[0] = b'1';
    let key = "k".repeat(20 * MIB);
    let twice = format!("{{\"{key}\":1,\"{key}\":2}}");
    let second = 1 + key.len() + 2 + 3;
    vec![
        // The bracket after the deepest allowed one is the fault; each array around it is at its first element.
        refused(
            "a million open brackets",
            vec![b'['; MANY],
            ("too_deep", 2 * deep, deep),
            MIB,
        ),
        refused(
            "a million open objects",
            "{\"a\":".repeat(MANY).into_bytes(),
            ("too_deep", 2 * deep, 5 * deep),
            MIB,
        ),
        refused(
            "one byte over the limit",
            too_large,
            ("too_large", 0, Limits::BYTES),
            MIB,
        ),
        // The key stands in its object, in the pointer and in the error, and is read a second time.
        refused(
            "a key of 20 MiB twice",
            twice.into_bytes(),
            ("duplicate_key", 1 + key.len(), second),
            8 * key.len(),
        ),
        escapes("line feeds", long, "\\n", "\\n"),
        escapes("letters in escapes", long, "\\u00e9", "é"),
        escapes("surrogate pairs", Limits::BYTES, "\\ud83c\\udfbc", "🎼"),
        members(),
        small_objects("objects of one member", r#"{"":0}"#, r#"{"":0}"#),
        small_objects(
            "objects of two members",
            r#"{"b":0,"a":0}"#,
            r#"{"a":0,"b":0}"#,
        ),
    ]
}

#[test]
fn hostile_documents_take_bounded_memory() {
    for case in cases() {
        let document = case.document.as_slice();
        let (parsed, parse_peak) = peak_of(|| canonical::parse(document));
        let (typed, typed_peak) = peak_of(|| canonical::from_bytes::<Value>(document));
        let (text, text_peak) = peak_of(|| canonical::canonicalize(document));
        let (digest, digest_peak) = peak_of(|| canonical::digest_bytes(document));
        match case.refusal {
            Some(refusal) => {
                let told = |error: ParseError| {
                    let pointer = error.pointer.as_str().len();
                    assert!(error.to_string().len() < 2000, "{}", case.name);
                    (error.code(), pointer, error.byte_offset)
                };
                let typed = typed.map_err(|error| match error {
                    DeserializeError::Parse(error) => told(error),
                    shape => unreachable!("{}: {shape}", case.name),
                });
                assert!(typed == Err(refusal), "{}", case.name);
                assert_eq!(parsed.map_err(told), Err(refusal), "{}", case.name);
                assert!(text.map_err(told) == Err(refusal), "{}", case.name);
                assert_eq!(digest.map_err(told), Err(refusal), "{}", case.name);
            }
            // Not `assert_eq`, which would print 64 MiB.
            None => {
                assert!(typed == Ok(parsed.clone().unwrap()), "{}", case.name);
                let written = canonical::to_bytes(&parsed.unwrap());
                assert!(written == case.canonical, "{}", case.name);
                assert!(text.unwrap() == case.canonical, "{}", case.name);
                assert_eq!(digest, Ok(Digest::of_bytes(&case.canonical)));
            }
        }
        let peaks = [
            ("parse", parse_peak, case.value_max_bytes),
            ("from_bytes", typed_peak, case.value_max_bytes),
            ("canonicalize", text_peak, case.text_max_bytes),
            ("digest_bytes", digest_peak, case.text_max_bytes),
        ];
        for (way, peak, max) in peaks {
            println!("{} {way} {peak} of {max}", case.name);
            assert!(peak <= max, "{}: {way} held {peak} bytes", case.name);
        }
    }
}
