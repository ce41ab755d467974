//! The store beside the model.

use orket_kernel::{CommittedView, StagingArea, StateStore, TurnId};

use super::super::world::{run_id, stem};
use super::model::{Model, NAMES};

/// Checks that a view shows what the model says.
pub(super) fn view(view: &impl CommittedView, model: &Model) {
    let standing = view.standing().unwrap();
    assert_eq!(standing.generation, model.generation);
    assert_eq!(standing.state_digest, model.board.digest());
    let stems: Vec<_> = model
        .board
        .0
        .keys()
        .map(|name| stem(NAMES[*name]))
        .collect();
    assert_eq!(view.stems("card/").unwrap(), stems);
    for (name, text) in NAMES.iter().enumerate() {
        let stem = stem(text);
        let record = model.board.record(name);
        assert_eq!(
            view.definition(stem.as_str()).unwrap(),
            record.as_ref().map(|_| stem.clone())
        );
        assert_eq!(
            view.sources(stem.as_str()).unwrap(),
            model.board.sources(name)
        );
        if let Some(record) = &record {
            for digest in [
                record.body_digest,
                record.links_digest,
                record.manifest_digest,
            ] {
                assert!(view.object(&digest).unwrap().is_some());
            }
        }
        assert_eq!(view.triplet(&stem).unwrap(), record);
    }
    for run in &model.runs {
        let standing = view.run(&run_id(&run.name)).unwrap().unwrap();
        assert_eq!(standing.last_turn.map_or(0, TurnId::number), run.promoted);
        assert_eq!(standing.finished, run.finished);
    }
}

/// Checks that the staging area holds what the model says.
pub(super) fn staging<S: StateStore>(store: &S, model: &Model) {
    for run in &model.runs {
        let staged = store.staging().staged(&run_id(&run.name)).unwrap();
        let turns: Vec<TurnId> = staged.iter().map(|(turn, _)| turn.turn_id).collect();
        let expected: Vec<TurnId> = run.staged.iter().map(|staged| staged.turn_id).collect();
        assert_eq!(turns, expected, "{}", run.name);
        for ((turn, _), expected) in staged.iter().zip(&run.staged) {
            let puts: Vec<_> = turn.triplets.keys().cloned().collect();
            let names = expected.change.puts.keys().map(|name| stem(NAMES[*name]));
            assert_eq!(puts, names.collect::<Vec<_>>(), "{}", run.name);
        }
    }
}
