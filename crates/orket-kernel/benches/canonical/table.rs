//! What was measured, as a table.

use std::fmt::Write;
use std::time::Duration;

/// The best time of a contestant so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct Best(Option<Duration>);

impl Best {
    pub(crate) fn keep(&mut self, time: Duration) {
        self.0 = Some(self.0.map_or(time, |best| best.min(time)));
    }

    fn seconds(self) -> Option<f64> {
        self.0.map(|time| time.as_secs_f64())
    }
}

/// The contestants on one document.
pub(crate) struct Row {
    name: String,
    bytes: usize,
    pub(crate) raw: Best,
    pub(crate) from_bytes: Best,
    pub(crate) from_value: Best,
    pub(crate) parse: Best,
    pub(crate) serde_json: Best,
    pub(crate) serde_jcs: Best,
    pub(crate) python: Best,
}

impl Row {
    pub(crate) fn new(name: String, bytes: usize) -> Row {
        Row {
            name,
            bytes,
            raw: Best::default(),
            from_bytes: Best::default(),
            from_value: Best::default(),
            parse: Best::default(),
            serde_json: Best::default(),
            serde_jcs: Best::default(),
            python: Best::default(),
        }
    }

    fn rate(&self, best: Best) -> String {
        match best.seconds() {
            Some(seconds) => format!("{:.0}", self.bytes as f64 / seconds / 1e6),
            None => "-".to_owned(),
        }
    }

    /// How many times faster `best` is than `other`.
    fn ratio(best: Best, other: Best) -> String {
        match (best.seconds(), other.seconds()) {
            (Some(best), Some(other)) if other < best => format!("{:.2}", other / best),
            (Some(best), Some(other)) => format!("{:.1}", other / best),
            _ => "-".to_owned(),
        }
    }
}

const HEAD: &str = "\
| Document | SHA-256 | bytes to digest | value to digest | bytes to value | `serde_json` | `serde_jcs` | CPython \
| bytes / SHA-256 | value / SHA-256 | `serde_jcs` / SHA-256 | bytes / `serde_json` | bytes / `serde_jcs` | bytes / CPython |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
";

/// Lays the rows out as a Markdown table: MB/s of the text that came in, then ratios of speeds.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(HEAD);
    for row in rows {
        let rates = [
            row.raw,
            row.from_bytes,
            row.from_value,
            row.parse,
            row.serde_json,
            row.serde_jcs,
            row.python,
        ]
        .map(|best| row.rate(best));
        let ratios = [
            Row::ratio(row.from_bytes, row.raw),
            Row::ratio(row.from_value, row.raw),
            Row::ratio(row.serde_jcs, row.raw),
            Row::ratio(row.from_bytes, row.serde_json),
            Row::ratio(row.from_bytes, row.serde_jcs),
            Row::ratio(row.from_bytes, row.python),
        ];
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            row.name,
            rates.join(" | "),
            ratios.join(" | ")
        );
    }
    text
}
