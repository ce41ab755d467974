//! What is known of a model before it is asked.

use std::collections::BTreeSet;

/// What a server says about a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFacts {
    /// What identifies the weights, in the server's own words: Ollama's manifest digest, or the file of llama.cpp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The digest of what shapes the prompt on the server: template, default parameters, system text. They change what a model
    /// does without changing its weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What the server is, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

impl ModelFacts {
    /// Tells whether nothing is known that a change could be seen by.
    pub fn are_unknown(&self) -> bool {
        self.digest.is_none() && self.template.is_none()
    }

    /// Returns the first difference from what was known before, as its name, the fact of then and that of now. The version
    /// of the server is none.
    ///
    /// ```
    /// use orket_ports::model::ModelFacts;
    ///
    /// let then = ModelFacts { digest: Some("aa".into()), ..ModelFacts::default() };
    /// let now = ModelFacts { digest: Some("bb".into()), server: Some("1.0".into()), ..ModelFacts::default() };
    /// assert_eq!(now.first_change(&then), Some(("digest", "aa".to_owned(), "bb".to_owned())));
    /// assert_eq!(now.first_change(&now.clone()), None);
    /// ```
    pub fn first_change(&self, before: &ModelFacts) -> Option<(&'static str, String, String)> {
        let known = |fact: &Option<String>| fact.clone().unwrap_or_else(|| "unknown".to_owned());
        let facts = [
            ("digest", &before.digest, &self.digest),
            ("template", &before.template, &self.template),
        ];
        let (name, then, now) = facts.into_iter().find(|(_, then, now)| then != now)?;
        Some((name, known(then), known(now)))
    }
}

/// A model that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelListing {
    /// Its name, as a venue gives it.
    pub name: String,
    /// What it can do (`tools`, `thinking`, …), if the server says so.
    pub capabilities: Option<BTreeSet<String>>,
    /// The longest window it knows, in tokens, if the server says so.
    pub context_tokens: Option<u64>,
    /// What else is known of it.
    pub facts: ModelFacts,
    /// Where it would run, if that is not the server itself.
    pub remote_host: Option<String>,
}
