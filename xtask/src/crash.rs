//! Stop at every step, power cut, faults: what a disk and a death can do to a turn. `docs/design/crash-testing.md` says how.

pub(crate) mod bench;
mod call;
mod chance;
pub(crate) mod cuts;
mod disk;
pub(crate) mod faults;
pub(crate) mod kills;
mod place;
mod recording;
mod registers;
pub(crate) mod small_disk;
pub(crate) mod subject;
pub(crate) mod tracer;
