//! What a command changed, found by comparing the copy with what it was made of.

use std::collections::{BTreeMap, BTreeSet};

use orket_ports::Refusal;
use orket_ports::verifier::ArtifactFile;
use orket_secrets::Scrubber;

use super::TEMPORARY;
use crate::path::{Directory, Kind, PathError, RelativePath};
use crate::spaces::{OUTPUT, is_control_name, why};

/// The most entries that the copy may hold after a command, build outputs not counted.
const ENTRIES_MAX: usize = 20_000;
/// The most files that one command may change.
const CHANGES_MAX: usize = 1_000;
/// The largest file that is taken over, in bytes.
const FILE_MAX_BYTES: u64 = 16 << 20;
/// The most bytes that are taken over from one command.
const CHANGES_MAX_BYTES: u64 = 64 << 20;

/// Returns the files of `before` that are no longer the same, and those that are new; `None` for one that is gone.
///
/// # Errors
/// Names the first thing that is no plain file with a portable name below `agent_output/`, that holds a secret, or that is
/// too much. Nothing is taken over then.
pub(super) fn collect(
    work: &Directory,
    before: &BTreeMap<String, ArtifactFile>,
    build_outputs: &BTreeSet<String>,
    scrubber: &Scrubber,
) -> Result<BTreeMap<String, Option<ArtifactFile>>, Refusal> {
    let output = output(work)?;
    let found = walk(&output, build_outputs)?;
    let is_ignored = |path: &str| path.split('/').any(|name| build_outputs.contains(name));
    let gone = before
        .keys()
        .filter(|path| !found.contains_key(*path) && !is_ignored(path));
    let mut changes: BTreeMap<String, Option<ArtifactFile>> =
        gone.map(|path| (path.clone(), None)).collect();
    let mut bytes = 0;
    for (name, path) in found {
        let old = before.get(&name);
        // What was longer already may stay as it is.
        let limit_bytes = old.map_or(FILE_MAX_BYTES, |old| {
            old.payload.length_bytes().max(FILE_MAX_BYTES)
        });
        let (payload, executable) = output
            .payload(&path, limit_bytes)
            .map_err(|error| unreadable(&name, &error))?;
        let file = ArtifactFile {
            payload,
            executable,
        };
        if old == Some(&file) {
            continue;
        }
        let length_bytes = file.payload.length_bytes();
        if length_bytes > FILE_MAX_BYTES {
            return Err(refused("too_large", &name, "is larger than 16 MiB"));
        }
        bytes += length_bytes;
        if bytes > CHANGES_MAX_BYTES {
            let rule = "and what else the command wrote are more than 64 MiB together";
            return Err(refused("too_large", &name, rule));
        }
        check_secrets(&name, &file, scrubber)?;
        changes.insert(name, Some(file));
    }
    if changes.len() > CHANGES_MAX {
        let message = format!(
            "run_command: the command changed {} files; {CHANGES_MAX} are the most",
            changes.len()
        );
        return Err(Refusal::forbidden("too_many_files", message));
    }
    Ok(changes)
}

/// Opens `agent_output/` of the copy. Beside it there may be nothing but what is thrown away.
fn output(work: &Directory) -> Result<Directory, Refusal> {
    let unreadable = |error: &PathError| unreadable("", error);
    for entry in work.list(None).map_err(|error| unreadable(&error))? {
        if entry.name != OUTPUT && entry.name != TEMPORARY {
            let message = format!(
                "run_command: the command made {:?} beside agent_output/, and agents write below agent_output/ only",
                entry.name
            );
            return Err(Refusal::forbidden("outside_write_scope", message));
        }
    }
    let replaced = || {
        let message = "run_command: the command removed or replaced agent_output/ itself";
        Refusal::forbidden("outside_write_scope", message)
    };
    let path: RelativePath = OUTPUT.parse().map_err(|_| replaced())?;
    work.subdirectory(&path).map_err(|_| replaced())
}

/// Returns all files by their paths.
fn walk(
    output: &Directory,
    build_outputs: &BTreeSet<String>,
) -> Result<BTreeMap<String, RelativePath>, Refusal> {
    let mut files = BTreeMap::new();
    let mut pending: Vec<Option<RelativePath>> = vec![None];
    let mut visited = 0;
    while let Some(directory) = pending.pop() {
        let shown = directory.as_ref().map_or("", RelativePath::as_str);
        let entries = output
            .list(directory.as_ref())
            .map_err(|error| unreadable(shown, &error))?;
        for entry in entries {
            if build_outputs.contains(&entry.name) {
                continue;
            }
            visited += 1;
            if visited > ENTRIES_MAX {
                let message = format!(
                    "run_command: agent_output/ holds more than {ENTRIES_MAX} entries after the command"
                );
                return Err(Refusal::forbidden("too_many_files", message));
            }
            let path = match &directory {
                None => RelativePath::try_from(entry.name.as_str()),
                Some(directory) => directory.join(&entry.name),
            };
            let path = path.map_err(|error| {
                Refusal::forbidden(
                    "path",
                    format!("run_command: the command made a name that is not portable: {error}"),
                )
            })?;
            if is_control_name(&entry.name) {
                let rule = "has a name that belongs to the project's owner";
                return Err(refused("protected_path", path.as_str(), rule));
            }
            match entry.kind {
                Kind::Directory => pending.push(Some(path)),
                Kind::File => {
                    files.insert(path.as_str().to_owned(), path);
                }
                Kind::Other => {
                    let rule = "is a symbolic link, has a second hard link, is a special file, or has a name that is no text";
                    return Err(refused("not_a_plain_file", path.as_str(), rule));
                }
            }
        }
    }
    Ok(files)
}

/// Refuses a file with a secret: what a role writes by other means has none, because the answer was scrubbed.
fn check_secrets(name: &str, file: &ArtifactFile, scrubber: &Scrubber) -> Result<(), Refusal> {
    if scrubber.text(name) != name {
        let message = "run_command: the command made a name that holds a secret";
        return Err(Refusal::forbidden("secret", message));
    }
    let bytes = file.payload.to_bytes();
    let bytes = bytes.map_err(|_| refused("unreadable", name, "cannot be read"))?;
    if *scrubber.bytes(&bytes) != *bytes {
        return Err(refused(
            "secret",
            name,
            "holds a secret, or what looks like one",
        ));
    }
    Ok(())
}

fn refused(reason: &str, path: &str, rule: &str) -> Refusal {
    let message =
        format!("run_command: agent_output/{path} {rule}; nothing of the command is kept");
    Refusal::forbidden(reason, message)
}

fn unreadable(path: &str, error: &PathError) -> Refusal {
    let rule = format!("cannot be taken over: {}", why(error));
    match error {
        PathError::TooLarge { .. } => refused("too_large", path, "is larger than 16 MiB"),
        _ => refused("unreadable", path, &rule),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use orket_kernel::Payload;
    use orket_secrets::{Secret, Vault};

    use super::*;

    fn copy() -> tempfile::TempDir {
        let work = tempfile::tempdir().unwrap();
        fs::create_dir(work.path().join(OUTPUT)).unwrap();
        fs::create_dir(work.path().join(TEMPORARY)).unwrap();
        fs::write(work.path().join("agent_output/old"), "old").unwrap();
        fs::write(work.path().join("agent_output/same"), "same").unwrap();
        work
    }

    fn file(text: &str) -> ArtifactFile {
        ArtifactFile {
            payload: Payload::Held(text.into()),
            executable: false,
        }
    }

    fn collected(work: &Path) -> Result<BTreeMap<String, Option<ArtifactFile>>, Refusal> {
        let before = ["old", "same", "target/kept"].map(|name| (name.to_owned(), file(name)));
        let ignored = BTreeSet::from(["target".to_owned()]);
        let secret = ("A_KEY".to_owned(), Secret::new("correct horse".to_owned()));
        let vault = Vault::gather(Vec::new(), [secret], &BTreeSet::new()).unwrap();
        let scrubber = Scrubber::new(&vault).unwrap();
        let work = Directory::open(work).unwrap();
        collect(&work, &before.into(), &ignored, &scrubber)
    }

    #[test]
    fn only_what_has_other_bytes_or_another_mode_is_a_change() {
        let work = copy();
        let output = work.path().join(OUTPUT);
        assert_eq!(collected(work.path()).unwrap(), BTreeMap::new());
        fs::write(output.join("same"), "same").unwrap();
        fs::write(output.join("new"), "new").unwrap();
        fs::remove_file(output.join("old")).unwrap();
        fs::create_dir(output.join("target")).unwrap();
        fs::write(output.join("target/object"), "x").unwrap();
        let expected = [
            ("new".to_owned(), Some(file("new"))),
            ("old".to_owned(), None),
        ];
        assert_eq!(collected(work.path()).unwrap(), expected.into());
        fs::set_permissions(output.join("same"), fs::Permissions::from_mode(0o755)).unwrap();
        let changes = collected(work.path()).unwrap();
        assert!(changes["same"].as_ref().unwrap().executable);
    }

    /// The sandbox refuses to make some of these; where a tier lacks that, they are found here.
    #[test]
    fn what_is_no_plain_file_of_its_own_is_named() {
        type Make = fn(&Path) -> std::io::Result<()>;
        let cases: [(&str, &str, Make); 5] = [
            ("a", "not_a_plain_file", |at| {
                std::os::unix::fs::symlink("old", at.join("a"))
            }),
            ("a", "not_a_plain_file", |at| {
                fs::hard_link(at.join("old"), at.join("a"))
            }),
            ("a", "not_a_plain_file", |at| {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                let kind = rustix::fs::FileType::Fifo;
                rustix::fs::mknodat(rustix::fs::CWD, at.join("a"), kind, mode, 0)?;
                Ok(())
            }),
            ("a", "not_a_plain_file", |at| {
                std::os::unix::net::UnixListener::bind(at.join("a")).map(drop)
            }),
            ("a", "secret", |at| {
                fs::write(at.join("a"), "so correct horse")
            }),
        ];
        for (name, reason, make) in cases {
            let work = copy();
            make(&work.path().join(OUTPUT)).unwrap();
            let refusal = collected(work.path()).unwrap_err();
            assert_eq!(refusal.reason, reason);
            assert!(
                refusal.message.contains(&format!("agent_output/{name}")),
                "{refusal}"
            );
            assert!(!refusal.message.contains("horse"), "{refusal}");
        }
    }
}
