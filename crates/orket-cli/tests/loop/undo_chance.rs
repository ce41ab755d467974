//! Whatever runs and persons do to files in whatever order, undo gives every turn's tree back byte for byte, and redo the last.
//!
//! The model keeps whole trees and flips marks forwards; what is tested reads the chain backwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use orket_board::Board;
use orket_cards::{
    Author, Cause, Changes, OperatorAction, PutStem, TURN_RECORD_VERSION, Tokens, TurnCommit,
    TurnRecord, TurnStore,
};
use orket_flow::{Backwards, UndoError, rebuild};
use orket_kernel::canonical::{self, Value};
use orket_kernel::capability::Policy;
use orket_kernel::{
    Digest, Profile, RecordingView, RunEnvelope, Stem, Triplet, TurnId, TurnInput, execute_turn,
    object, plan_promotion,
};
use proptest::prelude::*;

use crate::adopt::{set_mode, take_over, tree};
use crate::operator::{promoted, verify};
use crate::project::{Project, run_id};
use crate::undo::{after, back};

type Files = BTreeMap<String, (Vec<u8>, bool)>;

/// Some paths lie below others, so that files and directories take each other's place.
const PATHS: [&str; 7] = ["a", "a/b", "a/b/c", "d/e", "d/f", "g", "d"];

/// One effect on the tree.
#[derive(Clone, Debug)]
enum Effect {
    Write(usize, u8),
    Remove(usize),
    Rename(usize, usize),
    Mode(usize),
}

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    /// A turn of one of two runs.
    Turn(usize, Vec<Effect>),
    /// Somebody writes into the directory, and a person takes it over.
    Edit(Vec<Effect>),
    Undo,
    /// Back to a turn of a run; the second number chooses among those there are.
    UndoAfter(usize, usize),
    Redo,
}

fn effect() -> impl Strategy<Value = Effect> {
    let path = || 0..PATHS.len();
    prop_oneof![
        4 => (path(), any::<u8>()).prop_map(|(path, content)| Effect::Write(path, content % 4)),
        2 => path().prop_map(Effect::Remove),
        2 => (path(), path()).prop_map(|(from, to)| Effect::Rename(from, to)),
        1 => path().prop_map(Effect::Mode),
    ]
}

fn step(runs: usize) -> impl Strategy<Value = Step> {
    let effects = || prop::collection::vec(effect(), 1..5);
    prop_oneof![
        5 => (0..runs, effects()).prop_map(|(run, effects)| Step::Turn(run, effects)),
        2 => effects().prop_map(Step::Edit),
        2 => Just(Step::Undo),
        2 => (0..runs, any::<usize>()).prop_map(|(run, turn)| Step::UndoAfter(run, turn)),
        2 => Just(Step::Redo),
    ]
}

/// Applies effects as a process would: what is in the way goes, what does not exist cannot be renamed.
fn apply(files: &mut Files, effects: &[Effect]) {
    let put = |files: &mut Files, path: &str, file: (Vec<u8>, bool)| {
        files.retain(|known, _| !is_below(known, path) && !is_below(path, known));
        files.insert(path.to_owned(), file);
    };
    for effect in effects {
        match effect {
            Effect::Write(path, content) => {
                let executable = files.get(PATHS[*path]).is_some_and(|file| file.1);
                let bytes = vec![b'0' + content; usize::from(*content)];
                put(files, PATHS[*path], (bytes, executable));
            }
            Effect::Remove(path) => {
                files.remove(PATHS[*path]);
            }
            Effect::Rename(from, to) => {
                if let Some(file) = files.remove(PATHS[*from]) {
                    put(files, PATHS[*to], file);
                }
            }
            Effect::Mode(path) => {
                if let Some(file) = files.get_mut(PATHS[*path]) {
                    file.1 = !file.1;
                }
            }
        }
    }
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn is_a_tree(files: &Files) -> bool {
    let paths = || files.keys();
    !paths().any(|one| paths().any(|two| is_below(one, two)))
}

fn changed(one: &Files, two: &Files) -> BTreeSet<String> {
    let paths = one.keys().chain(two.keys());
    let differs = |path: &&String| one.get(*path) != two.get(*path);
    paths.filter(differs).cloned().collect()
}

/// One operation as the model remembers it.
struct Entry {
    subject: String,
    kind: EntryKind,
    before: Files,
    after: Files,
    stands: bool,
}

#[derive(Clone, PartialEq)]
enum EntryKind {
    Work,
    /// With the entries that it took back, in this order.
    Undo(Vec<usize>),
    /// With the undo that it took back.
    Redo(usize),
}

#[derive(Default)]
struct Model {
    entries: Vec<Entry>,
    /// The entries of the turns of each run.
    turns: [Vec<usize>; 2],
    files: Files,
}

impl Model {
    fn add(&mut self, subject: &str, kind: EntryKind, after: Files) {
        self.entries.push(Entry {
            subject: subject.to_owned(),
            kind,
            before: std::mem::replace(&mut self.files, after.clone()),
            after,
            stands: true,
        });
    }

    /// Applies what changes some paths back; `None` if that makes no tree.
    fn with(&self, paths: &BTreeSet<String>, from: &Files) -> Option<Files> {
        let mut files = self.files.clone();
        for path in paths {
            match from.get(path) {
                Some(file) => files.insert(path.clone(), file.clone()),
                None => files.remove(path),
            };
        }
        is_a_tree(&files).then_some(files)
    }

    /// Takes one entry back, if nothing else is in its paths by now.
    fn alone(&self, index: usize) -> Option<Files> {
        let entry = &self.entries[index];
        let paths = changed(&entry.before, &entry.after);
        let untouched = paths
            .iter()
            .all(|path| self.files.get(path) == entry.after.get(path));
        untouched
            .then(|| self.with(&paths, &entry.before))
            .flatten()
    }

    /// Returns whether it is expected to be done.
    fn undo(&mut self) -> bool {
        let is_next = |entry: &Entry| {
            entry.stands && entry.kind == EntryKind::Work && entry.before != entry.after
        };
        let Some(index) = self.entries.iter().rposition(is_next) else {
            return false;
        };
        let Some(files) = self.alone(index) else {
            return false;
        };
        self.entries[index].stands = false;
        let subject = self.entries[index].subject.clone();
        self.add(&subject, EntryKind::Undo(vec![index]), files);
        true
    }

    fn undo_after(&mut self, run: &str, base: usize) -> bool {
        let target = self.entries[base].after.clone();
        let later = base + 1..self.entries.len();
        let (mut own, mut others) = (BTreeSet::new(), BTreeSet::new());
        for entry in &self.entries[later.clone()] {
            let paths = changed(&entry.before, &entry.after);
            if entry.subject == run {
                own.extend(paths);
            } else if entry.stands && entry.kind == EntryKind::Work {
                others.extend(paths);
            }
        }
        own.retain(|path| self.files.get(path) != target.get(path));
        if own.is_empty() || !own.is_disjoint(&others) {
            return false;
        }
        let Some(files) = self.with(&own, &target) else {
            return false;
        };
        // The newest goes first: with a redo goes what it brought back, and the undo stands until it goes itself.
        let mut taken = Vec::new();
        for index in later.rev() {
            if self.entries[index].subject == run && self.entries[index].stands {
                self.flip(index, false);
                taken.push(index);
            }
        }
        self.add(run, EntryKind::Undo(taken), files);
        true
    }

    /// Takes the mark off an entry, or puts it on again, with what follows of it.
    fn flip(&mut self, index: usize, stands: bool) {
        self.entries[index].stands = stands;
        match self.entries[index].kind.clone() {
            EntryKind::Work => {}
            EntryKind::Undo(taken) if stands => {
                for taken in taken {
                    self.flip(taken, false);
                }
            }
            EntryKind::Undo(taken) => {
                for taken in taken.into_iter().rev() {
                    self.flip(taken, true);
                }
            }
            EntryKind::Redo(undo) => self.flip(undo, !stands),
        }
    }

    fn redo(&mut self) -> bool {
        let is_next = |entry: &Entry| entry.stands && matches!(entry.kind, EntryKind::Undo(_));
        let Some(index) = self.entries.iter().rposition(is_next) else {
            return false;
        };
        let Some(files) = self.alone(index) else {
            return false;
        };
        self.flip(index, false);
        let subject = self.entries[index].subject.clone();
        self.add(&subject, EntryKind::Redo(index), files);
        true
    }
}

/// A run whose turns are made by hand.
struct Run {
    envelope: RunEnvelope,
    turns: u64,
}

impl Run {
    fn new(name: &str) -> Run {
        Run {
            envelope: RunEnvelope::new(
                run_id(name),
                name,
                "none",
                Policy::deny_all(),
                Profile::orket(),
                object! {},
            ),
            turns: 0,
        }
    }

    /// Makes the turn that leads from one tree to another.
    fn turn(&mut self, board: &Board, before: &Files, after: &Files) {
        let lease = board.lease(&self.envelope.run_id).unwrap();
        let name = self.envelope.run_id.as_str();
        let handle = board
            .start_run(&self.envelope, name, lease.fence())
            .unwrap();
        self.turns += 1;
        let turn_id = TurnId::new(self.turns).unwrap();
        let snapshot = board.snapshot().unwrap();
        let view = RecordingView::new(snapshot.state());
        let mut input = TurnInput::empty(turn_id);
        for path in changed(before, after) {
            let stem = Stem::parse(&format!("artifact/{path}")).unwrap();
            match after.get(&path) {
                None => input.deletions.push(stem),
                Some((bytes, executable)) => {
                    let digest = Digest::of_bytes(bytes);
                    input.attachments.insert(digest, bytes.clone().into());
                    input
                        .triplets
                        .push(artifact(stem, &digest, bytes, *executable));
                }
            }
        }
        let changes = changes(&input);
        let execution = execute_turn(&self.envelope, &handle, &input, &view);
        let staged = execution.staged.expect("the turn passes");
        let (plan, _) = plan_promotion(&staged, snapshot.state()).unwrap();
        let record = TurnRecord {
            version: TURN_RECORD_VERSION.into(),
            run_id: name.into(),
            turn_id,
            attempt: 1,
            card: None,
            role: "coder".into(),
            step: "build".into(),
            cause: Cause::Operator {
                author: "nobody".parse::<Author>().unwrap(),
                action: OperatorAction::Change(changes),
            },
            exchanges: Vec::new(),
            judged: false,
            said: String::new(),
            calls: Vec::new(),
            decisions: execution.decisions,
            outcomes: Vec::new(),
            reads: execution.reads.to_value(),
            result: Some(execution.result),
            refusals: Vec::new(),
            tokens: Tokens::default(),
            notes: Value::Null,
        };
        let commit = TurnCommit {
            base_generation: snapshot.generation(),
            fence: lease.fence(),
            plan,
            record,
            evidence: Vec::new(),
            events: Vec::new(),
        };
        board.commit(&commit).unwrap();
    }
}

fn artifact(stem: Stem, digest: &Digest, bytes: &[u8], executable: bool) -> Triplet {
    Triplet {
        body: object! {
            "dto_type" => "artifact",
            "id" => stem.as_str(),
            "kind" => "file",
            "content_digest" => digest.to_hex(),
            "length" => bytes.len() as u64,
            "mode" => if executable { "755" } else { "644" },
        },
        stem,
        links: object! {},
        manifest: object! { "order_insensitive" => Vec::<Value>::new() },
    }
}

fn changes(input: &TurnInput) -> Changes {
    let put = input.triplets.iter().map(|triplet| PutStem {
        stem: triplet.stem.clone(),
        body: canonical::digest(&triplet.body),
        links: canonical::digest(&triplet.links),
        manifest: canonical::digest(&triplet.manifest),
    });
    Changes {
        put: put.collect(),
        deleted: input.deletions.clone(),
        attached: input.attachments.keys().copied().collect(),
    }
}

/// Makes the directory what a process would leave.
fn write_tree(root: &Path, before: &Files, after: &Files) {
    for path in changed(before, after) {
        if before.contains_key(&path) {
            fs::remove_file(root.join(&path)).unwrap();
            let mut directory = root.join(&path);
            while directory.pop() && directory != root && fs::remove_dir(&directory).is_ok() {}
        }
    }
    for path in changed(before, after) {
        if let Some((bytes, executable)) = after.get(&path) {
            let place = root.join(&path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, bytes).unwrap();
            set_mode(&place, *executable);
        }
    }
}

fn directories(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let inside = fs::read_dir(&path).unwrap().count();
            assert!(inside > 0, "{} is empty", path.display());
            found.extend(directories(&path));
        }
    }
    found
}

fn play(steps: &[Step], runs: usize) {
    let project = Project::new(&[]);
    fs::create_dir(project.path("agent_output")).unwrap();
    let names = ["r", "q"];
    let mut running = names.map(Run::new);
    let mut model = Model::default();
    let mut edits = 0;
    for (number, step) in steps.iter().enumerate() {
        let done = match step {
            Step::Turn(run, effects) => {
                let mut files = model.files.clone();
                apply(&mut files, effects);
                running[*run].turn(&project.board(), &model.files, &files);
                rebuild(&project.board(), &project.workspace(), false).unwrap();
                model.turns[*run].push(model.entries.len());
                model.add(names[*run], EntryKind::Work, files);
                Some((true, Ok(())))
            }
            Step::Edit(effects) => {
                let mut files = model.files.clone();
                apply(&mut files, effects);
                write_tree(&project.path("agent_output"), &model.files, &files);
                if files != model.files {
                    promoted(take_over(&project, &[]).unwrap());
                    edits += 1;
                    model.add(&format!("edit {edits}"), EntryKind::Work, files);
                }
                None
            }
            Step::Undo => Some((
                model.undo(),
                back(&project, &Backwards::UndoNewest).map(drop),
            )),
            Step::Redo => Some((model.redo(), back(&project, &Backwards::Redo).map(drop))),
            Step::UndoAfter(run, chosen) => {
                let turns = &model.turns[*run];
                if turns.is_empty() {
                    continue;
                }
                let chosen = chosen % turns.len();
                let base = turns[chosen];
                let what = after(names[*run], chosen as u64 + 1);
                let expected = model.undo_after(names[*run], base);
                let done = back(&project, &what).map(drop);
                if runs == 1 && edits == 0 {
                    // Of a single run every turn comes back whole.
                    assert_eq!(model.files, model.entries[base].after, "step {number}");
                }
                Some((expected, done))
            }
        };
        if let Some((expected, done)) = done {
            let is_refusal = matches!(done, Err(ref error) if !matches!(error, UndoError::Run(_)));
            assert_eq!(
                (done.is_ok(), is_refusal),
                (expected, !expected),
                "step {number}: {done:?}"
            );
        }
        assert_eq!(tree(&project), model.files, "step {number}: {step:?}");
        directories(&project.path("agent_output"));
    }
    verify(&project);
    let board = project.board();
    let all = board.snapshot().unwrap().runs(None).unwrap();
    for run in all.iter().filter(|run| run.epic == "operator") {
        project.replay_all(run.run_id.as_str());
    }
}

/// Every step opens the project anew, as a command does.
fn cases() -> u32 {
    let is_full = std::env::var("ORKET_FULL").is_ok_and(|value| value == "1");
    if is_full { 100 } else { 8 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn of_one_run_every_turn_comes_back(
        steps in prop::collection::vec(
            step(1).prop_filter("no edits", |step| !matches!(step, Step::Edit(_))), 1..24,
        ),
    ) {
        play(&steps, 1);
    }

    #[test]
    fn runs_and_edits_are_taken_back_without_what_others_did(
        steps in prop::collection::vec(step(2), 1..24),
    ) {
        play(&steps, 2);
    }
}
