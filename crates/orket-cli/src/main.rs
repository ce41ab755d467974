//! The binary `orket`.
fn main() {}
