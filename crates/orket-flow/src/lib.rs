//! The play of Orket: Flow, Band, Venue, Score, the Agent, the Orchestrator and its traction loop.
#![forbid(unsafe_code)]
