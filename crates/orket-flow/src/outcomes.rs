//! The outcomes of work that a replay cannot compute: recorded while the turn is live, fed to its replay.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, Payload, object};
use orket_ports::Refusal;
use orket_secrets::Scrubber;

use crate::scrub;

/// The outcomes of work that a replay cannot compute.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    rest: VecDeque<Value>,
    used: Vec<Value>,
    /// What commands wrote.
    contents: BTreeMap<Digest, Payload>,
    /// What takes the secrets out of new outcomes; `None` if there may be none.
    live: Option<Arc<Scrubber>>,
}

impl Outcomes {
    /// Feeds `known` first and then does the work, keeping what comes out without its secrets: the turn sees the same as
    /// its replay will.
    pub fn live(known: Vec<Value>, scrubber: Arc<Scrubber>) -> Outcomes {
        Outcomes {
            rest: known.into(),
            used: Vec::new(),
            contents: BTreeMap::new(),
            live: Some(scrubber),
        }
    }

    /// Feeds a record, with what its commands wrote as far as that is kept; what it does not hold is refused.
    pub fn fed(recorded: Vec<Value>, contents: BTreeMap<Digest, Payload>) -> Outcomes {
        Outcomes {
            rest: recorded.into(),
            used: Vec::new(),
            contents,
            live: None,
        }
    }

    pub(crate) fn into_used(self) -> Vec<Value> {
        self.used
    }

    pub(crate) fn next(
        &mut self,
        work: &mut dyn FnMut() -> Result<Value, Refusal>,
    ) -> Result<Value, Refusal> {
        let outcome = match (self.rest.pop_front(), &self.live) {
            (Some(outcome), _) => outcome,
            (None, Some(scrubber)) => match work() {
                Ok(outcome) => scrub::value(scrubber, outcome),
                Err(refusal) => of_refusal(&scrub::refusal(scrubber, refusal))?,
            },
            (None, None) => {
                let message = "the record holds no further outcome";
                return Err(Refusal::forbidden("not_recorded", message));
            }
        };
        self.used.push(outcome.clone());
        as_refusal(&outcome).map_or(Ok(outcome), Err)
    }

    /// Adds what a command wrote.
    pub(crate) fn keep_content(&mut self, payload: Payload) {
        self.contents.insert(payload.digest(), payload);
    }

    /// Returns what a command wrote.
    pub(crate) fn content(&self, digest: &Digest) -> Option<Payload> {
        self.contents.get(digest).cloned()
    }
}

/// The member of the outcome of work that was refused. It is recorded too: where the other calls of the answer stand, a replay
/// must find the next outcome in its place.
const REFUSED: &str = "refused";

fn of_refusal(refusal: &Refusal) -> Result<Value, Refusal> {
    let fact = canonical::to_value(refusal);
    let fact = fact.map_err(|error| Refusal::forbidden("refusal", error.to_string()))?;
    Ok(object! { REFUSED => fact })
}

fn as_refusal(outcome: &Value) -> Option<Refusal> {
    let fact = outcome.get(REFUSED)?;
    canonical::from_value(fact.clone()).ok()
}

#[cfg(test)]
mod tests {
    use orket_secrets::Vault;

    use super::*;

    /// Work that was refused left no outcome, so a replay gave the outcome of the next call to it.
    #[test]
    fn what_was_refused_is_refused_again_and_the_next_outcome_stays_the_next() {
        let scrubber = Arc::new(Scrubber::new(&Vault::default()).unwrap());
        let mut live = Outcomes::live(vec!["known".into()], scrubber);
        let refusal = Refusal::forbidden("tier", "no sandbox here");
        let mut none = || -> Result<Value, Refusal> { unreachable!("it is known") };
        assert_eq!(live.next(&mut none), Ok("known".into()));
        assert_eq!(
            live.next(&mut || Err(refusal.clone())),
            Err(refusal.clone())
        );
        assert_eq!(live.next(&mut || Ok("done".into())), Ok("done".into()));
        let mut fed = Outcomes::fed(live.into_used(), BTreeMap::new());
        assert_eq!(fed.next(&mut none), Ok("known".into()));
        assert_eq!(fed.next(&mut none), Err(refusal));
        assert_eq!(fed.next(&mut none), Ok("done".into()));
        assert_eq!(fed.next(&mut none).unwrap_err().reason, "not_recorded");
    }
}
