//! The play: an epic with its flow, band, venue and score, loaded, checked and fixed for a run.

use std::collections::BTreeSet;

use orket_cards::{AssetError, Card, EpicAsset, GUARD_ROLE, RockAsset, parse_asset};
use orket_kernel::capability::Policy;
use orket_ports::Workspace;
use orket_ports::workspace::AssetKind;

use crate::asset::{BandAsset, FlowAsset, SEAT, ScoreAsset, StepAsset, VenueAsset};
use crate::error::RunError;

/// Everything a run plays from; the envelope of the run holds it, so that a replay needs no asset file.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// The file of the epic, for messages.
    pub epic_file: String,
    /// The epic.
    pub epic: EpicAsset,
    /// The flow.
    pub flow: FlowAsset,
    /// The band.
    pub band: BandAsset,
    /// The venue.
    pub venue: VenueAsset,
    /// The score.
    pub score: ScoreAsset,
}

impl Play {
    /// Returns the cards as the epic defines them, before any work.
    ///
    /// # Errors
    /// Names the file and what is wrong.
    pub fn cards(&self) -> Result<Vec<Card>, AssetError> {
        self.epic.cards(&self.epic_file)
    }

    /// Returns the next step of a card and the role that acts, if the score has one for its status.
    pub fn step_for(&self, card: &Card) -> Option<(&StepAsset, String)> {
        self.score
            .steps
            .iter()
            .find(|step| step.statuses.contains(&card.status))
            .map(|step| {
                let role = if step.role == SEAT {
                    card.seat.clone()
                } else {
                    step.role.clone()
                };
                (step, role)
            })
    }

    /// Returns the capability policy: each role may use its own tools in the steps in which it acts.
    pub fn policy(&self) -> Policy {
        let seats: BTreeSet<&str> = self
            .epic
            .cards
            .iter()
            .map(|card| card.seat.as_str())
            .collect();
        let mut policy = Policy::deny_all();
        for step in &self.score.steps {
            for (role, asset) in &self.band.roles {
                let acts = step.role == *role || (step.is_work() && seats.contains(role.as_str()));
                for tool in asset.tools.iter().filter(|_| acts) {
                    policy = policy.grant(role, &step.name, tool);
                }
            }
        }
        policy
    }
}

/// Loads an epic and everything it names, and checks that they fit together.
///
/// # Errors
/// Names the asset that is missing or wrong, and what to do.
pub fn load_play(
    workspace: &dyn Workspace,
    epic: &str,
    venue: Option<&str>,
    known_tools: &BTreeSet<String>,
) -> Result<Play, RunError> {
    let (epic_file, epic) = load::<EpicAsset>(workspace, AssetKind::Epic, epic)?;
    let (_, flow) = load::<FlowAsset>(workspace, AssetKind::Flow, &epic.flow)?;
    let (band_file, band) = load::<BandAsset>(workspace, AssetKind::Band, &flow.band)?;
    let (venue_file, venue) =
        load::<VenueAsset>(workspace, AssetKind::Venue, venue.unwrap_or(&flow.venue))?;
    let (score_file, score) = load::<ScoreAsset>(workspace, AssetKind::Score, &flow.score)?;
    let play = Play {
        epic_file,
        epic,
        flow,
        band,
        venue,
        score,
    };
    play.cards()?;
    check_roles(&play, &score_file)?;
    check_tools(&play, &band_file, known_tools)?;
    check_venue(&play, &venue_file)?;
    Ok(play)
}

/// Loads a rock.
///
/// # Errors
/// As [`load_play`].
pub fn load_rock(workspace: &dyn Workspace, rock: &str) -> Result<RockAsset, RunError> {
    Ok(load::<RockAsset>(workspace, AssetKind::Rock, rock)?.1)
}

fn load<T: serde::de::DeserializeOwned>(
    workspace: &dyn Workspace,
    kind: AssetKind,
    name: &str,
) -> Result<(String, T), RunError> {
    let Some((file, bytes)) = workspace.asset(kind, name)? else {
        let known = workspace.asset_names(kind)?;
        return Err(RunError::NoAsset {
            kind,
            name: name.to_owned(),
            known,
        });
    };
    let asset: T = parse_asset(&file, &bytes)?;
    Ok((file, asset))
}

fn fault(file: &str, reason: String) -> RunError {
    AssetError {
        file: file.to_owned(),
        line: None,
        reason,
    }
    .into()
}

fn check_roles(play: &Play, score_file: &str) -> Result<(), RunError> {
    let known: Vec<&str> = play.band.roles.keys().map(String::as_str).collect();
    for (index, card) in play.epic.cards.iter().enumerate() {
        if !play.band.roles.contains_key(&card.seat) {
            let reason = format!(
                "/cards/{index}/seat: the band {} has no role {:?}; it has {}",
                play.band.name,
                card.seat,
                known.join(", ")
            );
            return Err(fault(&play.epic_file, reason));
        }
        if card.seat == GUARD_ROLE {
            let reason =
                format!("/cards/{index}/seat: {GUARD_ROLE} judges work and cannot author it");
            return Err(fault(&play.epic_file, reason));
        }
    }
    for (index, step) in play.score.steps.iter().enumerate() {
        if !step.is_work() && !play.band.roles.contains_key(&step.role) {
            let reason = format!(
                "/steps/{index}/role: the band {} has no role {:?}; it has {}",
                play.band.name,
                step.role,
                known.join(", ")
            );
            return Err(fault(score_file, reason));
        }
    }
    if play.score.attempts_per_turn == 0 || play.score.turns_per_card == 0 {
        return Err(fault(
            score_file,
            "attempts_per_turn and turns_per_card must be at least 1".into(),
        ));
    }
    Ok(())
}

fn check_tools(play: &Play, band_file: &str, known: &BTreeSet<String>) -> Result<(), RunError> {
    for (role, asset) in &play.band.roles {
        for (index, tool) in asset.tools.iter().enumerate() {
            if !known.contains(tool) {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let reason = format!(
                    "/roles/{role}/tools/{index}: there is no tool {tool:?}; there are {}",
                    names.join(", ")
                );
                return Err(fault(band_file, reason));
            }
        }
    }
    Ok(())
}

fn check_venue(play: &Play, venue_file: &str) -> Result<(), RunError> {
    let options = &play.venue.options;
    if !options.temperature.is_finite() || options.temperature < 0.0 {
        return Err(fault(
            venue_file,
            "/options/temperature: it must be 0 or more".into(),
        ));
    }
    if options.num_predict == 0 || options.num_predict >= options.num_ctx {
        let reason = "/options/num_predict: it must be at least 1 and less than num_ctx";
        return Err(fault(venue_file, reason.into()));
    }
    if play.venue.timeout_seconds == 0 {
        return Err(fault(
            venue_file,
            "/timeout_seconds: it must be at least 1".into(),
        ));
    }
    Ok(())
}
