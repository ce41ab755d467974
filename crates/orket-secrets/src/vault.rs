//! The secrets of a project, by name.

use std::collections::{BTreeMap, BTreeSet};

use crate::Secret;
use crate::env_file::Entry;
use crate::secret::{MAX_BYTES, MIN_BYTES};

/// Words that tell a secret by its name: `GITHUB_TOKEN`, `AWS_SECRET_ACCESS_KEY`.
const TELLING_WORDS: &[&str] = &[
    "APIKEY",
    "COOKIE",
    "CREDENTIAL",
    "CREDENTIALS",
    "KEY",
    "KEYS",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PAT",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "TOKENS",
];

/// Says why a value cannot be kept secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// A value is so short that it cannot be taken out of everything without damage.
    #[error(
        "{line}: the secret {name} is shorter than {MIN_BYTES} bytes and cannot be hidden; make it longer, or list it under \
         secrets.public in orket.toml if everybody may see it"
    )]
    TooShort {
        /// The line of `.env`.
        line: usize,
        /// Its name.
        name: String,
    },
    /// A value is longer than what is looked for.
    #[error(
        "{line}: the secret {name} is longer than {MAX_BYTES} bytes and cannot be hidden; list it under secrets.public in \
         orket.toml if everybody may see it"
    )]
    TooLong {
        /// The line of `.env`.
        line: usize,
        /// Its name.
        name: String,
    },
}

/// The secrets of a project. It cannot be printed or serialised.
///
/// Secrets are what `.env` holds besides settings, and variables of the environment whose names tell: one of the words
/// between underscores is `KEY`, `TOKEN`, `SECRET`, `PASSWORD` or another of that kind.
#[derive(Default)]
pub struct Vault(BTreeMap<String, Vec<Secret>>);

impl Vault {
    /// Gathers the secrets from the lines of `.env` that are no settings, and from the environment. Names in `public` are
    /// left out.
    ///
    /// A line of `.env` with a short value is passed over if its name does not tell a secret: `PORT=8080`. From the
    /// environment, which others fill, a value that cannot be hidden is passed over.
    ///
    /// # Errors
    /// Names the line of `.env` whose value cannot be hidden.
    pub fn gather(
        env_file: Vec<Entry>,
        environment: impl IntoIterator<Item = (String, Secret)>,
        public: &BTreeSet<String>,
    ) -> Result<Vault, VaultError> {
        let mut vault = Vault::default();
        for Entry { line, name, value } in env_file {
            if public.contains(&name) || value.expose().is_empty() {
                continue;
            }
            match value.expose().len() {
                length if length > MAX_BYTES => return Err(VaultError::TooLong { line, name }),
                length if length >= MIN_BYTES => vault.insert(name, value),
                _ if is_telling(&name) => return Err(VaultError::TooShort { line, name }),
                _ => {}
            }
        }
        for (name, value) in environment {
            let can_be_hidden = (MIN_BYTES..=MAX_BYTES).contains(&value.expose().len());
            if can_be_hidden && is_telling(&name) && !public.contains(&name) {
                vault.insert(name, value);
            }
        }
        Ok(vault)
    }

    /// Returns a secret by its name, for the one place it is meant for. That of `.env` goes before that of the environment.
    pub fn resolve(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)?.first()
    }

    /// Returns the names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0
            .iter()
            .flat_map(|(name, values)| values.iter().map(|value| (name.as_str(), value)))
    }

    fn insert(&mut self, name: String, value: Secret) {
        self.0.entry(name).or_default().push(value);
    }
}

/// Tells whether a name says that its value is a secret.
fn is_telling(name: &str) -> bool {
    name.split('_')
        .any(|word| TELLING_WORDS.contains(&word.to_ascii_uppercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env_file;

    fn gather(
        file: &str,
        environment: &[(&str, &str)],
        public: &[&str],
    ) -> Result<Vault, VaultError> {
        let Ok(entries) = env_file::read(file.as_bytes()) else {
            panic!("the file is not valid");
        };
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned())));
        let public = public.iter().map(|name| (*name).to_owned()).collect();
        Vault::gather(entries, environment, &public)
    }

    /// A name, `.env`, the environment, what is public, and the names of the secrets.
    type Case<'a> = (
        &'a str,
        &'a str,
        &'a [(&'a str, &'a str)],
        &'a [&'a str],
        &'a [&'a str],
    );

    #[test]
    fn what_is_a_secret() {
        let long = format!("A={}", "x".repeat(MAX_BYTES));
        let cases: &[Case<'_>] = &[
            (
                "whatever .env holds",
                "A=12345678\nB=abcdefgh",
                &[],
                &[],
                &["A", "B"],
            ),
            (
                "a short value of a plain name is not",
                "PORT=8080\nDEBUG=1",
                &[],
                &[],
                &[],
            ),
            ("an empty value is not", "API_KEY=", &[], &[], &[]),
            ("a public one is not", "HOST=localhost", &[], &["HOST"], &[]),
            (
                "a short public one is not",
                "API_KEY=none",
                &[],
                &["API_KEY"],
                &[],
            ),
            ("the longest", &long, &[], &[], &["A"]),
            (
                "telling names of the environment",
                "",
                &[
                    ("GITHUB_TOKEN", "12345678"),
                    ("aws_secret_access_key", "12345678"),
                    ("HOME", "/home/someone"),
                    ("KEYBOARD", "12345678"),
                    ("SSH_AUTH_SOCK", "/tmp/ssh-123"),
                    ("SHORT_TOKEN", "1234567"),
                    ("SEEN_TOKEN", "12345678"),
                ],
                &["SEEN_TOKEN"],
                &["GITHUB_TOKEN", "aws_secret_access_key"],
            ),
        ];
        for (name, file, environment, public, expected) in cases {
            let Ok(vault) = gather(file, environment, public) else {
                panic!("{name}: it is refused");
            };
            assert_eq!(vault.names().collect::<Vec<_>>(), *expected, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_hidden_is_refused() {
        let refused = |file: &str| gather(file, &[], &[]).map(|_| ()).unwrap_err();
        let name = || "DB_PASSWORD".to_owned();
        let expected = VaultError::TooShort {
            line: 2,
            name: name(),
        };
        assert_eq!(refused("\nDB_PASSWORD=1234567"), expected);
        let long = format!("DB_PASSWORD={}", "x".repeat(MAX_BYTES + 1));
        let expected = VaultError::TooLong {
            line: 1,
            name: name(),
        };
        assert_eq!(refused(&long), expected);
    }

    #[test]
    fn the_file_goes_before_the_environment_and_both_are_kept() {
        let vault = gather("A_KEY=from-file", &[("A_KEY", "from-outside")], &[]);
        let Ok(vault) = vault else {
            panic!("it is refused");
        };
        assert_eq!(
            vault.resolve("A_KEY").map(Secret::expose),
            Some("from-file")
        );
        assert_eq!(vault.values().count(), 2);
        assert!(vault.resolve("B_KEY").is_none());
    }
}
