//! Rust source as words and punctuation with line numbers; comments and literals left out.
//!
//! It is no parser: enough to ask "is this name used outside comments and strings", which a search by line gets wrong.

use std::iter::Peekable;
use std::str::CharIndices;

/// A word (identifier, keyword, number) or one punctuation mark; `::` is one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// The tokens of a source text, comments and literals left out.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut scanner = Scanner {
        source,
        chars: source.char_indices().peekable(),
        line: 1,
        found: Vec::new(),
    };
    scanner.scan();
    scanner.found
}

/// The names of the functions with the attribute `#[test]`, also inside macros such as `proptest!`.
pub(crate) fn test_functions(source: &str) -> Vec<&str> {
    let words: Vec<&str> = tokens(source).iter().map(|token| token.text).collect();
    let mut names = Vec::new();
    let mut is_test = false;
    for (at, word) in words.iter().enumerate() {
        let rest = words.get(at..).unwrap_or_default();
        match (*word, rest) {
            ("{" | "}" | ";", _) => is_test = false,
            ("#", ["#", "[", "test", "]", ..]) => is_test = true,
            ("fn", ["fn", name, ..]) if is_test => names.push(*name),
            _ => {}
        }
    }
    names
}

struct Scanner<'a> {
    source: &'a str,
    chars: Peekable<CharIndices<'a>>,
    line: usize,
    found: Vec<Token<'a>>,
}

impl<'a> Scanner<'a> {
    fn scan(&mut self) {
        while let Some((start, c)) = self.next() {
            let rest = self.source.get(start..).unwrap_or_default();
            if c.is_whitespace() {
                continue;
            } else if rest.starts_with("//") {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.next();
                }
            } else if rest.starts_with("/*") {
                self.block_comment();
            } else if c == '"' {
                self.string();
            } else if c == '\'' {
                self.char_or_lifetime(rest);
            } else if c == '_' || c.is_alphanumeric() {
                self.word(start);
            } else if rest.starts_with("::") {
                self.next();
                self.push(start, 2);
            } else {
                self.push(start, c.len_utf8());
            }
        }
    }

    fn next(&mut self) -> Option<(usize, char)> {
        let next = self.chars.next();
        if let Some((_, '\n')) = next {
            self.line += 1;
        }
        next
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|&(_, c)| c)
    }

    fn push(&mut self, start: usize, len: usize) {
        let text = self.source.get(start..start + len).unwrap_or_default();
        self.found.push(Token {
            text,
            line: self.line,
        });
    }

    fn block_comment(&mut self) {
        self.next();
        let mut depth = 1_usize;
        while depth > 0 {
            match (self.next(), self.peek()) {
                (Some((_, '/')), Some('*')) => {
                    self.next();
                    depth += 1;
                }
                (Some((_, '*')), Some('/')) => {
                    self.next();
                    depth -= 1;
                }
                (Some(_), _) => {}
                (None, _) => return,
            }
        }
    }

    /// The rest of a string after its opening quote.
    fn string(&mut self) {
        while let Some((_, c)) = self.next() {
            match c {
                '\\' => {
                    self.next();
                }
                '"' => return,
                _ => {}
            }
        }
    }

    /// The rest of a raw string; the next character is its first `#` or its opening quote.
    fn raw_string(&mut self) {
        let mut hashes = 0;
        while self.peek() == Some('#') {
            self.next();
            hashes += 1;
        }
        self.next();
        let end = format!("\"{}", "#".repeat(hashes));
        while let Some((at, _)) = self.next() {
            if self
                .source
                .get(at..)
                .is_some_and(|rest| rest.starts_with(&end))
            {
                for _ in 0..hashes {
                    self.next();
                }
                return;
            }
        }
    }

    /// After a `'`: `'a'`, `'\n'` and `'\u{1}'` are characters, `'a` is a lifetime. Neither is a token.
    fn char_or_lifetime(&mut self, rest: &str) {
        let mut ahead = rest.chars().skip(1);
        let (first, second) = (ahead.next(), ahead.next());
        if first == Some('\\') {
            self.next();
            self.next();
            while let Some((_, c)) = self.next() {
                if c == '\'' {
                    return;
                }
            }
        } else if second == Some('\'') {
            self.next();
            self.next();
        } else {
            while self.peek().is_some_and(|c| c == '_' || c.is_alphanumeric()) {
                self.next();
            }
        }
    }

    /// A word, or the literal that `r`, `b`, `br`, `c`, `cr` may begin.
    fn word(&mut self, start: usize) {
        while self.peek().is_some_and(|c| c == '_' || c.is_alphanumeric()) {
            self.next();
        }
        let end = self.chars.peek().map_or(self.source.len(), |&(at, _)| at);
        let text = self.source.get(start..end).unwrap_or_default();
        let rest = self.source.get(end..).unwrap_or_default();
        match text {
            "r" | "br" | "cr" if rest.trim_start_matches('#').starts_with('"') => self.raw_string(),
            "b" | "c" if rest.starts_with('"') => {
                self.next();
                self.string();
            }
            "b" if rest.starts_with('\'') => {
                self.next();
                self.char_or_lifetime(rest);
            }
            // `r#name` is the word `name`: the `#` is dropped, the word follows by itself.
            "r" if rest.starts_with('#') => {
                self.next();
            }
            _ => self.found.push(Token {
                text,
                line: self.line,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<(&str, usize)> {
        tokens(source)
            .into_iter()
            .map(|token| (token.text, token.line))
            .collect()
    }

    #[test]
    fn comments_are_left_out() {
        assert_eq!(
            words("a // b\n/* c /* d */ e */ f\n//! g\n/// h\ni"),
            [("a", 1), ("f", 2), ("i", 5)]
        );
    }

    #[test]
    fn literals_are_left_out_and_lines_stay_right() {
        let source = "a \"x // \\\" y\nz\" b r#\"q \" \" r\n\"# c b\"s\" b'\\'' 'x' '\\u{1}' '\"' d<'e> r#f cr\"g\" r\"h\" i";
        assert_eq!(
            words(source),
            [
                ("a", 1),
                ("b", 2),
                ("c", 3),
                ("d", 3),
                ("<", 3),
                (">", 3),
                ("f", 3),
                ("i", 3)
            ]
        );
    }

    #[test]
    fn paths_keep_their_separator() {
        assert_eq!(
            words("std::fs;"),
            [("std", 1), ("::", 1), ("fs", 1), (";", 1)]
        );
    }

    #[test]
    fn only_functions_with_the_attribute_are_tests() {
        let source = "#[test]\n#[cfg(unix)]\nfn a() { fn inner() {} }\n#[cfg(test)]\nfn b() {}\nfn c() {}\n\
            proptest! {\n #![config(x())]\n /// Words.\n #[test]\n fn d(e in f()) {} }\n// #[test] fn g() {}\n";
        assert_eq!(test_functions(source), ["a", "d"]);
    }

    #[test]
    fn unfinished_text_ends_the_scan() {
        for source in ["\"a", "/* a", "r#\"a", "'\\", "b'", "r", "'"] {
            assert!(tokens(source).len() <= 1, "{source}");
        }
    }
}
