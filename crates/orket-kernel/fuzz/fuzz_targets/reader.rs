//! Fuzzes what `tests/fuzz_seeds/reader.rs` promises.
#![no_main]

#[path = "../../tests/fuzz_seeds/reader.rs"]
mod reader;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reader::check(bytes));
