//! Views of a text in which an encoding is undone, with the place in the text for every byte.
//!
//! An encoding that leaves characters a choice (`%2f` or `%2F`, `/` or `\/` or `\u002f`) gives a secret more forms than can
//! be listed; here it is undone, and the secret is looked for in what comes out.

/// How many encodings are undone one after the other: JSON in a JSON string, line ends in it, percent in percent.
pub(crate) const DEPTH: usize = 2;

/// An encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `%2F` is a byte.
    Percent,
    /// `\n`, `\"`, `\u00e9` are characters.
    Json,
    /// Line ends are nothing: base64 and hex are broken into lines.
    Lines,
}

impl Encoding {
    pub(crate) const ALL: [Encoding; 3] = [Encoding::Percent, Encoding::Json, Encoding::Lines];

    /// Tells whether undoing the encoding could change anything.
    fn occurs(self, bytes: &[u8]) -> bool {
        match self {
            Encoding::Percent => bytes.contains(&b'%'),
            Encoding::Json => bytes.contains(&b'\\'),
            Encoding::Lines => bytes.contains(&b'\n') || bytes.contains(&b'\r'),
        }
    }
}

/// A text in which encodings are undone.
pub(crate) struct View {
    pub(crate) bytes: Vec<u8>,
    /// Where in the text the unit begins that each byte came from.
    starts: Vec<usize>,
    /// Where it ends.
    ends: Vec<usize>,
    /// Where a unit begins that the text may not hold whole yet.
    cut: Option<usize>,
}

/// What stands at the beginning of some bytes.
enum Unit {
    /// So many bytes stand for these, of which so many count.
    Is(usize, [u8; 4], usize),
    /// Nothing yet: the rest is missing.
    Cut,
}

impl View {
    /// Returns the text as it is.
    pub(crate) fn plain(text: &[u8]) -> View {
        View {
            bytes: text.to_vec(),
            starts: (0..text.len()).collect(),
            ends: (1..=text.len()).collect(),
            cut: None,
        }
    }

    /// Undoes an encoding; `None` if it does not occur. What could be the beginning of a unit stays out, unless the text
    /// `is_whole`.
    pub(crate) fn undo(&self, encoding: Encoding, is_whole: bool) -> Option<View> {
        if !encoding.occurs(&self.bytes) {
            return None;
        }
        let mut view = View {
            bytes: Vec::with_capacity(self.bytes.len()),
            starts: Vec::with_capacity(self.bytes.len()),
            ends: Vec::with_capacity(self.bytes.len()),
            cut: self.cut,
        };
        let mut at = 0;
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (taken, bytes, count) = match unit(encoding, rest) {
                Unit::Is(taken, bytes, count) => (taken, bytes, count),
                Unit::Cut if is_whole => (1, [rest.first().copied().unwrap_or(0), 0, 0, 0], 1),
                Unit::Cut => {
                    view.cut = self.starts.get(at).copied();
                    break;
                }
            };
            let start = self.starts.get(at).copied().unwrap_or(0);
            let end = self.ends.get(at + taken - 1).copied().unwrap_or(start);
            for byte in bytes.iter().take(count) {
                view.bytes.push(*byte);
                view.starts.push(start);
                view.ends.push(end);
            }
            at += taken;
        }
        Some(view)
    }

    /// Returns the place in the text of some bytes of the view.
    pub(crate) fn place(&self, start: usize, end: usize) -> (usize, usize) {
        let from = self.starts.get(start).copied().unwrap_or(0);
        let to = end.checked_sub(1).and_then(|last| self.ends.get(last));
        (from, to.copied().unwrap_or(from))
    }

    /// Returns where a unit begins that the text may not hold whole yet.
    pub(crate) fn cut(&self) -> Option<usize> {
        self.cut
    }

    /// Moves a place in the text that is inside a unit to its beginning.
    pub(crate) fn before_unit(&self, place: usize) -> usize {
        let begun = self.starts.partition_point(|start| *start < place);
        let Some(last) = begun.checked_sub(1) else {
            return place;
        };
        match (self.starts.get(last), self.ends.get(last)) {
            (Some(start), Some(end)) if *end > place => *start,
            _ => place,
        }
    }
}

fn unit(encoding: Encoding, rest: &[u8]) -> Unit {
    let first = rest.first().copied().unwrap_or(0);
    let itself = Unit::Is(1, [first, 0, 0, 0], 1);
    match (encoding, first) {
        (Encoding::Percent, b'%') => match hex(rest.get(1..).unwrap_or_default(), 2) {
            Hex::Is(byte) => Unit::Is(3, [byte as u8, 0, 0, 0], 1),
            Hex::Cut => Unit::Cut,
            Hex::No => itself,
        },
        (Encoding::Json, b'\\') => escape(rest).unwrap_or(itself),
        (Encoding::Lines, b'\n' | b'\r') => Unit::Is(1, [0; 4], 0),
        _ => itself,
    }
}

/// Reads a JSON escape.
fn escape(rest: &[u8]) -> Option<Unit> {
    let Some(letter) = rest.get(1) else {
        return Some(Unit::Cut);
    };
    let byte = match letter {
        b'"' | b'\\' | b'/' => *letter,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return character(rest),
        _ => return None,
    };
    Some(Unit::Is(2, [byte, 0, 0, 0], 1))
}

/// Reads `\u00e9`, or two of them that stand for one character.
fn character(rest: &[u8]) -> Option<Unit> {
    let high = match hex(rest.get(2..).unwrap_or_default(), 4) {
        Hex::Is(number) => number,
        Hex::Cut => return Some(Unit::Cut),
        Hex::No => return None,
    };
    let (taken, number) = if (0xd800..0xdc00).contains(&high) {
        let second = rest.get(6..).unwrap_or_default();
        if second.len() < 2 && b"\\u".starts_with(second) {
            return Some(Unit::Cut);
        }
        match hex(second.strip_prefix(b"\\u")?, 4) {
            Hex::Is(low @ 0xdc00..0xe000) => {
                (12, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            }
            Hex::Cut => return Some(Unit::Cut),
            _ => return None,
        }
    } else {
        (6, high)
    };
    let character = char::from_u32(number)?;
    let mut bytes = [0; 4];
    let count = character.encode_utf8(&mut bytes).len();
    Some(Unit::Is(taken, bytes, count))
}

enum Hex {
    Is(u32),
    /// There are fewer digits, and nothing behind them.
    Cut,
    No,
}

fn hex(rest: &[u8], digits: usize) -> Hex {
    let mut number = 0;
    for at in 0..digits {
        let Some(byte) = rest.get(at) else {
            return Hex::Cut;
        };
        let Some(digit) = char::from(*byte).to_digit(16) else {
            return Hex::No;
        };
        number = number << 4 | digit;
    }
    Hex::Is(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(text: &str, encodings: &[Encoding], is_whole: bool) -> (String, Option<usize>) {
        let mut view = View::plain(text.as_bytes());
        for encoding in encodings {
            view = view.undo(*encoding, is_whole).unwrap();
        }
        (
            String::from_utf8_lossy(&view.bytes).into_owned(),
            view.cut(),
        )
    }

    #[test]
    fn encodings_are_undone() {
        use Encoding::*;
        let cases: &[(&str, &[Encoding], &str, &str)] = &[
            ("percent", &[Percent], "a%2Fb%2fc", "a/b/c"),
            (
                "percent that is none",
                &[Percent],
                "5 % of %zz%",
                "5 % of %zz%",
            ),
            ("a character in percent", &[Percent], "%c3%A9", "é"),
            ("percent twice", &[Percent, Percent], "%2541", "A"),
            (
                "escapes",
                &[Json],
                r#"\"\\\/\b\f\n\r\t"#,
                "\"\\/\u{8}\u{c}\n\r\t",
            ),
            ("numbers", &[Json], r"\u0041\u00e9\u20AC", "Aé€"),
            ("two for one character", &[Json], r"\ud83d\uDE00", "😀"),
            ("half of two", &[Json], r"\ud83dx", r"\ud83dx"),
            ("no escape", &[Json], r"C:\data\xyz", r"C:\data\xyz"),
            ("json in json", &[Json, Json], r#"\\\"\\u0041"#, "\"A"),
            ("lines", &[Lines], "ab\r\ncd\n", "abcd"),
            ("lines in json", &[Json, Lines], r"ab\ncd", "abcd"),
        ];
        for (name, encodings, text, expected) in cases {
            assert_eq!(undone(text, encodings, true).0, *expected, "{name}");
        }
    }

    #[test]
    fn what_could_be_cut_is_left_out_until_it_is_known() {
        use Encoding::*;
        for (encoding, text, seen, cut) in [
            (Percent, "ab%", "ab", 2),
            (Percent, "ab%4", "ab", 2),
            (Json, r"ab\", "ab", 2),
            (Json, r"ab\u", "ab", 2),
            (Json, r"ab\u00e", "ab", 2),
            (Json, r"ab\ud83d", "ab", 2),
            (Json, r"ab\ud83d\", "ab", 2),
            (Json, r"ab\ud83d\ude0", "ab", 2),
        ] {
            let (bytes, at) = undone(text, &[encoding], false);
            assert_eq!((bytes.as_str(), at), (seen, Some(cut)), "{text}");
            assert_eq!(undone(text, &[encoding], true).0, text);
        }
        assert_eq!(undone(r"ab\\", &[Json], false), (r"ab\".into(), None));
    }

    #[test]
    fn each_byte_knows_its_place() {
        let view = View::plain(br"x\\u0041y")
            .undo(Encoding::Json, true)
            .unwrap();
        let view = view.undo(Encoding::Json, true).unwrap();
        assert_eq!(view.bytes, b"xAy");
        assert_eq!(view.place(1, 2), (1, 8));
        assert_eq!(view.place(0, 3), (0, 9));
        for inside in 2..8 {
            assert_eq!(view.before_unit(inside), 1, "{inside}");
        }
        for border in [0, 1, 8, 9] {
            assert_eq!(view.before_unit(border), border);
        }
    }
}
