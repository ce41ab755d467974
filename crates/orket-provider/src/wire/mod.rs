//! Wire formats: pure functions between the port's types and what stands on the wire.

pub mod ollama;
