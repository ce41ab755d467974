//! How much of a sandbox there is.

use std::fmt;

/// How much of the sandbox could be put up. A stronger tier is greater; all partial ones are equally strong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Everything.
    Full,
    /// Some of it: what is missing is told.
    Partial(Vec<Missing>),
    /// Files cannot be kept away, or nothing else can be; why is told.
    None(String),
}

/// The least tier that a caller accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeastTier {
    /// Whatever can be reached, even nothing.
    None,
    /// Files outside are out of reach; something else may be missing.
    Partial,
    /// Everything.
    Full,
}

/// A part of the sandbox.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feature {
    /// The kernel lets the program reach only the files that it is given.
    Landlock,
    /// The kernel refuses the system calls that lead out.
    SystemCallFilter,
    /// Own process, network and IPC namespaces: nothing outside can be seen or signalled, nothing survives.
    Namespaces,
    /// An own root directory, in which nothing else is.
    PrivateRoot,
    /// A user that owns nothing outside, or at least cannot reach it.
    OwnUser,
}

/// A part of the sandbox that is missing, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The part.
    pub feature: Feature,
    /// Why, as the system says it.
    pub reason: String,
}

impl Tier {
    /// Returns `full`, `partial` or `none`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Tier::Full => "full",
            Tier::Partial(_) => "partial",
            Tier::None(_) => "none",
        }
    }

    /// Returns the tier with what is missing, without the words of this machine's system: the same on all machines that lack
    /// the same.
    pub fn summary(&self) -> String {
        let missing = match self {
            Tier::Partial(missing) => missing,
            Tier::Full | Tier::None(_) => return self.as_str().to_owned(),
        };
        let words: Vec<String> = missing
            .iter()
            .map(|missing| format!("no {}", missing.feature.as_str()))
            .collect();
        format!("partial ({})", words.join(", "))
    }

    /// Tells whether the tier is at least as strong as what a caller accepts.
    pub fn reaches(&self, least: LeastTier) -> bool {
        self.strength() >= least
    }

    const fn strength(&self) -> LeastTier {
        match self {
            Tier::Full => LeastTier::Full,
            Tier::Partial(_) => LeastTier::Partial,
            Tier::None(_) => LeastTier::None,
        }
    }

    /// Returns the tier without the given parts.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "there is only the tier none")
    )]
    pub(super) fn without(missing: Vec<Missing>) -> Tier {
        let lacks = |feature| missing.iter().find(|missing| missing.feature == feature);
        // Without Landlock only a private root keeps files away, and without the filter as well too much else is open.
        let second = lacks(Feature::SystemCallFilter).or(lacks(Feature::PrivateRoot));
        match (lacks(Feature::Landlock), second) {
            (Some(files), Some(second)) => Tier::None(format!("{files}, {second}")),
            _ if missing.is_empty() => Tier::Full,
            _ => Tier::Partial(missing),
        }
    }
}

impl PartialOrd for Tier {
    fn partial_cmp(&self, other: &Tier) -> Option<std::cmp::Ordering> {
        match self.strength().cmp(&other.strength()) {
            // Two partial tiers that lack different things cannot be compared.
            std::cmp::Ordering::Equal if self != other => None,
            ordering => Some(ordering),
        }
    }
}

impl LeastTier {
    /// Returns `full`, `partial` or `none`.
    pub const fn as_str(self) -> &'static str {
        match self {
            LeastTier::Full => "full",
            LeastTier::Partial => "partial",
            LeastTier::None => "none",
        }
    }
}

impl Feature {
    /// Returns the words for messages: `no …`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Feature::Landlock => "Landlock",
            Feature::SystemCallFilter => "system call filter",
            Feature::Namespaces => "namespaces",
            Feature::PrivateRoot => "private root",
            Feature::OwnUser => "separate user",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tier::Full => formatter.write_str("full"),
            Tier::Partial(missing) => {
                formatter.write_str("partial (")?;
                for (index, missing) in missing.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(formatter, "{separator}{missing}")?;
                }
                formatter.write_str(")")
            }
            Tier::None(reason) => write!(formatter, "none ({reason})"),
        }
    }
}

impl From<orket_ports::verifier::LeastTier> for LeastTier {
    fn from(least: orket_ports::verifier::LeastTier) -> LeastTier {
        use orket_ports::verifier::LeastTier as Asked;
        match least {
            Asked::None => LeastTier::None,
            Asked::Partial => LeastTier::Partial,
            Asked::Full => LeastTier::Full,
        }
    }
}

impl fmt::Display for LeastTier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no {}: {}", self.feature.as_str(), self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::{Feature, LeastTier, Missing, Tier};

    fn missing(features: &[Feature]) -> Vec<Missing> {
        features
            .iter()
            .map(|&feature| Missing {
                feature,
                reason: "not built in".to_owned(),
            })
            .collect()
    }

    #[test]
    fn a_tier_is_named_by_what_is_missing() {
        let cases: &[(&[Feature], &str, LeastTier)] = &[
            (&[], "full", LeastTier::Full),
            (
                &[Feature::Namespaces],
                "partial (no namespaces: not built in)",
                LeastTier::Partial,
            ),
            (
                &[Feature::Landlock, Feature::OwnUser],
                "partial (no Landlock: not built in, no separate user: not built in)",
                LeastTier::Partial,
            ),
            (
                &[Feature::Landlock, Feature::SystemCallFilter],
                "none (no Landlock: not built in, no system call filter: not built in)",
                LeastTier::None,
            ),
            (
                &[Feature::Landlock, Feature::PrivateRoot],
                "none (no Landlock: not built in, no private root: not built in)",
                LeastTier::None,
            ),
            (
                &[Feature::SystemCallFilter, Feature::PrivateRoot],
                "partial (no system call filter: not built in, no private root: not built in)",
                LeastTier::Partial,
            ),
        ];
        for (features, text, strength) in cases {
            let tier = Tier::without(missing(features));
            assert_eq!(tier.to_string(), *text);
            assert!(text.starts_with(tier.as_str()));
            for least in [LeastTier::None, LeastTier::Partial, LeastTier::Full] {
                assert_eq!(
                    tier.reaches(least),
                    least <= *strength,
                    "{tier} reaches {least}"
                );
            }
        }
    }

    #[test]
    fn tiers_are_ordered_by_strength() {
        let partial = Tier::without(missing(&[Feature::Namespaces]));
        let none = Tier::None("not Linux".to_owned());
        assert!(Tier::Full > partial && partial > none);
        assert_eq!(
            partial.partial_cmp(&Tier::without(missing(&[Feature::Landlock]))),
            None
        );
    }
}
