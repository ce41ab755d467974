//! `cargo xtask layers`: which crate may use what.

use anyhow::{Context, Result};

use crate::checks::{edges, kernel_tree, pure_sources};
use crate::violation::{Violation, settle};
use crate::workspace::{Workspace, files_below, read};

/// Checks the edges between our crates, the tree below the kernel, and the sources that must be pure.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut violations = edges::check(&workspace.members);
    violations.extend(kernel_tree::features(&workspace.members));
    let optional = kernel_tree::optional(&workspace.members);
    violations.extend(kernel_tree::check(&workspace.packages, &optional));
    violations.extend(sources(workspace)?);
    settle("layers", violations)
}

fn sources(workspace: &Workspace) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for name in pure_sources::PURE {
        let member = workspace.members.iter().find(|member| member.name == *name);
        let member =
            member.with_context(|| format!("failed to find the crate {name} in the workspace"))?;
        for file in files_below(&member.dir.join("src"), "rs")? {
            violations.extend(pure_sources::check(&workspace.shown(&file), &read(&file)?));
        }
    }
    Ok(violations)
}
