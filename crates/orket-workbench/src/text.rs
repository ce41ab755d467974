//! Text with places to fill in: `{{word}}`.

use std::collections::BTreeMap;

/// Fills the places in.
///
/// # Errors
///
/// The first word that has no value.
pub(crate) fn fill(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let word = after.split_once("}}").filter(|(word, _)| is_word(word));
        match word {
            Some((word, after)) => {
                let value = values.get(word).ok_or_else(|| word.to_owned())?;
                filled.push_str(value);
                rest = after;
            }
            // Two braces that are no place: other languages use them too.
            None => {
                filled.push_str("{{");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns `user_accounts` for `user-accounts`.
pub(crate) fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// Returns `UserAccounts` for `user-accounts`.
pub(crate) fn pascal(name: &str) -> String {
    let parts = name.split(['-', '_']);
    parts.map(capitalised).collect()
}

/// Returns `userAccounts` for `user-accounts`.
pub(crate) fn camel(name: &str) -> String {
    let pascal = pascal(name);
    let mut characters = pascal.chars();
    characters.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(characters).collect()
    })
}

/// Returns the text with its first letter large.
pub(crate) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// Says why a text is no name in lower case, of letters and digits with single `-` or `_` between, if it is none.
pub(crate) fn name_objection(text: &str) -> Option<String> {
    if text.is_empty() || text.len() > 64 {
        return Some("a name has 1 to 64 characters".to_owned());
    }
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Some("a name begins with a small letter, a to z".to_owned());
    }
    let is_good = text.split(['-', '_']).all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
    });
    (!is_good)
        .then(|| "a name has small letters, digits, and single - or _ between them".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_other_braces_stay() {
        let values = BTreeMap::from([("name".to_owned(), "x{{name}}".to_owned())]);
        assert_eq!(
            fill("a {{name}} {{ name }} {{{}}} {{", &values).unwrap(),
            "a x{{name}} {{ name }} {{{}}} {{"
        );
        assert_eq!(fill("{{other}}", &values), Err("other".to_owned()));
    }

    #[test]
    fn a_name_has_its_forms() {
        for (name, forms) in [
            ("users", ["users", "Users", "users"]),
            (
                "user-accounts",
                ["user_accounts", "UserAccounts", "userAccounts"],
            ),
            ("a_b-c2", ["a_b_c2", "ABC2", "aBC2"]),
        ] {
            assert_eq!([snake(name), pascal(name), camel(name)], forms);
            assert_eq!(name_objection(name), None);
        }
        for name in [
            "", "A", "1a", "-a", "a-", "a--b", "a b", "../a", "a/b", "ü", "a\"b", "a.b",
        ] {
            assert!(name_objection(name).is_some(), "{name:?}");
        }
        assert!(name_objection(&"a".repeat(65)).is_some());
    }
}
