//! Fuzzes what `tests/dialects/answers.rs` promises.
#![no_main]

#[path = "../../tests/dialects/answers.rs"]
mod answers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| answers::check(bytes));
