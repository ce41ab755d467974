//! Fuzzes what `tests/fuzz_seeds/event_lines.rs` promises.
#![no_main]

#[path = "../../tests/fuzz_seeds/event_lines.rs"]
mod event_lines;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| event_lines::check(bytes));
