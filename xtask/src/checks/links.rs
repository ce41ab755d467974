//! Relative links of the documents lead to files that exist, and to headings that are in them.

use std::path::{Component, Path, PathBuf};

use crate::markdown::{anchors, links};
use crate::violation::Violation;

/// The files a link may lead to.
pub(crate) trait Tree {
    /// Whether there is a file or directory at this path from the root.
    fn exists(&self, path: &Path) -> bool;
    /// The text of a document at this path from the root.
    fn text(&self, path: &Path) -> Option<String>;
}

/// Every link of one document that leads nowhere; `file` is its path from the root.
pub(crate) fn check(file: &str, text: &str, tree: &dyn Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for link in links(text) {
        if let Err(found) = follow(file, &link.target, tree) {
            violations.push(Violation::new(
                format!("{file}:{}", link.line),
                format!("`{}` {found}", link.target),
                "a link between documents is relative and leads to something that exists",
            ));
        }
    }
    violations
}

fn follow(file: &str, target: &str, tree: &dyn Tree) -> Result<(), &'static str> {
    if ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| target.starts_with(scheme))
    {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        PathBuf::from(file)
    } else {
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        normal(&folder.join(path)).ok_or("leads out of the repository")?
    };
    if !tree.exists(&path) {
        return Err("leads to nothing");
    }
    let is_document = path.extension().is_some_and(|it| it == "md");
    if is_document && !anchor.is_empty() {
        let headings = anchors(&tree.text(&path).unwrap_or_default());
        if !headings.iter().any(|it| it == anchor) {
            return Err("names a heading that is not there");
        }
    }
    Ok(())
}

/// The path without `.` and `..`; none if it leaves the root or begins at the root of the file system.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => normal.push(part),
            Component::CurDir => {}
            Component::ParentDir if normal.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake;

    impl Tree for Fake {
        fn exists(&self, path: &Path) -> bool {
            ["docs", "docs/a.md", "README.md"]
                .iter()
                .any(|it| Path::new(it) == path)
        }
        fn text(&self, _path: &Path) -> Option<String> {
            Some("# The heading\n".to_owned())
        }
    }

    #[test]
    fn each_kind_of_link_is_followed() {
        let cases = [
            ("https://example.org/x.md", None),
            ("a.md", None),
            ("../README.md#the-heading", None),
            ("#the-heading", None),
            ("../docs", None),
            ("b.md", Some("leads to nothing")),
            ("../../README.md", Some("leads out of the repository")),
            ("/docs/a.md", Some("leads out of the repository")),
            ("a.md#another", Some("names a heading that is not there")),
            ("#another", Some("names a heading that is not there")),
        ];
        for (target, expected) in cases {
            let violations = check("docs/a.md", &format!("\n[x]({target})\n"), &Fake);
            let found: Vec<String> = violations.iter().map(|it| it.found.clone()).collect();
            let expected: Vec<String> = expected
                .iter()
                .map(|it| format!("`{target}` {it}"))
                .collect();
            assert_eq!(found, expected);
            assert!(violations.iter().all(|it| it.place == "docs/a.md:2"));
        }
    }
}
