//! The staging area: files that belong to turns which are not committed yet.
//!
//! ```text
//! index/staging/<token(run)>/<token(turn)>/
//!   objects/ triplets/ refs/by_id/         what the turn wants to change, in the layout of the committed index
//!   turn_record                            the record of the turn, where the kernel's port staged it
//!   deletions.json                         the stems that it deletes; written last, so its presence says "whole"
//!   anything else                          exchanges and other evidence of attempts
//! ```
//!
//! Each file is there whole or not at all and survives the end of the process. Nothing is synced: a power cut may cost
//! it, which is found out when it is read, and costs one model call.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use orket_kernel::canonical::{self, Value};
use orket_kernel::{
    Digest, LSI_VERSION, RefSource, RunId, StagedTriplet, StagedTurn, Stem, TripletRecord, TurnId,
    object,
};

use crate::home::Home;
use crate::record_file::{self, RefFile};
use crate::whole_file::{self, Durability};
use crate::{StoreError, content, state, token};

const DELETIONS: &str = "deletions.json";
const TURN_RECORD: &str = "turn_record";
const SEGMENT_LENGTH_MAX_BYTES: usize = 200;

/// The staging area of one home.
#[derive(Clone, Debug)]
pub struct Staging {
    root: PathBuf,
}

impl Staging {
    pub(crate) fn new(root: PathBuf) -> Staging {
        Staging { root }
    }

    pub(crate) fn of(home: &Home) -> Staging {
        Staging::new(home.index().join("staging"))
    }

    /// Writes one file of a turn, such as `attempt-1/exchange-1.json`. It is there whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::InvalidPath`] unless each segment of `relative` is made of letters, digits, `.`, `_` and `-`,
    /// begins with a letter or digit, and does not name a part of the layout of staged turns.
    pub fn write(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
        relative: &str,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let path = self.evidence_path(run_id, turn_id, relative)?;
        write(&path, bytes)
    }

    /// Reads a file that [`Staging::write`] wrote; `None` if there is none.
    ///
    /// # Errors
    /// As [`Staging::write`].
    pub fn read(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
        relative: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.evidence_path(run_id, turn_id, relative)?;
        read(&path)
    }

    /// Writes what a turn wants to change, and replaces what an earlier attempt at it had staged.
    ///
    /// # Errors
    /// Fails if a file cannot be written; the turn then counts as not staged.
    pub fn stage_turn(&self, staged: &StagedTurn) -> Result<(), StoreError> {
        self.stage(staged, None)
    }

    /// As [`Staging::stage_turn`], with the record of the turn.
    pub(crate) fn stage_with_record(
        &self,
        staged: &StagedTurn,
        record: &[u8],
    ) -> Result<(), StoreError> {
        self.stage(staged, Some(record))
    }

    fn stage(&self, staged: &StagedTurn, record: Option<&[u8]>) -> Result<(), StoreError> {
        let directory = self.turn_directory(&staged.run_id, staged.turn_id);
        remove(&directory.join(DELETIONS))?;
        remove(&directory.join(TURN_RECORD))?;
        for part in record_file::DIRECTORIES {
            remove(&directory.join(part))?;
        }
        for (digest, payload) in &staged.objects {
            let path = directory.join(record_file::object_path(digest));
            content::write_payload(&path, digest, payload, Durability::Unsynced)?;
        }
        let mut ids: BTreeMap<&str, (Option<&Stem>, Vec<RefSource>)> = BTreeMap::new();
        for (stem, triplet) in &staged.triplets {
            write(
                &directory.join(record_file::triplet_path(stem)),
                &record_file::triplet_bytes(&triplet.record),
            )?;
            ids.entry(&triplet.id).or_default().0 = Some(stem);
            for (id, source) in &triplet.references {
                ids.entry(id).or_default().1.push(source.clone());
            }
        }
        for (id, (defined_by, mut sources)) in ids {
            sources.sort();
            let bytes = record_file::ref_bytes(id, defined_by, &sources);
            write(&directory.join(record_file::ref_path(id)), &bytes)?;
        }
        let mut deletions = object! { "lsi_version" => LSI_VERSION, "stems" => stems(staged) };
        if let Some(record) = record {
            write(&directory.join(TURN_RECORD), record)?;
            let whole = content_digest(staged, record).to_hex();
            deletions = object! {
                "lsi_version" => LSI_VERSION, "stems" => stems(staged), "content_digest" => whole,
            };
        }
        write(&directory.join(DELETIONS), &canonical::to_bytes(&deletions))
    }

    /// Reads back what [`Staging::stage_turn`] wrote; `None` if the turn is not staged, or not whole.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if a file is damaged, as a power cut can leave it.
    pub fn staged_turn(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<StagedTurn>, StoreError> {
        let deletions = self.deletions(run_id, turn_id)?;
        deletions
            .map(|deletions| self.read_turn(run_id, turn_id, deletions.stems))
            .transpose()
    }

    /// Reads back what [`Staging::stage_with_record`] wrote; `None` if the turn is not staged, or not whole.
    pub(crate) fn staged_with_record(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<(StagedTurn, Vec<u8>)>, StoreError> {
        let Some(deletions) = self.deletions(run_id, turn_id)? else {
            return Ok(None);
        };
        let path = self.turn_directory(run_id, turn_id).join(TURN_RECORD);
        let Some(record) = read(&path)? else {
            return Err(damaged(&path, "the turn is staged without its record"));
        };
        let staged = self.read_turn(run_id, turn_id, deletions.stems)?;
        if deletions.content_digest != Some(content_digest(&staged, &record)) {
            let reason = "the files of the turn are not those that were staged";
            return Err(damaged(&self.turn_directory(run_id, turn_id), reason));
        }
        Ok(Some((staged, record)))
    }

    fn deletions(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
    ) -> Result<Option<DeletionFile>, StoreError> {
        let path = self.turn_directory(run_id, turn_id).join(DELETIONS);
        let Some(bytes) = read(&path)? else {
            return Ok(None);
        };
        let deletions: DeletionFile = parse(&path, &bytes)?;
        check_version(&path, &deletions.lsi_version)?;
        Ok(Some(deletions))
    }

    fn read_turn(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
        deletions: BTreeSet<Stem>,
    ) -> Result<StagedTurn, StoreError> {
        let directory = self.turn_directory(run_id, turn_id);
        let mut staged = StagedTurn {
            run_id: run_id.clone(),
            turn_id,
            triplets: BTreeMap::new(),
            deletions,
            objects: BTreeMap::new(),
        };
        for (path, payload) in files(&directory.join(record_file::OBJECTS), whole_file::payload)? {
            let digest = payload.digest();
            check_place(&path, &directory.join(record_file::object_path(&digest)))?;
            staged.objects.insert(digest, payload);
        }
        for (path, bytes) in files(&directory.join(record_file::TRIPLETS), whole_file::read)? {
            let record: TripletRecord = parse(&path, &bytes)?;
            check_version(&path, &record.lsi_version)?;
            check_place(
                &path,
                &directory.join(record_file::triplet_path(&record.stem)),
            )?;
            let triplet = StagedTriplet {
                id: defined_id(&staged, &record)?,
                record,
                references: Vec::new(),
            };
            staged.triplets.insert(triplet.record.stem.clone(), triplet);
        }
        for (path, bytes) in files(&directory.join(record_file::REFS_BY_ID), whole_file::read)? {
            let file: RefFile = parse(&path, &bytes)?;
            check_version(&path, &file.lsi_version)?;
            check_place(&path, &directory.join(record_file::ref_path(&file.id)))?;
            for source in file.sources {
                let Some(triplet) = staged.triplets.get_mut(&source.stem) else {
                    return Err(damaged(
                        &path,
                        "it names a stem that the turn does not stage",
                    ));
                };
                triplet.references.push((file.id.clone(), source));
            }
        }
        for triplet in staged.triplets.values_mut() {
            triplet.references.sort();
        }
        Ok(staged)
    }

    /// Tells whether a turn is staged whole, as far as that can be told without reading it.
    pub(crate) fn is_whole(&self, run_id: &RunId, turn_id: TurnId) -> bool {
        self.turn_directory(run_id, turn_id)
            .join(DELETIONS)
            .exists()
    }

    /// Removes everything that a turn has in the staging area.
    ///
    /// # Errors
    /// Fails if a file cannot be removed.
    pub fn discard(&self, run_id: &RunId, turn_id: TurnId) -> Result<(), StoreError> {
        remove(&self.turn_directory(run_id, turn_id))?;
        // Fails while another turn of the run is staged, which is right.
        let _ = fs::remove_dir(self.run_directory(run_id));
        Ok(())
    }

    /// Returns the turns of a run that have something in the staging area, in order.
    ///
    /// # Errors
    /// Fails if the area cannot be listed.
    pub fn turns(&self, run_id: &RunId) -> Result<Vec<TurnId>, StoreError> {
        let mut turns = Vec::new();
        for path in entries(&self.run_directory(run_id))? {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let turn = name.parse::<TurnId>().ok();
            turns.extend(turn.filter(|turn| token(&turn.to_string()) == name));
        }
        turns.sort();
        Ok(turns)
    }

    fn run_directory(&self, run_id: &RunId) -> PathBuf {
        self.root.join(token(run_id.as_str()))
    }

    fn turn_directory(&self, run_id: &RunId, turn_id: TurnId) -> PathBuf {
        self.run_directory(run_id).join(token(&turn_id.to_string()))
    }

    fn evidence_path(
        &self,
        run_id: &RunId,
        turn_id: TurnId,
        relative: &str,
    ) -> Result<PathBuf, StoreError> {
        let invalid = |reason| StoreError::InvalidPath {
            relative: relative.chars().take(80).collect(),
            reason,
        };
        for segment in relative.split('/') {
            if !segment
                .as_bytes()
                .first()
                .is_some_and(u8::is_ascii_alphanumeric)
            {
                return Err(invalid("a segment must begin with a letter or a digit"));
            }
            if !segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            {
                return Err(invalid(
                    "a segment may hold only letters, digits, '.', '_' and '-'",
                ));
            }
            if segment.len() > SEGMENT_LENGTH_MAX_BYTES {
                return Err(invalid("a segment is longer than 200 bytes"));
            }
        }
        let first = relative.split('/').next().unwrap_or_default();
        if [DELETIONS, TURN_RECORD].contains(&first) || record_file::DIRECTORIES.contains(&first) {
            return Err(invalid("the name is one of the layout of staged turns"));
        }
        Ok(self.turn_directory(run_id, turn_id).join(relative))
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct DeletionFile {
    lsi_version: String,
    stems: BTreeSet<Stem>,
    #[serde(default)]
    content_digest: Option<Digest>,
}

fn stems(staged: &StagedTurn) -> Vec<Value> {
    let stems = staged.deletions.iter();
    stems.map(|stem| stem.as_str().into()).collect()
}

/// Returns the digest of everything that a turn staged, record included. The files are not synced, so a power cut can take
/// any of them away; without this a turn that lost a file would read back as a smaller one.
fn content_digest(staged: &StagedTurn, record: &[u8]) -> Digest {
    let triplets: BTreeMap<String, Value> = staged
        .triplets
        .iter()
        .map(|(stem, triplet)| {
            let references = triplet.references.iter().map(|(id, source)| {
                object! { "id" => id.as_str(), "source" => state::source_value(source) }
            });
            let value = object! {
                "record" => Digest::of_bytes(&record_file::triplet_bytes(&triplet.record)).to_hex(),
                "references" => references.collect::<Vec<Value>>(),
            };
            (stem.to_string(), value)
        })
        .collect();
    let objects = staged
        .objects
        .keys()
        .map(|digest| Value::from(digest.to_hex()));
    canonical::digest(&object! {
        "triplets" => triplets,
        "deletions" => stems(staged),
        "objects" => objects.collect::<Vec<Value>>(),
        "turn_record" => Digest::of_bytes(record).to_hex(),
    })
}

/// Returns the id that the body of a staged triplet defines, as the kernel reads it.
fn defined_id(staged: &StagedTurn, record: &TripletRecord) -> Result<String, StoreError> {
    let missing = |digest: &Digest| {
        StoreError::corrupt(
            format!("staging {}", record.stem),
            format!("its object {digest} is not staged"),
        )
    };
    for digest in [&record.links_digest, &record.manifest_digest] {
        staged.objects.get(digest).ok_or_else(|| missing(digest))?;
    }
    let body = staged
        .objects
        .get(&record.body_digest)
        .ok_or_else(|| missing(&record.body_digest))?;
    let place = format!("staging {}", record.stem);
    let body = body
        .to_bytes()
        .map_err(|error| content::unread(&place, error))?;
    let body = canonical::parse(&body).map_err(|error| {
        StoreError::corrupt(format!("staging {}", record.stem), error.to_string())
    })?;
    Ok(body
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned())
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, StoreError> {
    canonical::from_bytes(bytes).map_err(|error| damaged(path, &error.to_string()))
}

fn check_version(path: &Path, version: &str) -> Result<(), StoreError> {
    if version == LSI_VERSION {
        Ok(())
    } else {
        Err(damaged(path, "its version is not known"))
    }
}

fn check_place(path: &Path, expected: &Path) -> Result<(), StoreError> {
    if path == expected {
        Ok(())
    } else {
        Err(damaged(path, "its content belongs to another name"))
    }
}

fn damaged(path: &Path, reason: &str) -> StoreError {
    StoreError::corrupt(path.display().to_string(), reason)
}

/// Reads all files in the directories below `directory`, which are one level deep.
fn files<T>(
    directory: &Path,
    read: fn(&Path) -> std::io::Result<Option<T>>,
) -> Result<Vec<(PathBuf, T)>, StoreError> {
    let mut files = Vec::new();
    for inner in entries(directory)? {
        for path in entries(&inner)? {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if !whole_file::is_temporary(name)
                && let Some(found) =
                    read(&path).map_err(|error| StoreError::file(&path, "read", error))?
            {
                files.push((path, found));
            }
        }
    }
    Ok(files)
}

/// Lists a directory, sorted; one that is not there is empty.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    whole_file::entries(directory).map_err(|error| StoreError::file(directory, "listed", error))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    whole_file::read(path).map_err(|error| StoreError::file(path, "read", error))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    whole_file::write(path, bytes, Durability::Unsynced)
        .map_err(|error| StoreError::file(path, "written", error))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    whole_file::remove(path)
        .map(|_| ())
        .map_err(|error| StoreError::file(path, "removed", error))
}
