//! The dialects that come with Orket.

use orket_ports::dialect::Dialect;

use super::check::parse;

const TEXTS: [(&str, &str); 7] = [
    ("hermes", include_str!("built_in/hermes.json")),
    ("json", include_str!("built_in/json.json")),
    ("json_lines", include_str!("built_in/json_lines.json")),
    ("llama", include_str!("built_in/llama.json")),
    ("mistral", include_str!("built_in/mistral.json")),
    ("native", include_str!("built_in/native.json")),
    ("qwen_coder", include_str!("built_in/qwen_coder.json")),
];

/// Lists the names of the dialects that are built in, sorted.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().map(|(name, _)| *name)
}

/// Returns a dialect that is built in.
pub fn built_in(name: &str) -> Option<Dialect> {
    let (_, text) = TEXTS.iter().find(|(known, _)| *known == name)?;
    // Each is checked by a test.
    parse(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_a_dialect_of_its_name() {
        for (name, text) in TEXTS {
            let dialect = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(dialect.name, name);
        }
    }
}
