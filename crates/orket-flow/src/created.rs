//! Cards that a turn creates, and what is known of those that earlier turns created.

use orket_cards::{
    Card, CardAsset, CardId, Creation, CreationRefusal, DEFAULT_PRIORITY, VerificationAsset,
};
use orket_kernel::{ReadError, StateView};
use orket_ports::Refusal;
use orket_ports::tool::NewCard;

use crate::play::Play;
use crate::scope::{Scope, card_id, read_card, unreadable};

impl Scope<'_> {
    /// Stages a new card and returns its id.
    pub(crate) fn create(&mut self, new: NewCard) -> Result<CardId, Refusal> {
        let asset = asset(new)?;
        let known = self.epic_cards()?;
        let by = Creation {
            role: self.role.to_owned(),
            card: self.own()?.id.clone(),
        };
        let in_turn = self.created.len() as u64;
        let card = self.play.epic.create_card(&asset, by, &known, in_turn);
        let card = card.map_err(|error| refused(&error))?;
        let taken = read_card(self.view, &card.id).map_err(|e| unreadable(&e))?;
        if let Some(Card { id, .. }) = taken {
            return Err(refused(&CreationRefusal::Exists { id }));
        }
        for path in &card.artifacts {
            self.check_way(path)?;
            self.check_owner(path)?;
        }
        let id = card.id.clone();
        self.created.push(card);
        Ok(id)
    }

    /// Returns all cards of the epic as the turn sees them.
    fn epic_cards(&self) -> Result<Vec<Card>, Refusal> {
        let mut cards =
            cards_of(self.view, &self.play.epic.name, |_| true).map_err(|e| unreadable(&e))?;
        for card in &mut cards {
            if let Some(own) = self.card.as_ref().filter(|own| own.id == card.id) {
                card.clone_from(own);
            }
        }
        cards.extend(self.created.iter().cloned());
        Ok(cards)
    }

    /// Returns the other card that no asset defines and that promises an artefact.
    pub(crate) fn created_owner(&self, path: &str) -> Result<Option<CardId>, ReadError> {
        let earlier = created_cards(self.view, self.play)?;
        let mut all = earlier.iter().chain(&self.created);
        let owner = all.find(|card| {
            !self.is_own(&card.id) && card.artifacts.iter().any(|promised| promised == path)
        });
        Ok(owner.map(|card| card.id.clone()))
    }
}

/// Returns the cards of the epic that no asset defines: those that earlier turns created, and those that left the asset. None,
/// and without a look, if the epic allows no created ones.
pub(crate) fn created_cards(view: &dyn StateView, play: &Play) -> Result<Vec<Card>, ReadError> {
    if play.epic.created_cards.is_none() {
        return Ok(Vec::new());
    }
    let defined = play.ids();
    cards_of(view, &play.epic.name, |id| !defined.contains(id))
}

/// Returns the cards of an epic whose ids are wanted, sorted by their ids.
fn cards_of(
    view: &dyn StateView,
    epic: &str,
    is_wanted: impl Fn(&CardId) -> bool,
) -> Result<Vec<Card>, ReadError> {
    let mut stems: Vec<_> = view
        .sources(&format!("epic/{epic}"))?
        .into_iter()
        .map(|source| source.stem)
        .filter(|stem| stem.kind() == "card")
        .collect();
    stems.dedup();
    let mut cards = Vec::new();
    for stem in stems {
        let id: CardId = stem.name().parse().map_err(|_| ReadError::Corrupt {
            place: stem.to_string(),
            reason: "its name is no card id".into(),
        })?;
        if is_wanted(&id) {
            cards.extend(read_card(view, &id)?);
        }
    }
    Ok(cards)
}

fn asset(new: NewCard) -> Result<CardAsset, Refusal> {
    let mut depends_on = Vec::new();
    for id in &new.depends_on {
        depends_on.push(card_id(id)?);
    }
    Ok(CardAsset {
        id: None,
        title: new.title,
        description: new.description,
        seat: new.seat,
        priority: new.priority.unwrap_or(DEFAULT_PRIORITY),
        depends_on,
        artifacts: new.artifacts,
        verification: VerificationAsset {
            checks: Some(new.checks).filter(|checks| !checks.is_empty()),
            none: None,
        },
    })
}

fn refused(error: &CreationRefusal) -> Refusal {
    let message = format!("create_issue: {error}");
    if error.is_correctable() {
        Refusal::malformed(error.reason(), message)
    } else {
        Refusal::forbidden(error.reason(), message)
    }
}
