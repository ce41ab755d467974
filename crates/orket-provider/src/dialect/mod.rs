//! Dialects: how a family of models is shown its tools, and a reader of the calls it writes into its text.
//!
//! [`read`] is a pure function of a text, a [`Dialect`] and the tools that were offered. It gives the calls in their
//! order, what it put right ([`Repair`], each of which a dialect can forbid), and what it
//! refuses: where, what is wrong, and what to write instead.
//!
//! - A call stands alone: on lines of its own, in a fenced block of JSON, or between marks. One in the middle of a
//!   sentence is refused if it names an offered tool; one in inline code or in a block of source code is prose.
//! - Strings are respected: braces, fences, marks and quotation marks inside the text of a file mean nothing.
//! - Nothing is guessed: no tool that was not offered, no file name, no end of a call that is not there.
//! - JSON that is no call stays prose.
//!
//! [`write()`] is the way back: what it writes reads as the same calls, with nothing to put right. [`show`] is what the
//! model is told.
//!
//! # Limitations
//! An answer has at most 64 MiB, 256 calls and 64 JSON values inside each other; 32 refusals are told. Above that it is
//! refused. The time is linear in the length of the answer: each byte is looked at a fixed number of times, and what is
//! looked at again is counted against the length.

mod built_in;
mod check;
mod extent;
mod fence;
mod function_tag;
mod mark;
mod mend;
mod offered;
mod repetition;
mod report;
mod shape;
mod show;
mod tagged;
mod value;
mod walk;
mod write;

use orket_ports::dialect::{
    CallRefusal, Dialect, Place, ReadCall, Reading, Repair, RepairKind, Unreadable,
};
use orket_ports::model::ToolOffer;

pub use built_in::{built_in, built_in_names};
pub use check::{BadDialect, parse};
pub use show::{example, show};
pub use write::write;

use offered::Offered;
use report::{CALLS_MAX, Mended, REFUSALS_MAX, Refused, Report, excerpt};
use walk::Walk;

/// The longest answer that is read, in bytes.
pub const TEXT_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Reads the calls in the text of an answer.
///
/// ```
/// use orket_kernel::object;
/// use orket_ports::model::ToolOffer;
/// use orket_provider::dialect;
///
/// let tools = [ToolOffer {
///     name: "read_file".into(),
///     description: "Reads a file.".into(),
///     parameters: object! { "type" => "object" },
/// }];
/// let json = dialect::built_in("json").unwrap();
/// let answer = "First I look.\n```json\n{\"name\": \"read_file\", \"arguments\": {\"path\": \"a{.txt\"}}\n```\n";
/// let reading = dialect::read(&json, &tools, answer);
/// let calls = reading.understood().unwrap();
/// assert_eq!(calls[0].name, "read_file");
/// assert_eq!(reading.prose, "First I look.");
/// ```
pub fn read(dialect: &Dialect, tools: &[ToolOffer], text: &str) -> Reading {
    let report = if text.len() > TEXT_MAX_BYTES {
        let mut report = Report::default();
        let message = format!("the answer is longer than {TEXT_MAX_BYTES} bytes");
        report.refuse(Unreadable::TextTooLong, 0, message, SHORTER.to_owned());
        report
    } else {
        Walk::new(text, dialect, Offered::new(tools)).run()
    };
    reading(dialect, text, report)
}

const SHORTER: &str = "answer with less";

fn reading(dialect: &Dialect, text: &str, mut report: Report) -> Reading {
    bound(&mut report);
    let firsts = leave_out_repeated(dialect, &mut report);
    report.refusals.sort_by_key(|refusal| refusal.start);
    report
        .repairs
        .sort_by_key(|repair| (repair.start, repair.kind));
    let duplicates = repetition::duplicates(&firsts);
    let prose = prose(text, &report.removed);
    let mut starts: Vec<usize> = Vec::new();
    starts.extend(report.calls.iter().map(|call| call.start));
    starts.extend(report.repairs.iter().map(|repair| repair.start));
    starts.extend(report.refusals.iter().map(|refusal| refusal.start));
    let places = places(text, starts);
    let place = |start: usize| {
        let found = places.binary_search_by_key(&(start as u64), |place| place.byte);
        let found = found.ok().and_then(|index| places.get(index)).copied();
        found.unwrap_or(Place { byte: 0, line: 1 })
    };
    Reading {
        calls: report
            .calls
            .into_iter()
            .map(|call| ReadCall {
                name: call.name,
                arguments: call.arguments,
                place: place(call.start),
            })
            .collect(),
        duplicates,
        repairs: report
            .repairs
            .into_iter()
            .map(|repair| Repair {
                kind: repair.kind,
                place: place(repair.start),
                before: repair.before,
                after: repair.after,
            })
            .collect(),
        refusals: report
            .refusals
            .into_iter()
            .map(|refusal| CallRefusal {
                reason: refusal.reason,
                place: place(refusal.start),
                message: refusal.message,
                instead: refusal.instead,
            })
            .collect(),
        prose,
    }
}

/// Cuts what is too much, and says so.
fn bound(report: &mut Report) {
    if let Some(call) = report.calls.get(CALLS_MAX) {
        let start = call.start;
        report.calls.truncate(CALLS_MAX);
        let message = format!("the answer holds more than {CALLS_MAX} calls");
        report.refuse(Unreadable::TooManyCalls, start, message, SHORTER.to_owned());
    }
    if let Some(refusal) = report.refusals.get(REFUSALS_MAX) {
        let start = refusal.start;
        report.refusals.truncate(REFUSALS_MAX);
        let message = format!("there is more to refuse than these {REFUSALS_MAX}");
        let reason = Unreadable::TooManyRefusals;
        report.refuse(reason, start, message, SHORTER.to_owned());
    }
}

/// Leaves out the calls that only repeat; returns for each that is left the first that is equal to it.
fn leave_out_repeated(dialect: &Dialect, report: &mut Report) -> Vec<usize> {
    let firsts = repetition::firsts(&report.calls);
    let repeated = repetition::repeated(&firsts);
    if repeated.is_empty() {
        return firsts;
    }
    let kind = RepairKind::RepeatedCall;
    if dialect.forbidden_repairs.contains(&kind) {
        let calls = repeated.iter().filter_map(|place| report.calls.get(*place));
        let refusals: Vec<Refused> = calls
            .map(|call| Refused {
                reason: Unreadable::ForbiddenRepair,
                start: call.start,
                message: format!("this call of {} repeats one before it", call.name),
                instead: "write each call once".to_owned(),
            })
            .collect();
        report.refusals.extend(refusals);
        bound(report);
        return firsts;
    }
    let mut ordinal = 0;
    let mut repairs = Vec::new();
    report.calls.retain(|call| {
        let is_repeated = repeated.binary_search(&ordinal).is_ok();
        ordinal += 1;
        if is_repeated {
            repairs.push(Mended {
                kind,
                start: call.start,
                before: excerpt(&write::json(dialect, &call.name, &call.arguments)),
                after: excerpt(""),
            });
        }
        !is_repeated
    });
    report.repairs.extend(repairs);
    repetition::firsts(&report.calls)
}

/// What remains of a text without its removed parts, which are in order and apart.
fn prose(text: &str, removed: &[(usize, usize)]) -> String {
    let mut prose = String::new();
    let mut from = 0;
    for (start, end) in removed {
        prose.push_str(text.get(from..*start).unwrap_or_default());
        from = *end;
    }
    prose.push_str(text.get(from..).unwrap_or_default());
    prose.trim().to_owned()
}

/// Counts the lines up to each of some places, in one pass; the result is sorted by byte.
fn places(text: &str, mut starts: Vec<usize>) -> Vec<Place> {
    starts.sort_unstable();
    starts.dedup();
    let mut line = 1;
    let mut from = 0;
    let mut places = Vec::new();
    for start in starts {
        let part = text.as_bytes().get(from..start).unwrap_or_default();
        line += part.iter().filter(|byte| **byte == b'\n').count() as u64;
        from = start;
        places.push(Place {
            byte: start as u64,
            line,
        });
    }
    places
}
