//! File systems on which neither locks nor syncs can be relied on.

use std::path::Path;

use crate::StoreError;

/// The magic numbers of `statfs` (linux/magic.h and the sources of those outside the kernel), and their names.
#[cfg(target_os = "linux")]
const REFUSED: &[(u32, &str)] = &[
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x6573_5546, "FUSE"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "kAFS"),
    (0x7375_7245, "Coda"),
    (0x0102_1997, "9P"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x4750_4653, "GPFS"),
    (0x564c, "NCP"),
    (0x786f_4256, "a VirtualBox shared folder"),
];

/// Refuses a directory on a network file system. Other systems than Linux do not tell, there nothing is checked.
#[cfg(target_os = "linux")]
pub(crate) fn refuse(directory: &Path) -> Result<(), StoreError> {
    let found = rustix::fs::statfs(directory)
        .map_err(|errno| StoreError::file(directory, "examined", errno.into()))?;
    // The width and the sign of the field differ between architectures; the numbers have 32 bits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let magic = found.f_type as u32;
    match kind(magic) {
        Some(kind) => Err(StoreError::NetworkFileSystem {
            path: directory.to_path_buf(),
            kind,
        }),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn refuse(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn kind(magic: u32) -> Option<&'static str> {
    REFUSED
        .iter()
        .find(|(refused, _)| *refused == magic)
        .map(|(_, kind)| *kind)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        assert_eq!(kind(0xff53_4d42), Some("CIFS"));
        assert_eq!(kind(0xef53), None, "ext4");
        assert_eq!(kind(0x0102_1994), None, "tmpfs");
    }

    #[test]
    fn a_local_directory_is_accepted() {
        let directory = tempfile::tempdir().unwrap();
        refuse(directory.path()).unwrap();
    }
}
