//! The private root: a file system with the programs and libraries of the system, what the job is given, and nothing
//! else.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

use super::file_rules::{DEVICES, SYSTEM_DIRECTORIES, SYSTEM_FILES};
use super::message::{Order, Root};
use super::system_calls::{MountAttributes, set_mount_attributes};

/// Where the old root is while the new one is made.
const OLD: &str = "/.old";
/// Where the executable of the child is found in the new root.
const CHILD: &str = "/.orket-sandbox";

/// Makes the root, in a mount namespace of its own, and tells where the executable of the child is now.
pub(super) fn build(order: &Order) -> io::Result<PathBuf> {
    // Nothing that is mounted from here on is to be seen outside.
    rustix::mount::mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )?;
    let data = c"mode=0755,size=1m";
    rustix::mount::mount(
        "tmpfs",
        "/tmp",
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        data,
    )?;
    fs::create_dir("/tmp/.old")?;
    rustix::process::pivot_root("/tmp", "/tmp/.old")?;
    rustix::process::chdir("/")?;

    for directory in SYSTEM_DIRECTORIES {
        give_as_it_is(Path::new(directory))?;
    }
    for file in SYSTEM_FILES {
        let path = Path::new(file);
        // A link could lead anywhere.
        if fs::symlink_metadata(old(path)).is_ok_and(|metadata| !metadata.is_symlink()) {
            give(path, path, READ_ONLY)?;
        }
    }
    for device in DEVICES {
        let path = Path::new(device);
        if old(path).exists() {
            give(
                path,
                path,
                MountAttributes {
                    no_devices: false,
                    ..READ_ONLY
                },
            )?;
        }
    }
    give(Path::new(CHILD), &order.child, READ_ONLY)?;
    // A root inside another one has to come after it.
    let mut roots: Vec<(&Root, MountAttributes)> = order
        .readable
        .iter()
        .map(|root| (root, READ_ONLY))
        .collect();
    roots.push((
        &order.work_dir,
        MountAttributes {
            read_only: false,
            ..READ_ONLY
        },
    ));
    roots.sort_by_key(|(root, _)| root.path.components().count());
    for (root, attributes) in roots {
        give(&root.path, &root.real, attributes)?;
    }

    rustix::mount::unmount(OLD, UnmountFlags::DETACH)?;
    fs::remove_dir(OLD)?;
    set_mount_attributes(
        Path::new("/"),
        MountAttributes {
            recursive: false,
            ..READ_ONLY
        },
    )?;
    Ok(PathBuf::from(CHILD))
}

const READ_ONLY: MountAttributes = MountAttributes {
    read_only: true,
    no_devices: true,
    recursive: true,
};

/// Gives a directory of the system, or the link that it is on many systems (`/bin` to `usr/bin`).
fn give_as_it_is(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(old(path)) {
        Ok(metadata) if metadata.is_symlink() => symlink(fs::read_link(old(path))?, path),
        Ok(_) => give(path, path, READ_ONLY),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Shows the old `source` as `target`.
fn give(target: &Path, source: &Path, attributes: MountAttributes) -> io::Result<()> {
    let say =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", target.display()));
    let source = old(source);
    if !target.exists() {
        if source.is_dir() {
            fs::create_dir_all(target).map_err(say)?;
        } else {
            target
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .map_err(say)?;
            drop(fs::File::create(target).map_err(say)?);
        }
    }
    rustix::mount::mount_bind_recursive(source, target).map_err(|errno| say(errno.into()))?;
    set_mount_attributes(target, attributes).map_err(say)
}

fn old(path: &Path) -> PathBuf {
    Path::new(OLD).join(path.strip_prefix("/").unwrap_or(path))
}
