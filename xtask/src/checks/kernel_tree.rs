//! What is compiled into the kernel: few crates, each known to do no I/O.

use std::collections::{BTreeMap, BTreeSet};

use crate::violation::Violation;
use crate::workspace::{Package, PackageId};

const KERNEL: &str = "orket-kernel";

/// So few that each can be read.
const MAX_CRATES: usize = 20;

/// Crates that compute and do nothing else, or run at compile time only.
const PURE_CRATES: &[&str] = &[
    // Digests: sha2 and what it is made of.
    "block-buffer",
    "cfg-if",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "hybrid-array",
    "sha2",
    "typenum",
    // Digests as text.
    "hex",
    // Records and errors, with the derive macros' own tree.
    "proc-macro2",
    "quote",
    "serde",
    "serde_core",
    "serde_derive",
    "syn",
    "thiserror",
    "thiserror-impl",
    "unicode-ident",
];

/// Crates that could do I/O, and the one crate through which each is accepted.
const ACCEPTED_THROUGH: &[(&str, &str)] = &[
    // cpufeatures asks `getauxval` (Arm) or `sysctlbyname` (Apple) which instructions the processor has.
    ("libc", "cpufeatures"),
];

/// Every crate in the kernel's tree that is not on the list, and a tree that grew too large.
pub(crate) fn check(packages: &BTreeMap<PackageId, Package>) -> Vec<Violation> {
    let Some((kernel, _)) = packages.iter().find(|(_, package)| package.name == KERNEL) else {
        return vec![Violation::new(
            KERNEL,
            "not in the workspace",
            "the kernel's tree can be proved pure",
        )];
    };
    let mut violations = Vec::new();
    let mut seen = BTreeSet::from([kernel]);
    let mut open = vec![kernel];
    while let Some(user) = open.pop().and_then(|id| packages.get(id)) {
        for used_id in &user.uses {
            let Some((used_id, used)) = packages.get_key_value(used_id) else {
                continue;
            };
            let accepted = PURE_CRATES.contains(&used.name.as_str())
                || ACCEPTED_THROUGH.contains(&(used.name.as_str(), user.name.as_str()));
            if !accepted {
                // What a refused crate drags in needs no words of its own.
                violations.push(Violation::new(
                    format!("{} -> {}", user.name, used.name),
                    format!("{} would be compiled into the kernel", used.name),
                    "the kernel's tree holds only crates known to do no I/O, listed in xtask/src/checks/kernel_tree.rs",
                ));
            } else if seen.insert(used_id) {
                open.push(used_id);
            }
        }
    }
    let crates = seen.len() - 1;
    if crates > MAX_CRATES {
        violations.push(Violation::new(
            KERNEL,
            format!("{crates} crates are compiled into it"),
            format!(
                "the kernel's tree holds at most {MAX_CRATES} crates, on all platforms together"
            ),
        ));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(edges: &[(&str, &[&str])]) -> BTreeMap<PackageId, Package> {
        let mut packages = BTreeMap::new();
        for (name, uses) in edges {
            let uses: Vec<PackageId> = uses.iter().map(|&used| used.to_owned()).collect();
            packages.insert(
                (*name).to_owned(),
                Package {
                    name: (*name).to_owned(),
                    uses,
                },
            );
        }
        packages
    }

    fn places(edges: &[(&str, &[&str])]) -> Vec<String> {
        check(&tree(edges)).into_iter().map(|it| it.place).collect()
    }

    #[test]
    fn listed_crates_pass_and_others_are_named_with_their_edge() {
        let listed: &[(&str, &[&str])] = &[
            ("orket-kernel", &["sha2"]),
            ("sha2", &["cpufeatures"]),
            ("cpufeatures", &["libc"]),
            ("libc", &[]),
        ];
        assert_eq!(places(listed), Vec::<String>::new());
        let network: &[(&str, &[&str])] = &[
            ("orket-kernel", &["hex"]),
            ("hex", &["ureq"]),
            ("ureq", &[]),
        ];
        assert_eq!(places(network), ["hex -> ureq"]);
    }

    #[test]
    fn libc_is_accepted_through_cpufeatures_only() {
        let edges: &[(&str, &[&str])] = &[
            ("orket-kernel", &["cpufeatures", "libc"]),
            ("cpufeatures", &["libc"]),
            ("libc", &[]),
        ];
        assert_eq!(places(edges), ["orket-kernel -> libc"]);
    }

    #[test]
    fn crates_outside_the_kernels_tree_do_not_matter() {
        assert_eq!(
            places(&[
                ("orket-kernel", &[]),
                ("orket-cli", &["ureq"]),
                ("ureq", &[])
            ]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_large_tree_fails_even_if_every_crate_is_listed() {
        let mut packages = tree(&[("orket-kernel", &[])]);
        for version in 0..=MAX_CRATES {
            let id = format!("hex {version}");
            packages.insert(
                id.clone(),
                Package {
                    name: "hex".to_owned(),
                    uses: Vec::new(),
                },
            );
            packages.get_mut("orket-kernel").unwrap().uses.push(id);
        }
        let violations = check(&packages);
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].found, "21 crates are compiled into it");
    }

    #[test]
    fn a_missing_kernel_proves_nothing() {
        assert_eq!(places(&[("hex", &[])]), ["orket-kernel"]);
    }
}
