//! A person takes over what somebody wrote into `agent_output/`.

use std::collections::BTreeSet;

use orket_cards::{Author, OperatorAction, TurnSnapshot};
use orket_kernel::{Payload, ReadError};
use orket_ports::workspace::OutputTree;
use orket_secrets::{Piece, Scrubber};

use super::change::{ChangeError, draft, judge};
use super::effects::{Effects, FileEffect};
use super::{Desk, OperatorEnd, OperatorWork, make_turn};
use crate::error::RunError;
use crate::projection;
use crate::scope::artifact_entry;

/// How much of a file is looked at together.
const BUFFER_BYTES: usize = 64 * 1024;

/// Makes one turn in which the artefacts are what lies in `agent_output/`: files that somebody made, changed, made executable or
/// removed. With `paths` only those, and what lies below them.
///
/// # Errors
/// [`ChangeError::Nothing`] if everything is Orket's; [`ChangeError::NotPlain`] for links, special files and names that are not
/// portable, which are never taken over; [`ChangeError::Secret`] for a file that holds a secret; else as
/// [`operate`](super::operate).
///
/// # Limitations
/// Where `agent_output/` was behind the newest generation, because a command was killed, a file that is missing is written
/// again: nobody can tell that it was removed. Empty directories are not artefacts.
pub fn adopt(
    desk: &Desk<'_>,
    author: &Author,
    scrubber: &Scrubber,
    paths: &[String],
) -> Result<OperatorEnd, ChangeError> {
    let work = OperatorWork::without_tools(author.clone());
    make_turn(desk, &work, &mut |turn| {
        let effects = foreign(desk, turn.snapshot, scrubber, paths)?;
        let draft = draft(&effects, author, turn.snapshot.state())?;
        let action = OperatorAction::Adopt(draft.changes());
        judge(turn, author, action, &draft)
    })
}

/// Gathers what is not as the index knows it, after what only lags was brought forward.
fn foreign(
    desk: &Desk<'_>,
    snapshot: &dyn TurnSnapshot,
    scrubber: &Scrubber,
    paths: &[String],
) -> Result<Effects, ChangeError> {
    let _lock = desk.store.lock_output().map_err(RunError::from)?;
    let state = snapshot.state();
    projection::bring_lagging_forward(desk.store, desk.workspace, snapshot)?;
    let is_asked = |path: &&String| {
        let covers = |asked: &String| {
            let rest = path.strip_prefix(asked.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        paths.is_empty() || paths.iter().any(covers)
    };
    let OutputTree { files, others } = desk.workspace.outputs().map_err(RunError::from)?;
    let others: Vec<String> = others.iter().filter(is_asked).cloned().collect();
    if !others.is_empty() {
        return Err(ChangeError::NotPlain { paths: others });
    }
    let mut effects = Effects::default();
    let files: BTreeSet<String> = files.into_iter().collect();
    for stem in state.stems("artifact/")? {
        let path = stem.name().to_owned();
        if is_asked(&&path) && !files.contains(&path) {
            effects.files.insert(path, FileEffect::Delete);
        }
    }
    for path in files.iter().filter(is_asked) {
        let found = desk.workspace.output_payload(path);
        let Some((payload, executable)) = found.map_err(RunError::from)? else {
            let paths = vec![path.clone()];
            return Err(ChangeError::NotPlain { paths });
        };
        if artifact_entry(state, path)? == Some((payload.digest(), executable)) {
            continue;
        }
        if holds_secret(scrubber, path, &payload)? {
            return Err(ChangeError::Secret { path: path.clone() });
        }
        let effect = FileEffect::Write {
            payload,
            executable,
        };
        effects.files.insert(path.clone(), effect);
    }
    Ok(effects)
}

/// Tells whether a file holds a secret: what is taken over is kept for good.
fn holds_secret(scrubber: &Scrubber, path: &str, payload: &Payload) -> Result<bool, ReadError> {
    let unreadable = |error| ReadError::of_payload(&format!("agent_output/{path}"), error);
    let mut found = false;
    let mut note = |piece: Piece<'_>| found |= matches!(piece, Piece::Secret { .. });
    let mut stream = scrubber.stream();
    let mut reader = payload.open().map_err(unreadable)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let length = std::io::Read::read(&mut reader, &mut buffer).map_err(unreadable)?;
        if length == 0 {
            break;
        }
        stream.push(buffer.get(..length).unwrap_or_default(), &mut note);
    }
    stream.finish(&mut note);
    Ok(found)
}
