//! The name of a turn on the command line: `RUN:ISSUE:TURN[:ROLE]`.

use std::str::FromStr;

use orket_kernel::{RunId, TurnId};

/// Where a turn is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TurnPlace {
    pub(crate) run_id: RunId,
    /// `-` for a turn on no card or on several.
    pub(crate) issue: String,
    pub(crate) turn_id: TurnId,
    pub(crate) role: Option<String>,
}

impl FromStr for TurnPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<TurnPlace, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let (run, issue, turn, role) = match parts[..] {
            [run, issue, turn] => (run, issue, turn, None),
            [run, issue, turn, role] => (run, issue, turn, Some(role.to_owned())),
            _ => return Err("a turn is named RUN:ISSUE:TURN or RUN:ISSUE:TURN:ROLE".into()),
        };
        Ok(TurnPlace {
            run_id: run
                .parse()
                .map_err(|error: orket_kernel::InvalidName| error.to_string())?,
            issue: issue.to_owned(),
            turn_id: turn
                .parse()
                .map_err(|error: orket_kernel::InvalidName| error.to_string())?,
            role,
        })
    }
}

impl TurnPlace {
    /// Says how the turn with these facts differs from the named one, if it does.
    pub(crate) fn mismatch(&self, card: Option<&str>, role: &str) -> Option<String> {
        let found = card.unwrap_or("-");
        let other_role = self.role.as_deref().is_some_and(|asked| asked != role);
        (found != self.issue || other_role).then(|| {
            format!(
                "{} of the run {} is {}:{}:{}:{role}",
                self.turn_id,
                self.run_id,
                self.run_id,
                found,
                self.turn_id.number()
            )
        })
    }
}

/// The name of a turn whose card is of no interest: `RUN:TURN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TurnAddress {
    pub(crate) run_id: RunId,
    pub(crate) turn_id: TurnId,
}

impl FromStr for TurnAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<TurnAddress, String> {
        match text.split_once(':') {
            Some((run, turn)) => Ok(TurnAddress {
                run_id: name(run)?,
                turn_id: name(turn)?,
            }),
            None => Err("a turn is named RUN:TURN here".to_owned()),
        }
    }
}

/// The name of a state: `RUN:TURN`, `@GENERATION` or `now`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StatePlace {
    /// The newest generation.
    Now,
    /// A generation.
    Generation(u64),
    /// The state after a turn.
    Turn(RunId, TurnId),
}

impl FromStr for StatePlace {
    type Err = String;

    fn from_str(text: &str) -> Result<StatePlace, String> {
        if text == "now" {
            return Ok(StatePlace::Now);
        }
        if let Some(digits) = text.strip_prefix('@') {
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.parse().ok().filter(|_| is_number);
            return number
                .map(StatePlace::Generation)
                .ok_or_else(|| "a generation is named @NUMBER".to_owned());
        }
        match text.split_once(':') {
            Some((run, turn)) => Ok(StatePlace::Turn(name(run)?, name(turn)?)),
            None => Err("a state is named RUN:TURN, @GENERATION or now".to_owned()),
        }
    }
}

fn name<T: FromStr<Err = orket_kernel::InvalidName>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_named_in_three_or_four_parts() {
        for text in ["r:FL-1:7", "r:FL-1:007", "r:FL-1:turn-0007"] {
            let place: TurnPlace = text.parse().unwrap();
            assert_eq!((place.issue.as_str(), place.turn_id.number()), ("FL-1", 7));
        }
        let place: TurnPlace = "r:-:1:engine".parse().unwrap();
        assert_eq!(place.role.as_deref(), Some("engine"));
        for text in [
            "",
            "r",
            "r:c",
            "r:c:x",
            "r:c:0",
            "r:c:1:role:more",
            "a b:c:1",
        ] {
            assert!(text.parse::<TurnPlace>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_turn_is_named_in_two_parts_where_its_card_is_of_no_interest() {
        for text in ["r:7", "r:007", "r:turn-0007"] {
            let address: TurnAddress = text.parse().unwrap();
            assert_eq!(
                (address.run_id.as_str(), address.turn_id.number()),
                ("r", 7)
            );
        }
        for text in ["", "r", "r:", ":1", "r:0", "r:FL-1:7", "a b:1"] {
            assert!(
                text.parse::<TurnAddress>().is_err(),
                "{text:?} was accepted"
            );
        }
    }

    #[test]
    fn a_state_is_named_in_three_ways() {
        assert_eq!("now".parse(), Ok(StatePlace::Now));
        assert_eq!("@12".parse(), Ok(StatePlace::Generation(12)));
        let turn: StatePlace = "first_light-1:turn-0007".parse().unwrap();
        assert!(matches!(turn, StatePlace::Turn(_, turn) if turn.number() == 7));
        for text in [
            "",
            "@",
            "@x",
            "@+1",
            "@99999999999999999999",
            "r",
            "r:",
            ":1",
            "r:0",
            "r:c:1",
        ] {
            assert!(text.parse::<StatePlace>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_role_is_compared_whole() {
        // The earlier system took `reviewer` for `code_reviewer`.
        let place: TurnPlace = "r:FL-1:3:reviewer".parse().unwrap();
        assert!(place.mismatch(Some("FL-1"), "code_reviewer").is_some());
        assert!(place.mismatch(Some("FL-1"), "reviewer").is_none());
        assert!(place.mismatch(None, "reviewer").is_some());
    }
}
