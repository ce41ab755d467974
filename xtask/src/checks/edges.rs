//! The edges between our own crates, against the one table that allows them.

use crate::violation::Violation;
use crate::workspace::{Kind, Member};

/// What a crate of ours may use.
struct Layer {
    name: &'static str,
    /// In `[dependencies]` and `[build-dependencies]`, and so in its tests too.
    uses: &'static [&'static str],
    /// In `[dev-dependencies]` besides `uses` and the testkit.
    tests_use: &'static [&'static str],
}

const TESTKIT: &str = "orket-testkit";

/// The whole layering. An edge that is not here does not exist; docs/architecture.md says why each is.
const LAYERS: &[Layer] = &[
    Layer {
        name: "orket-kernel",
        uses: &[],
        tests_use: &[],
    },
    Layer {
        name: "orket-secrets",
        uses: &[],
        tests_use: &[],
    },
    Layer {
        name: "orket-lsi",
        uses: &["orket-kernel"],
        tests_use: &[],
    },
    Layer {
        name: "orket-ports",
        uses: &["orket-kernel"],
        tests_use: &[],
    },
    Layer {
        name: "orket-cards",
        uses: &["orket-kernel", "orket-ports"],
        tests_use: &[],
    },
    Layer {
        name: "orket-board",
        uses: &["orket-cards", "orket-kernel", "orket-lsi", "orket-ports"],
        tests_use: &[],
    },
    Layer {
        name: "orket-tools",
        uses: &["orket-kernel", "orket-ports", "orket-secrets"],
        tests_use: &[],
    },
    Layer {
        name: "orket-workbench",
        uses: &["orket-tools"],
        tests_use: &[],
    },
    Layer {
        name: "orket-flow",
        uses: &[
            "orket-cards",
            "orket-kernel",
            "orket-ports",
            "orket-secrets",
        ],
        tests_use: &[],
    },
    Layer {
        name: "orket-provider",
        uses: &["orket-kernel", "orket-ports", "orket-secrets"],
        tests_use: &["orket-model-double"],
    },
    Layer {
        name: "orket-model-double",
        uses: &[],
        tests_use: &[],
    },
    Layer {
        name: "orket-cli",
        uses: &[
            "orket-board",
            "orket-cards",
            "orket-flow",
            "orket-kernel",
            "orket-lsi",
            "orket-model-double",
            "orket-ports",
            "orket-provider",
            "orket-secrets",
            "orket-tools",
            "orket-workbench",
        ],
        tests_use: &[],
    },
    Layer {
        name: TESTKIT,
        uses: &[
            "orket-board",
            "orket-cards",
            "orket-cli",
            "orket-flow",
            "orket-kernel",
            "orket-lsi",
            "orket-model-double",
            "orket-ports",
            "orket-provider",
            "orket-secrets",
            "orket-tools",
        ],
        tests_use: &[],
    },
    Layer {
        name: "xtask",
        uses: &["orket-kernel"],
        tests_use: &[],
    },
];

/// Every edge between our crates that the table does not allow, and every crate the table does not know.
pub(crate) fn check(members: &[Member]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in members {
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == member.name) else {
            violations.push(Violation::new(
                &member.name,
                "this crate has no layer",
                "a new crate is architecture: give it a row in xtask/src/checks/edges.rs and in docs/architecture.md",
            ));
            continue;
        };
        let ours = member
            .dependencies
            .iter()
            .filter(|it| members.iter().any(|member| member.name == it.name));
        for dependency in ours.filter(|it| !allows(layer, &it.name, it.kind)) {
            let section = match dependency.kind {
                Kind::Normal => "dependencies",
                Kind::Build => "build-dependencies",
                Kind::Dev => "dev-dependencies",
            };
            violations.push(Violation::new(
                format!("{} -> {}", member.name, dependency.name),
                format!("declared under [{section}]"),
                rule(layer, &dependency.name),
            ));
        }
    }
    violations
}

fn allows(layer: &Layer, used: &str, kind: Kind) -> bool {
    let for_tests = kind == Kind::Dev
        && layer.name != "xtask"
        && (used == TESTKIT || layer.tests_use.contains(&used));
    for_tests || layer.uses.contains(&used)
}

fn rule(layer: &Layer, used: &str) -> String {
    match used {
        TESTKIT => "orket-testkit is used under [dev-dependencies] only".to_owned(),
        "orket-model-double" => {
            "orket-model-double is used by orket-cli and orket-testkit, and by the tests of orket-provider, only".to_owned()
        }
        "xtask" => "nothing uses xtask".to_owned(),
        _ if layer.uses.is_empty() => format!("{} uses no crate of ours", layer.name),
        _ => format!("{} may use of ours only: {}", layer.name, layer.uses.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::workspace::Dependency;

    /// Judges `user -> used` in a workspace of both; returns the rule that is broken.
    fn judge(user: &str, used: &str, kind: Kind) -> Option<String> {
        let member = |name: &str, dependencies| Member {
            name: name.to_owned(),
            dir: name.into(),
            dependencies,
            features: BTreeMap::new(),
        };
        let edge = Dependency {
            name: used.to_owned(),
            kind,
            optional: false,
            features: Vec::new(),
        };
        let violations = check(&[member(user, vec![edge]), member(used, Vec::new())]);
        assert!(violations.len() <= 1, "{violations:?}");
        violations.into_iter().next().map(|it| {
            assert_eq!(it.place, format!("{user} -> {used}"));
            it.rule
        })
    }

    #[test]
    fn allowed_edges_pass() {
        for layer in LAYERS {
            for used in layer.uses {
                assert_eq!(judge(layer.name, used, Kind::Normal), None);
                assert_eq!(judge(layer.name, used, Kind::Dev), None);
            }
        }
        assert_eq!(judge("orket-kernel", "orket-testkit", Kind::Dev), None);
        assert_eq!(
            judge("orket-provider", "orket-model-double", Kind::Dev),
            None
        );
    }

    #[test]
    fn each_forbidden_edge_names_its_rule() {
        let cases = [
            (
                "orket-kernel",
                "orket-ports",
                Kind::Normal,
                "uses no crate of ours",
            ),
            (
                "orket-kernel",
                "orket-lsi",
                Kind::Dev,
                "uses no crate of ours",
            ),
            (
                "orket-lsi",
                "orket-ports",
                Kind::Normal,
                "may use of ours only: orket-kernel",
            ),
            (
                "orket-flow",
                "orket-board",
                Kind::Normal,
                "may use of ours only",
            ),
            (
                "orket-flow",
                "orket-tools",
                Kind::Build,
                "may use of ours only",
            ),
            (
                "orket-tools",
                "orket-cards",
                Kind::Normal,
                "may use of ours only",
            ),
            (
                "orket-model-double",
                "orket-kernel",
                Kind::Normal,
                "uses no crate of ours",
            ),
            (
                "orket-cli",
                "orket-testkit",
                Kind::Normal,
                "[dev-dependencies] only",
            ),
            (
                "orket-flow",
                "orket-testkit",
                Kind::Build,
                "[dev-dependencies] only",
            ),
            (
                "orket-provider",
                "orket-model-double",
                Kind::Normal,
                "by the tests of orket-provider",
            ),
            (
                "orket-flow",
                "orket-model-double",
                Kind::Dev,
                "orket-model-double is used by",
            ),
            ("orket-cli", "xtask", Kind::Dev, "nothing uses xtask"),
            (
                "xtask",
                "orket-lsi",
                Kind::Normal,
                "xtask may use of ours only: orket-kernel",
            ),
            (
                "xtask",
                "orket-testkit",
                Kind::Dev,
                "[dev-dependencies] only",
            ),
        ];
        for (user, used, kind, expected) in cases {
            let rule = judge(user, used, kind).unwrap_or_else(|| panic!("{user} -> {used} passed"));
            assert!(rule.contains(expected), "{user} -> {used}: {rule}");
        }
    }

    #[test]
    fn an_unknown_crate_has_no_layer() {
        let member = Member {
            name: "orket-extra".to_owned(),
            dir: "x".into(),
            dependencies: Vec::new(),
            features: BTreeMap::new(),
        };
        assert_eq!(check(&[member])[0].found, "this crate has no layer");
    }
}
