//! Reads an exported generation back. What lies there may have been made by anybody: every name, size, kind of file, digest,
//! record and reference is checked, and whatever is not expected is refused.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orket_kernel::canonical::{self, Value};
use orket_kernel::limits::ATTACHMENT_LENGTH_MAX_BYTES;
use orket_kernel::{
    Digest, LSI_VERSION, Payload, PayloadSource, RefSource, Stem, Stream, Triplet, TripletRecord,
    references_of,
};
use rustix::fs::{Mode, OFlags};

use crate::content::INLINE_LENGTH_MAX_BYTES;
use crate::view::{MARKER, Marker};
use crate::{StoreError, reach, record_file, state, tree};

/// The longest file that is no object, as long as any document may be.
const RECORD_LENGTH_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// All files that are held in memory until the import is committed.
const HELD_LENGTH_MAX_BYTES: u64 = 1024 * 1024 * 1024;
const FILES_MAX: usize = 1_000_000;
/// `refs/by_id/<2 hex>/<file>` is the deepest path.
const DEPTH_MAX: usize = 4;

/// A state that was read from files, checked against the digest that came with it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The generation that it had where it was exported.
    pub generation: u64,
    /// The digest of the whole state.
    pub state_digest: Digest,
    /// Its triplets, sorted by stem.
    pub triplets: Vec<Triplet>,
    /// Raw bytes that bodies name by digest.
    pub attachments: BTreeMap<Digest, Payload>,
}

impl Imported {
    /// Reads the files of a directory that `Snapshot::export` wrote, and checks all of them.
    ///
    /// # Errors
    /// [`StoreError::InvalidExport`] names the first file that is not as it must be; [`StoreError::File`] if one cannot
    /// be read.
    ///
    /// # Limitations
    /// At most 1,000,000 files of 4 GiB each. Objects over 1 MiB are read once here and again when they are promoted, so the
    /// directory must stay as it is until then; what has changed is refused. All else is held in memory, at most 1 GiB.
    pub fn read(directory: &Path) -> Result<Imported, StoreError> {
        let mut files = Files::read(directory)?;
        let path = PathBuf::from(MARKER);
        let bytes = files.take_record(&path)?;
        let marker: Marker = files.parse(&path, &bytes)?;
        if marker.lsi_version != LSI_VERSION {
            return Err(files.invalid(&path, "its version is not known"));
        }
        let objects = read_objects(&mut files)?;
        let records = read_records(&mut files)?;
        let imported = assemble(&files, &marker, &records, objects)?;
        check_references(&mut files, &marker, &records, &imported)?;
        match files.left.keys().next() {
            None => Ok(imported),
            Some(path) => Err(files.invalid(path, "it is no file of an export")),
        }
    }
}

/// A file of an export, opened anew for each reading as strictly as for the first.
#[derive(Debug)]
struct Exported(PathBuf);

impl PayloadSource for Exported {
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(open(&self.0)?))
    }
}

/// A name may have become something else since it was listed; a link is not followed, and a pipe must not stop us.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// The files of the directory that were not looked at yet, by their paths below it.
struct Files {
    root: PathBuf,
    left: BTreeMap<PathBuf, Payload>,
}

impl Files {
    fn read(directory: &Path) -> Result<Files, StoreError> {
        let mut files = Files {
            root: directory.to_path_buf(),
            left: BTreeMap::new(),
        };
        let mut held: u64 = 0;
        let mut open = vec![PathBuf::new()];
        while let Some(relative) = open.pop() {
            let path = directory.join(&relative);
            let failed = |error| StoreError::file(&path, "listed", error);
            for entry in fs::read_dir(&path).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let relative = relative.join(entry.file_name());
                // The kind is that of the name itself: a link is not followed.
                let kind = entry.file_type().map_err(failed)?;
                if kind.is_dir() {
                    if relative.components().count() >= DEPTH_MAX {
                        return Err(files.invalid(&relative, "it is no directory of an export"));
                    }
                    open.push(relative);
                    continue;
                }
                if !kind.is_file() {
                    return Err(files.invalid(&relative, "it is no regular file"));
                }
                if files.left.len() >= FILES_MAX {
                    return Err(files.invalid(&relative, "there are more than 1,000,000 files"));
                }
                let payload = files.read_one(&relative)?;
                if let Payload::Held(bytes) = &payload {
                    held += bytes.len() as u64;
                }
                if held > HELD_LENGTH_MAX_BYTES {
                    let reason = "the files that are held in memory are longer than 1 GiB together";
                    return Err(files.invalid(&relative, reason));
                }
                files.left.insert(relative, payload);
            }
        }
        Ok(files)
    }

    fn read_one(&self, relative: &Path) -> Result<Payload, StoreError> {
        let path = self.root.join(relative);
        let failed = |error: std::io::Error| StoreError::file(&path, "read", error);
        let file = open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(self.invalid(relative, "it is no regular file"));
        }
        let limit_bytes = ATTACHMENT_LENGTH_MAX_BYTES;
        let too_long = || self.invalid(relative, "it is longer than 4 GiB");
        if metadata.len() > limit_bytes {
            return Err(too_long());
        }
        let is_object = relative.starts_with(record_file::OBJECTS);
        if is_object && metadata.len() > INLINE_LENGTH_MAX_BYTES as u64 {
            let measured = Stream::measure(Arc::new(Exported(path.clone())), limit_bytes);
            let stream = measured.map_err(failed)?.ok_or_else(too_long)?;
            return Ok(Payload::Streamed(stream));
        }
        let mut bytes = Vec::new();
        file.take(RECORD_LENGTH_MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 > RECORD_LENGTH_MAX_BYTES {
            return Err(self.invalid(relative, "it is longer than 64 MiB"));
        }
        Ok(Payload::Held(bytes))
    }

    fn take(&mut self, relative: &Path) -> Result<Payload, StoreError> {
        match self.left.remove(relative) {
            Some(payload) => Ok(payload),
            None => Err(self.invalid(relative, "it is missing")),
        }
    }

    /// Takes a file that is no object.
    fn take_record(&mut self, relative: &Path) -> Result<Vec<u8>, StoreError> {
        let payload = self.take(relative)?;
        self.bytes(relative, &payload).map(Cow::into_owned)
    }

    /// Returns the bytes of a record or a document.
    fn bytes<'p>(
        &self,
        relative: &Path,
        payload: &'p Payload,
    ) -> Result<Cow<'p, [u8]>, StoreError> {
        payload.to_bytes().map_err(|error| match error.kind() {
            ErrorKind::InvalidData => self.invalid(relative, "it was changed while it was read"),
            ErrorKind::FileTooLarge => self.invalid(relative, "it is too long for a document"),
            _ => StoreError::file(&self.root.join(relative), "read", error),
        })
    }

    /// Takes all files below a directory.
    fn below(&mut self, directory: &str) -> Vec<(PathBuf, Payload)> {
        let is_below = |path: &PathBuf| path.starts_with(directory);
        let paths: Vec<PathBuf> = self
            .left
            .keys()
            .filter(|path| is_below(path))
            .cloned()
            .collect();
        paths
            .into_iter()
            .filter_map(|path| self.left.remove(&path).map(|payload| (path, payload)))
            .collect()
    }

    fn parse<T: serde::de::DeserializeOwned>(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<T, StoreError> {
        let invalid = |reason: String| self.invalid(path, &reason);
        let value = canonical::parse(bytes).map_err(|error| invalid(error.to_string()))?;
        if canonical::to_bytes(&value) != bytes {
            return Err(self.invalid(path, "it is not canonical JSON"));
        }
        canonical::from_value(value).map_err(|error| invalid(error.to_string()))
    }

    fn invalid(&self, relative: &Path, reason: &str) -> StoreError {
        StoreError::InvalidExport {
            path: self.root.join(relative),
            reason: reason.to_owned(),
        }
    }
}

fn read_objects(files: &mut Files) -> Result<BTreeMap<Digest, Payload>, StoreError> {
    let mut objects = BTreeMap::new();
    for (path, payload) in files.below(record_file::OBJECTS) {
        let digest = payload.digest();
        if path != record_file::object_path(&digest) {
            return Err(files.invalid(&path, "its name is not the digest of its bytes"));
        }
        objects.insert(digest, payload);
    }
    Ok(objects)
}

fn read_records(files: &mut Files) -> Result<BTreeMap<Stem, TripletRecord>, StoreError> {
    let mut records = BTreeMap::new();
    for (path, payload) in files.below(record_file::TRIPLETS) {
        let bytes = files.bytes(&path, &payload)?;
        let record: TripletRecord = files.parse(&path, &bytes)?;
        if record.lsi_version != LSI_VERSION {
            return Err(files.invalid(&path, "its version is not known"));
        }
        if path != record_file::triplet_path(&record.stem) {
            return Err(files.invalid(&path, "its content belongs to another name"));
        }
        records.insert(record.stem.clone(), record);
    }
    Ok(records)
}

/// Makes triplets of the records and their documents. What else is there must be named by a document.
fn assemble(
    files: &Files,
    marker: &Marker,
    records: &BTreeMap<Stem, TripletRecord>,
    mut objects: BTreeMap<Digest, Payload>,
) -> Result<Imported, StoreError> {
    let mut imported = Imported {
        generation: marker.generation,
        state_digest: marker.state_digest,
        triplets: Vec::new(),
        attachments: BTreeMap::new(),
    };
    let mut documents = BTreeSet::new();
    let mut named = BTreeSet::new();
    for (stem, record) in records {
        let mut document = |digest: &Digest| {
            let path = record_file::object_path(digest);
            let payload = objects
                .get(digest)
                .ok_or_else(|| files.invalid(&path, &format!("it is missing, {stem} names it")))?;
            let value: Value = files.parse(&path, &files.bytes(&path, payload)?)?;
            documents.insert(*digest);
            named.extend(reach::named(&value));
            Ok::<Value, StoreError>(value)
        };
        imported.triplets.push(Triplet {
            stem: stem.clone(),
            body: document(&record.body_digest)?,
            links: document(&record.links_digest)?,
            manifest: document(&record.manifest_digest)?,
        });
    }
    objects.retain(|digest, _| !documents.contains(digest));
    if let Some(digest) = objects.keys().find(|digest| !named.contains(*digest)) {
        let path = record_file::object_path(digest);
        return Err(files.invalid(&path, "nothing of the state names it"));
    }
    imported.attachments = objects;
    Ok(imported)
}

/// Makes the references anew from the links, compares them with the files, and the whole with the state digest.
fn check_references(
    files: &mut Files,
    marker: &Marker,
    records: &BTreeMap<Stem, TripletRecord>,
    imported: &Imported,
) -> Result<(), StoreError> {
    let mut ids: BTreeMap<String, (Option<&Stem>, Vec<RefSource>)> = BTreeMap::new();
    for triplet in &imported.triplets {
        let path = record_file::triplet_path(&triplet.stem);
        let id = triplet.body.get("id").and_then(Value::as_str);
        let id = id.filter(|id| !id.is_empty());
        let Some(id) = id else {
            return Err(files.invalid(&path, "its body defines no id"));
        };
        let own = &mut ids.entry(id.to_owned()).or_default().0;
        if let Some(other) = own.replace(&triplet.stem) {
            return Err(files.invalid(&path, &format!("{other} defines its id too")));
        }
        let links_digest = canonical::digest(&triplet.links);
        for (id, source) in references_of(&triplet.stem, &triplet.links, links_digest) {
            ids.entry(id).or_default().1.push(source);
        }
    }
    let mut refs = Vec::new();
    for (id, (defined_by, mut sources)) in ids {
        sources.sort();
        let path = record_file::ref_path(&id);
        if files.take_record(&path)? != record_file::ref_bytes(&id, defined_by, &sources) {
            return Err(files.invalid(&path, "it does not follow from the bodies and links"));
        }
        let leaf = state::ref_leaf(&id, defined_by, &state::source_root(&sources));
        refs.extend(leaf.map(|leaf| (tree::key_hash(&id), leaf)));
    }
    let mut triplets: Vec<tree::Entry> = records
        .values()
        .map(|record| {
            (
                tree::key_hash(record.stem.as_str()),
                state::triplet_leaf(record),
            )
        })
        .collect();
    triplets.sort();
    refs.sort();
    let found = state::digest(&tree::root_of(&triplets), &tree::root_of(&refs));
    if found == marker.state_digest {
        return Ok(());
    }
    let reason = format!("the files have the state digest {found}");
    Err(files.invalid(Path::new(MARKER), &reason))
}
