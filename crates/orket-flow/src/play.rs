//! The play: an epic with its flow, band, venue and score, loaded, checked and fixed for a run.

use std::collections::{BTreeMap, BTreeSet};

use orket_cards::{
    Actor, AssetError, Card, CardId, EpicAsset, Evidence, GUARD_ROLE, RockAsset, Status,
    Verification, decide, parse_asset,
};
use orket_kernel::canonical::Value;
use orket_kernel::capability::{POLICY_VERSION, Policy, PolicyDocument, Rule};
use orket_kernel::{Digest, Stem};
use orket_ports::workspace::AssetKind;
use orket_ports::{SpacePolicy, Workspace};

use crate::asset::{BandAsset, FlowAsset, ProviderKind, ScoreAsset, StepAsset, VenueAsset};
use crate::error::RunError;
use crate::nearest::nearest;

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
    /// What agents may read and write: the project's policy when the run began.
    pub space_policy: SpacePolicy,
    /// The names of the reference spaces that the project had when the run began.
    pub reference_spaces: BTreeSet<String>,
    /// The fixtures that the cards name, with the digests that they had when the command began: what judges does not change
    /// while somebody is judged.
    #[serde(default)]
    pub fixtures: BTreeMap<String, Digest>,
}

impl Play {
    /// Returns the cards as the epic defines them, before any work.
    ///
    /// # Errors
    /// Names the file and what is wrong.
    pub fn cards(&self) -> Result<Vec<Card>, AssetError> {
        self.epic.cards(&self.epic_file)
    }

    /// Returns the ids of the cards, in the order of the epic.
    pub fn ids(&self) -> Vec<CardId> {
        // The cards were checked when the play was loaded.
        self.cards()
            .map(|cards| cards.into_iter().map(|card| card.id).collect())
            .unwrap_or_default()
    }

    /// Tells whether a card that no asset defines is one of the play: a role created it, and the epic still allows that.
    pub(crate) fn keeps(&self, card: &Card) -> bool {
        card.created_by.is_some() && self.epic.created_cards.is_some()
    }

    /// Tells whether some step of the score acts on a status.
    pub fn acts_on(&self, status: Status) -> bool {
        self.score
            .steps
            .iter()
            .any(|step| step.statuses.contains(&status))
    }

    /// Returns the steps that fit a card's status, in Score order, each with the role that acts.
    pub fn steps_for<'a>(
        &'a self,
        card: &'a Card,
    ) -> impl Iterator<Item = (&'a StepAsset, String)> {
        let fitting = self
            .score
            .steps
            .iter()
            .filter(|step| step.statuses.contains(&card.status));
        fitting.map(|step| {
            let role = if step.is_work() {
                card.seat.clone()
            } else {
                step.role.clone()
            };
            (step, role)
        })
    }

    /// Returns the roles that work on cards.
    pub(crate) fn seats(&self) -> BTreeSet<&str> {
        let created = self.epic.created_cards.iter().flat_map(|it| &it.seats);
        let defined = self.epic.cards.iter().map(|card| &card.seat);
        defined.chain(created).map(String::as_str).collect()
    }

    /// Returns the capability policy: each role may use its own tools in the steps in which it acts.
    ///
    /// # Errors
    /// Band and Score may make more rules than a policy holds.
    pub fn policy(&self) -> Result<Policy, AssetError> {
        let seats = self.seats();
        let mut granted: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for step in &self.score.steps {
            for (role, asset) in &self.band.roles {
                let acts = step.role == *role || (step.is_work() && seats.contains(role.as_str()));
                for tool in asset.tools.iter().filter(|_| acts) {
                    let tools = granted.entry((role, &step.name)).or_default();
                    tools.insert(tool);
                }
            }
        }
        let rules = granted.into_iter().map(|((role, task), tools)| {
            let tools: Vec<&str> = tools.into_iter().collect();
            Rule::of_tools(role, task, &tools)
        });
        let document = PolicyDocument {
            policy_version: POLICY_VERSION.into(),
            enabled: true,
            rules: rules.collect(),
        };
        Policy::new(document).map_err(|error| AssetError {
            file: self.epic_file.clone(),
            line: None,
            reason: format!("the policy that its Band and Score make: {error}"),
        })
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
    let band = load_band(workspace, &flow.band, known_tools)?;
    let (venue_file, venue) =
        load::<VenueAsset>(workspace, AssetKind::Venue, venue.unwrap_or(&flow.venue))?;
    let (score_file, score) = load::<ScoreAsset>(workspace, AssetKind::Score, &flow.score)?;
    let mut play = Play {
        epic_file,
        epic,
        flow,
        band,
        venue,
        score,
        space_policy: SpacePolicy::default(),
        reference_spaces: BTreeSet::new(),
        fixtures: BTreeMap::new(),
    };
    play.cards()?;
    check_names(&play)?;
    check_artifacts(&play)?;
    play.fixtures = check_fixtures(&play, workspace)?;
    check_roles(&play, &score_file)?;
    check_venue(&play, &venue_file)?;
    Ok(play)
}

/// Loads a Band and checks that its roles name tools that there are.
///
/// # Errors
/// As [`load_play`].
pub fn load_band(
    workspace: &dyn Workspace,
    band: &str,
    known_tools: &BTreeSet<String>,
) -> Result<BandAsset, RunError> {
    let (file, band) = load::<BandAsset>(workspace, AssetKind::Band, band)?;
    check_tools(&band, &file, known_tools)?;
    Ok(band)
}

/// Loads a rock.
///
/// # Errors
/// As [`load_play`].
pub fn load_rock(workspace: &dyn Workspace, rock: &str) -> Result<RockAsset, RunError> {
    let (file, rock) = load::<RockAsset>(workspace, AssetKind::Rock, rock)?;
    if rock.epics.is_empty() {
        return Err(fault(&file, "/epics: a rock has at least one epic".into()));
    }
    Ok(rock)
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
    let value: Value = parse_asset(&file, &bytes)?;
    let named = value.get("name").and_then(Value::as_str).unwrap_or(name);
    if named != name {
        return Err(fault(
            &file,
            format!("/name: it must be {name:?}, like the file, not {named:?}"),
        ));
    }
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
    check_created_seats(play)?;
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

fn check_created_seats(play: &Play) -> Result<(), RunError> {
    let Some(rules) = &play.epic.created_cards else {
        return Ok(());
    };
    if rules.seats.is_empty() {
        let reason = "/created_cards/seats: give at least one role".into();
        return Err(fault(&play.epic_file, reason));
    }
    for (index, seat) in rules.seats.iter().enumerate() {
        let why = if seat == GUARD_ROLE {
            format!("{GUARD_ROLE} judges work and cannot author it")
        } else if play.band.roles.contains_key(seat) {
            continue;
        } else {
            format!("the band {} has no role {seat:?}", play.band.name)
        };
        let reason = format!("/created_cards/seats/{index}: {why}");
        return Err(fault(&play.epic_file, reason));
    }
    Ok(())
}

fn check_tools(
    band: &BandAsset,
    band_file: &str,
    known: &BTreeSet<String>,
) -> Result<(), RunError> {
    for (role, asset) in &band.roles {
        for (index, tool) in asset.tools.iter().enumerate() {
            if !known.contains(tool) {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let list = names.join(", ");
                let advice = match nearest(tool, names) {
                    Some(meant) => format!("did you mean {meant:?}? There are {list}"),
                    None => format!("there are {list}"),
                };
                let reason =
                    format!("/roles/{role}/tools/{index}: there is no tool {tool:?}; {advice}");
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
    if play.venue.provider == ProviderKind::OpenaiCompatible && play.venue.base_url.is_none() {
        let reason = "/base_url: give it; these servers have no port in common";
        return Err(fault(venue_file, reason.into()));
    }
    if play.venue.provider != ProviderKind::OpenaiCompatible && play.venue.api_key.is_some() {
        let reason = "/api_key: only the provider openai_compatible takes one";
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

/// Checks that names can stand in ids and paths, and that the steps fit the transition table.
fn check_names(play: &Play) -> Result<(), RunError> {
    let kinds = [
        (AssetKind::Epic, &play.epic.name),
        (AssetKind::Flow, &play.flow.name),
        (AssetKind::Band, &play.band.name),
        (AssetKind::Venue, &play.venue.name),
        (AssetKind::Score, &play.score.name),
    ];
    for (kind, name) in kinds {
        check_name(
            &format!("model/{}/{name}.json", kind.directory()),
            "/name",
            name,
        )?;
    }
    let band = format!("model/bands/{}.json", play.band.name);
    for role in play.band.roles.keys() {
        check_name(&band, &format!("/roles/{role}"), role)?;
    }
    let score = format!("model/scores/{}.json", play.score.name);
    let mut seen = BTreeSet::new();
    for (index, step) in play.score.steps.iter().enumerate() {
        check_name(&score, &format!("/steps/{index}/name"), &step.name)?;
        if !seen.insert(&step.name) {
            let reason = format!("/steps/{index}/name: there are two steps {:?}", step.name);
            return Err(fault(&score, reason));
        }
        let refused = step.statuses.iter().find(|from| {
            let to = Status::InProgress;
            let may = decide(**from, to, &Actor::Engine, None, &Evidence::default()).is_ok();
            step.is_work() && **from != to && !may
        });
        if let Some(status) = refused {
            let reason = format!("/steps/{index}/statuses: no work can begin on {status}");
            return Err(fault(&score, reason));
        }
    }
    Ok(())
}

fn check_name(file: &str, place: &str, name: &str) -> Result<(), RunError> {
    let is_plain = name
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric)
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_plain {
        return Ok(());
    }
    let reason = format!(
        "{place}: {name:?} must be 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit"
    );
    Err(fault(file, reason))
}

fn check_artifacts(play: &Play) -> Result<(), RunError> {
    for (index, card) in play.epic.cards.iter().enumerate() {
        for (number, path) in card.artifacts.iter().enumerate() {
            let is_path = Stem::parse(&format!("artifact/{path}")).is_ok();
            if !is_path || path.starts_with("agent_output/") {
                let reason = format!(
                    "/cards/{index}/artifacts/{number}: {path:?} must be a path below agent_output/, such as lib/phase.sh"
                );
                return Err(fault(&play.epic_file, reason));
            }
        }
    }
    Ok(())
}

/// Returns the digests of the fixtures, which have to be there.
fn check_fixtures(
    play: &Play,
    workspace: &dyn Workspace,
) -> Result<BTreeMap<String, Digest>, RunError> {
    let mut checked: Vec<(String, Vec<String>)> = Vec::new();
    for card in play.cards()? {
        if let Verification::Checks(fixtures) = card.verification {
            checked.push((card.id.to_string(), fixtures));
        }
    }
    let created = play.epic.created_cards.as_ref();
    if let Some(fixtures) = created.and_then(|it| it.verification.checks.clone()) {
        checked.push(("created by a role".into(), fixtures));
    }
    let mut digests = BTreeMap::new();
    for (card, fixtures) in checked {
        for fixture in fixtures {
            let Some(bytes) = workspace.fixture(&fixture)? else {
                return Err(RunError::NoFixture { card, fixture });
            };
            digests.insert(fixture, Digest::of_bytes(&bytes));
        }
    }
    Ok(digests)
}
