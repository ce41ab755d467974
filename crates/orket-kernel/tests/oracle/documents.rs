//! Random documents over every edge of the rules.

use std::collections::BTreeSet;

use super::random::Random;

/// What a document was made to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// It follows every rule.
    Valid,
    /// It holds exactly one fault, of this category.
    Faulty(&'static str),
    /// It was valid before some bytes were changed.
    Mutated,
}

/// Makes a random document.
pub(crate) fn document(random: &mut Random) -> (Vec<u8>, Made) {
    match random.below(20) {
        0..=2 => {
            let (fault, category) = random.pick(FAULTS);
            (around(random, fault), Made::Faulty(category))
        }
        3..=5 => (mutated(random), Made::Mutated),
        6 => nested(random),
        _ => {
            let mut text = String::new();
            whitespace(random, &mut text);
            value(random, 4, &mut text);
            whitespace(random, &mut text);
            (text.into_bytes(), Made::Valid)
        }
    }
}

/// Faults that a document can hold where a value should stand.
const FAULTS: &[(&[u8], &str)] = &[
    (br#"{"a":1,"\u0061":2}"#, "duplicate_key"),
    (br#"{"k":{"":0,"b":1,"":0}}"#, "duplicate_key"),
    (
        "{\"\u{10000}\":1,\"\\uD800\\udc00\":1}".as_bytes(),
        "duplicate_key",
    ),
    (br#""\ud800""#, "lone_surrogate"),
    (br#""\ud800\ud800""#, "lone_surrogate"),
    (br#""x\uDFFFy""#, "lone_surrogate"),
    (br#"{"\udc00\ud800":1}"#, "lone_surrogate"),
    (br#""\udbff\u0041""#, "lone_surrogate"),
    (b"NaN", "non_finite_literal"),
    (b"Infinity", "non_finite_literal"),
    (b"-Infinity", "non_finite_literal"),
    (b"1e400", "number_overflow"),
    (b"-1.7976931348623159e308", "number_overflow"),
    (b"0.0001e313", "number_overflow"),
    (b"\"\xff\"", "invalid_utf8"),
    (b"\"\xed\xa0\x80\"", "invalid_utf8"),
    (b"\"\xc1\x81\"", "invalid_utf8"),
    (b"\"\xe2\x82\"", "invalid_utf8"),
    (b"\xff", "invalid_utf8"),
    (b"01", "syntax"),
    (b"-", "syntax"),
    (b"+1", "syntax"),
    (b"1.", "syntax"),
    (b".5", "syntax"),
    (b"1e", "syntax"),
    (b"1e+", "syntax"),
    (b"0x1", "syntax"),
    (b"-NaN", "syntax"),
    (b"-Infinit", "syntax"),
    (b"nul", "syntax"),
    (b"True", "syntax"),
    (b"'a'", "syntax"),
    (b"\"\t\"", "syntax"),
    (b"\"\x00\"", "syntax"),
    (b"\"\x1f\"", "syntax"),
    (br#""\a""#, "syntax"),
    (br#""\u12g4""#, "syntax"),
    (br#""\u123""#, "syntax"),
    (br#""\U00000041""#, "syntax"),
    (b"[1,]", "syntax"),
    (b"[,1]", "syntax"),
    (b"[1 2]", "syntax"),
    (b"{\"a\":1,}", "syntax"),
    (b"{\"a\"}", "syntax"),
    (b"{\"a\" 1}", "syntax"),
    (b"{1:2}", "syntax"),
    (b"{a:1}", "syntax"),
    (b"[1}", "syntax"),
    (b"]", "syntax"),
    (b"", "syntax"),
    (b"\x0c1", "syntax"),
    (b"\xc2\xa01", "syntax"),
    (b"/* */1", "syntax"),
];

/// Puts `fault` between valid values.
fn around(random: &mut Random, fault: &[u8]) -> Vec<u8> {
    let mut before = String::new();
    let mut after = String::new();
    match random.below(3) {
        0 => {
            before.push('[');
            value(random, 2, &mut before);
            before.push(',');
            after.push(',');
            value(random, 2, &mut after);
            after.push(']');
        }
        1 => {
            before.push_str("{\"first\":");
            value(random, 2, &mut before);
            before.push_str(",\"faulty\":");
            after.push_str(",\"last\":");
            value(random, 2, &mut after);
            after.push('}');
        }
        _ => {
            whitespace(random, &mut before);
            whitespace(random, &mut after);
        }
    }
    [before.as_bytes(), fault, after.as_bytes()].concat()
}

/// Changes, drops, doubles or inserts a few bytes of a valid document.
fn mutated(random: &mut Random) -> Vec<u8> {
    let mut text = String::new();
    value(random, 3, &mut text);
    let mut bytes = text.into_bytes();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let byte = random.pick(b"[]{}\",:\\u0129e.-+ntfNI \n\t\x00\x1f\x7f\x80\xc3\xed\xf0");
        match random.below(4) {
            0 => bytes.insert(at, byte),
            1 if at < bytes.len() => bytes[at] = byte,
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 if at < bytes.len() => bytes.insert(at, bytes[at]),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Makes a deep document, now and then one that is too deep.
fn nested(random: &mut Random) -> (Vec<u8>, Made) {
    let levels = match random.below(4) {
        0 => 985 + random.below(16),
        _ => 1 + random.below(60),
    };
    let mut text = String::new();
    let mut closing = Vec::new();
    for _ in 0..levels {
        if random.once_in(2) {
            text.push('[');
            closing.push("]");
        } else {
            text.push_str(random.pick(&["{\"a\":", "{\"\":", "{ \"\\u00e9\" : "]));
            closing.push("}");
        }
    }
    double(random, &mut text);
    text.extend(closing.into_iter().rev());
    let made = if levels > 992 {
        Made::Faulty("too_deep")
    } else {
        Made::Valid
    };
    (text.into_bytes(), made)
}

fn value(random: &mut Random, levels: usize, out: &mut String) {
    match random.below(if levels == 0 { 4 } else { 10 }) {
        0..=3 => scalar(random, out),
        4..=6 => {
            out.push('[');
            whitespace(random, out);
            for index in 0..random.below(5) {
                separator(random, index, out);
                value(random, levels - 1, out);
                whitespace(random, out);
            }
            out.push(']');
        }
        _ => object(random, levels, out),
    }
}

fn object(random: &mut Random, levels: usize, out: &mut String) {
    let keys: BTreeSet<Vec<char>> = (0..random.below(8))
        .map(|_| characters(random, 4))
        .collect();
    let mut keys: Vec<Vec<char>> = keys.into_iter().collect();
    for index in (1..keys.len()).rev() {
        keys.swap(index, random.below(index + 1));
    }
    out.push('{');
    whitespace(random, out);
    for (index, key) in keys.iter().enumerate() {
        separator(random, index, out);
        string(random, key, out);
        whitespace(random, out);
        out.push(':');
        whitespace(random, out);
        value(random, levels - 1, out);
        whitespace(random, out);
    }
    out.push('}');
}

fn separator(random: &mut Random, index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
        whitespace(random, out);
    }
}

fn whitespace(random: &mut Random, out: &mut String) {
    if random.once_in(3) {
        for _ in 0..=random.below(3) {
            out.push(random.pick(&[' ', '\n', '\t', '\r']));
        }
    }
}

fn scalar(random: &mut Random, out: &mut String) {
    match random.below(10) {
        0 => out.push_str(random.pick(&["null", "true", "false", "[]", "{}", "\"\""])),
        1 | 2 => integer(random, out),
        3..=6 => double(random, out),
        _ => {
            let length = random.pick(&[3, 8, 9, 17, 40]);
            let characters = characters(random, length);
            string(random, &characters, out);
        }
    }
}

fn digits(random: &mut Random, count: usize, out: &mut String) {
    for _ in 0..count {
        out.push(char::from(b'0' + random.below(10) as u8));
    }
}

fn integer(random: &mut Random, out: &mut String) {
    if random.once_in(3) {
        out.push('-');
    }
    match random.below(8) {
        0 => out.push('0'),
        1 => {
            let edge = random.pick(&[1_u128 << 31, 1 << 53, 1 << 63, 1 << 64, 1 << 127]);
            out.push_str(&(edge - 3 + random.below(6) as u128).to_string());
        }
        2 => {
            out.push('7');
            let count = random.pick(&[16, 17, 18, 19, 20, 38, 39, 300]);
            digits(random, count, out);
        }
        3 if random.once_in(20) => {
            out.push('9');
            digits(random, 4_299, out);
        }
        _ => out.push_str(&(random.next() >> random.below(64)).to_string()),
    }
}

fn double(random: &mut Random, out: &mut String) {
    match random.below(12) {
        // Any bits, as the shortest text, with 17 digits or with more than enough.
        0..=2 => loop {
            let value = f64::from_bits(random.next());
            if value.is_finite() {
                let text = match random.below(3) {
                    0 => format!("{value:e}"),
                    1 => format!("{value:.16e}"),
                    _ => format!("{value:.30E}"),
                };
                return out.push_str(&text);
            }
        },
        // Around the places where the form of the text changes.
        3 | 4 => {
            let exponent = random.pick(&[-5, -4, -3, -1, 0, 1, 15, 16, 17, 21, 22, 23]);
            let mantissa = random.pick(&[
                "1",
                "9.999999999999999",
                "1.5",
                "-1",
                "-9.9999999999999999",
                "1.00",
            ]);
            out.push_str(&format!("{mantissa}e{exponent}"));
        }
        // Subnormals, the smallest, and what underflows.
        5 => {
            if random.once_in(2) {
                out.push('-');
            }
            out.push(char::from(b'1' + random.below(9) as u8));
            out.push('.');
            let count = 1 + random.below(20);
            digits(random, count, out);
            out.push_str(&format!("e-{}", 300 + random.below(30)));
        }
        // Zeros of every form.
        6 => out.push_str(random.pick(&[
            "0.0",
            "-0.0",
            "0e0",
            "-0e0",
            "0E+5",
            "-0.000e-999999",
            "0.0e99999999999999999999",
            "-1e-400",
        ])),
        // Half way between two doubles, and just beside it.
        7 => {
            let value = (1_u64 << 53) + 2 * (random.next() >> 12) + 1;
            out.push_str(&value.to_string());
            out.push_str(random.pick(&[".0", ".00000000000000000000000001", "e0", "0e-1"]));
        }
        // Half way between two shortest decimals.
        8 if random.once_in(2) => {
            let power = random.below(60) as i32 - 40;
            let odd = (random.next() >> (11 + random.below(4))) | 1;
            out.push_str(&format!("{:e}", odd as f64 * 2_f64.powi(power)));
        }
        // Many digits.
        8 => {
            out.push_str("0.");
            let zeros = random.below(30);
            out.extend(std::iter::repeat_n('0', zeros));
            let count = random.pick(&[15, 16, 17, 18, 19, 20, 40, 770, 900]);
            digits(random, count, out);
        }
        // What people write.
        9 | 10 => {
            out.push_str(&(random.next() >> (40 + random.below(24))).to_string());
            out.push('.');
            let count = 1 + random.below(6);
            digits(random, count, out);
        }
        // An exponent of either case and sign, with zeros before it.
        _ => {
            out.push(char::from(b'1' + random.below(9) as u8));
            out.push_str(random.pick(&["e", "E"]));
            out.push_str(random.pick(&["", "+", "-"]));
            out.push_str(random.pick(&["", "0", "000"]));
            out.push_str(&random.below(308).to_string());
        }
    }
}

/// Draws up to `most` characters; keys of few characters collide in their beginnings, which tries the sorting.
fn characters(random: &mut Random, most: usize) -> Vec<char> {
    (0..random.below(most + 1))
        .map(|_| character(random))
        .collect()
}

fn character(random: &mut Random) -> char {
    let (first, last) = random.pick(&[
        (0x61, 0x63),
        (0x20, 0x7e),
        (0x20, 0x7e),
        (0x00, 0x1f),
        (0x22, 0x22),
        (0x5c, 0x5c),
        (0x2f, 0x2f),
        (0x7f, 0xa0),
        (0xa1, 0x7ff),
        (0x300, 0x36f),
        (0x800, 0xd7ff),
        (0x2028, 0x2029),
        (0xe000, 0xffff),
        (0xfdd0, 0xfdef),
        (0xfeff, 0xfeff),
        (0x1_0000, 0x1_0003),
        (0x1_f600, 0x1_f64f),
        (0x1_0000, 0x10_ffff),
    ]);
    char::from_u32(first + random.below((last - first + 1) as usize) as u32).unwrap()
}

/// Writes a string; every character in one of the ways in which it can be written.
fn string(random: &mut Random, characters: &[char], out: &mut String) {
    let escapes_much = random.once_in(3);
    out.push('"');
    for &character in characters {
        let must_escape = character < ' ' || character == '"' || character == '\\';
        if must_escape && random.once_in(2) || character == '/' && random.once_in(2) {
            let short = match character {
                '"' => "\\\"",
                '\\' => "\\\\",
                '/' => "\\/",
                '\u{8}' => "\\b",
                '\u{c}' => "\\f",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ => "",
            };
            if !short.is_empty() {
                out.push_str(short);
                continue;
            }
        }
        if must_escape || escapes_much && random.once_in(2) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&match random.below(2) {
                    0 => format!("\\u{unit:04x}"),
                    _ => format!("\\u{unit:04X}"),
                });
            }
        } else {
            out.push(character);
        }
    }
    out.push('"');
}
