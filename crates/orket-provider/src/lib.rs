//! The voices of Orket: ModelProvider implementations for Ollama and for recorded exchanges.
#![forbid(unsafe_code)]
