//! Finding the line of a place in a JSON text.

use orket_kernel::{Pointer, canonical};

/// Returns the line of a byte, counted from 1.
pub(super) fn of_offset(text: &[u8], offset: usize) -> usize {
    let before = text.iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// Returns the line where the value at `pointer` begins, counted from 1; if it is not there, that of the nearest value
/// around it. The text must be valid JSON.
pub(super) fn of_pointer(text: &[u8], pointer: &Pointer) -> usize {
    let mut reader = Reader { text, at: 0 };
    reader.skip_blanks();
    for token in pointer.as_str().split('/').skip(1) {
        let key = token.replace("~1", "/").replace("~0", "~");
        let start = reader.at;
        if !reader.enter(&key) {
            reader.at = start;
            break;
        }
    }
    of_offset(text, reader.at)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Moves to the member or element `key` of the value that begins here.
    fn enter(&mut self, key: &str) -> bool {
        let is_object = match self.peek() {
            Some(b'{') => true,
            Some(b'[') => false,
            _ => return false,
        };
        let mut index = 0_usize;
        loop {
            // The bracket or the comma.
            self.at += 1;
            self.skip_blanks();
            if matches!(self.peek(), None | Some(b'}' | b']')) {
                return false;
            }
            let is_it = if is_object {
                let start = self.at;
                self.skip_value();
                let name = self.text.get(start..self.at).unwrap_or_default();
                let is_it = canonical::parse(name).is_ok_and(|it| it.as_str() == Some(key));
                self.skip_blanks();
                // The colon.
                self.at += 1;
                self.skip_blanks();
                is_it
            } else {
                index.to_string() == key
            };
            if is_it {
                return true;
            }
            self.skip_value();
            self.skip_blanks();
            if self.peek() != Some(b',') {
                return false;
            }
            index += 1;
        }
    }

    /// Moves behind the value that begins here.
    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_text(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' | b':' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ if depth == 0 && byte.is_ascii_whitespace() => return,
                _ => self.at += 1,
            }
            let has_ended = depth == 0 && matches!(byte, b'"' | b'}' | b']');
            if has_ended {
                return;
            }
        }
    }

    fn skip_text(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += match byte {
                b'\\' => 2,
                _ => 1,
            };
            if byte == b'"' {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
{
  "a": [1, {"x}": "]\"{"},
    true,
    [
    ]
  ], "b/c~":
    {"d": 1e5,
     "e": null, "e\u0066":
       "last"}
}"#;

    #[test]
    fn a_pointer_leads_to_the_line_of_its_value() {
        for (pointer, line) in [
            ("", 2),
            ("/a", 3),
            ("/a/0", 3),
            ("/a/1", 3),
            ("/a/1/x}", 3),
            ("/a/2", 4),
            ("/a/3", 5),
            ("/b~1c~0", 8),
            ("/b~1c~0/d", 8),
            ("/b~1c~0/e", 9),
            ("/b~1c~0/ef", 10),
        ] {
            let pointer = Pointer::parse(pointer).unwrap();
            assert_eq!(of_pointer(TEXT.as_bytes(), &pointer), line, "{pointer}");
        }
    }

    #[test]
    fn a_place_that_is_not_there_has_the_line_of_what_is_around_it() {
        for (pointer, line) in [
            ("/z", 2),
            ("/a/9", 3),
            ("/a/2/x", 4),
            ("/a/3/0", 5),
            ("/b~1c~0/z", 8),
            ("/b~1c~0/d/e", 8),
        ] {
            let pointer = Pointer::parse(pointer).unwrap();
            assert_eq!(of_pointer(TEXT.as_bytes(), &pointer), line, "{pointer}");
        }
        assert_eq!(of_pointer(b"", &Pointer::root().key("a")), 1);
    }
}
