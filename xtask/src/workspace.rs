//! The workspace as cargo sees it: our crates, what they declare, and the resolved tree below them.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// How a dependency is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// `[dependencies]`
    Normal,
    /// `[build-dependencies]`
    Build,
    /// `[dev-dependencies]`
    Dev,
}

/// A dependency as a crate of ours declares it.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Whether only a feature brings it in.
    pub(crate) optional: bool,
    /// The features of it that are asked for.
    pub(crate) features: Vec<String>,
}

/// A crate of ours.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    /// What each feature of it turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

/// A package in the resolved tree, ours or not, with what is compiled into it (dev-dependencies left out).
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) uses: Vec<PackageId>,
}

/// Cargo's identifier of a package.
pub(crate) type PackageId = String;

/// Our crates and the resolved tree below them, for all platforms at once.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) members: Vec<Member>,
    pub(crate) packages: BTreeMap<PackageId, Package>,
}

impl Workspace {
    /// Asks `cargo metadata`.
    pub(crate) fn load() -> Result<Self> {
        let output = Command::new(cargo())
            .args(["metadata", "--format-version", "1", "--locked"])
            .stderr(Stdio::inherit())
            .output()
            .context("failed to start cargo metadata")?;
        ensure!(
            output.status.success(),
            "failed to run cargo metadata --format-version 1 --locked ({})",
            output.status
        );
        Self::parse(&output.stdout)
    }

    fn parse(json: &[u8]) -> Result<Self> {
        let metadata: wire::Metadata =
            serde_json::from_slice(json).context("failed to read the answer of cargo metadata")?;
        let mut uses: BTreeMap<PackageId, Vec<PackageId>> = metadata
            .resolve
            .nodes
            .into_iter()
            .map(|node| {
                let built_in = node
                    .deps
                    .into_iter()
                    .filter(|dep| dep.dep_kinds.iter().any(|it| it.kind != Some(Kind::Dev)));
                (node.id, built_in.map(|dep| dep.pkg).collect())
            })
            .collect();
        let mut members = Vec::new();
        let mut packages = BTreeMap::new();
        for package in metadata.packages {
            if metadata.workspace_members.contains(&package.id) {
                members.push(Member {
                    name: package.name.clone(),
                    dir: package
                        .manifest_path
                        .parent()
                        .map(Path::to_path_buf)
                        .unwrap_or_default(),
                    dependencies: package
                        .dependencies
                        .into_iter()
                        .map(|it| Dependency {
                            name: it.name,
                            kind: it.kind.unwrap_or(Kind::Normal),
                            optional: it.optional,
                            features: it.features,
                        })
                        .collect(),
                    features: package.features,
                });
            }
            let uses = uses.remove(&package.id).unwrap_or_default();
            packages.insert(
                package.id,
                Package {
                    name: package.name,
                    uses,
                },
            );
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            root: metadata.workspace_root,
            members,
            packages,
        })
    }

    /// A path below the root as it is written in documents.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

/// The cargo that runs us.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// All files below `dir` whose extension is `extension`, sorted; nothing where there is no such directory.
/// Directories that no one wrote by hand (`target`, and every hidden one) are passed over.
pub(crate) fn files_below(dir: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        if !dir.is_dir() {
            continue;
        }
        for entry in
            fs::read_dir(&dir).with_context(|| format!("failed to list {}", dir.display()))?
        {
            let entry = entry.with_context(|| format!("failed to list {}", dir.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            let file_type = entry
                .file_type()
                .with_context(|| format!("failed to look at {}", path.display()))?;
            if file_type.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if file_type.is_file() && path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))
}

/// The part of cargo's answer that is used here.
mod wire {
    use super::{BTreeMap, Deserialize, Kind, PathBuf};

    #[derive(Deserialize)]
    pub(super) struct Metadata {
        pub(super) packages: Vec<Package>,
        pub(super) workspace_members: Vec<String>,
        pub(super) resolve: Resolve,
        pub(super) workspace_root: PathBuf,
    }

    #[derive(Deserialize)]
    pub(super) struct Package {
        pub(super) id: String,
        pub(super) name: String,
        pub(super) manifest_path: PathBuf,
        pub(super) dependencies: Vec<Dependency>,
        #[serde(default)]
        pub(super) features: BTreeMap<String, Vec<String>>,
    }

    #[derive(Deserialize)]
    pub(super) struct Dependency {
        pub(super) name: String,
        pub(super) kind: Option<Kind>,
        #[serde(default)]
        pub(super) optional: bool,
        #[serde(default)]
        pub(super) features: Vec<String>,
    }

    #[derive(Deserialize)]
    pub(super) struct Resolve {
        pub(super) nodes: Vec<Node>,
    }

    #[derive(Deserialize)]
    pub(super) struct Node {
        pub(super) id: String,
        pub(super) deps: Vec<Edge>,
    }

    #[derive(Deserialize)]
    pub(super) struct Edge {
        pub(super) pkg: String,
        pub(super) dep_kinds: Vec<EdgeKind>,
    }

    #[derive(Deserialize)]
    pub(super) struct EdgeKind {
        pub(super) kind: Option<Kind>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_members_kinds_and_the_tree_without_dev_edges() {
        let json = r#"{
            "workspace_root": "/w", "workspace_members": ["a 1"],
            "packages": [
                {"id": "a 1", "name": "a", "manifest_path": "/w/crates/a/Cargo.toml",
                 "features": {"more": ["dep:b"]},
                 "dependencies": [{"name": "b", "kind": null, "optional": true, "features": ["x"]},
                                  {"name": "c", "kind": "dev"}]},
                {"id": "b 1", "name": "b", "manifest_path": "/r/b/Cargo.toml", "dependencies": []},
                {"id": "c 1", "name": "c", "manifest_path": "/r/c/Cargo.toml", "dependencies": []}
            ],
            "resolve": {"nodes": [
                {"id": "a 1", "deps": [
                    {"pkg": "b 1", "dep_kinds": [{"kind": null}]},
                    {"pkg": "c 1", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "b 1", "deps": []}, {"id": "c 1", "deps": []}
            ]}
        }"#;
        let workspace = Workspace::parse(json.as_bytes()).unwrap();
        assert_eq!(workspace.members.len(), 1);
        assert_eq!(workspace.members[0].dir, Path::new("/w/crates/a"));
        let kinds: Vec<Kind> = workspace.members[0]
            .dependencies
            .iter()
            .map(|it| it.kind)
            .collect();
        assert_eq!(kinds, [Kind::Normal, Kind::Dev]);
        let [b, c] = &workspace.members[0].dependencies[..] else {
            panic!("two dependencies are declared");
        };
        assert_eq!((b.optional, c.optional), (true, false));
        assert_eq!(b.features, ["x"]);
        assert_eq!(workspace.members[0].features["more"], ["dep:b"]);
        assert_eq!(workspace.packages["a 1"].uses, ["b 1"]);
        assert_eq!(workspace.shown(Path::new("/w/crates/a")), "crates/a");
    }
}
