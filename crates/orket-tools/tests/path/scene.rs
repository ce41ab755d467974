//! A project among things that do not belong to it, and what of both is on the disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use orket_kernel::Digest;
use orket_testkit::Standing;
use orket_tools::path::{Directory, Resolution};
use orket_tools::project::ProjectWorkspace;
use orket_tools::spaces::Spaces;

use crate::corpus::Step;

/// What no result of a tool may hold: the content of everything that agents must not read, and a name beside it.
pub(crate) const SENTINEL: &str = "SENTINEL-7f3a";

/// The files of every scene. What agents must not read holds the sentinel.
const FILES: &[(&str, &str)] = &[
    ("project/orket.toml", "# settings\n"),
    ("project/README.md", "readme\n"),
    ("project/src/main.rs", "fn main() {}\n"),
    ("project/verification/check.sh", "exit 0\n"),
    ("project/.env", SENTINEL),
    ("project/.git/config", SENTINEL),
    ("project/.orket/durable/db/x", SENTINEL),
    ("project/state/durable/db/orket_persistence.db", SENTINEL),
    ("project/workspace/default/orket.log", SENTINEL),
    ("project/agent_output/a.txt", "projected"),
    ("project/agent_output/dir/b.txt", "projected"),
    ("outside/secret", SENTINEL),
    ("outside/SENTINEL-7f3a-name", SENTINEL),
    ("outside/dir/secret", SENTINEL),
    ("docs/guide.md", "guide\n"),
    ("docs/sub/deep.md", "deep\n"),
    ("docs/.env", SENTINEL),
    ("docs/.git/config", SENTINEL),
    ("launch/notes.txt", "notes\n"),
    ("launch/.netrc", SENTINEL),
    ("launch/.env", SENTINEL),
    ("launch/below/deep.txt", SENTINEL),
    ("launch/below/SENTINEL-7f3a-name", SENTINEL),
];

/// Directories side by side: a project, a reference space, a launch directory, and what is outside of all of them.
pub(crate) struct Scene {
    scratch: tempfile::TempDir,
    sockets: Vec<UnixListener>,
    mounts: Vec<PathBuf>,
    pub(crate) resolution: Resolution,
}

impl Scene {
    pub(crate) fn new(resolution: Resolution) -> Scene {
        let scene = Scene {
            scratch: tempfile::tempdir().unwrap(),
            sockets: Vec::new(),
            mounts: Vec::new(),
            resolution,
        };
        for (at, content) in FILES {
            scene.write(at, content);
        }
        scene
    }

    pub(crate) fn path(&self, at: &str) -> PathBuf {
        self.scratch.path().join(at)
    }

    /// Puts the places of this scene where a text of the corpus names them.
    pub(crate) fn expand(&self, text: &str) -> String {
        let place = |name: &str| self.path(name).to_str().unwrap().to_owned();
        // As `path::draft` names the file with the new bytes of new.txt.
        let draft = format!(
            ".orket-new-{}",
            &Digest::of_bytes(b"new.txt").to_hex()[..32]
        );
        text.replace("{outside}", &place("outside"))
            .replace("{project}", &place("project"))
            .replace("{draft:new.txt}", &draft)
    }

    fn write(&self, at: &str, content: &str) {
        let path = self.path(at);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn make(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::File { at, content } => self.write(at, content),
                Step::Directory { at } => fs::create_dir_all(self.path(at)).unwrap(),
                Step::Symlink { at, to } => {
                    symlink(self.expand(to), self.path(&self.expand(at))).unwrap()
                }
                Step::HardLink { at, to } => fs::hard_link(self.path(to), self.path(at)).unwrap(),
                Step::Fifo { at } => run(Command::new("mkfifo").arg(self.path(at))),
                Step::Socket { at } => {
                    let socket = UnixListener::bind(self.path(at)).unwrap();
                    self.sockets.push(socket);
                }
                Step::Device {
                    at,
                    kind,
                    major,
                    minor,
                } => {
                    let numbers = [major.to_string(), minor.to_string()];
                    run(Command::new("mknod")
                        .arg(self.path(at))
                        .arg(kind)
                        .args(numbers));
                }
                Step::Bind { at, to } => {
                    let at = self.path(at);
                    run(Command::new("mount")
                        .arg("--bind")
                        .arg(self.path(to))
                        .arg(&at));
                    self.mounts.push(at);
                }
                Step::Remove { at } => fs::remove_dir_all(self.path(at)).unwrap(),
            }
        }
    }

    fn open(&self, at: &str) -> Directory {
        Directory::open_with(&self.path(at), self.resolution).unwrap()
    }

    /// What the tools read; `state/` is the home of the database.
    pub(crate) fn spaces(&self) -> Arc<Spaces> {
        let spaces = Spaces::new(self.open("project"), "state".parse().ok())
            .with_reference("docs".parse().unwrap(), self.open("docs"))
            .with_launch(self.open("launch"));
        Arc::new(spaces)
    }

    /// What writes the files of a committed turn.
    pub(crate) fn workspace(&self) -> ProjectWorkspace {
        ProjectWorkspace::new(self.open("project"))
    }

    /// Everything in the scene that is not reached through a mount.
    pub(crate) fn standing(&self) -> BTreeMap<String, Standing> {
        Standing::below(self.scratch.path(), &self.mounts)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // What is mounted must not be removed with the scene.
        for mount in self.mounts.iter().rev() {
            run(Command::new("umount").arg(mount));
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
