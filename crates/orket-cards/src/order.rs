//! The ready order: which card is next, and why none is.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Card, CardId, WaitReason};

/// Says why a set of cards cannot be scheduled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DependencyFault {
    /// A card depends on one that does not exist.
    #[error(
        "the card {card} depends on {missing}, which does not exist; define it or take it out of depends_on"
    )]
    Unknown {
        /// The card.
        card: CardId,
        /// What it names.
        missing: CardId,
    },
    /// Cards wait for each other.
    #[error("the cards {} wait for each other; take one of these out of depends_on", names(.cards))]
    Cycle {
        /// The cards of one cycle, in order.
        cards: Vec<CardId>,
    },
    /// Two cards have one id.
    #[error("the card id {card} is given twice; give one of them another")]
    Twice {
        /// The id.
        card: CardId,
    },
}

fn names(cards: &[CardId]) -> String {
    cards
        .iter()
        .map(CardId::as_str)
        .collect::<Vec<_>>()
        .join(" -> ")
}

/// Why one card cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stall {
    /// The card.
    pub card: CardId,
    /// Why, in words.
    pub reason: String,
}

/// Checks that every dependency exists and that none is circular.
///
/// # Errors
/// Names the first fault: repeated ids, then unknown ids, then cycles.
pub fn check_dependencies(cards: &[Card]) -> Result<(), DependencyFault> {
    let mut by_id = BTreeMap::new();
    for card in cards {
        if by_id.insert(&card.id, card).is_some() {
            return Err(DependencyFault::Twice {
                card: card.id.clone(),
            });
        }
    }
    for card in cards {
        for dependency in &card.depends_on {
            if !by_id.contains_key(dependency) {
                let missing = dependency.clone();
                return Err(DependencyFault::Unknown {
                    card: card.id.clone(),
                    missing,
                });
            }
        }
    }
    // Take away cards without open dependencies until none is left; what stays holds a cycle.
    let mut open: BTreeMap<&CardId, BTreeSet<&CardId>> = cards
        .iter()
        .map(|card| (&card.id, card.depends_on.iter().collect()))
        .collect();
    loop {
        let free: Vec<&CardId> = open
            .iter()
            .filter(|(_, needs)| needs.is_empty())
            .map(|(id, _)| *id)
            .collect();
        if free.is_empty() {
            break;
        }
        for id in free {
            open.remove(id);
            for needs in open.values_mut() {
                needs.remove(id);
            }
        }
    }
    let Some(start) = open.keys().next().copied() else {
        return Ok(());
    };
    let mut path = vec![start];
    loop {
        let last = path[path.len() - 1];
        let Some(next) = open[last].iter().next().copied() else {
            break;
        };
        if let Some(begin) = path.iter().position(|id| *id == next) {
            let mut cards: Vec<CardId> = path[begin..].iter().map(|id| (*id).clone()).collect();
            cards.push(next.clone());
            return Err(DependencyFault::Cycle { cards });
        }
        path.push(next);
    }
    Ok(())
}

/// Returns how many unfinished cards wait for `card`, directly or through others.
pub fn critical_weight(cards: &[Card], card: &CardId) -> u64 {
    let mut waiting: BTreeSet<&CardId> = BTreeSet::new();
    let mut frontier = vec![card];
    while let Some(id) = frontier.pop() {
        for other in cards {
            let waits = !other.status.is_terminal() && other.depends_on.contains(id);
            if waits && waiting.insert(&other.id) {
                frontier.push(&other.id);
            }
        }
    }
    waiting.len() as u64
}

/// Returns the cards that can be worked on now, the next one first: review statuses, then priority plus the number
/// of cards waiting for it, then age, then id.
pub fn ready(cards: &[Card]) -> Vec<&Card> {
    let finished: BTreeSet<&CardId> = cards
        .iter()
        .filter(|card| card.status.satisfies_dependency())
        .map(|card| &card.id)
        .collect();
    let mut candidates: Vec<&Card> = cards
        .iter()
        .filter(|card| !card.status.is_terminal() && !card.status.needs_wait_reason())
        .filter(|card| card.depends_on.iter().all(|id| finished.contains(id)))
        .collect();
    candidates.sort_by_cached_key(|card| {
        let weight = card
            .priority
            .saturating_add(critical_weight(cards, &card.id));
        let review_last = !card.status.is_review();
        (
            review_last,
            std::cmp::Reverse(weight),
            card.ordinal,
            card.id.clone(),
        )
    });
    candidates
}

/// Says for every unfinished card why it does not go on.
pub fn stall(cards: &[Card]) -> Vec<Stall> {
    let by_id: BTreeMap<&CardId, &Card> = cards.iter().map(|card| (&card.id, card)).collect();
    cards
        .iter()
        .filter(|card| !card.status.is_terminal())
        .map(|card| {
            let open: Vec<String> = card
                .depends_on
                .iter()
                .filter_map(|id| by_id.get(id))
                .filter(|needed| !needed.status.satisfies_dependency())
                .map(|needed| format!("{} ({})", needed.id, needed.status))
                .collect();
            let reason = match (card.wait_reason, open.is_empty()) {
                (Some(WaitReason::System), _) => {
                    format!(
                        "{} after its last attempt was refused; `orket show card {}` says why",
                        card.status, card.id
                    )
                }
                (Some(reason), _) => format!("{}: {reason}", card.status),
                (None, false) => format!("waits for {}", open.join(", ")),
                (None, true) => format!("no step of the score acts on the status {}", card.status),
            };
            Stall {
                card: card.id.clone(),
                reason,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;
    use crate::card::tests::card;

    fn ids(cards: &[&Card]) -> Vec<String> {
        cards.iter().map(|card| card.id.to_string()).collect()
    }

    #[test]
    fn review_goes_first_then_weight_then_age_then_id() {
        let mut cards = vec![
            card("D", &[], Status::Ready),
            card("B", &[], Status::Ready),
            card("C", &[], Status::CodeReview),
            card("A", &[], Status::Ready),
            card("E", &["A"], Status::Ready),
            card("F", &["E"], Status::Ready),
        ];
        cards[1].ordinal = 1;
        // A: 2 + two waiting; D and B: 2, D is older; E and F wait.
        assert_eq!(ids(&ready(&cards)), ["C", "A", "D", "B"]);
        cards[1].priority = 9;
        assert_eq!(ids(&ready(&cards)), ["C", "B", "A", "D"]);
    }

    #[test]
    fn a_card_is_ready_when_all_it_depends_on_is_finished() {
        let cards = [
            card("A", &[], Status::Done),
            card("B", &[], Status::Archived),
            card("C", &["A", "B"], Status::Ready),
            card("D", &["C"], Status::Ready),
            card("E", &[], Status::Blocked),
        ];
        assert_eq!(ids(&ready(&cards)), ["C"]);
    }

    #[test]
    fn unknown_and_circular_dependencies_are_named() {
        let unknown = check_dependencies(&[card("A", &["X"], Status::Ready)]).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "the card A depends on X, which does not exist; define it or take it out of depends_on"
        );
        let cycle = check_dependencies(&[
            card("A", &["C"], Status::Ready),
            card("B", &["A"], Status::Ready),
            card("C", &["B"], Status::Ready),
            card("D", &["C"], Status::Ready),
        ]);
        assert_eq!(
            cycle.unwrap_err().to_string(),
            "the cards A -> C -> B -> A wait for each other; take one of these out of depends_on"
        );
        let itself = check_dependencies(&[card("A", &["A"], Status::Ready)]);
        assert_eq!(
            itself.unwrap_err().to_string(),
            "the cards A -> A wait for each other; take one of these out of depends_on"
        );
        let twice = [card("A", &[], Status::Ready), card("A", &[], Status::Ready)];
        assert!(matches!(
            check_dependencies(&twice),
            Err(DependencyFault::Twice { .. })
        ));
    }

    #[test]
    fn a_stall_names_the_cards_and_why() {
        let cards = [
            card("A", &[], Status::GuardRejected),
            card("B", &["A"], Status::Ready),
        ];
        let reasons: Vec<String> = stall(&cards)
            .into_iter()
            .map(|stall| stall.reason)
            .collect();
        assert_eq!(
            reasons,
            [
                "no step of the score acts on the status guard_rejected",
                "waits for A (guard_rejected)"
            ]
        );
    }
}
