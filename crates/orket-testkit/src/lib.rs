//! Fakes, conformance suites and fault injection for Orket's own tests.
#![forbid(unsafe_code)]
