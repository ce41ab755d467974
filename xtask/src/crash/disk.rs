//! A disk in memory that knows what was synced and what was not, and what it looks like after its power was cut.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::crash::chance::Chance;
use crate::crash::place::files;
use crate::crash::recording::Event;

/// What a disk writes whole.
const SECTOR: usize = 512;

type Number = usize;

/// Files and directories, each with what is on the medium and what still waits for a sync.
pub(crate) struct Disk {
    nodes: Vec<Node>,
}

enum Node {
    File {
        durable: Vec<u8>,
        waiting: Vec<Change>,
    },
    Directory {
        /// As the running system sees it.
        now: BTreeMap<OsString, Number>,
        durable: BTreeMap<OsString, Number>,
        waiting: Vec<Entry>,
    },
}

/// A change of a file's bytes.
#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

/// A change of a directory's names. A rename within one directory is one change.
#[derive(Clone)]
enum Entry {
    Add(OsString, Number),
    Remove(OsString),
    Move(OsString, OsString, Number),
}

/// Which of the waiting changes survive.
#[derive(Clone, Copy, Debug)]
enum Mercy {
    None,
    All,
    /// The oldest ones, as a journal of the file system would keep them.
    Oldest,
    /// Any.
    Some,
    /// Any, and of each only some sectors.
    Sectors,
}

const MERCIES: [Mercy; 5] = [
    Mercy::None,
    Mercy::All,
    Mercy::Oldest,
    Mercy::Some,
    Mercy::Sectors,
];

impl Disk {
    /// Returns a disk that holds a tree, all of it on the medium.
    pub(crate) fn holding(tree: &Path) -> Result<Disk> {
        let mut disk = Disk { nodes: Vec::new() };
        disk.hold(tree)?;
        Ok(disk)
    }

    fn hold(&mut self, path: &Path) -> Result<Number> {
        let number = self.nodes.len();
        if !path.is_dir() {
            let durable =
                fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
            self.nodes.push(Node::File {
                durable,
                waiting: Vec::new(),
            });
            return Ok(number);
        }
        self.nodes.push(Node::directory());
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            entries.insert(entry.file_name(), self.hold(&entry.path())?);
        }
        if let Node::Directory { now, durable, .. } = &mut self.nodes[number] {
            *now = entries.clone();
            *durable = entries;
        }
        Ok(number)
    }

    /// Lets one recorded thing happen.
    pub(crate) fn apply(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::MakeFile(path) => {
                let node = Node::File {
                    durable: Vec::new(),
                    waiting: Vec::new(),
                };
                self.add(path, node)
            }
            Event::MakeDirectory(path) => self.add(path, Node::directory()),
            Event::Write {
                path,
                offset,
                bytes,
            } => self.change(path, Change::Write(*offset as usize, bytes.clone())),
            Event::Truncate(path, length) => self.change(path, Change::Truncate(*length as usize)),
            Event::Sync(path) => {
                let Some(number) = self.find(path) else {
                    return Ok(());
                };
                self.nodes[number].sync();
                Ok(())
            }
            Event::Rename(from, to) => self.rename(from, to),
            Event::Unlink(path) | Event::RemoveDirectory(path) => {
                let (parent, name) = self.parent(path)?;
                self.names(parent)?.remove(&name);
                self.wait(parent, Entry::Remove(name))
            }
            Event::Acknowledge(_) => Ok(()),
        }
    }

    /// Writes what is left of the disk when its power is cut now.
    pub(crate) fn cut(&self, target: &Path, chance: &mut Chance) -> Result<()> {
        let names = MERCIES[chance.below(MERCIES.len())];
        let bytes = MERCIES[chance.below(MERCIES.len())];
        self.write(0, target, names, bytes, chance)
    }

    /// Names the files whose bytes are not those below a real tree, once nothing waits any more.
    pub(crate) fn differences(&self, tree: &Path) -> Result<Vec<PathBuf>> {
        let mut held = BTreeMap::new();
        self.collect(0, Path::new(""), &mut held);
        let found = files(tree)?;
        let mut paths: Vec<PathBuf> = held.keys().chain(found.keys()).cloned().collect();
        paths.sort();
        paths.dedup();
        paths.retain(|path| held.get(path) != found.get(path));
        Ok(paths)
    }

    fn collect(&self, number: Number, path: &Path, held: &mut BTreeMap<PathBuf, Vec<u8>>) {
        match &self.nodes[number] {
            Node::File { durable, waiting } => {
                let mut content = durable.clone();
                for change in waiting {
                    change.apply(&mut content, Mercy::All, &mut Chance::new(0, 0));
                }
                held.insert(path.to_path_buf(), content);
            }
            Node::Directory { now, .. } => {
                for (name, number) in now {
                    self.collect(*number, &path.join(name), held);
                }
            }
        }
    }

    fn write(
        &self,
        number: Number,
        target: &Path,
        names: Mercy,
        bytes: Mercy,
        chance: &mut Chance,
    ) -> Result<()> {
        match &self.nodes[number] {
            Node::File { durable, waiting } => {
                let mut content = durable.clone();
                for change in spared(waiting, bytes, chance) {
                    change.apply(&mut content, bytes, chance);
                }
                fs::write(target, content)
                    .with_context(|| format!("failed to write {}", target.display()))?;
                set_mode(target, 0o600)
            }
            Node::Directory {
                durable, waiting, ..
            } => {
                let mut entries = durable.clone();
                for entry in spared(waiting, names, chance) {
                    entry.apply(&mut entries);
                }
                fs::create_dir_all(target)?;
                set_mode(target, 0o700)?;
                for (name, number) in &entries {
                    self.write(*number, &target.join(name), names, bytes, chance)?;
                }
                Ok(())
            }
        }
    }

    fn add(&mut self, path: &Path, node: Node) -> Result<()> {
        let number = self.nodes.len();
        self.nodes.push(node);
        let (parent, name) = self.parent(path)?;
        self.names(parent)?.insert(name.clone(), number);
        self.wait(parent, Entry::Add(name, number))
    }

    fn change(&mut self, path: &Path, change: Change) -> Result<()> {
        // A file without a name is gone with its process.
        let Some(number) = self.find(path) else {
            return Ok(());
        };
        match &mut self.nodes[number] {
            Node::File { waiting, .. } => waiting.push(change),
            Node::Directory { .. } => bail!("{} is a directory", path.display()),
        }
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        let (old_parent, old) = self.parent(from)?;
        let (new_parent, new) = self.parent(to)?;
        let moved = self.names(old_parent)?.remove(&old);
        let number = moved.with_context(|| format!("{} is not there", from.display()))?;
        self.names(new_parent)?.insert(new.clone(), number);
        if old_parent == new_parent {
            return self.wait(old_parent, Entry::Move(old, new, number));
        }
        self.wait(new_parent, Entry::Add(new, number))?;
        self.wait(old_parent, Entry::Remove(old))
    }

    fn find(&self, path: &Path) -> Option<Number> {
        path.iter()
            .try_fold(0, |number, name| match &self.nodes[number] {
                Node::Directory { now, .. } => now.get(name).copied(),
                Node::File { .. } => None,
            })
    }

    fn parent(&self, path: &Path) -> Result<(Number, OsString)> {
        let lost = || format!("{} has no parent on the disk", path.display());
        let parent = path.parent().and_then(|parent| self.find(parent));
        let name = path.file_name().map(OsStr::to_os_string);
        Ok((parent.with_context(lost)?, name.with_context(lost)?))
    }

    fn names(&mut self, number: Number) -> Result<&mut BTreeMap<OsString, Number>> {
        match &mut self.nodes[number] {
            Node::Directory { now, .. } => Ok(now),
            Node::File { .. } => bail!("a file has no names"),
        }
    }

    fn wait(&mut self, number: Number, entry: Entry) -> Result<()> {
        match &mut self.nodes[number] {
            Node::Directory { waiting, .. } => waiting.push(entry),
            Node::File { .. } => bail!("a file has no names"),
        }
        Ok(())
    }
}

impl Node {
    fn directory() -> Node {
        Node::Directory {
            now: BTreeMap::new(),
            durable: BTreeMap::new(),
            waiting: Vec::new(),
        }
    }

    fn sync(&mut self) {
        match self {
            Node::File { durable, waiting } => {
                for change in waiting.drain(..) {
                    change.apply(durable, Mercy::All, &mut Chance::new(0, 0));
                }
            }
            Node::Directory {
                now,
                durable,
                waiting,
            } => {
                *durable = now.clone();
                waiting.clear();
            }
        }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>, mercy: Mercy, chance: &mut Chance) {
        match self {
            Change::Truncate(length) => content.resize(*length, 0),
            Change::Write(offset, bytes) => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                let mut at = *offset;
                while at < end {
                    let next = (at / SECTOR + 1) * SECTOR;
                    let next = next.min(end);
                    if !matches!(mercy, Mercy::Sectors) || chance.coin() {
                        content[at..next].copy_from_slice(&bytes[at - offset..next - offset]);
                    }
                    at = next;
                }
            }
        }
    }
}

impl Entry {
    fn apply(&self, entries: &mut BTreeMap<OsString, Number>) {
        match self {
            Entry::Add(name, number) => {
                entries.insert(name.clone(), *number);
            }
            Entry::Remove(name) => {
                entries.remove(name);
            }
            Entry::Move(old, new, number) => {
                entries.remove(old);
                entries.insert(new.clone(), *number);
            }
        }
    }
}

/// The changes that survive, in their order.
fn spared<'a, T>(waiting: &'a [T], mercy: Mercy, chance: &mut Chance) -> Vec<&'a T> {
    match mercy {
        Mercy::None => Vec::new(),
        Mercy::All => waiting.iter().collect(),
        Mercy::Oldest => {
            let count = chance.below(waiting.len() + 1);
            waiting.iter().take(count).collect()
        }
        Mercy::Some | Mercy::Sectors => waiting.iter().filter(|_| chance.coin()).collect(),
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(path, permissions)
        .with_context(|| format!("failed to set the mode of {}", path.display()))
}

/// Names the place that a sync belongs to: digests and numbers in names do not count.
pub(crate) fn site(path: &Path) -> String {
    let mut is_below_blobs = false;
    let mut site = PathBuf::new();
    for part in path.iter().map(OsStr::to_string_lossy) {
        match () {
            () if part.starts_with(".new-") => site.push("DRAFT"),
            () if is_below_blobs => site.push("HEX"),
            () => site.push(part.as_ref()),
        }
        is_below_blobs |= part == "blobs";
    }
    if site.as_os_str().is_empty() {
        return "(the directory of the home)".to_owned();
    }
    site.display().to_string()
}
