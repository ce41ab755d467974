//! Progress for a person: plain lines, and on a terminal one line that lives.

use std::fmt::Write;
use std::io::IsTerminal;

use orket_kernel::canonical::Value;
use orket_ports::{Event, EventSink};

use super::{plain, say};

/// How much of the arriving text the living line shows.
const TAIL_CHARACTERS: usize = 50;

/// Tells a run on standard error.
pub(crate) struct Progress {
    is_live: bool,
    has_colour: bool,
    pieces: u64,
    /// The end of the text that arrived.
    tail: String,
    live_line: String,
}

impl Progress {
    /// Lives if standard error is a terminal; coloured if it may be.
    pub(crate) fn new(no_colour: bool) -> Progress {
        let is_live = std::io::stderr().is_terminal();
        Progress {
            is_live,
            has_colour: is_live && !no_colour,
            pieces: 0,
            tail: String::new(),
            live_line: String::new(),
        }
    }

    fn line(&mut self, text: &str) {
        let clear = if self.is_live { "\r\x1b[K" } else { "" };
        say(&format!("{clear}{text}\n"));
        if self.is_live && !self.live_line.is_empty() {
            say(&self.live_line);
        }
    }

    fn live(&mut self, text: String) {
        if self.is_live {
            say(&format!("\r\x1b[K{text}"));
            self.live_line = text;
        }
    }

    fn end_live(&mut self) {
        if self.is_live {
            self.live_line.clear();
            say("\r\x1b[K");
        }
    }

    fn verdict(&self, verdict: &str) -> String {
        let (mark, colour) = match verdict {
            "allowed" | "promoted" => ("+", "32"),
            "not carried out" => ("-", "33"),
            _ => ("x", "31"),
        };
        if self.has_colour {
            format!("\x1b[{colour}m{mark} {verdict}\x1b[0m")
        } else {
            format!("{mark} {verdict}")
        }
    }
}

fn text(data: &Value, key: &str) -> String {
    plain(data.get(key).and_then(Value::as_str).unwrap_or_default())
}

impl EventSink for Progress {
    fn emit(&mut self, event: &Event) {
        let data = &event.data;
        match event.event.as_str() {
            "run_start" => self.line(&format!(
                "run {}: epic {}, venue {}, model {}, sandbox {}",
                event.run_id,
                text(data, "epic"),
                text(data, "venue"),
                text(data, "model"),
                text(data, "sandbox_tier")
            )),
            "model_start" => {
                self.pieces = 0;
                self.tail.clear();
                let exchange = data.get("exchange").and_then(Value::as_u64).unwrap_or(1);
                let attempt = data.get("attempt").and_then(Value::as_u64).unwrap_or(1);
                let mut line = format!(
                    "{} {} {} in {}",
                    text(data, "turn"),
                    text(data, "card"),
                    text(data, "role"),
                    text(data, "step")
                );
                if attempt > 1 {
                    let _ = write!(line, ", attempt {attempt}");
                }
                if exchange > 1 {
                    line.push_str(", corrected");
                }
                self.line(&line);
                self.live("  the model is asked".into());
            }
            "model_delta" => {
                self.pieces += 1;
                self.tail.push_str(&text(data, "text"));
                let from = self
                    .tail
                    .char_indices()
                    .rev()
                    .nth(TAIL_CHARACTERS)
                    .map_or(0, |(at, _)| at);
                self.tail.drain(..from);
                let line = format!(
                    "  {} arrived, piece {}: {}",
                    text(data, "kind"),
                    self.pieces,
                    self.tail
                );
                self.live(line);
            }
            "verification" => {
                let checks = data.get("checks").and_then(Value::as_array).unwrap_or_default();
                let checks: Vec<String> = checks
                    .iter()
                    .map(|check| format!("{}: {}", text(check, "fixture"), text(check, "ended")))
                    .collect();
                let what = if checks.is_empty() { String::new() } else { format!(" ({})", checks.join(", ")) };
                let line = format!("{} is verified: {}{what}", text(data, "card"), text(data, "state"));
                self.line(&line);
            }
            "tool_call" => {
                self.end_live();
                let verdict = text(data, "verdict");
                let mut line = format!(
                    "  {} {} {}",
                    self.verdict(&verdict),
                    text(data, "tool"),
                    text(data, "target")
                );
                if data.get("reason").is_some_and(|reason| !reason.is_null()) {
                    let _ = write!(line, ": {}", text(data, "reason"));
                }
                self.line(line.trim_end());
            }
            "answer_refused" => {
                self.end_live();
                let line = format!("  {}: {}", self.verdict("refused"), text(data, "reason"));
                self.line(&line);
            }
            "turn_complete" => {
                self.end_live();
                let card = data.get("card").and_then(Value::as_str);
                let what = match card {
                    None => format!("{} the cards are on the board", text(data, "turn")),
                    Some(_) if text(data, "from") == text(data, "to") => {
                        format!("  {}, still {}", self.verdict("promoted"), text(data, "to"))
                    }
                    Some(_) => {
                        format!(
                            "  {} {} -> {}",
                            self.verdict("promoted"),
                            text(data, "from"),
                            text(data, "to")
                        )
                    }
                };
                self.line(&what);
            }
            "turn_failed" => {
                self.end_live();
                let attempt = data.get("attempt").and_then(Value::as_u64).unwrap_or(1);
                self.line(&format!(
                    "  attempt {attempt} refused; nothing of it was done"
                ));
            }
            "assets_changed" => self.line(
                "the assets changed since the run began; it goes on with what it began with, but for the venue",
            ),
            "step_skipped" => {
                let line = format!(
                    "{} {} skipped by the conductor",
                    text(data, "card"),
                    text(data, "role")
                );
                self.line(&line);
            }
            _ => {}
        }
    }
}
