//! Fenced blocks and inline code.

use super::walk::Walk;

/// A fenced block in which calls may stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fence {
    mark: u8,
    length: usize,
    /// Where it begins.
    pub(super) start: usize,
    /// Where its content begins.
    content: usize,
    /// How many calls were found before.
    pub(super) calls: usize,
}

impl Fence {
    /// Returns the line that closes it.
    pub(super) fn closing(&self) -> String {
        char::from(self.mark).to_string().repeat(self.length.min(8))
    }
}

/// The languages whose blocks may hold calls; the blocks of all others are source code.
const CALLABLE: [&str; 15] = [
    "",
    "json",
    "jsonc",
    "json5",
    "jsonl",
    "tool",
    "tools",
    "tool_call",
    "tool_calls",
    "tool_code",
    "function",
    "function_call",
    "action",
    "xml",
    "call",
];

impl Walk<'_> {
    /// Reads what begins with backticks or tildes.
    pub(super) fn ticks(&mut self) {
        let start = self.at;
        let Some(mark) = self.byte(start) else { return };
        let length = self.run_length(start, mark);
        if let Some(fence) = self.fence {
            if self.closes_fence(start) {
                let end = start + length;
                self.fence = None;
                if self.report.calls.len() > fence.calls {
                    self.fence_removed(&fence, start, end);
                }
                self.at = end;
                self.after_call = true;
            } else {
                self.prose(length);
            }
            return;
        }
        if length >= 3 && self.opens_fence(start, mark, length) {
            return;
        }
        if mark == b'~' || length >= 3 {
            self.prose(length);
            return;
        }
        self.inline_code(start, length);
    }

    /// Tells whether the fence that is open ends at `at`.
    pub(super) fn closes_fence(&self, at: usize) -> bool {
        let Some(fence) = self.fence else {
            return false;
        };
        self.fresh && self.run_length(at, fence.mark) >= fence.length
    }

    fn run_length(&self, at: usize, mark: u8) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default().iter();
        rest.take_while(|byte| **byte == mark).count()
    }

    fn opens_fence(&mut self, start: usize, mark: u8, length: usize) -> bool {
        let info = start + length;
        let rest = self.bytes.get(info..).unwrap_or_default().iter();
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_+-.#".contains(byte);
        let word_length = rest.take_while(is_word).count();
        let word = self.text.get(info..info + word_length).unwrap_or_default();
        let after = self.skip_blanks(info + word_length);
        let content = match self.byte(after) {
            None | Some(b'\n') => after,
            Some(b'{' | b'[' | b'<') => after,
            // Attributes; a line with a backtick is inline code.
            Some(_) if self.fresh => {
                let line = self.line_end(after);
                let attributes = self.bytes.get(after..line).unwrap_or_default();
                if attributes.contains(&mark) {
                    return false;
                }
                line
            }
            Some(_) => return false,
        };
        if mark == b'~' && !self.fresh {
            return false;
        }
        if CALLABLE
            .iter()
            .any(|known| known.eq_ignore_ascii_case(word))
        {
            self.fence = Some(Fence {
                mark,
                length,
                start,
                content,
                calls: self.report.calls.len(),
            });
            self.fresh = true;
            self.after_call = false;
            self.at = content;
        } else {
            self.at = self.source_end(content, mark, length);
            self.fresh = false;
            self.after_call = false;
        }
        true
    }

    fn line_end(&self, at: usize) -> usize {
        self.text_from(at)
            .find('\n')
            .map_or(self.bytes.len(), |length| at + length)
    }

    /// Returns where a block of source code ends: behind the line that closes it, or with the text.
    fn source_end(&self, content: usize, mark: u8, length: usize) -> usize {
        let mut line = self.line_end(content);
        while line < self.bytes.len() {
            let begin = self.skip_blanks(line + 1);
            let run = self.run_length(begin, mark);
            let end = self.line_end(begin + run);
            if run >= length && self.skip_blanks(begin + run) >= end {
                return end;
            }
            line = end;
        }
        self.bytes.len()
    }

    /// Goes over inline code, which is prose.
    fn inline_code(&mut self, start: usize, length: usize) {
        let inside = start + length;
        if self.fresh && matches!(self.byte(inside), Some(b'{' | b'[')) {
            // A whole line of code may have been meant as a call; what follows it will tell.
            self.at = inside;
            return;
        }
        let known = self.no_ticks.get(length).copied().unwrap_or_default();
        if inside < known {
            self.prose(length);
            return;
        }
        let mut at = inside;
        loop {
            match self.byte(at) {
                None | Some(b'\n') => break,
                Some(b'`') => {
                    let run = self.run_length(at, b'`');
                    at += run;
                    if run == length {
                        self.prose(at - start);
                        return;
                    }
                }
                Some(_) => at += 1,
            }
        }
        if let Some(known) = self.no_ticks.get_mut(length) {
            *known = at;
        }
        self.prose(length);
    }

    /// Takes a fence out of the prose if nothing but calls stood in it.
    pub(super) fn fence_removed(&mut self, fence: &Fence, content_end: usize, end: usize) {
        let mut from = fence.content;
        let mut is_empty = true;
        let inside = self.report.removed.iter().rev();
        let inside: Vec<(usize, usize)> = inside
            .take_while(|part| part.0 >= fence.start)
            .copied()
            .collect();
        for part in inside.iter().rev() {
            is_empty &= self.is_blank(from, part.0);
            from = part.1;
        }
        if is_empty && self.is_blank(from, content_end) {
            self.report.remove(fence.start, end);
        }
    }

    fn is_blank(&self, from: usize, to: usize) -> bool {
        let part = self.bytes.get(from..to).unwrap_or_default();
        part.iter()
            .all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b';'))
    }
}
