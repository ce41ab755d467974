//! The browsable view against the generation that it says it shows. That it lags is no fault.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use orket_kernel::{Digest, LSI_VERSION, Stem, canonical};

use super::Findings;
use crate::access::Access;
use crate::content::{self, Content};
use crate::past::Past;
use crate::promotion::Head;
use crate::view::{DIRECTORY, LOCK, MARKER, Marker};
use crate::{StoreError, history, horizon, record_file, row, whole_file};

pub(super) fn check(
    access: Access<'_>,
    findings: &mut Findings,
    head: Head,
) -> Result<(), StoreError> {
    let root = access.home.index().join(DIRECTORY);
    let lock = File::open(access.home.index().join(LOCK)).ok();
    if lock
        .as_ref()
        .is_some_and(|lock| lock.try_lock_shared().is_err())
    {
        findings.note("the view is being written now and was not looked at");
        return Ok(());
    }
    let path = root.join(MARKER);
    let Some(bytes) =
        whole_file::read(&path).map_err(|error| StoreError::file(&path, "read", error))?
    else {
        findings.note("there is no browsable view; the next run writes it");
        return Ok(());
    };
    let marker = canonical::from_bytes::<Marker>(&bytes).ok();
    let Some(marker) = marker.filter(|marker| marker.lsi_version == LSI_VERSION) else {
        findings.corrupt(path.display().to_string(), "it is no marker of a view");
        return Ok(());
    };
    if marker.generation > head.generation {
        let reason = format!(
            "it shows generation {}, the database ends at {}: it is older than what it acknowledged",
            marker.generation, head.generation
        );
        findings.corrupt(root.display().to_string(), reason);
        return Ok(());
    }
    if marker.generation < head.generation {
        findings.note(format!(
            "the view shows generation {}, {} behind; the next run brings it forward",
            marker.generation,
            head.generation - marker.generation
        ));
    }
    if marker.generation < horizon::read(access)? {
        findings.note("the generation of the view is not retained; its files were not looked at");
        return Ok(());
    }
    let past = Past::open(access, head, marker.generation)?;
    if past.head().state_digest != marker.state_digest {
        let reason = format!(
            "it holds the state digest {}, generation {} has {}",
            marker.state_digest,
            marker.generation,
            past.head().state_digest
        );
        findings.corrupt(path.display().to_string(), reason);
        return Ok(());
    }
    Check {
        access,
        root,
        moving: moving(access, marker.generation, head.generation)?,
        expected: BTreeSet::from([PathBuf::from(MARKER)]),
    }
    .run(findings, &past)
}

/// Files that a later generation changes: a view that was cut short while it was brought forward has some of them.
fn moving(access: Access<'_>, after: u64, until: u64) -> Result<BTreeSet<PathBuf>, StoreError> {
    let mut paths = BTreeSet::new();
    for name in history::changed(access, "object", after, until)? {
        paths.extend(
            Digest::parse(&name)
                .ok()
                .map(|digest| record_file::object_path(&digest)),
        );
    }
    for name in history::changed(access, "triplet", after, until)? {
        paths.insert(record_file::triplet_path(&row::stem(&name)?));
    }
    for name in history::changed(access, "refs", after, until)? {
        paths.insert(record_file::ref_path(&name));
    }
    Ok(paths)
}

struct Check<'a> {
    access: Access<'a>,
    root: PathBuf,
    moving: BTreeSet<PathBuf>,
    expected: BTreeSet<PathBuf>,
}

impl Check<'_> {
    fn run(mut self, findings: &mut Findings, past: &Past<'_>) -> Result<(), StoreError> {
        for digest in content::objects(self.access)? {
            let path = record_file::object_path(&digest);
            self.compare(findings, path, |path| {
                let found = whole_file::payload(path)?;
                Ok(found.map(|found| found.digest() == digest))
            })?;
        }
        let stems: Vec<Stem> = history::stems(self.access, "", past.head().generation)?;
        for stem in stems {
            findings.part("triplets", |findings| {
                let Some(record) = past.record(&stem)? else {
                    return Ok(());
                };
                let bytes = record_file::triplet_bytes(&record);
                let path = record_file::triplet_path(&stem);
                self.compare(findings, path, |path| {
                    Ok(whole_file::read(path)?.map(|found| found == bytes))
                })
            })?;
        }
        for id in past.ids()? {
            findings.part("refs", |findings| {
                let (defined_by, sources) = past.id(&id)?;
                let bytes = record_file::ref_bytes(&id, defined_by.as_ref(), &sources);
                let path = record_file::ref_path(&id);
                self.compare(findings, path, |path| {
                    Ok(whole_file::read(path)?.map(|found| found == bytes))
                })
            })?;
        }
        self.check_superfluous(findings)
    }

    fn compare(
        &mut self,
        findings: &mut Findings,
        relative: PathBuf,
        is_right: impl Fn(&Path) -> std::io::Result<Option<bool>>,
    ) -> Result<(), StoreError> {
        findings.looked_at += 1;
        if self.moving.contains(&relative) {
            return Ok(());
        }
        let path = self.root.join(&relative);
        let found = is_right(&path).map_err(|error| StoreError::file(&path, "read", error))?;
        let place = path.display().to_string();
        match found {
            None => findings.corrupt(place, "the file of the view is missing"),
            Some(false) => {
                findings.corrupt(place, "the file differs from the committed state");
            }
            Some(true) => {}
        }
        self.expected.insert(relative);
        Ok(())
    }

    fn check_superfluous(&self, findings: &mut Findings) -> Result<(), StoreError> {
        let mut open = vec![self.root.clone()];
        while let Some(directory) = open.pop() {
            let entries = whole_file::entries(&directory)
                .map_err(|error| StoreError::file(&directory, "listed", error))?;
            for path in entries {
                let metadata = std::fs::symlink_metadata(&path)
                    .map_err(|error| StoreError::file(&path, "read", error))?;
                if metadata.is_dir() {
                    open.push(path);
                    continue;
                }
                let relative = path.strip_prefix(&self.root).unwrap_or(&path);
                if is_draft(&path) {
                    findings.note(format!("{} is left of a cut write", path.display()));
                } else if self.is_dropped_object(relative)? {
                    findings.note(format!("{} is not retained any more", path.display()));
                } else if !self.expected.contains(relative) && !self.moving.contains(relative) {
                    let reason = "nothing of the committed state has this file";
                    findings.corrupt(path.display().to_string(), reason);
                } else if !metadata.is_file() {
                    findings.corrupt(path.display().to_string(), "it is no regular file");
                }
            }
        }
        Ok(())
    }
}

impl Check<'_> {
    /// Tells whether a file is a whole object that retention dropped; the next collection removes it.
    fn is_dropped_object(&self, relative: &Path) -> Result<bool, StoreError> {
        let name = relative.file_name().and_then(|name| name.to_str());
        let digest = name.and_then(|name| name.parse::<Digest>().ok());
        let Some(digest) = digest.filter(|digest| record_file::object_path(digest) == relative)
        else {
            return Ok(false);
        };
        if content::exists(self.access, Content::Object, &digest)? {
            return Ok(false);
        }
        let path = self.root.join(relative);
        let found =
            whole_file::payload(&path).map_err(|error| StoreError::file(&path, "read", error))?;
        Ok(found.is_some_and(|found| found.digest() == digest))
    }
}

fn is_draft(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(whole_file::is_temporary)
}
