//! Fuzzes what `tests/fuzz_seeds/policies.rs` promises.
#![no_main]

#[path = "../../tests/fuzz_seeds/policies.rs"]
mod policies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policies::check(bytes));
