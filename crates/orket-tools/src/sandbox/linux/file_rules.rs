//! Which files the program can reach: the rules for Landlock.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, RestrictionStatus,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
    path_beneath_rules,
};

use super::message::Order;

/// Where the programs and libraries of the system are.
pub(super) const SYSTEM_DIRECTORIES: [&str; 7] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
];
/// What the loader and some programs read besides.
pub(super) const SYSTEM_FILES: [&str; 4] = [
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
];
/// The devices that do no harm.
pub(super) const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// The versions of Landlock, the newest first. Before version 3, files outside could be truncated.
const VERSIONS: [ABI; 7] = [
    ABI::V9,
    ABI::V8,
    ABI::V7,
    ABI::V6,
    ABI::V5,
    ABI::V4,
    ABI::V3,
];

/// Takes all files from the process but those of the order.
pub(super) fn enforce(order: &Order) -> Result<(), String> {
    let mut reason = "the kernel has none".to_owned();
    for version in VERSIONS {
        match create(version) {
            Ok(ruleset) => {
                let status =
                    restrict(ruleset, version, order).map_err(|error| error.to_string())?;
                return match status.ruleset {
                    RulesetStatus::FullyEnforced if status.no_new_privs => Ok(()),
                    _ => Err(format!("version {version} was not fully enforced")),
                };
            }
            Err(error) => reason = format!("version {version} is needed: {error}"),
        }
    }
    Err(reason)
}

/// Makes the set of everything that version knows and that is refused unless a rule gives it; fails on older kernels.
fn create(version: ABI) -> Result<RulesetCreated, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(version))?;
    let (network, scopes) = (AccessNet::from_all(version), Scope::from_all(version));
    if !network.is_empty() {
        ruleset = ruleset.handle_access(network)?;
    }
    if !scopes.is_empty() {
        ruleset = ruleset.scope(scopes)?;
    }
    ruleset.create()
}

fn restrict(
    ruleset: RulesetCreated,
    version: ABI,
    order: &Order,
) -> Result<RestrictionStatus, RulesetError> {
    let known = AccessFs::from_all(version);
    let run = known & (AccessFs::Execute | AccessFs::ReadFile | AccessFs::ReadDir);
    let never: BitFlags<AccessFs> = AccessFs::MakeChar
        | AccessFs::MakeBlock
        | AccessFs::MakeFifo
        | AccessFs::MakeSock
        | AccessFs::IoctlDev;
    ruleset
        .add_rules(path_beneath_rules(
            SYSTEM_DIRECTORIES.iter().chain(&SYSTEM_FILES),
            run,
        ))?
        .add_rules(path_beneath_rules(
            DEVICES,
            AccessFs::ReadFile | AccessFs::WriteFile,
        ))?
        .add_rules(path_beneath_rules(
            order.readable.iter().map(|root| &root.path),
            run,
        ))?
        .add_rules(path_beneath_rules([&order.work_dir.path], known & !never))?
        .restrict_self()
}
