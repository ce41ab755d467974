//! The commands, one file each: gather the inputs, call the checks, settle.

pub(crate) mod bench;
#[cfg_attr(
    not(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )),
    path = "commands/crash_elsewhere.rs"
)]
pub(crate) mod crash;
pub(crate) mod docs;
pub(crate) mod fuzz;
pub(crate) mod layers;
pub(crate) mod record;
pub(crate) mod test;
