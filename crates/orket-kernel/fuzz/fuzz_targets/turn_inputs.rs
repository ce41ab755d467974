//! Fuzzes what `tests/fuzz_seeds/turn_inputs.rs` promises.
#![no_main]

#[path = "../../tests/fuzz_seeds/turn_inputs.rs"]
mod turn_inputs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| turn_inputs::check(bytes));
