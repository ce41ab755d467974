//! What is compiled into the kernel: few crates, each known to do no I/O.

use std::collections::{BTreeMap, BTreeSet};

use crate::violation::Violation;
use crate::workspace::{Member, Package, PackageId};

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

/// Who may turn on which feature of the kernel.
const ACCEPTED_FEATURE: (&str, &str) = ("xtask", "schema");

/// Crates that could do I/O, and the one crate through which each is accepted.
const ACCEPTED_THROUGH: &[(&str, &str)] = &[
    // cpufeatures asks `getauxval` (Arm) or `sysctlbyname` (Apple) which instructions the processor has.
    ("libc", "cpufeatures"),
];

/// Crates that are compiled into the kernel only where a feature asks for them, which `features` holds to xtask.
pub(crate) fn optional(members: &[Member]) -> BTreeSet<String> {
    let kernels = members.iter().filter(|member| member.name == KERNEL);
    let dependencies = kernels.flat_map(|kernel| &kernel.dependencies);
    let optional = dependencies.filter(|it| it.optional);
    optional.map(|it| it.name.clone()).collect()
}

/// Whoever turns on a feature of the kernel, and features of it that nobody has to turn on.
pub(crate) fn features(members: &[Member]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in members {
        if member.name == KERNEL && member.features.contains_key("default") {
            violations.push(Violation::new(
                KERNEL,
                "it has features that are on by default",
                "the kernel that ships has no feature turned on",
            ));
        }
        let asked = member.dependencies.iter().filter(|it| it.name == KERNEL);
        let asked = asked.flat_map(|it| it.features.clone());
        let passed_on = member.features.values().flatten();
        let passed_on = passed_on.filter_map(|it| {
            let (used, feature) = it.split_once('/')?;
            (used.trim_end_matches('?') == KERNEL).then(|| feature.to_owned())
        });
        for feature in asked.chain(passed_on) {
            if (member.name.as_str(), feature.as_str()) != ACCEPTED_FEATURE {
                violations.push(Violation::new(
                    format!("{} -> {KERNEL}", member.name),
                    format!("it turns on the feature {feature}"),
                    "features of the kernel are for the chores of this repository; only xtask turns on schema",
                ));
            }
        }
    }
    violations
}

/// Every crate in the kernel's tree that is not on the list, and a tree that grew too large. `optional` names what a
/// feature brings in: one cargo answer holds the features of the whole workspace together, so it is left out here.
pub(crate) fn check(
    packages: &BTreeMap<PackageId, Package>,
    optional: &BTreeSet<String>,
) -> Vec<Violation> {
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
            if user.name == KERNEL && optional.contains(&used.name) {
                continue;
            }
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
    use crate::workspace::{Dependency, Kind};

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
        let violations = check(&tree(edges), &BTreeSet::new());
        violations.into_iter().map(|it| it.place).collect()
    }

    fn member(name: &str, asks: &[&str], features: &[(&str, &[&str])]) -> Member {
        let owned = |texts: &[&str]| texts.iter().map(|&it| it.to_owned()).collect();
        let kernel = Dependency {
            name: KERNEL.to_owned(),
            kind: Kind::Normal,
            optional: false,
            features: owned(asks),
        };
        Member {
            name: name.to_owned(),
            dir: name.into(),
            dependencies: vec![kernel],
            features: features
                .iter()
                .map(|(name, on)| ((*name).to_owned(), owned(on)))
                .collect(),
        }
    }

    #[test]
    fn only_xtask_turns_on_a_feature_of_the_kernel_and_only_schema() {
        let passing = [
            member("xtask", &["schema"], &[]),
            member("orket-cli", &[], &[("extra", &["orket-lsi/schema"])]),
        ];
        assert_eq!(features(&passing), []);
        for refused in [
            member("orket-cli", &["schema"], &[]),
            member("xtask", &["other"], &[]),
            member("orket-cli", &[], &[("extra", &["orket-kernel/schema"])]),
            member("orket-cli", &[], &[("extra", &["orket-kernel?/schema"])]),
            member(KERNEL, &[], &[("default", &["schema"])]),
        ] {
            assert_eq!(
                features(std::slice::from_ref(&refused)).len(),
                1,
                "{refused:?}"
            );
        }
    }

    #[test]
    fn what_a_feature_brings_in_is_left_out_below_the_kernel_only() {
        let edges: &[(&str, &[&str])] = &[
            ("orket-kernel", &["schemars", "serde"]),
            ("serde", &["serde_derive"]),
            ("serde_derive", &[]),
            ("schemars", &["ureq"]),
            ("ureq", &[]),
        ];
        let optional = BTreeSet::from(["schemars".to_owned()]);
        assert_eq!(check(&tree(edges), &optional), []);
        assert_eq!(places(edges), ["orket-kernel -> schemars"]);
        let below: &[(&str, &[&str])] = &[
            ("orket-kernel", &["serde"]),
            ("serde", &["schemars"]),
            ("schemars", &[]),
        ];
        assert_eq!(check(&tree(below), &optional)[0].place, "serde -> schemars");
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
        let violations = check(&packages, &BTreeSet::new());
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].found, "21 crates are compiled into it");
    }

    #[test]
    fn a_missing_kernel_proves_nothing() {
        assert_eq!(places(&[("hex", &[])]), ["orket-kernel"]);
    }
}
