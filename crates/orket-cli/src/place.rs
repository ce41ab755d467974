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
    fn a_role_is_compared_whole() {
        // The earlier system took `reviewer` for `code_reviewer`.
        let place: TurnPlace = "r:FL-1:3:reviewer".parse().unwrap();
        assert!(place.mismatch(Some("FL-1"), "code_reviewer").is_some());
        assert!(place.mismatch(Some("FL-1"), "reviewer").is_none());
        assert!(place.mismatch(None, "reviewer").is_some());
    }
}
