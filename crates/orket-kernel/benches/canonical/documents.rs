//! The documents that are measured: lists of records, written as `json.dumps` writes them when nobody asks for more.
//!
//! One space follows each comma and colon and keys stand in the order in which a program would name them, so that
//! every document has to be rewritten: none is canonical as it comes.

use std::fmt::Write;

use super::random::Random;

/// A document and what the table calls it.
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Makes one record of a document.
type Record = fn(&mut Random) -> String;

const SIZES: [(&str, usize); 3] = [("1 KB", 1_000), ("100 KB", 100_000), ("10 MB", 10_000_000)];

/// Makes every document in every size.
pub(crate) fn all() -> Vec<Document> {
    let kinds: [(&str, Record); 4] = [
        ("text, ASCII", |random| text(random, ASCII)),
        ("text, multilingual", |random| text(random, MULTILINGUAL)),
        ("numbers", numbers),
        ("mixed objects", mixed),
    ];
    let of_kind = |(kind, record): (&str, Record)| {
        SIZES.map(|(size, bytes)| Document {
            name: format!("{kind}, {size}"),
            text: list(bytes, record),
        })
    };
    kinds.into_iter().flat_map(of_kind).collect()
}

fn list(bytes: usize, record: Record) -> String {
    let mut random = Random::new(0x0eca_0010);
    let mut text = format!(
        "{{\"version\": \"v1\", \"records\": [{}",
        record(&mut random)
    );
    while text.len() < bytes {
        text.push_str(", ");
        text.push_str(&record(&mut random));
    }
    text.push_str("]}");
    text
}

const ASCII: &[&str] = &[
    "the",
    "turn",
    "reads",
    "what",
    "was",
    "committed",
    "and",
    "writes",
    "only",
    "where",
    "it",
    "may",
    "a",
    "card",
    "moves",
    "from",
    "ready",
    "to",
    "done",
    "when",
    "every",
    "check",
    "holds",
    "or",
    "else",
    "nothing",
    "is",
    "kept",
    "of",
    "all",
    "that",
    "has",
    "been",
    "staged",
    "so",
    "far",
    "by",
    "any",
    "agent",
    "under",
    "this",
    "run",
    "while",
    "its",
    "digest",
    "stays",
    "for",
    "good",
    "orchestrator",
    "reconciliation",
    "\\n",
    "\\\"quoted\\\"",
];

const MULTILINGUAL: &[&str] = &[
    "рукопись",
    "не",
    "горит",
    "и",
    "карточка",
    "готова",
    "η",
    "ψυχή",
    "πάντα",
    "ῥεῖ",
    "道可道",
    "非常道",
    "名可名",
    "ひらがな",
    "カタカナ",
    "漢字",
    "العربية",
    "من",
    "اليمين",
    "über",
    "größer",
    "façade",
    "🎼",
    "👩‍🚀",
    "and",
    "the",
];

/// A record whose bulk is prose.
fn text(random: &mut Random, words: &[&str]) -> String {
    let mut prose = |count: usize| {
        let words: Vec<&str> = (0..count).map(|_| random.pick(words)).collect();
        words.join(" ")
    };
    format!(
        r#"{{"title": "{}", "summary": "{}", "body": "{}", "author": "{}"}}"#,
        prose(6),
        prose(25),
        prose(90),
        prose(2)
    )
}

/// A record of measurements: one third integers, one third short decimals, one third doubles in full length.
fn numbers(random: &mut Random) -> String {
    let mut text = String::from("[");
    for index in 0..12 {
        let separator = if index == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = match index % 3 {
            0 => write!(text, "{separator}{}", random.below(1_000_000)),
            1 => write!(
                text,
                "{separator}{:?}",
                random.below(1_000_000) as f64 / 1000.0
            ),
            _ => write!(text, "{separator}{:?}", random.fraction() * 100.0),
        };
    }
    text.push(']');
    text
}

/// A record as services exchange them: many short members of all kinds.
fn mixed(random: &mut Random) -> String {
    format!(
        concat!(
            r#"{{"id": {}, "name": "{} {}", "active": {}, "score": {:?}, "tags": ["{}", "{}", "{}"], "#,
            r#""parent": null, "place": {{"latitude": {:?}, "longitude": {:?}, "label": "{}"}}, "created_at": "{}"}}"#
        ),
        random.below(1_000_000),
        random.pick(ASCII),
        random.pick(ASCII),
        random.below(2) == 0,
        random.below(1000) as f64 / 10.0,
        random.pick(ASCII),
        random.pick(MULTILINGUAL),
        random.pick(ASCII),
        random.below(180_000_000) as f64 / 1e6 - 90.0,
        random.below(360_000_000) as f64 / 1e6 - 180.0,
        random.pick(MULTILINGUAL),
        "2026-03-01T12:34:56Z",
    )
}
