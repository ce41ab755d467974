//! The lines that a search found, within its limits.

use orket_kernel::canonical::Value;
use orket_kernel::object;

use super::cut;

/// The most lines that are shown.
pub(super) const MATCHES_MAX: usize = 200;

/// The most bytes that are shown of a line.
pub(super) const LINE_MAX_BYTES: usize = 400;

/// The most bytes of a file that is searched.
pub(super) const FILE_MAX_BYTES: usize = 1024 * 1024;

/// The most bytes that are searched in all.
pub(super) const SEARCH_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The most files that are searched.
pub(super) const FILES_MAX: usize = 2000;

/// The most files whose skipping is told one by one.
const SKIPPED_MAX: usize = 50;

/// How many bytes of a long line are shown before the first occurrence.
const BEFORE_BYTES: usize = 80;

/// What is looked for: a text, and whether the case of A to Z counts. Looking for it takes time in proportion to the line.
#[derive(Clone)]
pub(super) struct Needle {
    text: String,
    ignore_case: bool,
}

impl Needle {
    pub(super) fn new(text: &str, ignore_case: bool) -> Needle {
        let text = if ignore_case {
            text.to_ascii_lowercase()
        } else {
            text.to_owned()
        };
        Needle { text, ignore_case }
    }

    /// Returns where the text begins in a line.
    fn find(&self, line: &str) -> Option<usize> {
        if self.ignore_case {
            // It changes no length, so the place is the same in the line itself.
            line.to_ascii_lowercase().find(&self.text)
        } else {
            line.find(&self.text)
        }
    }
}

/// The lines found so far, and what was left out.
pub(super) struct Matches {
    needle: Needle,
    shown: Vec<Value>,
    found: usize,
    files: usize,
    /// Files that were searched or skipped.
    passed: usize,
    files_total: usize,
    bytes: u64,
    is_full: bool,
    skipped: Vec<(String, String)>,
}

impl Matches {
    /// Begins a search in so many files.
    pub(super) fn new(needle: Needle, files_total: usize) -> Matches {
        Matches {
            needle,
            shown: Vec::new(),
            found: 0,
            files: 0,
            passed: 0,
            files_total,
            bytes: 0,
            is_full: false,
            skipped: Vec::new(),
        }
    }

    /// Tells whether nothing more is searched.
    pub(super) fn is_full(&self) -> bool {
        self.is_full || self.passed >= FILES_MAX
    }

    /// Tells whether a file of this length is searched, and notes it if not.
    pub(super) fn admits(&mut self, path: &str, length_bytes: u64) -> bool {
        if length_bytes > FILE_MAX_BYTES as u64 {
            self.skip(path, &format!("it is longer than {FILE_MAX_BYTES} bytes"));
            return false;
        }
        if self.bytes + length_bytes > SEARCH_MAX_BYTES {
            self.is_full = true;
            return false;
        }
        true
    }

    /// Passes over a file.
    pub(super) fn skip(&mut self, path: &str, why: &str) {
        self.passed += 1;
        self.note(path, why);
    }

    /// Notes a place that was not looked into; it is none of the files.
    pub(super) fn note(&mut self, path: &str, why: &str) {
        self.skipped.push((path.to_owned(), why.to_owned()));
    }

    /// Searches one file.
    pub(super) fn look(&mut self, path: &str, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        let content = match std::str::from_utf8(bytes) {
            Ok(content) if !content.contains('\0') => content,
            _ => return self.skip(path, "it is not a text"),
        };
        self.files += 1;
        self.passed += 1;
        for (number, line) in (1_u64..).zip(content.split('\n')) {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let Some(start) = self.needle.find(line) else {
                continue;
            };
            self.found += 1;
            if self.shown.len() < MATCHES_MAX {
                self.shown.push(shown(path, number, line, start));
            }
        }
    }

    /// Returns what the model is told.
    pub(super) fn into_value(mut self) -> Value {
        self.skipped.sort();
        let mut cuts = Vec::new();
        if self.found > self.shown.len() {
            let cut = cut::statement(self.shown.len(), self.found, "lines");
            cuts.push(Value::from(cut));
        }
        if self.passed < self.files_total {
            cuts.push(Value::from(format!(
                "{} of {} files were not searched; name a smaller directory",
                self.files_total - self.passed,
                self.files_total
            )));
        }
        if self.skipped.len() > SKIPPED_MAX {
            let cut = cut::statement(SKIPPED_MAX, self.skipped.len(), "skipped files");
            cuts.push(Value::from(cut));
        }
        let skipped: Vec<Value> = self
            .skipped
            .into_iter()
            .take(SKIPPED_MAX)
            .map(|(path, why)| object! { "path" => path, "why" => why })
            .collect();
        let mut told = object! { "matches" => self.shown, "files" => self.files as u64 };
        if let Value::Object(members) = &mut told {
            for (name, list) in [("skipped", skipped), ("cut", cuts)] {
                if !list.is_empty() {
                    members.insert(name.to_owned(), Value::from(list));
                }
            }
        }
        told
    }
}

/// Returns a line as it is shown: whole if it is short, else the part around its first occurrence.
fn shown(path: &str, number: u64, line: &str, start: usize) -> Value {
    if line.len() <= LINE_MAX_BYTES {
        return object! { "path" => path, "line" => number, "text" => line };
    }
    let mut from = start.saturating_sub(BEFORE_BYTES);
    while !line.is_char_boundary(from) {
        from -= 1;
    }
    let part = cut::head(line.get(from..).unwrap_or_default(), LINE_MAX_BYTES);
    let cut = format!(
        "bytes {} to {} of {} are shown",
        from + 1,
        from + part.len(),
        line.len()
    );
    object! { "path" => path, "line" => number, "text" => part, "cut" => cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(needle: &str, ignore_case: bool, files: &[(&str, &[u8])]) -> String {
        let mut matches = Matches::new(Needle::new(needle, ignore_case), files.len());
        for (path, bytes) in files {
            if !matches.is_full() && matches.admits(path, bytes.len() as u64) {
                matches.look(path, bytes);
            }
        }
        matches.into_value().to_string()
    }

    #[test]
    fn lines_are_found_literally_and_in_order() {
        let one = b"a.b\naxb\r\nA.B\n";
        for (needle, ignore_case, expected) in [
            (
                "a.b",
                false,
                r#"{"files":1,"matches":[{"line":1,"path":"f","text":"a.b"}]}"#,
            ),
            (
                "a.b",
                true,
                r#"{"files":1,"matches":[{"line":1,"path":"f","text":"a.b"},{"line":3,"path":"f","text":"A.B"}]}"#,
            ),
            (
                "xb",
                false,
                r#"{"files":1,"matches":[{"line":2,"path":"f","text":"axb"}]}"#,
            ),
            (".*", false, r#"{"files":1,"matches":[]}"#),
        ] {
            assert_eq!(
                search(needle, ignore_case, &[("f", one)]),
                expected,
                "{needle}"
            );
        }
    }

    #[test]
    fn what_is_not_a_text_is_skipped_and_said_so() {
        let files: [(&str, &[u8]); 4] = [("a", b"x\0x"), ("b", b"\xff x"), ("c", b"x"), ("d", b"")];
        assert_eq!(
            search("x", false, &files),
            r#"{"files":2,"matches":[{"line":1,"path":"c","text":"x"}],"skipped":[{"path":"a","why":"it is not a text"},{"path":"b","why":"it is not a text"}]}"#
        );
    }

    #[test]
    fn a_long_line_is_shown_around_its_first_occurrence() {
        let line = format!("{}needle{}", "é".repeat(500), "z".repeat(900));
        let told = search("needle", false, &[("f", line.as_bytes())]);
        // 1000 bytes stand before it; 80 of them are shown, and 400 in all: 40 é, the needle, 314 z.
        let text = format!("{}needle{}", "é".repeat(40), "z".repeat(314));
        assert_eq!(
            told,
            format!(
                r#"{{"files":1,"matches":[{{"cut":"bytes 921 to 1320 of 1906 are shown","line":1,"path":"f","text":"{}"}}]}}"#,
                text
            )
        );
        let just = "y".repeat(LINE_MAX_BYTES);
        assert!(!search("y", false, &[("f", just.as_bytes())]).contains("cut"));
    }

    #[test]
    fn the_limits_hold_and_are_told() {
        let at = "x\n".repeat(MATCHES_MAX);
        assert!(!search("x", false, &[("f", at.as_bytes())]).contains("cut"));
        let over = "x\n".repeat(MATCHES_MAX + 1);
        let told = search("x", false, &[("f", over.as_bytes())]);
        assert!(
            told.contains("the first 200 of 201 lines are shown"),
            "{told}"
        );

        let long = vec![b'x'; FILE_MAX_BYTES + 1];
        let told = search("x", false, &[("f", &long)]);
        assert!(told.contains("it is longer than 1048576 bytes"), "{told}");
        assert!(search("x", false, &[("f", &long[1..])]).contains(r#""line":1"#));

        let file = vec![b' '; FILE_MAX_BYTES];
        let files: Vec<(&str, &[u8])> = vec![("f", &file); 18];
        let told = search("x", false, &files);
        assert!(told.contains("2 of 18 files were not searched"), "{told}");
        assert!(!search("x", false, &files[..16]).contains("cut"));

        let files: Vec<(&str, &[u8])> = vec![("f", b""); FILES_MAX + 3];
        let told = search("x", false, &files);
        assert!(told.contains("3 of 2003 files were not searched"), "{told}");

        let files: Vec<(&str, &[u8])> = vec![("f", b"\0"); SKIPPED_MAX + 1];
        let told = search("x", false, &files);
        assert!(
            told.contains("the first 50 of 51 skipped files are shown"),
            "{told}"
        );
    }
}
