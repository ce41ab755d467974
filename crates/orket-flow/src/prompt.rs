//! The prompt of a card's next turn, without asking anybody.

use orket_cards::{Card, CardId, RunState, TurnSnapshot};
use orket_kernel::canonical;
use orket_kernel::capability::resolve_capability;
use orket_ports::model::ModelRequest;
use orket_secrets::Scrubber;

use crate::agent::{self, Brief};
use crate::attempt::history;
use crate::error::{RunError, bug};
use crate::govern::{Tools, verifies};
use crate::play::Play;
use crate::scrub;
use crate::summary::board;

/// What a role's next turn on a card asks.
#[derive(Clone, Debug)]
pub struct NextRequest {
    /// The role.
    pub role: String,
    /// The step of the Score.
    pub step: String,
    /// The request, without secrets: the bytes that a run would send and record.
    pub request: ModelRequest,
    /// Whether the run adds what the checks of the card say, which are not run here.
    pub lacks_checks: bool,
}

/// Says why there is no next prompt.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// No step of the Score acts on the card as it stands, or none of the role that was asked for.
    #[error("no step of the score acts on {card} in the status {status}{}", of_role(.role, .acting))]
    NoStep {
        /// The card.
        card: String,
        /// Its status.
        status: String,
        /// The role that was asked for.
        role: Option<String>,
        /// The roles that act on it.
        acting: Vec<String>,
    },
    /// What the prompt is made from could not be read.
    #[error(transparent)]
    Run(#[from] RunError),
}

fn of_role(role: &Option<String>, acting: &[String]) -> String {
    match role {
        Some(role) if !acting.is_empty() => {
            format!(" for the role {role}; there is {}", acting.join(", "))
        }
        _ => String::new(),
    }
}

/// Builds the request with which the next turn on a card begins; `snapshot` is `None` where nothing has run yet.
///
/// An unfinished run of the epic goes on with what it began with, as `orket run` does.
///
/// # Errors
/// Says why there is none.
///
/// # Limitations
/// What a Conductor would add is not in it, nor what the checks say; the latter is told.
pub fn next_request(
    snapshot: Option<&dyn TurnSnapshot>,
    play: Play,
    tools: &Tools,
    scrubber: &Scrubber,
    card: &CardId,
    role: Option<&str>,
) -> Result<NextRequest, PromptError> {
    let mut play = scrub::play(scrubber, play)?;
    let mut policy = play.policy().map_err(RunError::from)?;
    let mut run = None;
    if let Some(snapshot) = snapshot {
        let runs = snapshot
            .runs(Some(&play.epic.name))
            .map_err(RunError::from)?;
        run = runs.into_iter().find(|run| run.state == RunState::Open);
    }
    if let Some(run) = &run {
        let frozen: Play = canonical::from_value(run.envelope.host.clone())
            .map_err(|error| bug(&format!("the play of the run cannot be read: {error}")))?;
        play = Play {
            venue: play.venue,
            fixtures: play.fixtures,
            ..frozen
        };
        policy = run.envelope.policy.clone();
    }
    let mut cards = match snapshot {
        Some(snapshot) => board(snapshot, &play)?,
        None => Vec::new(),
    };
    if cards.is_empty() {
        cards = play.cards().map_err(RunError::from)?;
    }
    let found = cards.iter().find(|known| known.id == *card);
    let found = found.ok_or_else(|| RunError::NoCard {
        card: card.to_string(),
    })?;
    let steps = play.steps_for(found);
    let next = steps
        .into_iter()
        .find(|(_, acting)| role.is_none_or(|role| role == acting));
    let Some((step, role)) = next else {
        return Err(PromptError::NoStep {
            card: card.to_string(),
            status: found.status.to_string(),
            role: role.map(str::to_owned),
            acting: play.steps_for(found).map(|(_, role)| role).collect(),
        });
    };
    let mut past = Vec::new();
    let mut refused = Vec::new();
    if let (Some(snapshot), Some(run)) = (snapshot, &run) {
        past = history(snapshot, &run.run_id, card, &role)?;
        refused = refusals(snapshot, run, found)?;
    }
    let brief = Brief {
        play: &play,
        tools,
        granted: resolve_capability(&policy, &role, &step.name)
            .tools
            .into_iter()
            .collect(),
        step,
        role: &role,
        card: found,
        board: &cards,
        patch: None,
        verified: None,
        history: &past,
        refused: &refused,
        corrective: None,
    };
    Ok(NextRequest {
        request: scrub::request(scrubber, agent::request(&brief)),
        step: step.name.clone(),
        lacks_checks: verifies(&role),
        role: role.clone(),
    })
}

/// Returns why earlier attempts at the next turn of a run were refused, as far as the model answered to them.
fn refusals(
    snapshot: &dyn TurnSnapshot,
    run: &orket_cards::RunRow,
    card: &Card,
) -> Result<Vec<String>, RunError> {
    let mut refused = Vec::new();
    let Some(last) = run.last_turn else {
        return Ok(refused);
    };
    for row in snapshot.attempts_at(&run.run_id, last.next())? {
        let record = snapshot.turn_record(&row.record_digest)?;
        if record.judged && record.card.as_ref() == Some(&card.id) {
            refused.extend(record.refusals);
        }
    }
    Ok(refused)
}
