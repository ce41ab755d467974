//! The way through a text: what stands alone, what stands in a sentence, what stands in a fence.
//!
//! Each byte is looked at a fixed number of times. Where a value turns out to be none, the way goes on behind the place
//! that broke it; where a quotation mark may have been misread, from the next line, as often as `reread` allows.

use orket_ports::dialect::{Brackets, Dialect, RepairKind, Unreadable};

use super::fence::Fence;
use super::function_tag;
use super::mark;
use super::offered::Offered;
use super::report::{Mended, Report, excerpt};
use super::write;

/// The way through one text.
pub(super) struct Walk<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) dialect: &'a Dialect,
    pub(super) offered: Offered<'a>,
    pub(super) at: usize,
    /// Only blanks, calls and what separates them were seen on this line.
    pub(super) fresh: bool,
    /// A call was just read, so that a comma separates it from the next.
    pub(super) after_call: bool,
    pub(super) fence: Option<Fence>,
    pub(super) report: Report,
    /// How many bytes may still be looked at again.
    pub(super) reread: usize,
    /// Up to where it is known that no single or double backtick closes.
    pub(super) no_ticks: [usize; 3],
    /// Calls were dropped, for they turned out to be reasoning.
    pub(super) dropped: Option<usize>,
    /// Where reasoning ended last that never began.
    unopened: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(text: &'a str, dialect: &'a Dialect, offered: Offered<'a>) -> Walk<'a> {
        Walk {
            text,
            bytes: text.as_bytes(),
            dialect,
            offered,
            at: 0,
            fresh: true,
            after_call: false,
            fence: None,
            report: Report::default(),
            reread: text.len(),
            no_ticks: [0; 3],
            dropped: None,
            unopened: 0,
        }
    }

    /// Goes to the end.
    pub(super) fn run(mut self) -> Report {
        if self.rest().starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        while self.at < self.bytes.len() && !self.report.is_full() {
            self.step();
        }
        if self.unopened > 0 {
            let part = self.text.get(..self.unopened).unwrap_or_default();
            self.left_out(RepairKind::UnopenedThinking, 0, part);
        }
        if !self.report.is_full() {
            self.end();
        }
        self.report
    }

    fn step(&mut self) {
        if !self.fresh {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let next = rest.iter().position(|byte| SPECIAL[usize::from(*byte)]);
            self.at += next.unwrap_or(rest.len());
        }
        match self.byte(self.at) {
            None => {}
            Some(b'\n') => {
                self.fresh = true;
                self.at += 1;
            }
            Some(b' ' | b'\t' | b'\r') => self.at += 1,
            Some(b',' | b';') if self.fresh && self.after_call => {
                self.report.remove(self.at, self.at + 1);
                self.at += 1;
            }
            Some(b'`' | b'~') => self.ticks(),
            Some(b'<' | b'[') if self.marked() => {}
            Some(b'{' | b'[') => self.value(),
            Some(b'<') => self.prose(1),
            Some(_) => {
                if self.fresh && self.fence.is_none() {
                    self.word();
                }
                self.prose(1);
            }
        }
    }

    /// Goes over bytes that are prose.
    pub(super) fn prose(&mut self, bytes: usize) {
        self.fresh = false;
        self.after_call = false;
        self.at += bytes;
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text_from(self.at)
    }

    pub(super) fn text_from(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    /// Returns the first place from `at` on that is no blank and no line end.
    pub(super) fn skip_space(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default().iter();
        at + rest
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .count()
    }

    /// Returns the first place from `at` on that is no blank.
    pub(super) fn skip_blanks(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default().iter();
        at + rest
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
            .count()
    }

    /// Refuses, and says how a call of `tool` is written.
    pub(super) fn refuse(
        &mut self,
        reason: Unreadable,
        start: usize,
        message: String,
        tool: Option<&str>,
    ) {
        let instead = write::hint(self.dialect, tool);
        self.report.refuse(reason, start, message, instead);
    }

    /// Reads a mark, if one stands here.
    fn marked(&mut self) -> bool {
        let rest = self.rest();
        let closing = |brackets: &&Brackets| rest.starts_with(&brackets.closing);
        if let Some(brackets) = self.dialect.thinking.iter().find(closing) {
            self.unopened_thinking(brackets.closing.len());
            return true;
        }
        if self.fresh && self.fence.is_none() {
            let opening = |brackets: &&Brackets| rest.starts_with(&brackets.opening);
            if let Some(brackets) = self.dialect.thinking.iter().find(opening) {
                self.thinking(brackets);
                return true;
            }
        }
        if let Some(mark) = mark::opening(self.dialect, rest) {
            return self.tagged(mark);
        }
        if self.function_tag(None) {
            return true;
        }
        if let Some(closing) = mark::closing(self.dialect, rest) {
            // It closes nothing, and says nothing.
            self.report.remove(self.at, self.at + closing.len());
            self.at += closing.len();
            return true;
        }
        if self.fresh && self.fence.is_none() {
            self.tool_tag();
        }
        false
    }

    fn thinking(&mut self, brackets: &Brackets) {
        let start = self.at;
        let inside = start + brackets.opening.len();
        match self.text_from(inside).find(&brackets.closing) {
            Some(length) => {
                self.at = inside + length + brackets.closing.len();
                self.report.remove(start, self.at);
            }
            None => {
                self.at = self.bytes.len();
                self.report.remove(start, self.at);
                if self.report.calls.is_empty() {
                    self.dropped = Some(start);
                }
                let part = self.text_from(start);
                self.left_out(RepairKind::UnclosedThinking, start, part);
            }
        }
    }

    /// All before was reasoning: what was found in it is dropped.
    fn unopened_thinking(&mut self, closing_bytes: usize) {
        let end = self.at + closing_bytes;
        if !self.report.calls.is_empty() || !self.report.refusals.is_empty() {
            self.dropped = Some(0);
        }
        self.report.calls.clear();
        self.report.repairs.clear();
        self.report.refusals.clear();
        self.report.remove(0, end);
        self.fence = None;
        self.at = end;
        self.unopened = end;
    }

    fn left_out(&mut self, kind: RepairKind, start: usize, part: &str) {
        if self.dialect.forbidden_repairs.contains(&kind) {
            self.forbidden(&[kind], start, None);
            return;
        }
        self.report.repairs.push(Mended {
            kind,
            start,
            before: excerpt(part),
            after: excerpt(""),
        });
    }

    /// Refuses what would have to be repaired against the dialect.
    pub(super) fn forbidden(&mut self, kinds: &[RepairKind], start: usize, tool: Option<&str>) {
        let kinds: Vec<&str> = kinds.iter().map(|kind| fault(*kind)).collect();
        let message = format!(
            "{}; the dialect forbids to put that right",
            kinds.join(", ")
        );
        self.refuse(Unreadable::ForbiddenRepair, start, message, tool);
    }

    /// A tag that is named like a tool is told, but not read.
    fn tool_tag(&mut self) {
        let name = self.text_from(self.at + 1);
        let length = name.bytes().take_while(|byte| is_name(*byte)).count();
        let name = name.get(..length).unwrap_or_default();
        if self.byte(self.at + 1 + length) == Some(b'>') && self.offered.has(name) {
            let message = format!("<{name}> is a tag, and no call of {name}");
            self.refuse(Unreadable::UnknownForm, self.at, message, Some(name));
        }
    }

    /// A line that begins like code or a script that calls a tool is told, but not read.
    fn word(&mut self) {
        let rest = self.rest();
        for script in ["TOOL:", "Action:", "Tool:"] {
            if let Some(name) = rest.strip_prefix(script) {
                let name = name.trim_start_matches(' ');
                let length = name.bytes().take_while(|byte| is_name(*byte)).count();
                let name = name.get(..length).unwrap_or_default();
                if self.offered.has(name) {
                    let message = format!("a line with {script} is no call of {name}");
                    self.refuse(Unreadable::UnknownForm, self.at, message, Some(name));
                }
            }
        }
        self.code_call(self.at);
    }

    /// Code that calls a tool at `start`.
    pub(super) fn code_call(&mut self, start: usize) {
        let name = self.text_from(start);
        let length = name.bytes().take_while(|byte| is_name(*byte)).count();
        let name = name.get(..length).unwrap_or_default();
        if self.byte(start + length) == Some(b'(') && self.offered.has(name) {
            let message = format!("{name}(…) is code, and no call of {name}");
            self.refuse(Unreadable::UnknownForm, start, message, Some(name));
        }
    }

    /// A mark that the end of the answer cuts is told: a call would have followed.
    fn cut_mark(&mut self) {
        let line = self.text.rfind('\n').map_or(0, |at| at + 1);
        let removed = self.report.removed.last().map_or(0, |part| part.1);
        let start = self.skip_blanks(line.max(removed));
        let rest = self.text_from(start).trim_end();
        if mark::is_cut(self.dialect, rest) || function_tag::is_cut(rest) {
            let message = "the answer ends within the mark of a call".to_owned();
            self.refuse(Unreadable::Truncated, start, message, None);
        }
    }

    fn end(&mut self) {
        self.cut_mark();
        if let Some(fence) = self.fence.take()
            && self.report.calls.len() > fence.calls
        {
            let kind = RepairKind::ClosingMissing;
            if self.dialect.forbidden_repairs.contains(&kind) {
                self.forbidden(&[kind], fence.start, None);
            } else {
                let part = self.text_from(fence.start);
                self.report.repairs.push(Mended {
                    kind,
                    start: fence.start,
                    before: excerpt(part),
                    after: excerpt(&format!("{part}\n{}", fence.closing())),
                });
                self.fence_removed(&fence, self.bytes.len(), self.bytes.len());
            }
        }
        if let Some(start) = self.dropped
            && self.report.calls.is_empty()
            && self.report.refusals.is_empty()
        {
            let message = "all that could be a call stands within the reasoning".to_owned();
            self.refuse(Unreadable::OnlyThinking, start, message, None);
        }
    }
}

/// Tells a fault that a repair puts right.
fn fault(kind: RepairKind) -> &'static str {
    match kind {
        RepairKind::OtherForm => "the call is not written in the form that was asked for",
        RepairKind::OtherMember => "the members of the call are named otherwise or wrapped",
        RepairKind::ExtraMember => "the call has members that are no part of it",
        RepairKind::ArgumentsAsText => "the arguments are a text and no object",
        RepairKind::ArgumentsMissing => "the call has no arguments",
        RepairKind::ControlCharacter => "a JSON string holds a raw line feed or control character",
        RepairKind::TrailingComma => "a comma stands before a closing bracket",
        RepairKind::EscapedApostrophe => "a JSON string holds \\'",
        RepairKind::OpeningMissing => "the mark before the call is missing",
        RepairKind::ClosingMissing => "the mark after the call is missing",
        RepairKind::UnclosedThinking => "the answer ends within its reasoning",
        RepairKind::UnopenedThinking => "the reasoning ends but never began",
        RepairKind::RepeatedCall => "a call is repeated",
    }
}

pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// What can change the meaning of prose in the middle of a line.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    special[b'\n' as usize] = true;
    special[b'`' as usize] = true;
    special[b'<' as usize] = true;
    special[b'[' as usize] = true;
    special[b'{' as usize] = true;
    special
};
