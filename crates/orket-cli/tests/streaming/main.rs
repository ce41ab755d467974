//! A large file goes all the way, from an agent's tool to a restored backup, and is never whole in memory.
//!
//! A binary of its own, because it counts what is allocated; one test, because tests that run side by side would be
//! counted together. What SQLite allocates is not counted: it is given nothing that is longer than 1 MiB.
//! `ORKET_FULL=1` asks for a file of 256 MiB.
#![expect(
    clippy::unwrap_used,
    reason = "a failing test is loud, also in a function that tests share"
)]

mod counting;
mod table;

use std::fs;

use orket_board::Board;
use orket_cards::TurnStore;
use orket_flow::{RunEnding, rebuild, replay_turn};
use orket_kernel::capability::Policy;
use orket_kernel::limits::ATTACHMENT_LENGTH_MAX_BYTES;
use orket_kernel::{
    Kernel, Profile, RunEnvelope, RunId, StateStore, StateView, TurnId, TurnInput, object,
};
use orket_lsi::{Depth, Imported, Retention, Store, Sweep};
use orket_tools::path::Directory;

use counting::peak_of;
use table::{HANDED_IN, Table};

const MIB: usize = 1 << 20;

/// What may be held at any one time, whatever the length of the file.
const HELD_MAX_BYTES: usize = 2 * MIB;

fn assert_sound(board: &Board) {
    let faults = board.verify(Depth::Full).unwrap().findings.faults;
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn a_large_file_is_never_whole_in_memory() {
    let is_full = std::env::var("ORKET_FULL").is_ok_and(|value| value == "1");
    let length_bytes = if is_full { 256 * MIB } else { 16 * MIB };
    let table = Table::new(length_bytes as u64);
    let output = format!("agent_output/{HANDED_IN}");
    let (exported, archive) = (table.path("exported"), table.path("backup.tar"));
    let home_of = |name: &str| table.path(name);
    let steps: [(&str, &dyn Fn()); 10] = [
        ("play", &|| {
            assert_eq!(table.play().ending, RunEnding::Done);
            assert!(table.is_whole(&output));
        }),
        ("look at it again", &|| {
            assert_eq!(table.play().ending, RunEnding::NothingToDo);
        }),
        ("verify", &|| assert_sound(&table.board())),
        ("rebuild", &|| {
            fs::remove_file(table.path(&output)).unwrap();
            fs::remove_dir_all(table.path(".orket/index/committed")).unwrap();
            rebuild(&table.board(), &table.workspace(), false).unwrap();
            assert!(table.is_whole(&output));
            assert_sound(&table.board());
        }),
        ("replay", &|| {
            let board = table.board();
            let snapshot = board.snapshot().unwrap();
            let run_id = RunId::parse("e-1").unwrap();
            for turn in snapshot.turns(&run_id).unwrap() {
                let turn_id = turn.turn_id;
                let replayed = replay_turn(snapshot.as_ref(), &table.tools(), &run_id, turn_id);
                assert_eq!(replayed.unwrap().divergences, []);
            }
        }),
        ("export", &|| {
            let board = table.board();
            let snapshot = board.index().snapshot().unwrap();
            let past = snapshot.at(snapshot.head().generation).unwrap();
            snapshot.export(&past, &exported).unwrap();
        }),
        ("import", &|| {
            let imported = Imported::read(&exported).unwrap();
            let board = Board::open(&home_of("imported")).unwrap();
            board.import(&imported).unwrap();
            board.project_view().unwrap();
            assert_sound(&board);
        }),
        ("backup and restore", &|| {
            table.board().index().backup(&archive).unwrap();
            Board::restore(&home_of("restored"), &archive, false).unwrap();
            assert_sound(&Board::open(&home_of("restored")).unwrap());
        }),
        ("collect", &|| {
            let policy = Retention {
                generations: Some(1),
                runs: Some(0),
                bytes: None,
            };
            table.board().collect(&policy, Sweep::Apply).unwrap();
            assert_sound(&table.board());
        }),
        ("the kernel over its port", &|| by_the_port(&table)),
    ];
    for (step, work) in steps {
        let ((), held_bytes) = peak_of(work);
        assert!(
            held_bytes < HELD_MAX_BYTES,
            "{step}: {held_bytes} bytes were held for a file of {length_bytes}"
        );
    }
    let (made, held_bytes) = peak_of(|| fs::read(table.path(&output)).unwrap());
    assert!(made.len() == length_bytes && held_bytes >= length_bytes);
}

/// A host without flow and board attaches the file, stages it and promotes it.
fn by_the_port(table: &Table) {
    let store = Store::open(&table.path("by_the_port"), &[]).unwrap();
    let directory = Directory::open(&table.path("agent_output")).unwrap();
    let path = HANDED_IN.parse().unwrap();
    let (payload, _) = directory
        .payload(&path, ATTACHMENT_LENGTH_MAX_BYTES)
        .unwrap();
    let digest = payload.digest();
    let mut input = TurnInput::empty(TurnId::FIRST);
    input.attachments.insert(digest, payload);
    let run_id = RunId::parse("r").unwrap();
    let (policy, profile) = (Policy::deny_all(), Profile::orket());
    let envelope = RunEnvelope::new(run_id, "flow", "venue", policy, profile, object! {});
    let kernel = Kernel::new(store);
    let mut run = kernel.start_run(&envelope).unwrap();
    assert!(run.execute_turn(&input).unwrap().staged.is_some());
    run.commit_turn(TurnId::FIRST).unwrap();
    let committed = kernel.store().committed().unwrap();
    committed
        .payload(&digest)
        .unwrap()
        .unwrap()
        .check()
        .unwrap();
    let faults = kernel.store().verify(Depth::Full).unwrap().findings.faults;
    assert!(faults.is_empty(), "{faults:?}");
}
