//! Cards that a role creates while it works: what an epic allows of them, and where one came from.

use crate::{Card, CardAsset, CardId, EpicAsset, Verification, VerificationAsset};

/// Who had a card made that no asset defines.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Creation {
    /// The role.
    pub role: String,
    /// The card of the turn in which it did.
    pub card: CardId,
}

/// What an epic allows of cards that roles create. Without it they create none.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatedCardsAsset {
    /// The roles that such a card may be for.
    pub seats: Vec<String>,
    /// How a card is checked whose creator names no checks.
    pub verification: VerificationAsset,
    /// The most cards that one turn creates.
    #[serde(default = "default_per_turn")]
    pub per_turn: u64,
    /// The most created cards that the epic holds.
    #[serde(default = "default_in_all")]
    pub in_all: u64,
}

fn default_per_turn() -> u64 {
    4
}

fn default_in_all() -> u64 {
    50
}

/// Says why a card cannot be created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreationRefusal {
    /// The epic allows none.
    #[error(
        "the epic {epic} lets no role create cards; its asset allows it with \"created_cards\""
    )]
    NotAllowed {
        /// The epic.
        epic: String,
    },
    /// The turn created as many as it may.
    #[error("a turn creates at most {limit} card(s)")]
    TooManyInTurn {
        /// The limit.
        limit: u64,
    },
    /// The epic holds as many as it may.
    #[error("the epic holds {limit} created cards already, and no more are allowed")]
    TooManyInEpic {
        /// The limit.
        limit: u64,
    },
    /// The role may not be given such a card.
    #[error("no card can be created for {seat:?}; it can be for {}", .seats.join(", "))]
    Seat {
        /// What was asked for.
        seat: String,
        /// What there is.
        seats: Vec<String>,
    },
    /// A check is named that no card of the epic has.
    #[error("there is no check {check:?}; there are {}", listed(.checks))]
    UnknownCheck {
        /// What was asked for.
        check: String,
        /// What there is.
        checks: Vec<String>,
    },
    /// A card is named that the epic does not hold.
    #[error("it cannot depend on {id}: the epic has no such card; it has {}", listed(.cards))]
    UnknownDependency {
        /// What was asked for.
        id: String,
        /// What there is.
        cards: Vec<String>,
    },
    /// A card is named that will not be finished.
    #[error("it cannot depend on {id}, which is {status}")]
    BrokenDependency {
        /// The card.
        id: CardId,
        /// Its status.
        status: crate::Status,
    },
    /// A file is promised that another card promises or produced.
    #[error("it cannot promise agent_output/{path}, which belongs to {owner}")]
    Promised {
        /// The path.
        path: String,
        /// The other card.
        owner: CardId,
    },
    /// A card that says the same is there.
    #[error("the card {id} says the same already")]
    Exists {
        /// The card.
        id: CardId,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".into();
    }
    names.join(", ")
}

impl CreationRefusal {
    /// Returns a stable word for the rule.
    pub fn reason(&self) -> &'static str {
        match self {
            CreationRefusal::NotAllowed { .. } => "no_created_cards",
            CreationRefusal::TooManyInTurn { .. } => "too_many_cards",
            CreationRefusal::TooManyInEpic { .. } => "too_many_created_cards",
            CreationRefusal::Seat { .. } => "unknown_seat",
            CreationRefusal::UnknownCheck { .. } => "unknown_check",
            CreationRefusal::UnknownDependency { .. } => "unknown_dependency",
            CreationRefusal::BrokenDependency { .. } => "broken_dependency",
            CreationRefusal::Promised { .. } => "other_cards_artifact",
            CreationRefusal::Exists { .. } => "card_exists",
        }
    }

    /// Tells whether another answer can put it right; else the limits of the epic stand against it.
    pub fn is_correctable(&self) -> bool {
        !matches!(
            self,
            CreationRefusal::NotAllowed { .. }
                | CreationRefusal::TooManyInTurn { .. }
                | CreationRefusal::TooManyInEpic { .. }
                | CreationRefusal::Promised { .. }
        )
    }
}

impl EpicAsset {
    /// Decides whether a card may be created and returns it as it begins: ready, and with an id that follows from what it says.
    /// `known` are all cards of the epic, those that the turn created among them; `in_turn` is how many these are.
    ///
    /// # Errors
    /// Names the first rule that is broken: allowed at all, limits, seat, checks, dependencies, promised files, repetition.
    pub fn create_card(
        &self,
        asset: &CardAsset,
        by: Creation,
        known: &[Card],
        in_turn: u64,
    ) -> Result<Card, CreationRefusal> {
        let Some(rules) = &self.created_cards else {
            let epic = self.name.clone();
            return Err(CreationRefusal::NotAllowed { epic });
        };
        if in_turn >= rules.per_turn {
            let limit = rules.per_turn;
            return Err(CreationRefusal::TooManyInTurn { limit });
        }
        let created = known.iter().filter(|card| card.created_by.is_some());
        if created.count() as u64 >= rules.in_all {
            let limit = rules.in_all;
            return Err(CreationRefusal::TooManyInEpic { limit });
        }
        if !rules.seats.contains(&asset.seat) {
            let (seat, seats) = (asset.seat.clone(), rules.seats.clone());
            return Err(CreationRefusal::Seat { seat, seats });
        }
        let verification = self.verification_of_created(rules, asset)?;
        check_dependencies(asset, known)?;
        check_promises(asset, known)?;
        let id = self.derived_id(asset);
        if known.iter().any(|card| card.id == id) {
            return Err(CreationRefusal::Exists { id });
        }
        let oldest_free = known
            .iter()
            .map(|card| card.ordinal.saturating_add(1))
            .max();
        Ok(Card {
            created_by: Some(by),
            ..self.fresh_card(asset, id, oldest_free.unwrap_or_default(), verification)
        })
    }

    /// A creator chooses among the checks that the epic knows; that there are none is for the asset to say.
    fn verification_of_created(
        &self,
        rules: &CreatedCardsAsset,
        asset: &CardAsset,
    ) -> Result<Verification, CreationRefusal> {
        let named = asset.verification.checks.as_deref().unwrap_or_default();
        if named.is_empty() {
            // The asset was checked when it was loaded.
            let fallback = || Verification::Checks(Vec::new());
            return Ok(rules.verification.verification().unwrap_or_else(fallback));
        }
        let of_cards = self.cards.iter().map(|card| &card.verification);
        let all = of_cards.chain([&rules.verification]);
        let mut checks: Vec<String> = all
            .filter_map(|verification| verification.checks.clone())
            .flatten()
            .collect();
        checks.sort();
        checks.dedup();
        match named.iter().find(|check| !checks.contains(check)) {
            None => Ok(Verification::Checks(named.to_vec())),
            Some(check) => Err(CreationRefusal::UnknownCheck {
                check: check.clone(),
                checks,
            }),
        }
    }
}

fn check_dependencies(asset: &CardAsset, known: &[Card]) -> Result<(), CreationRefusal> {
    for id in &asset.depends_on {
        let Some(needed) = known.iter().find(|card| card.id == *id) else {
            return Err(CreationRefusal::UnknownDependency {
                id: id.to_string(),
                cards: known.iter().map(|card| card.id.to_string()).collect(),
            });
        };
        if needed.status.breaks_dependency() {
            return Err(CreationRefusal::BrokenDependency {
                id: id.clone(),
                status: needed.status,
            });
        }
    }
    Ok(())
}

fn check_promises(asset: &CardAsset, known: &[Card]) -> Result<(), CreationRefusal> {
    for path in &asset.artifacts {
        if let Some(owner) = known.iter().find(|card| card.artifacts.contains(path)) {
            return Err(CreationRefusal::Promised {
                path: path.clone(),
                owner: owner.id.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DEFAULT_PRIORITY, Status, VerificationState, parse_asset};

    const EPIC: &str = r#"{
        "name": "e", "description": "d", "flow": "f",
        "cards": [
            {"id": "A", "title": "a", "description": "a", "seat": "coder", "artifacts": ["a.txt"], "verification": {"checks": ["a.sh"]}},
            {"id": "B", "title": "b", "description": "b", "seat": "coder", "verification": {"none": "r"}}
        ],
        "created_cards": {"seats": ["coder"], "verification": {"checks": ["c.sh"]}, "per_turn": 2, "in_all": 2}
    }"#;

    fn by() -> Creation {
        Creation {
            role: "coder".into(),
            card: "A".parse().unwrap(),
        }
    }

    fn asset() -> CardAsset {
        CardAsset {
            id: None,
            title: "Write the notes".into(),
            description: "Do what the title says.".into(),
            seat: "coder".into(),
            priority: DEFAULT_PRIORITY,
            depends_on: Vec::new(),
            artifacts: Vec::new(),
            verification: VerificationAsset {
                checks: None,
                none: None,
            },
        }
    }

    fn epic() -> (EpicAsset, Vec<Card>) {
        let epic: EpicAsset = parse_asset("e.json", EPIC.as_bytes()).unwrap();
        let cards = epic.cards("e.json").unwrap();
        (epic, cards)
    }

    #[test]
    fn a_created_card_begins_as_any_other_and_is_named_after_what_it_says() {
        let (epic, known) = epic();
        let card = epic.create_card(&asset(), by(), &known, 0).unwrap();
        // The first digits of what sha256sum says of
        // {"description":"Do what the title says.","epic":"e","seat":"coder","title":"Write the notes"}
        assert_eq!(card.id.as_str(), "card-7617ef03");
        assert_eq!((card.status, card.ordinal), (Status::Ready, 2));
        assert_eq!(card.verification, Verification::Checks(vec!["c.sh".into()]));
        assert_eq!(card.verified, VerificationState::NotRun);
        assert_eq!(card.created_by, Some(by()));
        assert_eq!((card.authors.len(), card.comments.len()), (0, 0));
    }

    type Bend = (&'static str, fn(&mut CardAsset, &mut Vec<Card>), u64);

    #[test]
    fn each_rule_refuses_by_its_name() {
        let bends: [Bend; 10] = [
            ("", |_, _| (), 1),
            ("too_many_cards", |_, _| (), 2),
            (
                "too_many_created_cards",
                |_, known| {
                    known
                        .iter_mut()
                        .for_each(|card| card.created_by = Some(by()))
                },
                0,
            ),
            (
                "unknown_seat",
                |card, _| card.seat = "integrity_guard".into(),
                0,
            ),
            (
                "unknown_check",
                |card, _| card.verification.checks = Some(vec!["a.sh".into(), "x.sh".into()]),
                0,
            ),
            (
                "unknown_dependency",
                |card, _| card.depends_on = vec!["Z".parse().unwrap()],
                0,
            ),
            (
                "broken_dependency",
                |card, known| {
                    card.depends_on = vec!["A".parse().unwrap()];
                    known[0].status = Status::Canceled;
                },
                0,
            ),
            (
                "other_cards_artifact",
                |card, _| card.artifacts = vec!["a.txt".into()],
                0,
            ),
            (
                "card_exists",
                |card, known| {
                    let (epic, _) = epic();
                    let made = epic.create_card(card, by(), known, 0).unwrap();
                    known.push(Card {
                        priority: 9,
                        ..made
                    });
                },
                0,
            ),
            (
                "",
                |card, _| card.verification.checks = Some(vec!["a.sh".into(), "c.sh".into()]),
                0,
            ),
        ];
        for (reason, bend, in_turn) in bends {
            let (epic, mut known) = epic();
            let mut card = asset();
            bend(&mut card, &mut known);
            let made = epic.create_card(&card, by(), &known, in_turn);
            let found = made.as_ref().map_or_else(CreationRefusal::reason, |_| "");
            assert_eq!(found, reason, "{made:?}");
        }
        let (mut epic, known) = epic();
        epic.created_cards = None;
        let refusal = epic.create_card(&asset(), by(), &known, 0).unwrap_err();
        assert_eq!(refusal.reason(), "no_created_cards");
    }
}
