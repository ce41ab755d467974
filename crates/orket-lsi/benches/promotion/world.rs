//! An index of a given size, and turns that change some of its stems.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::Policy;
use orket_kernel::{
    Digest, LSI_VERSION, Payload, Profile, RefSource, RunEnvelope, RunId, StagedTriplet,
    StagedTurn, Stem, TripletRecord, TurnId, object, plan_promotion,
};
use orket_lsi::Store;

use crate::reads;

/// How many ids each stem references.
pub(crate) const REFERENCES: u64 = 3;
/// The kind of all stems.
const KIND: &str = "note";
/// The first references of a stem go to stems among which it lies.
const NEIGHBOURS: u64 = 1000;
/// One stem of each that many references the first one from the beginning.
const SPOKES: u64 = 10;
/// In how many turns an index is filled. Every one of them writes most pages of the trees and indexes, wherever its stems
/// lie, so that a turn for each thousand stems would make of a million stems hundreds of gigabytes of log.
const FILLING_TURNS: u64 = 5;
/// How much of the database the filling holds in memory; the product's share would have it write and read most pages
/// many times over in each of those turns.
const FILLING_CACHE_KIB: i64 = 1024 * 1024;

/// What a turn does to a stem.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A new body; the three references stay.
    Body,
    /// A new body and three other references: three go, three come.
    References,
    /// As [`Change::References`], and one of those that come is to the stem that one of each [`SPOKES`] references.
    Hub,
}

/// How often a stem changed its body and its references, and whether it references the hub.
#[derive(Clone, Copy, Default)]
struct Version {
    body: u32,
    references: u32,
    to_hub: bool,
}

/// An index of `size` stems, each of which references three others.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) size: u64,
    run_id: RunId,
    turn_id: TurnId,
    versions: Vec<Version>,
    random: u64,
    /// How large the database was once it was filled.
    pub(crate) bytes_filled: u64,
}

impl World {
    pub(crate) fn fill(home: &Path, size: u64) -> io::Result<World> {
        let store = Store::open(home, &[]).map_err(io::Error::other)?;
        let run_id = RunId::parse("bench").map_err(io::Error::other)?;
        let envelope = RunEnvelope::new(
            run_id.clone(),
            "bench",
            "bench",
            Policy::deny_all(),
            Profile::orket(),
            object! {},
        );
        let transaction = store.begin().map_err(io::Error::other)?;
        transaction.start_run(&envelope).map_err(io::Error::other)?;
        transaction.commit().map_err(io::Error::other)?;
        let mut world = World {
            store,
            size,
            run_id,
            turn_id: TurnId::FIRST,
            versions: (0..size)
                .map(|at| Version {
                    to_hub: at % SPOKES == 0,
                    ..Version::default()
                })
                .collect(),
            random: 0,
            bytes_filled: 0,
        };
        world.enlarge_cache()?;
        let mut first = 0;
        while first < size {
            // Whole neighbourhoods, for a reference must not go to a stem that is not there yet.
            let end = size.min(first + (size / FILLING_TURNS).next_multiple_of(NEIGHBOURS));
            world.promote_stems(&(first..end).collect::<Vec<u64>>())?;
            first = end;
        }
        world.bytes_filled = reads::database_bytes(&world.store)?;
        // What is measured has the settings of the product again.
        world.store = Store::open(home, &[]).map_err(io::Error::other)?;
        Ok(world)
    }

    fn enlarge_cache(&self) -> io::Result<()> {
        let transaction = self.store.begin().map_err(io::Error::other)?;
        transaction
            .connection()
            .pragma_update(None, "cache_size", -FILLING_CACHE_KIB)
            .map_err(io::Error::other)
    }

    /// Changes `count` stems anywhere in the index in one durable turn and returns how long that took, from the begin of the
    /// transaction to its end. The turn is staged before; the time includes its plan.
    pub(crate) fn promote(&mut self, count: u64, change: Change) -> io::Result<Duration> {
        let mut stems = BTreeSet::new();
        while (stems.len() as u64) < count {
            self.random += 1;
            stems.insert(mix(self.random) % self.size);
        }
        let stems: Vec<u64> = stems.into_iter().collect();
        for stem in &stems {
            let version = &mut self.versions[*stem as usize];
            version.body += 1;
            version.references += u32::from(change != Change::Body);
            version.to_hub = match change {
                Change::Body => version.to_hub,
                Change::References => false,
                Change::Hub => true,
            };
        }
        self.promote_stems(&stems)
    }

    fn promote_stems(&mut self, stems: &[u64]) -> io::Result<Duration> {
        let staged = self.staged(stems)?;
        let record = format!("{{\"record\":\"of turn {}\"}}", self.turn_id);
        let start = Instant::now();
        let transaction = self.store.begin().map_err(io::Error::other)?;
        let state = transaction.state().map_err(io::Error::other)?;
        let (plan, _) = plan_promotion(&staged, &state).map_err(io::Error::other)?;
        transaction
            .promote(&plan, record.as_bytes())
            .map_err(io::Error::other)?;
        transaction.commit().map_err(io::Error::other)?;
        let time = start.elapsed();
        self.turn_id = self.turn_id.next();
        Ok(time)
    }

    /// The bytes that a turn of one stem brings: its documents and its record.
    pub(crate) fn payload_of_one_stem(&self) -> io::Result<Vec<u8>> {
        let staged = self.staged(&[0])?;
        let objects = staged.objects.into_values().map(Payload::into_bytes);
        Ok(objects.collect::<io::Result<Vec<_>>>()?.concat())
    }

    fn staged(&self, stems: &[u64]) -> io::Result<StagedTurn> {
        let mut staged = StagedTurn {
            run_id: self.run_id.clone(),
            turn_id: self.turn_id,
            triplets: BTreeMap::new(),
            deletions: BTreeSet::new(),
            objects: BTreeMap::new(),
        };
        for at in stems {
            let (stem, triplet) = self.triplet(*at, &mut staged.objects)?;
            staged.triplets.insert(stem, triplet);
        }
        Ok(staged)
    }

    fn triplet(
        &self,
        at: u64,
        objects: &mut BTreeMap<Digest, Payload>,
    ) -> io::Result<(Stem, StagedTriplet)> {
        let mut keep = |value: Value| {
            let bytes = canonical::to_bytes(&value);
            let digest = Digest::of_bytes(&bytes);
            objects.insert(digest, bytes.into());
            digest
        };
        let version = self.versions[at as usize];
        let id = id(at);
        let stem = stem(at)?;
        let text = format!("What note {id} says, for the time {}. ", version.body).repeat(6);
        let body_digest = keep(object! { "dto_type" => KIND, "id" => id.as_str(), "text" => text });
        let targets: Vec<String> = (0..REFERENCES)
            .map(|link| match (link, version.to_hub) {
                (0, true) => self::id(0),
                _ => target(at, u64::from(version.references), link, self.size),
            })
            .collect();
        let slot: Vec<Value> = targets
            .iter()
            .map(|id| object! { "type" => KIND, "id" => id.as_str(), "relationship" => "about" })
            .collect();
        let links_digest = keep(object! { "about" => slot });
        let record = TripletRecord {
            stem: stem.clone(),
            body_digest,
            links_digest,
            manifest_digest: keep(
                object! { "version" => u64::from(version.body), "of" => id.as_str() },
            ),
            updated_at_turn: self.turn_id,
            lsi_version: LSI_VERSION.into(),
        };
        let references = targets.into_iter().enumerate().map(|(link, id)| {
            let source = RefSource {
                stem: stem.clone(),
                location: format!("/links/about/{link}"),
                relationship: "about".into(),
                artifact_digest: links_digest,
            };
            (id, source)
        });
        let mut references: Vec<_> = references.collect();
        references.sort();
        Ok((
            stem,
            StagedTriplet {
                record,
                id,
                references,
            },
        ))
    }
}

pub(crate) fn stem(at: u64) -> io::Result<Stem> {
    Stem::parse(&format!("{KIND}/{}", id(at))).map_err(io::Error::other)
}

// Names do not follow the order in which they came.
pub(crate) fn id(at: u64) -> String {
    format!("note-{:016x}", mix(at))
}

/// The first references go to neighbours, for others do not exist yet; later ones go anywhere.
fn target(at: u64, version: u64, link: u64, size: u64) -> String {
    let number = mix(at * 1_000_003 + version * REFERENCES + link);
    if version > 0 {
        return id(number % size);
    }
    let first = at / NEIGHBOURS * NEIGHBOURS;
    id(first + number % (size - first).min(NEIGHBOURS))
}

/// A number without pattern (splitmix64), the same in every run.
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
