//! JSON values on the way: which are calls, which are prose, and which were meant as calls and are none.

use orket_kernel::canonical::{self, Limits};
use orket_ports::dialect::{CallForm, RepairKind, Unreadable};

use super::extent::{DEPTH_MAX, Extent, Seen, extent};
use super::mark;
use super::mend::mend;
use super::report::{Found, Mended, excerpt, excerpts};
use super::shape::{self, Draft, Drafts};
use super::walk::{Walk, is_name};
use super::write;

/// What models write when their turn ends, and servers fail to take away.
const TURN_ENDS: [&str; 4] = ["<|", "</s>", "<eos>", "<end_of_turn>"];

/// What stands behind a value on its line.
enum Tail {
    /// Nothing that makes it part of a sentence.
    Alone,
    /// The mark after a call, which ends at this byte.
    Closing(usize),
    /// Words.
    Sentence,
}

/// A value that was read.
pub(super) struct Read {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) seen: Seen,
    pub(super) drafts: Drafts,
}

impl<'a> Walk<'a> {
    /// Reads the value that may begin here.
    pub(super) fn value(&mut self) {
        let start = self.at;
        if !self.may_begin(start) {
            self.prose(1);
            return;
        }
        let (reached, seen) = extent(self.bytes, start, &self.offered);
        let end = match reached {
            Extent::Whole { end } => end,
            Extent::Broken { at, expected } => {
                if seen.was_meant_as_call() && self.fresh {
                    self.broken(at, expected);
                    self.at = at.max(start + 1);
                    self.fresh = false;
                } else {
                    self.go_on_after(at.max(start + 1), &seen);
                }
                return;
            }
            Extent::Cut => {
                if seen.might_have_become_call() && self.fresh {
                    let message = "the answer ends within this call".to_owned();
                    self.refuse(Unreadable::Truncated, start, message, None);
                    self.at = self.bytes.len();
                } else {
                    self.go_on_after(self.bytes.len(), &seen);
                }
                return;
            }
        };
        if !seen.may_be_call() {
            self.prose(end - start);
            return;
        }
        let is_alone = self.fresh;
        let Some(drafts) = self.drafts(start, end, &seen, is_alone) else {
            self.prose(end - start);
            return;
        };
        let meant = drafts.iter().find_map(|draft| match draft {
            Ok(draft) => Some(draft.name.clone()),
            Err(fault) => fault.tool.clone(),
        });
        let tail = if is_alone {
            self.tail(end)
        } else {
            Tail::Sentence
        };
        let mut repairs = Vec::new();
        let mut after = end;
        match tail {
            Tail::Sentence => {
                if let Some(tool) = meant {
                    let message = format!(
                        "a call of {tool} stands in one line with other text, and it cannot be told whether it is meant"
                    );
                    self.refuse(Unreadable::InSentence, start, message, Some(&tool));
                }
                self.prose(end - start);
                return;
            }
            Tail::Closing(end) => {
                repairs.push(RepairKind::OpeningMissing);
                after = end;
            }
            Tail::Alone => {}
        }
        let is_own = match (&self.dialect.form, self.fence) {
            (CallForm::FencedJson, Some(_)) | (CallForm::BareJson, None) => true,
            // The mark before the call is what is missing, and nothing else.
            (CallForm::TaggedJson(_), _) => after > end,
            _ => false,
        };
        if !is_own {
            repairs.push(RepairKind::OtherForm);
        }
        let read = Read {
            start,
            end,
            seen,
            drafts,
        };
        if self.take(read, &repairs) {
            self.report.remove(start, after);
        }
        self.at = after;
        self.after_call = true;
    }

    /// Tells whether a call may begin here, and tells of what looks like one and is none.
    fn may_begin(&mut self, start: usize) -> bool {
        let next = self.skip_space(start + 1);
        let is_prose_line = self.fresh && self.fence.is_none();
        match (self.byte(start), self.byte(next)) {
            (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{')) => true,
            (Some(b'{'), Some(b'\'')) => {
                if self.fresh {
                    self.single_quotes(start, next);
                }
                false
            }
            (Some(b'['), Some(byte)) if is_prose_line && is_name(byte) => {
                self.code_call(next);
                false
            }
            _ => false,
        }
    }

    /// A call in single quotation marks is told, but not read.
    fn single_quotes(&mut self, start: usize, quote: usize) {
        let quoted = |text: &'a str| {
            let text = text.strip_prefix('\'')?;
            let length = text.bytes().take_while(|byte| is_name(*byte)).count();
            let rest = text.get(length..)?.strip_prefix('\'')?;
            Some((text.get(..length)?, rest.trim_start_matches(' ')))
        };
        let named = quoted(self.text_from(quote)).and_then(|(key, rest)| {
            let (name, _) = quoted(rest.strip_prefix(':')?.trim_start_matches(' '))?;
            matches!(key, "name" | "tool" | "function" | "action").then_some(name)
        });
        if let Some(name) = named.filter(|name| self.offered.has(name)) {
            let message =
                "JSON has double quotation marks, and this call has single ones".to_owned();
            self.refuse(Unreadable::NotJson, start, message, Some(name));
        }
    }

    /// Goes on behind something that is prose; if a quotation mark may have been misread, from the next line.
    fn go_on_after(&mut self, end: usize, seen: &Seen) {
        match seen.raw_line {
            Some(line) if line < end && end - line <= self.reread => {
                self.reread -= end - line;
                self.at = line;
            }
            _ => self.at = end,
        }
        self.fresh = false;
        self.after_call = false;
    }

    pub(super) fn broken(&mut self, at: usize, expected: &str) {
        let found: String = self.text_from(at).chars().take(1).collect();
        let message = format!(
            "the JSON of this call breaks off: {expected} should stand where {found:?} stands; inside a string a quotation \
             mark is written \\\" and a line feed \\n"
        );
        self.refuse(Unreadable::NotJson, at, message, None);
    }

    /// Reads a whole value; `None` if it is prose.
    pub(super) fn drafts(
        &mut self,
        start: usize,
        end: usize,
        seen: &Seen,
        is_alone: bool,
    ) -> Option<Drafts> {
        let text = self.text.get(start..end).unwrap_or_default();
        let mended = mend(text, seen);
        let limits = Limits {
            max_depth: DEPTH_MAX as usize,
            ..Limits::default()
        };
        let value = match canonical::parse_with(mended.as_bytes(), &limits) {
            Ok(value) => value,
            Err(error) => {
                if is_alone && seen.was_meant_as_call() {
                    let exact = if seen.needs_mending() {
                        0
                    } else {
                        error.byte_offset.min(text.len())
                    };
                    let message = format!("the JSON of this call is not valid: {error}");
                    self.refuse(Unreadable::NotJson, start + exact, message, None);
                }
                return None;
            }
        };
        let drafts = shape::drafts(&value, self.dialect, &self.offered);
        if drafts.is_none() && is_alone && shape::holds_call(&value, self.dialect, &self.offered) {
            let message =
                "a call lies inside another JSON value, and it cannot be told whether it is meant";
            self.refuse(Unreadable::NestedCall, start, message.to_owned(), None);
        }
        drafts
    }

    fn tail(&self, end: usize) -> Tail {
        let at = self.skip_blanks(end);
        match self.byte(at) {
            None | Some(b'\n' | b'{' | b'[') => Tail::Alone,
            Some(b',' | b';') => {
                let next = self.byte(self.skip_blanks(at + 1));
                if matches!(next, None | Some(b'\n' | b'{' | b'[' | b'<')) {
                    Tail::Alone
                } else {
                    Tail::Sentence
                }
            }
            Some(b'`' | b'~') if self.closes_fence(at) => Tail::Alone,
            Some(b'<') => {
                let rest = self.text_from(at);
                let thought = self.dialect.thinking.iter();
                let mut thought = thought.flat_map(|it| [&it.opening, &it.closing]);
                if let Some(closing) = mark::closing(self.dialect, rest) {
                    Tail::Closing(at + closing.len())
                } else if mark::opening(self.dialect, rest).is_some()
                    || thought.any(|mark| rest.starts_with(mark.as_str()))
                    || TURN_ENDS.iter().any(|end| rest.starts_with(end))
                {
                    Tail::Alone
                } else {
                    Tail::Sentence
                }
            }
            Some(_) => Tail::Sentence,
        }
    }

    /// Takes the calls of a value, each with what was put right, and tells whether there was one; what is refused stays
    /// in the prose.
    pub(super) fn take(&mut self, read: Read, surroundings: &[RepairKind]) -> bool {
        let text = self.text.get(read.start..read.end).unwrap_or_default();
        let mut mended = Vec::new();
        for (kind, is_needed) in [
            (RepairKind::ControlCharacter, read.seen.control),
            (RepairKind::TrailingComma, read.seen.trailing_comma),
            (RepairKind::EscapedApostrophe, read.seen.apostrophe),
        ] {
            if is_needed {
                mended.push(kind);
            }
        }
        let mut taken = false;
        // What the text says is digested once, whatever number of calls it holds.
        let mut written = None;
        for draft in read.drafts {
            match draft {
                Ok(draft) => {
                    let kinds: Vec<RepairKind> =
                        surroundings.iter().chain(&draft.repairs).copied().collect();
                    let all = kinds.iter().chain(&mended);
                    let forbidden: Vec<RepairKind> = all
                        .filter(|kind| self.dialect.forbidden_repairs.contains(kind))
                        .copied()
                        .collect();
                    if !forbidden.is_empty() {
                        self.forbidden(&forbidden, read.start, Some(&draft.name));
                        continue;
                    }
                    if !kinds.is_empty() {
                        let before = written.get_or_insert_with(|| excerpt(text)).clone();
                        let after = write::json(self.dialect, &draft.name, &draft.arguments);
                        let after = excerpt(&after);
                        self.report.repairs.extend(kinds.iter().map(|kind| Mended {
                            kind: *kind,
                            start: read.start,
                            before: before.clone(),
                            after: after.clone(),
                        }));
                    }
                    self.call(read.start, draft);
                    taken = true;
                }
                Err(fault) => {
                    let tool = fault.tool.as_deref();
                    if fault.reason == Unreadable::UnknownTool {
                        let message = self.offered.unknown(&fault.message);
                        let instead = format!("call one of {}", self.offered.names());
                        self.report
                            .refuse(fault.reason, read.start, message, instead);
                    } else {
                        self.refuse(fault.reason, read.start, fault.message, tool);
                    }
                }
            }
            if self.report.is_full() {
                return taken;
            }
        }
        if taken && !mended.is_empty() {
            let right = mend(text, &read.seen);
            let (before, after) = excerpts(text, &right);
            self.report
                .repairs
                .extend(mended.into_iter().map(|kind| Mended {
                    kind,
                    start: read.start,
                    before: before.clone(),
                    after: after.clone(),
                }));
        }
        taken
    }

    pub(super) fn call(&mut self, start: usize, draft: Draft) {
        self.report.calls.push(Found {
            start,
            name: draft.name,
            arguments: draft.arguments,
        });
    }
}
