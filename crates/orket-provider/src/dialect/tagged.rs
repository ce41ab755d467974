//! Calls as JSON between two marks.

use orket_ports::dialect::{RepairKind, Unreadable};

use super::extent::{Extent, extent};
use super::mark::{self, Mark};
use super::value::Read;
use super::walk::{Walk, is_name};

impl<'a> Walk<'a> {
    /// Reads calls between marks; `false` if the mark is prose.
    pub(super) fn tagged(&mut self, mark: Mark<'a>) -> bool {
        let start = self.at;
        let mut at = self.skip_space(start + mark.opening.len());
        if self.text_from(at).starts_with("```") {
            let word = self.text_from(at + 3).bytes();
            at = self.skip_space(at + 3 + word.take_while(|byte| is_name(*byte)).count());
        }
        match self.byte(at) {
            Some(b'{' | b'[') => {}
            Some(b'<') => {
                self.at = at;
                if self.function_tag(Some((start, mark))) {
                    return true;
                }
                // Calls may stand in a list of their own.
                if mark::opening(self.dialect, self.text_from(at)).is_some() {
                    self.report.remove(start, at);
                    return true;
                }
                self.at = start;
                return false;
            }
            None if self.fresh => {
                let message = format!("the answer ends behind {}", mark.opening);
                self.refuse(Unreadable::Truncated, start, message, None);
                self.at = self.bytes.len();
                return true;
            }
            _ if self.fresh => {
                let message = format!("what stands behind {} is no JSON", mark.opening);
                self.refuse(Unreadable::UnknownForm, start, message, None);
                self.prose(mark.opening.len());
                return true;
            }
            _ => return false,
        }
        let mut values = Vec::new();
        let mut repairs = Vec::new();
        loop {
            let (reached, seen) = extent(self.bytes, at, &self.offered);
            let end = match reached {
                Extent::Whole { end } => end,
                Extent::Broken {
                    at: place,
                    expected,
                } => {
                    self.broken(place, expected);
                    self.at = place.max(at + 1);
                    self.fresh = false;
                    return true;
                }
                Extent::Cut => {
                    let message = "the answer ends within this call".to_owned();
                    self.refuse(Unreadable::Truncated, start, message, None);
                    self.at = self.bytes.len();
                    return true;
                }
            };
            let told = self.report.refusals.len();
            match self.drafts(at, end, &seen, true) {
                Some(drafts) => values.push(Read {
                    start: at,
                    end,
                    seen,
                    drafts,
                }),
                None if told == self.report.refusals.len() => {
                    let message = format!("the JSON behind {} is no call", mark.opening);
                    self.refuse(Unreadable::UnknownForm, at, message, None);
                }
                None => {}
            }
            at = end;
            if mark.closing.is_empty() || self.report.is_full() {
                break;
            }
            let mut next = self.skip_space(end);
            if self.byte(next) == Some(b',') {
                next = self.skip_space(next + 1);
            }
            if self.text_from(next).starts_with("```") {
                next = self.skip_space(next + 3);
            }
            if self.text_from(next).starts_with(mark.closing) {
                at = next + mark.closing.len();
                break;
            }
            if !matches!(self.byte(next), Some(b'{' | b'[')) {
                repairs.push(RepairKind::ClosingMissing);
                break;
            }
            at = next;
        }
        if !mark::is_own(self.dialect, mark) {
            repairs.push(RepairKind::OtherForm);
        }
        let mut taken = false;
        for read in values {
            taken |= self.take(read, &repairs);
        }
        if taken {
            self.report.remove(start, at);
        }
        self.at = at;
        self.after_call = true;
        true
    }
}
