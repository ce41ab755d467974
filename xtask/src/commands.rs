//! The commands, one file each: gather the inputs, call the checks, settle.

pub(crate) mod bench;
pub(crate) mod crash;
pub(crate) mod docs;
pub(crate) mod fuzz;
pub(crate) mod layers;
pub(crate) mod record;
pub(crate) mod test;
